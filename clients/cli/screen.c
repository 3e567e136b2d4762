/* screen.c - the other screen of a terminal. */
#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[2J"
#define LEAVE "\033[0m\033[?25h\033[?1049l"
#define HOME  "\033[H"

enum { ROWS = 24, COLS = 80 };

static struct termios before; /* how stdin was */
static bool is_entered, is_raw;

static void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* Keys come at once and are not shown; Ctrl-C stays a signal. */
static void take_keys(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

int screen_enter(void)
{
	static bool is_registered;
	const char *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || term == NULL || strcmp(term, "dumb") == 0)
		return -1;
	if (!is_registered)
		atexit(screen_leave);
	is_registered = true;
	is_entered = true;
	take_keys();
	write_all(ENTER, strlen(ENTER));
	return 0;
}

void screen_leave(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	if (is_entered)
		write_all(LEAVE, strlen(LEAVE));
	is_raw = is_entered = false;
}

void screen_cut(char *out, const char *line, size_t len, size_t width)
{
	size_t shown = 0;

	for (size_t i = 0; i < len;) {
		if (line[i] == '\033') { /* a colour, which ends in m */
			do
				*out++ = line[i];
			while (line[i++] != 'm' && i < len);
			continue;
		}
		if (shown < width || ((unsigned char)line[i] & 0xc0) == 0x80) {
			bool begins = ((unsigned char)line[i] & 0xc0) != 0x80;

			if (begins)
				shown++;
			*out++ = line[i];
		} else {
			shown++;
		}
		i++;
		/* Of a character that did not fit, the rest does not either. */
		while (shown > width && i < len && ((unsigned char)line[i] & 0xc0) == 0x80)
			i++;
	}
	*out = '\0';
}

static void size_of_terminal(size_t *rows, size_t *cols)
{
	struct winsize size;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;

	*rows = known ? size.ws_row : ROWS;
	*cols = known ? size.ws_col : COLS;
}

int screen_draw(const char *frame)
{
	size_t rows, cols, len;
	char *text = NULL, *line = malloc(strlen(frame) + 8);
	FILE *out = open_memstream(&text, &len);
	bool good = line && out;

	size_of_terminal(&rows, &cols);
	if (out)
		fputs(HOME, out);
	for (size_t row = 0; good && row < rows && *frame; row++) {
		size_t n = strcspn(frame, "\n");

		screen_cut(line, frame, n, cols - 1); /* who writes the last column may wrap */
		fprintf(out, "%s%s\033[0m\033[K", row ? "\r\n" : "", line);
		frame += n + (frame[n] == '\n');
	}
	if (out) {
		fputs("\033[J", out);
		good = fclose(out) == 0 && good;
	}
	if (good)
		write_all(text, len);
	free(text);
	free(line);
	return good ? 0 : -1;
}
