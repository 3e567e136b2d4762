/* confirm.c - a typed word. */
#include "confirm.h"

#include <string.h>
#include <unistd.h>

bool confirm_is_possible(void)
{
	return isatty(STDIN_FILENO);
}

bool confirm(const struct settings *settings, const char *word, const char *what,
	     const char *otherwise)
{
	char line[64];

	if (settings->yes)
		return true;
	if (!confirm_is_possible()) {
		command_say("%s: nobody is there to confirm it; --yes does without", word);
		return false;
	}
	fprintf(stderr, "%s Type %s to go on: ", what, word);
	if (fgets(line, sizeof line, stdin) != NULL && strcspn(line, "\n") == strlen(word) &&
	    strncmp(line, word, strlen(word)) == 0)
		return true;
	command_say("%s", otherwise);
	return false;
}
