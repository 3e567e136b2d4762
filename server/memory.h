/* memory.h - the most memory that one worker takes, part by part, as it follows from the options.
 *
 * What it does  Names every bound that holds a part of a worker's memory, and adds them up. Shown by --print-config, told as
 *               newswire_memory_limit_bytes, explained in docs/operations.md; a scenario fills a worker and holds the sum against it.
 * Threads       Any.
 */
#ifndef NEWSWIRE_MEMORY_H
#define NEWSWIRE_MEMORY_H

#include <stdint.h>
#include <stdio.h>
#include "options.h"

/* All parts, in bytes. */
uint64_t memory_limit(const struct options *o);
/* A comment line for each part, and one for the sum. */
void memory_print(const struct options *o, FILE *out);
/* How many channels all subscriptions of a worker may name, those that are the same counted once. */
uint64_t memory_names(const struct options *o);
/* How many files a worker may have open, where the system lets it. */
uint64_t memory_files(const struct options *o);

#endif
