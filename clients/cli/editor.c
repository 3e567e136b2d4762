/* editor.c - a file, and the editor on it. */
#include "editor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool editor_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int write_file(struct editor *editor, const char *text)
{
	const char *dir = getenv("TMPDIR");
	FILE *file = NULL;
	int fd;

	snprintf(editor->path, sizeof editor->path, "%s/newswire-XXXXXX.json",
		 dir && *dir && strlen(dir) < 200 ? dir : "/tmp");
	if ((fd = mkstemps(editor->path, 5)) < 0 || (file = fdopen(fd, "w")) == NULL ||
	    fputs(text, file) < 0 || fclose(file) != 0) {
		command_say("cannot write %s: %s", editor->path, strerror(errno));
		return -1;
	}
	return 0;
}

int editor_run(struct editor *editor, const char *text)
{
	/* $EDITOR may have words of its own, as in `emacs -nw`. */
	static const char script[] = "exec ${VISUAL:-${EDITOR:-vi}} \"$1\"";
	int status;
	pid_t child;

	if (write_file(editor, text) < 0)
		return -1;
	if ((child = fork()) == 0) {
		execl("/bin/sh", "sh", "-c", script, "sh", editor->path, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0) {
		command_say("the editor failed; set $EDITOR to one that works");
		return -1;
	}
	return 0;
}

void editor_discard(struct editor *editor)
{
	if (editor->path[0])
		unlink(editor->path);
	editor->path[0] = '\0';
}
