/* Goal: the state directory is this user's alone, has one holder at a time, and its files are whole or absent.
 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/log.h"
#include "state_dir.h"

static char root[64], error[512];
static struct state_dir dir;

static int make_root(void **state)
{
	(void)state;
	log_open(STDERR_FILENO, LOG_KEY_VALUE, LOG_ERROR);
	strcpy(root, "state_dir_files.XXXXXX");
	return mkdtemp(root) && chdir(root) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[96];

	(void)state;
	state_dir_close(&dir);
	snprintf(command, sizeof command, "rm -rf %s", root);
	return chdir("..") == 0 ? system(command) : -1;
}

static mode_t mode_of(const char *name)
{
	struct stat about;

	assert_int_equal(stat(name, &about), 0);
	return about.st_mode & 0777;
}

static void read_text(const char *name, char *out, size_t size)
{
	FILE *file = fopen(name, "re");

	assert_non_null(file);
	out[fread(out, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void write_text(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void directories_are_made_for_this_user_only(void **state)
{
	(void)state;
	umask(0);
	assert_int_equal(state_dir_open(&dir, "a/b/c", error, sizeof error), 0);
	assert_int_equal(mode_of("a"), 0700);
	assert_int_equal(mode_of("a/b/c"), 0700);
	assert_int_equal(mode_of("a/b/c/publish.key"), 0600);
	assert_int_equal(mode_of("a/b/c/lock"), 0600);
	assert_int_equal(dir.path[0], '/');
}

static void a_key_is_made_once_and_found_again(void **state)
{
	char first[STATE_DIR_KEY_SIZE];

	(void)state;
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	snprintf(first, sizeof first, "%s", dir.publish_key);
	assert_int_equal(strlen(first), 64);
	state_dir_close(&dir);
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	assert_string_equal(dir.publish_key, first);
}

static void the_first_line_of_a_key_file_is_the_key(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	write_text("d/publish.key", "a-key-of-our-newsroom\r\nmade in March\n");
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	assert_string_equal(dir.publish_key, "a-key-of-our-newsroom");
}

static void a_key_that_is_none_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	write_text("d/publish.key", "short\n");
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), -1);
	assert_non_null(strstr(error, "publish.key is no key of 16 to 255 letters"));
	assert_int_equal(dir.lock_fd, -1);
}

/* It would lie there, and no worker accept it, if the next program is not started after all. */
static void to_ask_whether_there_will_be_a_key_makes_none(void **state)
{
	char before[STATE_DIR_KEY_SIZE];

	(void)state;
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	snprintf(before, sizeof before, "%s", dir.publish_key);
	assert_int_equal(unlink("d/publish.key"), 0);
	assert_int_equal(state_dir_check(&dir, error, sizeof error), 0);
	assert_int_equal(access("d/publish.key", F_OK), -1);
	assert_int_equal(access("d/.draft", F_OK), -1);
	assert_string_equal(dir.publish_key, before);
}

static void a_key_that_could_not_be_read_or_made_is_told_before(void **state)
{
	(void)state;
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	write_text("d/publish.key", "short\n");
	assert_int_equal(state_dir_check(&dir, error, sizeof error), -1);
	assert_non_null(strstr(error, "publish.key is no key of 16 to 255 letters"));
	assert_int_equal(unlink("d/publish.key"), 0);
	assert_int_equal(mkdir("d/.draft", 0700), 0); /* as good as a full disk */
	assert_int_equal(state_dir_check(&dir, error, sizeof error), -1);
	assert_non_null(strstr(error, "cannot write publish.key in "));
}

static void a_second_holder_is_told_who_the_first_is(void **state)
{
	struct state_dir second;
	char expected[64];

	(void)state;
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	assert_int_equal(state_dir_open(&second, "d", error, sizeof error), -1);
	snprintf(expected, sizeof expected, "(process %d)", (int)getpid());
	assert_non_null(strstr(error, expected));
	state_dir_close(&dir);
	assert_int_equal(state_dir_open(&second, "d", error, sizeof error), 0);
	state_dir_close(&second);
}

/* The supervisor was killed; a child that still holds the lock is about to die. */
static void children_of_a_dead_holder_are_waited_for(void **state)
{
	int gate[2], status;
	pid_t holder;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	if ((holder = fork()) == 0) {
		if (state_dir_open(&dir, "d", error, sizeof error) < 0)
			_exit(1);
		if (fork() == 0) {
			close(gate[1]);
			usleep(200000); /* dies a little later; nobody can signal the moment of a death */
			_exit(0);
		}
		_exit(0);
	}
	close(gate[1]);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(status, 0);
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	close(gate[0]);
}

static void what_is_announced_is_json_for_this_user_and_can_be_withdrawn(void **state)
{
	const struct state_dir_facts facts = {.url = "http://127.0.0.1:81",
					      .port = 81,
					      .redis = "unix:/a \"b\"/redis.sock",
					      .generation = 2,
					      .renewals = 3,
					      .renewal_trouble = "no \"port\""};
	char text[512], expected[512];

	(void)state;
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	assert_int_equal(state_dir_announce(&dir, &facts), 0);
	read_text("d/newswired.json", text, sizeof text);
	snprintf(expected, sizeof expected,
		 "{\"pid\":%d,\"port\":81,\"url\":\"http://127.0.0.1:81\","
		 "\"redis\":\"unix:/a \\\"b\\\"/redis.sock\",\"version\":\"" NEWSWIRE_VERSION "\","
		 "\"generation\":2,\"renewals\":3,\"renewal_trouble\":\"no \\\"port\\\"\"}\n",
		 (int)getpid());
	assert_string_equal(text, expected);
	assert_int_equal(mode_of("d/newswired.json"), 0600);
	state_dir_withdraw(&dir);
	assert_int_equal(access("d/newswired.json", F_OK), -1);
}

static void what_a_killed_one_announced_is_removed(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	write_text("d/newswired.json", "{}");
	assert_int_equal(state_dir_open(&dir, "d", error, sizeof error), 0);
	assert_int_equal(access("d/newswired.json", F_OK), -1);
}

static void the_default_follows_the_xdg_state_home(void **state)
{
	char here[PATH_MAX], expected[PATH_MAX + 64], home[PATH_MAX + 16];

	(void)state;
	assert_non_null(getcwd(here, sizeof here));
	snprintf(home, sizeof home, "%s/xdg", here);
	setenv("XDG_STATE_HOME", home, 1);
	assert_int_equal(state_dir_open(&dir, "", error, sizeof error), 0);
	snprintf(expected, sizeof expected, "%s/xdg/newswire", here);
	assert_string_equal(dir.path, expected);
	state_dir_close(&dir);

	setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
	setenv("HOME", here, 1);
	assert_int_equal(state_dir_open(&dir, "", error, sizeof error), 0);
	snprintf(expected, sizeof expected, "%s/.local/state/newswire", here);
	assert_string_equal(dir.path, expected);
}

static void what_cannot_be_made_is_told_with_the_reason(void **state)
{
	(void)state;
	write_text("file", "");
	assert_int_equal(state_dir_open(&dir, "file/d", error, sizeof error), -1);
	assert_non_null(strstr(error, "Not a directory"));
	assert_non_null(strstr(error, "--state-dir"));
}

static void a_path_too_long_for_a_socket_says_by_how_much(void **state)
{
	char out[256];

	(void)state;
	memset(dir.path, 'x', 110);
	dir.path[0] = '/';
	dir.path[97] = '\0'; /* with /redis.sock: 108 */
	assert_int_equal(state_dir_redis(&dir, out, sizeof out, error, sizeof error), -1);
	assert_non_null(strstr(error, "by 1 bytes: give --state-dir a shorter one"));
	dir.path[96] = '\0';
	assert_int_equal(state_dir_redis(&dir, out, sizeof out, error, sizeof error), 0);
	assert_int_equal(strlen(out), strlen("unix:") + 107);
	dir.lock_fd = -1;
}

int main(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)
	const struct CMUnitTest tests[] = {
		IN_ROOT(directories_are_made_for_this_user_only),
		IN_ROOT(a_key_is_made_once_and_found_again),
		IN_ROOT(the_first_line_of_a_key_file_is_the_key),
		IN_ROOT(a_key_that_is_none_is_refused),
		IN_ROOT(to_ask_whether_there_will_be_a_key_makes_none),
		IN_ROOT(a_key_that_could_not_be_read_or_made_is_told_before),
		IN_ROOT(a_second_holder_is_told_who_the_first_is),
		IN_ROOT(children_of_a_dead_holder_are_waited_for),
		IN_ROOT(what_is_announced_is_json_for_this_user_and_can_be_withdrawn),
		IN_ROOT(what_a_killed_one_announced_is_removed),
		IN_ROOT(the_default_follows_the_xdg_state_home),
		IN_ROOT(what_cannot_be_made_is_told_with_the_reason),
		IN_ROOT(a_path_too_long_for_a_socket_says_by_how_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
