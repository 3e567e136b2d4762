/* key_file.c - keys.json: found, locked, read, and written anew. */
#include "key_file.h"

#include <newswire/client.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- where ------------------------------------------------------------------------------------ */

static int name_path(struct key_file *f, const struct settings *settings)
{
	char dir[PATH_MAX], *real;
	int len;

	if (settings->keys_file) {
		len = snprintf(f->path, sizeof f->path, "%s", settings->keys_file);
	} else {
		if (newswire_local_dir(settings->state_dir, dir, sizeof dir) < 0) {
			command_say("no state directory is known: name one, or the file by --keys");
			return -1;
		}
		len = snprintf(f->path, sizeof f->path, "%s/%s", dir, NEWSWIRE_KEYS_FILE);
	}
	if (len >= (int)sizeof f->path) {
		command_say("the path of the file of keys is too long");
		return -1;
	}
	if ((real = realpath(f->path, NULL)) != NULL) {
		memcpy(f->path, real, strlen(real) + 1);
		free(real);
	}
	return 0;
}

static int lock_directory(struct key_file *f)
{
	char path[PATH_MAX];
	const char *name;

	memcpy(path, f->path, sizeof path);
	name = dirname(path);
	f->dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir >= 0 && flock(f->dir, LOCK_EX) == 0)
		return 0;
	command_say("cannot use the directory %s: %s", name, strerror(errno));
	return -1;
}

/* --- reading ---------------------------------------------------------------------------------- */

static json_t *read_json(const char *path)
{
	json_error_t bad;
	json_t *json;
	FILE *file = fopen(path, "re");

	if (file == NULL && errno == ENOENT)
		return json_object();
	if (file == NULL) {
		command_say("cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	/* jansson's own words would show what stands there */
	if ((json = json_loadf(file, JSON_REJECT_DUPLICATES, &bad)) == NULL)
		command_say("%s is not JSON (line %d, column %d): correct it first", path, bad.line,
			    bad.column);
	fclose(file);
	return json;
}

enum exit_code key_file_open(struct key_file *f, const struct settings *settings)
{
	*f = (struct key_file){.dir = -1};
	if (name_path(f, settings) < 0 || lock_directory(f) < 0 ||
	    (f->file = read_json(f->path)) == NULL)
		return CLI_USAGE;
	if (json_is_object(f->file) && json_object_get(f->file, "keys") == NULL &&
	    json_object_set_new(f->file, "keys", json_array()) < 0)
		return CLI_FAILED;
	f->keys = json_object_get(f->file, "keys");
	if (json_is_array(f->keys))
		return CLI_OK;
	command_say("%s has no list of keys: correct it first", f->path);
	return CLI_USAGE;
}

size_t key_file_find(const struct key_file *f, const char *name)
{
	const json_t *key;
	size_t i;

	json_array_foreach (f->keys, i, key) {
		const char *other = json_string_value(json_object_get(key, "name"));

		if (other && strcmp(other, name) == 0)
			return i;
	}
	return json_array_size(f->keys);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Root edits for the server's user: the file stays his, a new one is his who has the directory. */
static int give_to_owner(const struct key_file *f, int fd)
{
	struct stat about;

	if (geteuid() != 0)
		return 0;
	if (stat(f->path, &about) < 0 && fstat(f->dir, &about) < 0)
		return -1;
	return fchown(fd, about.st_uid, about.st_gid);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd);
}

static int replace(const struct key_file *f, const char *text)
{
	char draft[PATH_MAX + 16];
	int fd, result;

	snprintf(draft, sizeof draft, "%s.draft", f->path);
	unlink(draft); /* of one who was killed: nobody else has the lock */
	if ((fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		return -1;
	result = give_to_owner(f, fd) == 0 ? write_all(fd, text, strlen(text)) : -1;
	close(fd);
	if (result == 0 && rename(draft, f->path) == 0)
		return fsync(f->dir);
	result = errno;
	unlink(draft);
	errno = result;
	return -1;
}

static char *dump(const json_t *file)
{
	char *json = json_dumps(file, JSON_INDENT(2)), *text = NULL;

	if (json && asprintf(&text, "%s\n", json) < 0)
		text = NULL;
	if (json)
		explicit_bzero(json, strlen(json));
	free(json);
	return text;
}

enum exit_code key_file_save(const struct key_file *f)
{
	char *text = dump(f->file);
	enum exit_code code = CLI_OK;

	if (text == NULL) {
		command_say("out of memory");
		return CLI_FAILED;
	}
	if (replace(f, text) < 0) {
		command_say("cannot write %s: %s", f->path, strerror(errno));
		code = CLI_FAILED;
	}
	explicit_bzero(text, strlen(text));
	free(text);
	return code;
}

void key_file_close(struct key_file *f)
{
	json_decref(f->file);
	f->file = f->keys = NULL;
	if (f->dir >= 0)
		close(f->dir);
	f->dir = -1;
}
