/* fake_link.h - wire/link.h without a Redis: a test says what it answers, and when.
 *
 * What it does  Stands in the place of wire/link.c for the program that it is linked into. Links are found by their names; what
 *               they were asked waits, in order, until the test answers it.
 * Ownership     A link lives until link_close(), as a real one. Answers stay the test's.
 * Errors        Nothing here runs out of memory but by itself: link_open() and what asks or subscribes, which then
 *               say so as the real ones do.
 * Threads       One.
 */
#ifndef NEWSWIRE_TESTS_FAKE_LINK_H
#define NEWSWIRE_TESTS_FAKE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include "wire/link.h"

/* The open link of this name; NULL: there is none. */
struct link *fake_link(const char *name);
/* It is connected and greeted. */
void fake_link_ready(struct link *link);
/* The connection is lost: all that waits hears NULL, then the owner. */
void fake_link_lost(struct link *link);
/* How many answers it owes, messages of a subscription left out. */
size_t fake_link_owes(const struct link *link);
/* What the oldest is about: the script's text, or the command's format. NULL: nothing is owed. */
const char *fake_link_question(const struct link *link);
/* Of a script's arguments one, from 0 on, the key left out; "" if there is none. */
const char *fake_link_word(const struct link *link, int i);
/* Of a script's arguments that are names and values in turn, the value of this name; "" if there is none. */
const char *fake_link_value(const struct link *link, const char *name);
/* Answers the oldest. false: nothing is owed. */
bool fake_link_answer(struct link *link, struct redisReply *reply);
/* Has it a subscription? */
bool fake_link_hears(const struct link *link);
/* A message of its subscription. false: it has none. */
bool fake_link_message(struct link *link, struct redisReply *reply);
/* All that one reading of the socket brought has been told. */
void fake_link_batch(struct link *link);
/* How many links are open. */
size_t fake_link_count(void);

/* An answer of Redis', made by hiredis of the bytes that would come. freeReplyObject() it. */
struct redisReply *fake_link_reply(const char *bytes, size_t len);
/* The same, as a test writes it: [a 'two words' '' :3 ~ !'ERR no'] is an array of texts, a number, nothing and an error. */
struct redisReply *fake_link_says(const char *text);
/* Time passes: whatever timers of the loop are set go off. */
void fake_link_time(uv_loop_t *loop);

#endif
