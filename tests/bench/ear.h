/* ear.h - hears a channel of Redis: how the floor and the textbook server get their messages.
 *
 * What it does  Subscribes, and hands over each message that the socket holds. Nothing else.
 * Ownership     One ear per process, until that ends. A message's text is borrowed for the call.
 * Errors        What goes wrong at the start ends the process with a message. When Redis goes, the bench is
 *               over, and so is the process.
 * Threads       None of its own: the caller's loop watches the descriptor.
 */
#ifndef NW_BENCH_EAR_H
#define NW_BENCH_EAR_H

#include <stddef.h>

typedef void ear_message(const char *channel, const char *text, size_t n);

/* Subscribes to the channel, or to every channel that a pattern with * matches. Returns the descriptor. */
int ear_open(const char *redis_path, const char *channel);

/* Everything that the socket holds now. */
void ear_hear(ear_message *message);

#endif
