/* editor.h - lets somebody at a terminal change a text in the editor of theirs.
 *
 * Ownership     editor_close() frees all. The file stays until editor_discard(): what was typed is never lost by us.
 * Errors        -1 after saying why on stderr.
 */
#ifndef NEWSWIRE_CLI_EDITOR_H
#define NEWSWIRE_CLI_EDITOR_H

#include "command.h"

struct editor {
	char path[256]; /* the file that is edited, readable by its owner only; "" for none */
};

/* Is there a terminal to edit on? */
bool editor_is_possible(void);
/* Writes the text into a file and runs $VISUAL, $EDITOR or vi on it. */
int editor_run(struct editor *editor, const char *text);
/* Removes the file. */
void editor_discard(struct editor *editor);

#endif
