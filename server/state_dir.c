/* state_dir.c - makes, locks and fills the state directory. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "newswire/protocol.h"
#include "state_dir.h"

enum { KEY_BYTES = 32, KEY_LEAST = 16, LOCK_PATIENCE_MS = 5000, LOCK_PAUSE_MS = 20 };

/* <dir>/<name>; 0, or -1 if it does not fit. */
static int path_in(const struct state_dir *dir, const char *name, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/%s", dir->path, name) < PATH_MAX ? 0 : -1;
}

/* --- the directory ---------------------------------------------------------------------------- */

static int choose_path(const char *given, char out[PATH_MAX], char *error, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct passwd *user;
	int len;

	if (home == NULL || *home != '/')
		home = (user = getpwuid(getuid())) ? user->pw_dir : NULL;
	if (*given)
		len = snprintf(out, PATH_MAX, "%s", given);
	else if (state && *state == '/') /* the XDG specification wants others ignored */
		len = snprintf(out, PATH_MAX, "%s/newswire", state);
	else if (home)
		len = snprintf(out, PATH_MAX, "%s/.local/state/newswire", home);
	else
		return say_why(error, size,
			       "there is no home directory to keep state in: give --state-dir");
	if (len >= PATH_MAX)
		return say_why(error, size, "the path of the state directory is too long");
	return 0;
}

int state_dir_find(const char *given, char out[PATH_MAX], char *error, size_t size)
{
	struct state_dir dir;

	if (choose_path(given, dir.path, error, size) < 0)
		return -1;
	return path_in(&dir, NEWSWIRE_STATE_FILE, out) < 0
		       ? say_why(error, size, "the path of the state directory is too long")
		       : 0;
}

/* mkdir -p with mode 0700. */
static int make_all(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -1; /* the path now ends where it failed */
		*slash = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

static int make_directory(struct state_dir *dir, const char *given, char *error, size_t size)
{
	char path[PATH_MAX];

	if (choose_path(given, path, error, size) < 0)
		return -1;
	if (make_all(path) < 0)
		return say_why(
			error, size,
			"cannot make the directory %.400s: %s. Make it and let this user own "
			"it, or give "
			"--state-dir another",
			path, strerror(errno));
	if (realpath(path, dir->path) == NULL)
		return say_why(error, size, "cannot use the state directory %.400s: %s", path,
			       strerror(errno));
	return 0;
}

/* --- the lock --------------------------------------------------------------------------------- */

static pid_t read_holder(int fd)
{
	char text[24] = "";

	return pread(fd, text, sizeof text - 1, 0) > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* Nobody, too, if it has not written its id yet. */
static bool is_gone(pid_t pid)
{
	return pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH);
}

/* A supervisor that was killed leaves children that are about to die and still hold the lock:
 * these are waited for. */
static int wait_for_lock(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
	uint64_t end = clock_mono_ms() + LOCK_PATIENCE_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int why = errno;

		if (why == EINTR)
			continue;
		if (why != EWOULDBLOCK || !is_gone(read_holder(fd)) || clock_mono_ms() > end) {
			errno = why;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int lock(struct state_dir *dir, char *error, size_t size)
{
	char path[PATH_MAX];

	if (path_in(dir, NEWSWIRE_LOCK_FILE, path) < 0)
		return say_why(error, size, "the path of the state directory is too long");
	dir->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dir->lock_fd < 0)
		return say_why(
			error, size,
			"cannot write in the state directory %.400s: %s. Let this user own it, "
			"or give "
			"--state-dir another",
			dir->path, strerror(errno));
	if (wait_for_lock(dir->lock_fd) < 0) {
		if (errno == EWOULDBLOCK)
			return say_why(error, size,
				       "newswired runs already on %.400s (process %d): stop it, or "
				       "give --state-dir "
				       "another directory",
				       dir->path, (int)read_holder(dir->lock_fd));
		return say_why(error, size, "cannot lock %.400s: %s", path, strerror(errno));
	}
	if (ftruncate(dir->lock_fd, 0) < 0 || dprintf(dir->lock_fd, "%d\n", (int)getpid()) < 0)
		return say_why(error, size, "cannot write %.400s: %s", path, strerror(errno));
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

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

/* What write_file() renames then: its path is told in `draft`. */
static int write_draft(const struct state_dir *dir, const char *text, size_t len,
		       char draft[PATH_MAX])
{
	int fd, result;

	if (path_in(dir, ".draft", draft) < 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		return -1;
	result = write_all(fd, text, len);
	close(fd);
	return result;
}

/* Readers see the old file or the whole new one. */
static int write_file(const struct state_dir *dir, const char *name, const char *text, size_t len)
{
	char path[PATH_MAX], draft[PATH_MAX];

	if (path_in(dir, name, path) < 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return write_draft(dir, text, len, draft) == 0 ? rename(draft, path) : -1;
}

static int fail_to_write_key(const struct state_dir *dir, char *error, size_t size)
{
	return say_why(error, size, "cannot write %s in %.400s: %s", NEWSWIRE_KEY_FILE, dir->path,
		       strerror(errno));
}

static int make_key(struct state_dir *dir, char *error, size_t size)
{
	unsigned char bytes[KEY_BYTES];
	char text[2 * KEY_BYTES + 2];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return say_why(error, size,
			       "the kernel gives no random bytes for a publishing key");
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(&text[2 * i], 3, "%02x", bytes[i]);
	memcpy(dir->publish_key, text, 2 * KEY_BYTES + 1);
	text[sizeof text - 2] = '\n';
	return write_file(dir, NEWSWIRE_KEY_FILE, text, 2 * KEY_BYTES + 1) < 0
		       ? fail_to_write_key(dir, error, size)
		       : 0;
}

/* Could make_key() write one? Nothing is left of it. */
static int try_key(const struct state_dir *dir, char *error, size_t size)
{
	const char nothing[2 * KEY_BYTES + 1] = "";
	char draft[PATH_MAX];

	if (write_draft(dir, nothing, sizeof nothing, draft) < 0)
		return fail_to_write_key(dir, error, size);
	unlink(draft);
	return 0;
}

/* The first line is the key: as it is to stand in an Authorization header. */
static int read_key(struct state_dir *dir, int fd, const char *path, char *error, size_t size)
{
	ssize_t n = read(fd, dir->publish_key, sizeof dir->publish_key - 1);
	struct stat about;
	size_t len;

	if (n < 0 || fstat(fd, &about) < 0)
		return say_why(error, size, "cannot read %.400s: %s", path, strerror(errno));
	dir->publish_key[n] = '\0';
	len = strcspn(dir->publish_key, "\r\n");
	dir->publish_key[len] = '\0';
	if (len < KEY_LEAST || len == sizeof dir->publish_key - 1 || strchr(dir->publish_key, ' '))
		return say_why(
			error, size,
			"the first line of %.400s is no key of %d to %d letters: correct it, "
			"or remove the file "
			"and a new one is made",
			path, KEY_LEAST, STATE_DIR_KEY_SIZE - 2);
	if (about.st_mode & 077)
		log_warn("publish_key_exposed", LOG_S("file", path),
			 LOG_S("remedy", "others may read it: remove it, and a new one is made at "
					 "the next start"));
	return 0;
}

/* One that is missing is made if `make`. */
static int find_key(struct state_dir *dir, bool make, char *error, size_t size)
{
	char path[PATH_MAX];
	int fd, result;

	if (path_in(dir, NEWSWIRE_KEY_FILE, path) < 0)
		return say_why(error, size, "the path of the state directory is too long");
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		if (errno == ENOENT)
			return make ? make_key(dir, error, size) : try_key(dir, error, size);
		return say_why(error, size, "cannot read %.400s: %s", path, strerror(errno));
	}
	result = read_key(dir, fd, path, error, size);
	close(fd);
	return result;
}

/* --- for others ------------------------------------------------------------------------------- */

int state_dir_open(struct state_dir *dir, const char *given, char *error, size_t size)
{
	dir->lock_fd = -1;
	if (make_directory(dir, given, error, size) < 0 || lock(dir, error, size) < 0)
		goto failed;
	state_dir_withdraw(dir); /* of one that was killed */
	if (find_key(dir, true, error, size) < 0)
		goto failed;
	return 0;

failed:
	state_dir_close(dir);
	return -1;
}

int state_dir_adopt(struct state_dir *dir, const char *given, int lock_fd, char *error, size_t size)
{
	dir->lock_fd = lock_fd;
	if (make_directory(dir, given, error, size) < 0 || find_key(dir, true, error, size) < 0) {
		state_dir_close(dir);
		return -1;
	}
	return 0;
}

int state_dir_check(const struct state_dir *dir, char *error, size_t size)
{
	struct state_dir found = *dir;
	int result = find_key(&found, false, error, size);

	explicit_bzero(found.publish_key, sizeof found.publish_key);
	return result;
}

void state_dir_close(struct state_dir *dir)
{
	if (dir->lock_fd >= 0)
		close(dir->lock_fd);
	dir->lock_fd = -1;
	explicit_bzero(dir->publish_key, sizeof dir->publish_key);
}

int state_dir_redis(const struct state_dir *dir, char *out, size_t size, char *error,
		    size_t error_size)
{
	size_t most = sizeof((struct sockaddr_un *)0)->sun_path - 1;
	size_t len = strlen(dir->path) + 1 + strlen(NEWSWIRE_REDIS_SOCK);

	if (len > most)
		return say_why(error, error_size,
			       "the path of the state directory (%.200s) is too long for a Unix "
			       "socket in it, by %zu "
			       "bytes: give --state-dir a shorter one",
			       dir->path, len - most);
	snprintf(out, size, "unix:%s/%s", dir->path, NEWSWIRE_REDIS_SOCK);
	return 0;
}

static void add_text(struct buf *json, const char *name, const char *text)
{
	buf_addf(json, ",\"%s\":", name);
	buf_add_json(json, text, strlen(text));
}

int state_dir_announce(const struct state_dir *dir, const struct state_dir_facts *facts)
{
	struct buf json = {0};
	int result = -1;

	buf_addf(&json, "{\"pid\":%d,\"port\":%u", (int)getpid(), facts->port);
	add_text(&json, "url", facts->url);
	add_text(&json, "redis", facts->redis);
	add_text(&json, "version", NEWSWIRE_VERSION);
	buf_addf(&json, ",\"generation\":%u,\"renewals\":%u", facts->generation, facts->renewals);
	add_text(&json, "renewal_trouble", facts->renewal_trouble);
	buf_adds(&json, "}\n");
	if (json.failed)
		errno = ENOMEM;
	else
		result = write_file(dir, NEWSWIRE_STATE_FILE, json.data, json.len);
	buf_free(&json);
	return result;
}

void state_dir_withdraw(const struct state_dir *dir)
{
	char path[PATH_MAX];

	if (path_in(dir, NEWSWIRE_STATE_FILE, path) == 0)
		unlink(path);
}
