/* reader_own.h - what the files of this floor share: the struct behind a reader. Nobody else includes it. */
#ifndef NEWSWIRE_READER_OWN_H
#define NEWSWIRE_READER_OWN_H

#include "base/buf.h"
#include "reader/reader.h"

enum reader_state {
	READER_LIVE,	 /* at the head: its audience writes to it */
	READER_BEHIND,	 /* catching up, or waiting for room to */
	READER_WAITING,	 /* a page of history is on its way, or Redis is away */
	READER_AHEAD,	 /* its cursor is above this worker's head: another worker knew more */
	READER_ARRIVING, /* at the head: it goes live once those that it joins owe nothing */
	READER_CLOSING,	 /* in all->closing until it is reaped, then only CLOSED is awaited */
};

/* A block with news that the kernel took only in part: once the rest has left too, its posts have one
 * reader more. */
struct reader_block {
	struct wire_id from, upto;
	struct wire_id known; /* versions that were left out had been replaced by then */
};

/* What a block holds up to the end of one of its frames. */
struct reader_mark {
	size_t len;
	struct wire_id upto; /* the frame's post */
	uint32_t posts, conflated;
	uint64_t spared;
};

/* What is known of how far behind a reader is (lag.c). */
struct lag_memo {
	struct wire_id clear;	/* it waits for nothing up to here */
	struct wire_id excused; /* … or for something that came while it waited for its row */
	uint64_t due;		/* its bytes are counted again when backlog_passed() is this */
};

/* What is kept only for a reader whose connection does not take all that it is given, who is to get what is older than its
 * coming, or who had to wait. */
struct reader_debts {
	struct wire_id present; /* the head when it came: what is older went out without it */
	struct buf owed;	/* answers that could not be written yet */
	struct reader_block
		leaving; /* with `leaves`; without, memory was short, and it is not counted */
	bool leaves;
	struct wire_id looked;	    /* no post up to this one is left to go before its turn */
	struct wire_id offered;	    /* its audience has counted the posts up to this one */
	struct reader_early *early; /* what went before its turn; NULL: nothing */
	struct lag_memo lag;
};

/* One connected reader. Always true between two events of the loop (reader_check()):
 *   1. state == LIVE    <=> member.index != AUDIENCE_NOT_LIVE
 *   2. state == CLOSING <=> why != CLOSE_NONE
 *   3. queued <=> it is in a list: WAITING, AHEAD or ARRIVING in all->waiting, CLOSING and not reaped in all->closing
 *   4. blocked => it is not LIVE
 * The cursor of a LIVE reader is the wire's head, and `cursor` is not kept.
 *
 * Behind the struct, in the same block of memory, lies the door's line (reader_line()). What the fan-out needs
 * of both lies side by side: the end of the one and the beginning of the other.
 */
struct reader {
	struct audience_member member;
	struct wire_id cursor;
	struct reader *prev, *next; /* of the list that it is in */
	struct reader_debts *debts; /* NULL: none */
	uint32_t bucket_at;	    /* its place in its bucket of ticks */
	uint32_t heard_at;	    /* monotonic seconds */
	uint16_t heard;		    /* messages in the second `heard_at` */
	uint16_t bucket;
	bool queued;
	bool was_live;	  /* it kept up once: how far it may be behind is bounded (lag.c) */
	bool doubted : 1; /* AHEAD: Redis was asked for its head after it came */
	bool asked : 1;	  /* a page of history was asked for */
	bool early : 1;	  /* it asked for flashes before their turn */
	bool canary : 1;  /* it is the server's own, which is counted nowhere */
	struct readers *all;
	uint8_t why;	/* enum close_why */
	uint8_t state;	/* enum reader_state; reader_set_state() alone writes it */
	uint8_t format; /* enum format */
	bool blocked;	/* bytes wait in the door's library: write nothing */
	uint32_t
		told; /* hash of the numbers of readers that it has been behind since; 0: of none */
};

/* Readers whose tick falls into the same second. */
struct bucket {
	struct reader **at;
	uint32_t count, cap;
};

/* Where the wire was: one place for every `step` seconds, the oldest at `next`, which is --lag-time old. */
enum { LAG_STEPS = 32 };
struct lag_past {
	bool timed; /* there is a --lag-time */
	uint32_t step, count;
	uint32_t next, seconds;
	struct lag_place {
		struct wire_id head;
		uint64_t passed; /* backlog_passed() then */
	} at[LAG_STEPS + 1];
};

struct readers {
	struct wire *wire;
	struct history *history;
	struct audiences *audiences;
	bool pending; /* posts are not offered to everybody yet */
	struct readers_options options;
	struct audience_ops audience_ops;
	size_t count;
	size_t lagging;		  /* neither LIVE nor CLOSING */
	struct wire_id confirmed; /* the head that Redis had a moment ago */
	struct bucket *buckets;
	uint16_t bucket_count, next_bucket; /* to be ticked */
	uint16_t fill_bucket;		    /* gets the next reader */
	struct reader *waiting;		    /* WAITING, AHEAD and ARRIVING */
	struct reader *closing;		    /* to be reaped */
	struct buf json, frame;		    /* scratch for messages */
	struct buf block;		    /* scratch for catching up */
	int64_t counts_left;		    /* of COUNTS_WRITES, in this second */
	struct buf marks;		    /* the block's reader_marks */
	size_t early;			    /* readers that are */
	bool pressing; /* a post came that may go before its turn to one who is WAITING */
	struct lag_past past;
};

/* reader_line(), for the fan-out. */
static inline void *reader_own_line(struct reader *r)
{
	return r + 1;
}

/* How the door behind a reader is reached. */
static inline const struct reader_line *reader_door(const struct reader *r)
{
	return r->all->options.lines[r->format];
}

/* What is not newer than this went out without it. */
static inline struct wire_id reader_present(const struct reader *r)
{
	return r->debts != NULL ? r->debts->present : (struct wire_id){0};
}

void reader_set_state(struct reader *r, enum reader_state state);
/* The door said that the connection is gone: nothing is left to ask of it. */
void reader_died(struct reader *r);
/* Goes on from there. What is not newer than the head went out without it (or without this subscription of it). */
void reader_stand_at(struct reader *r, struct wire_id at);
/* Its debts, made if there are none; NULL: memory is short. */
struct reader_debts *reader_debts_of(struct reader *r);
void reader_free_debts(struct reader *r); /* accepts a reader that has none */
void reader_free_debts_if_none(struct reader *r);
/* Writes now, or remembers that it cannot (blocked). block may be anything but empty. */
void reader_write(struct reader *r, const uint8_t *bytes, size_t len);
/* Of an early reader: as much as the kernel takes at once. Returns how much that was; nothing waits then, and if it is
 * less than all, it is up to the caller to ask for a turn. */
size_t reader_write_some(struct reader *r, const uint8_t *bytes, size_t len);
/* … and what follows of them: the first `at` have been written. */
void reader_write_rest(struct reader *r, const uint8_t *bytes, size_t len, size_t at);
/* Says one message (all->json holds it) now, or owes it. at: the place that it gives the reader; NULL: none. */
void reader_say(struct reader *r, const char *type, const struct cursor *at);
/* The same with a wait that it asks for (ms). */
void reader_say_retry(struct reader *r, const char *type, uint32_t retry_ms);
/* History is gone: goes on from the head and says so. */
void reader_gap(struct reader *r);
/* The same of all history: a new epoch has begun. */
void reader_lose_all(struct reader *r);
/* Brings it forward by one block, or to where it has to wait. */
void reader_catch_up(struct reader *r);
/* The last block has begun to leave: as soon as none of it waits, it counts. */
void reader_left(struct reader *r, const struct reader_block *block);
/* There is room again, so what was leaving has left. */
void reader_all_left(struct reader *r, const struct reader_block *block);
/* To the reader, or, in a format that names it, to those who follow this one channel. */
enum post_match reader_match(const struct reader *r, const struct post *post, const char *channel);
/* Does a later post say what became of this one, to the same subscription (or channel)? Then this one is not
 * needed. */
bool reader_needs_not(const struct reader *r, const struct post *post, const char *channel,
		      bool in_backlog);
/* What the row of one who is LIVE owes goes out: it stands at the head then, or is known to be behind. Others of the row may
 * be found to be gone. */
void reader_settle(struct reader *r);
void reader_check(const struct reader *r);
/* It is at the head: its audience writes to it from now on, or as soon as its row owes nothing. */
void reader_go_live(struct reader *r);

/* --- lag.c: how far behind a reader may be ----------------------------------------------------- */

enum lag_limit { LAG_FINE, LAG_TOO_LATE, LAG_TOO_FAR };

void lag_begin(struct lag_past *past, uint64_t lag_time_ms);
/* A second has passed. */
void lag_second(struct lag_past *past, struct wire_id head, uint64_t passed);
/* A new epoch: the ids before it mean nothing. */
void lag_forget(struct lag_past *past, uint64_t passed);
/* Where the head was --lag-time ago, or a little earlier; 0-0: not known. */
struct wire_id lag_old(const struct lag_past *past);
/* When this was the head, or a little earlier, backlog_passed() was so much; if that is longer ago than is known, what it was at the
 * oldest place that is: no less than then. */
uint64_t lag_passed(const struct lag_past *past, struct wire_id id);
/* What is on the wire already counts for nothing: its row had to wait, or it for its row. */
void lag_excuse(struct reader *r);
/* Is a reader that is BEHIND further than it may be? */
enum lag_limit lag_judge(struct reader *r);
/* It was told of a gap for that. */
void lag_count(enum lag_limit limit);

/* --- early.c: flashes before their turn -------------------------------------------------------- */

/* Writes what is pressing and has not come so far, if it asked for that and there is room. Cheap when there is nothing. */
void reader_hurry(struct reader *r);
/* May this post go before its turn to somebody? */
bool reader_may_hurry(const struct post *post);
/* Its audience's offer, to one who is live: of what the kernel does not take at once, only the frame that was begun is left
 * to it. The rest stays behind, so that something may go before it. */
void reader_offer_early(struct reader *r, const struct audience_block *block);

#endif
