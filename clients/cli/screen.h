/* screen.h - a terminal's whole screen, for as long as a live view is on it.
 *
 * What it does  Goes to the terminal's other screen, hides the cursor, and takes keys as they are typed; gives all that back,
 *               however the program ends, as long as it ends by exit() or by screen_leave().
 * Drawing       A frame is text with line ends. It is cut to the size of the terminal and written at once, over the one
 *               before, so that nothing flickers.
 * Threads       One screen in a process.
 */
#ifndef NEWSWIRE_CLI_SCREEN_H
#define NEWSWIRE_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* Takes the screen. Returns 0, or -1: stdout is no terminal that can do this. */
int screen_enter(void);
/* Gives it back, once; also without screen_enter(). */
void screen_leave(void);
/* Colours may be in the frame (`ESC [ … m`): they take no room. Returns 0, or -1: it cannot be written. */
int screen_draw(const char *frame);
/* Cuts a line after `width` characters, colours not counted; what follows of a colour's end stays. `out` has room for the
 * line and 8 bytes more. */
void screen_cut(char *out, const char *line, size_t len, size_t width);

#endif
