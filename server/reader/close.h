/* close.h - why a connection ends: one row a reason feeds the close code, the counter and the log line.
 *
 * The rows are NEWSWIRE_CLOSES of newswire/protocol.h.
 */
#ifndef NEWSWIRE_READER_CLOSE_H
#define NEWSWIRE_READER_CLOSE_H

#include <newswire/protocol.h>

enum close_why {
	CLOSE_NONE,
#define CLOSE_AS_ENUM(name, code, reason) CLOSE_##name,
	NEWSWIRE_CLOSES(CLOSE_AS_ENUM)
#undef CLOSE_AS_ENUM
		CLOSE_COUNT
};

/* The WebSocket close code and its reason text. why must not be CLOSE_NONE. */
int close_code(enum close_why why);
const char *close_reason(enum close_why why);
/* The row of a code, CLOSE_INTERNAL if there is none. */
enum close_why close_of_code(int code);
/* Adds one to the reason's counter: of readers, or of the lines of newsroom tools. */
void close_count(enum close_why why);
void close_count_tool(enum close_why why);

#endif
