/* entry.h - an entry of the inbox, read: who sends it, where it goes, and the item in it.
 *
 * What it does  Makes a job of its fields (docs/redis.md): `item`; `channel`, as often as is wanted, each one name or
 *               several with spaces or commas between them; `key` and `signature` of whoever signs it.
 *               What others it has does not matter. Without a signature it is a raw PUBLISH in what it
 *               may do; with a good one it is its publisher's. What cannot be right is a job that is
 *               refused already.
 * Errors        NULL: memory is short, and nothing is said of the entry.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_ENTRY_H
#define NEWSWIRE_DESK_ENTRY_H

#include "base/base.h"
#include "desk/desk.h"
#include "desk/job.h"

struct redisReply;

/* fields: an array of names and values in turn. */
struct job *entry_read(const struct redisReply *fields,
		       const struct desk_options *options) MUST_USE;

#endif
