/* local.c - finds the newswired of this machine by what it wrote into its state directory. */
#include <newswire/client.h>

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int newswire_local_dir(const char *state_dir, char *out, size_t size)
{
	const char *own = getenv("NEWSWIRE_STATE_DIR"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int len;

	if (state_dir == NULL && own && *own)
		state_dir = own;
	if (state_dir)
		len = snprintf(out, size, "%s", state_dir);
	else if (xdg && *xdg == '/') /* the XDG specification: a relative one does not count */
		len = snprintf(out, size, "%s/newswire", xdg);
	else if (home && *home)
		len = snprintf(out, size, "%s/.local/state/newswire", home);
	else
		return -1;
	return len >= 0 && (size_t)len < size ? 0 : -1;
}

static int join(char *out, const char *dir, const char *name)
{
	return snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? 0 : -1;
}

static int copy_member(char *out, size_t size, const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (text == NULL)
		return -1;
	return (size_t)snprintf(out, size, "%s", text) < size ? 0 : -1;
}

/* Reads the first line of a file; "" if that cannot be. */
static void read_key(const char *path, char *key, size_t size)
{
	FILE *file = fopen(path, "re");

	key[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(key, (int)size, file) == NULL)
		key[0] = '\0';
	key[strcspn(key, "\r\n")] = '\0';
	fclose(file);
}

static int read_state(const char *path, struct newswire_local *local, char *problem, size_t size)
{
	json_error_t error;
	json_t *json;
	int status = 0;
	FILE *file = fopen(path, "re");

	if (file == NULL) {
		snprintf(problem, size,
			 errno == ENOENT ? "no newswired runs there: %s is missing"
					 : "cannot read %s",
			 path);
		return -1;
	}
	json = json_loadf(file, 0, &error);
	fclose(file);
	if (copy_member(local->url, sizeof local->url, json, "url") < 0 ||
	    copy_member(local->redis, sizeof local->redis, json, "redis") < 0) {
		snprintf(problem, size, "%s is not what newswired writes", path);
		errno = EINVAL;
		status = -1;
	}
	json_decref(json);
	return status;
}

int newswire_local_find(const char *state_dir, struct newswire_local *local, char *problem,
			size_t size)
{
	char dir[PATH_MAX], state[PATH_MAX], key[PATH_MAX];

	if (newswire_local_dir(state_dir, dir, sizeof dir) < 0 ||
	    join(state, dir, NEWSWIRE_STATE_FILE) < 0 || join(key, dir, NEWSWIRE_KEY_FILE) < 0) {
		snprintf(problem, size, "no state directory is known: name one");
		errno = EINVAL;
		return -1;
	}
	if (read_state(state, local, problem, size) < 0)
		return -1;
	read_key(key, local->key, sizeof local->key);
	return 0;
}
