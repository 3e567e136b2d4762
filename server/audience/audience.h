/* audience.h - the readers of one worker that want the same news in the same format.
 *
 * What it does  Turns the posts of one tick into one block and offers it to every live member:
 *               matching, encoding and joining happen once, whatever the number of members. A post
 *               finds its audiences by an index from channel to audiences, so subscriptions that it
 *               does not concern cost nothing.
 * A sweep       Offering goes around the members in slices, and the loop serves everything else between two of
 *               them. A post that comes meanwhile is in every block from then on, until it has been
 *               around: no member waits for the end of a fan-out that it has no part in.
 * Rows          An audience has two. What the kernel takes for a connection that nobody reads is work for nothing, and of a
 *               thousand of them it would hold up those who read: so whoever has not shown that he reads sits in the
 *               back, and is served after those in front, but never left out. What he was written moves him up, as soon as
 *               neither row owes anything. While nobody sits in front, as after a reload, the back waits for nobody.
 * Key           subscription + entitlement + format, and whether it is `early`. Entitlement names the private channels a
 *               reader may see; "" is the public, the only one there is so far.
 * Ownership     Refcounted: audience_get() or audience_hold() take a reference, audience_put()
 *               gives it back; the last one frees it. Live members are borrowed; reader.c frees
 *               them and has called audience_leave() before.
 * Re-entrancy   audiences_go_on(), audience_pay() and audience_say() call `offer`, which may call audience_leave() and
 *               audience_lag() for the member it was given, and nothing else of this header; the others call nothing of it.
 * Reach         Who is live when everybody was offered a block has it whole: a post's readers are
 *               counted for each audience, never for each reader.
 * Cost          The kernel's send path pushes our memory out of the caches between two members. So
 *               AUDIENCE_EXPECTED of them are touched together before they are offered anything:
 *               their misses then overlap.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_AUDIENCE_AUDIENCE_H
#define NEWSWIRE_AUDIENCE_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "audience/census.h"
#include "base/base.h"
#include "news/format.h"
#include "news/post.h"
#include "news/subscription.h"

struct audience;
struct audiences;

/* What a reader embeds to be a member. `index` and `in_back` are the audience's own, and so is `taken` while it is live.
 * index: among the live ones of its row; AUDIENCE_NOT_LIVE if it is not one. taken: bytes of news that were written to it,
 * AUDIENCE_PROVEN at most; in the back row less what that was told, so that nobody counts while it is offered blocks. */
struct audience_member {
	struct audience *audience; /* NULL: of none */
	uint32_t index : 31;
	uint32_t in_back : 1; /* it is live in the back row */
	uint32_t taken;
};
enum { AUDIENCE_NOT_LIVE = INT32_MAX };
/* Whoever was written so many bytes reads: until then they may all lie in the kernels' buffers (154 KB on one machine), and
 * TCP does not say whether they do. */
enum { AUDIENCE_PROVEN = 256 << 10 };

/* The most bytes of one write; a lone frame that is larger goes as it is. */
enum { AUDIENCE_BLOCK_MAX = 64 << 10 };

/* What a live member is offered: the frames of all posts after `from`, up to `upto`, that are for
 * it; `upto` is its cursor when they have arrived. bytes NULL: memory was short, and the member has
 * to catch up from `upto` by itself; so nothing is lost in silence. */
struct audience_block {
	const uint8_t *bytes;
	size_t len;
	struct wire_id from, upto;
};

enum { AUDIENCE_EXPECTED = 16, AUDIENCE_SLICE = 512, AUDIENCE_ALL = UINT32_MAX };
/* While there is somebody in front, an offer to the back takes this much of a slice, and one more for each so many bytes. After
 * AUDIENCE_AHEAD offers to the front the back has a slice, whatever else is to be offered. */
enum { AUDIENCE_BACK_PRICE = 8, AUDIENCE_BACK_BYTES = 512, AUDIENCE_AHEAD = 256 };
/* More than so many bytes of posts that not everybody was offered: they go out before more comes in. */
enum { AUDIENCE_OWED_MAX = 8 << 20 };

struct audience_ops {
	void (*offer)(struct audience_member *member, const struct audience_block *block);
	/* The same for audiences whose subscription is `early`. */
	void (*offer_early)(struct audience_member *member, const struct audience_block *block);
	void (*expect)(struct audience_member *member); /* will be offered a block soon */
	/* The whole post (not a `remove`) went to so many readers of one audience; `behind` others
	 * of it lag. when: about when the last of them was written to (monotonic ms). */
	void (*reached)(void *arg, struct post *post, uint32_t readers, uint32_t behind,
			uint64_t when_ms);
	void *arg;
};

/* ops is borrowed. */
struct audiences *audiences_new(const struct audience_ops *ops) MUST_USE;
void audiences_free(struct audiences *set); /* accepts NULL; every audience must have been put */

/* All audiences together name at most so many channels; at first, any number. */
void audiences_limit(struct audiences *set, size_t names_max);

/* The audience for this key, made if there is none. Takes the subscription over, also on failure.
 * NULL: out of memory, or it would name more than all may (counted). */
struct audience *audience_get(struct audiences *set, struct subscription *subscription,
			      const char *entitlement, enum format format) MUST_USE;
struct audience *audience_hold(struct audience *audience);
void audience_put(struct audience *audience); /* accepts NULL */
const struct subscription *audience_subscription(const struct audience *audience);
enum format audience_format(const struct audience *audience);

/* From the next post on the member is offered every block. Its member->audience must be set, and its row owe
 * nobody anything. 0, or -1 out of memory. */
int audience_join(struct audience_member *member) MUST_USE;
/* No more offers. Fine if it is not live. */
void audience_leave(struct audience_member *member);
/* So many readers more (or less) want its posts, but are behind: they are counted, no more. */
void audience_lag(struct audience *audience, int more);

/* One who is not live was written so many bytes of news more. */
void audience_took(struct audience_member *member, size_t bytes);

/* So many of those wait for their row, more or less, and miss nothing that it owes. */
void audience_arrive(struct audience *audience, int more);

/* Is there a post that not everybody was offered yet in the row that the member is in, or would join? */
bool audience_owes(const struct audience_member *member);
/* What that row owes goes out, before others have their turn. */
void audience_pay(const struct audience_member *member);
/* … which is not to be just because he joins, if this is so: it is a back row, and somebody sits in front. */
bool audience_can_wait(const struct audience_member *member);

/* A post of the tick that is being read: remembered by every audience that it matches and that has
 * members, live or lagging. */
void audiences_post(struct audiences *set, struct post *post);
/* Some posts were blanked, other than by one that was just told: their text is in no offer from now on. */
void audiences_blanked(struct audiences *set);
/* Makes about `slice` offers (AUDIENCE_ALL: all of them), fewer if they are to the back. Posts blanked meanwhile are left out. Returns
 * whether there is more to offer. */
bool audiences_go_on(struct audiences *set, uint32_t slice);
/* Is all that is left for back rows, while somebody sits in front? */
bool audiences_can_wait(const struct audiences *set);
/* The oldest post that was not offered to everybody yet, or NULL. */
const struct post *audiences_owed(const struct audiences *set);
/* History broke: what was remembered is forgotten; `head` is where the next tick starts. */
void audiences_forget(struct audiences *set, struct wire_id head);

/* Bytes that are no post, for every live member, behind what it owes them. */
void audience_say(struct audience *audience, const uint8_t *bytes, size_t len);

/* How many readers each channel has here. */
struct census *audiences_census(struct audiences *set);
struct audience *audience_of_entry(struct census_entry *entry);
struct census_entry *audience_entry(struct audience *audience);

size_t audiences_count(const struct audiences *set);
size_t audience_live(const struct audience *audience);

#endif
