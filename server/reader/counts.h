/* counts.h - how many read a channel: from the audiences to Redis, and from there to the readers who asked.
 *
 * What it does  Once a second the channels whose number of readers changed here are told to presence.h; what changed everywhere makes
 *               the audiences late that asked for it, and each of them gets one message, made once for all its readers. Who comes,
 *               or was behind, is told when it has caught up; a reader who is behind is not told: the next message has all numbers.
 * Bounds        COUNTS_WRITES a second and worker. Who has no turn waits for the next second, in order; so with more
 *               readers who ask, each is told less often, and posts wait no longer than for so many writes.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_READER_COUNTS_H
#define NEWSWIRE_READER_COUNTS_H

#include "reader/reader.h"

/* A message costs one for each reader, and one for each COUNTS_BYTES of making it. */
enum { COUNTS_WRITES = 5000, COUNTS_BYTES = 256 };

/* A second has passed; the tick is over. */
void counts_second(struct readers *all);
/* It has caught up: told now if it asked. */
void counts_say(struct reader *r);

#endif
