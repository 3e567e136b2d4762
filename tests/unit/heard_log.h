/* heard_log.h - what a test's program logs, to be asked for.
 *
 * heard_log_open() stands in the place of log_open(); only errors and warnings are heard. The clock is the test's from then on: a second
 * passes whenever something was asked for, or else the log would leave out what it has written often.
 */
#ifndef NEWSWIRE_TESTS_HEARD_LOG_H
#define NEWSWIRE_TESTS_HEARD_LOG_H

void heard_log_open(void);
/* How many lines with this text in them were logged since it was asked for anything last. */
unsigned heard_log_take(const char *text);

#endif
