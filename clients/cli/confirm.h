/* confirm.h - somebody at a terminal has to type the word before what cannot be undone is done. */
#ifndef NEWSWIRE_CLI_CONFIRM_H
#define NEWSWIRE_CLI_CONFIRM_H

#include "command.h"

/* Is there anybody at a terminal? */
bool confirm_is_possible(void);

/* True with --yes. Else says what will happen and wants the word; says why not. What it is about was listed before. */
bool confirm(const struct settings *settings, const char *word, const char *what,
	     const char *otherwise);

#endif
