/* log.h - one line per event, for people and for machines.
 *
 * What it does  Writes `2026-01-10T11:02:07.123Z info process=worker-0 event=reader_closed
 *               reason=drain` or the same as one JSON object a line. Values are quoted and escaped
 *               where needed, so that nothing from outside can forge a line or a field; long values
 *               are cut.
 * Ownership     Borrows every argument for the length of the call.
 * Errors        A line that cannot be written is dropped; logging never fails its caller.
 * Threads       Any; a line is one write(2).
 *
 *     log_info("reader_closed", LOG_S("reason", "drain"), LOG_I("code", 1001));
 */
#ifndef NEWSWIRE_BASE_LOG_H
#define NEWSWIRE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_KEY_VALUE, LOG_JSON };

/* One field of a line. Made by LOG_S (text, NULL prints as empty), LOG_SN (text of a length), LOG_I
 * (signed) and LOG_F (floating point). */
struct log_field {
	const char *key;
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_REAL } kind;
	const char *text;
	size_t len;
	int64_t number;
	double real;
};

#define LOG_S(k, v) \
	((struct log_field){.key = (k), .kind = LOG_FIELD_TEXT, .text = (v), .len = SIZE_MAX})
#define LOG_SN(k, v, n) \
	((struct log_field){.key = (k), .kind = LOG_FIELD_TEXT, .text = (v), .len = (n)})
#define LOG_I(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_INT, .number = (int64_t)(v)})
#define LOG_F(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_REAL, .real = (v)})

/* Sets where lines go (a file descriptor), how they look, and the least level that is written. */
void log_open(int fd, enum log_format format, enum log_level least);

/* Names this process in every line that follows, e.g. "supervisor" or "worker-2" (copied, 31
 * bytes). */
void log_name_process(const char *name);

bool log_wants(enum log_level level);

/* Writes one line. Each event name may be written at most `LOG_BURST` times a second; what is
 * over is counted and told by one line `event=log_suppressed of=<event> count=<n>` when the
 * second is over, so a flood of bad input cannot flood the disk. */
enum { LOG_BURST = 50 };
void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count);

/* Tells what was suppressed in seconds that are over. log_event() does so too; call this about
 * once a second and before exit, so that the last flood is told even if silence follows. Event
 * names must be literals: they are kept. */
void log_tick(void);

/* clang-format off */
#define LOG_FIELDS_(...) (const struct log_field[]){__VA_ARGS__}
/* clang-format on */
#define LOG_AT_(level, event, ...) \
	do { \
		if (log_wants(level)) \
			log_event(level, event, LOG_FIELDS_(__VA_ARGS__), \
				  sizeof(LOG_FIELDS_(__VA_ARGS__)) / sizeof(struct log_field)); \
	} while (0)
/* Each takes an event name and at least one field. */
#define log_debug(event, ...) LOG_AT_(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)  LOG_AT_(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)  LOG_AT_(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) LOG_AT_(LOG_ERROR, event, __VA_ARGS__)

#endif
