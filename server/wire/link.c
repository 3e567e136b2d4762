/* link.c - one connection to Redis that mends itself: connecting, greeting, watching, losing. What is asked over it: link_asks.c. */
#include "wire/link_own.h"

#include <arpa/inet.h>
#include <hiredis/async.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "wire/redis_uv.h"
#include "wire/redis_words.h"
#include "wire/sentinel.h"

enum { WATCH_MS = 1000, BACKOFF_BASE_MS = 50, BACKOFF_CAP_MS = 500 };

static void on_timer(uv_timer_t *timer);

const char *link_state_name(enum link_state state)
{
	static const char *const names[] = {"waiting", "connecting", "greeting", "ready", "closed"};

	return names[state];
}

/* Whether a link is up, in /metrics: those of every worker. Others (to Sentinels) are not told. */
static void tell_up(const struct link *link)
{
	static const struct {
		const char *name;
		enum counter_id up;
	} told[] = {{"out", COUNTER_LINK_OUT},
		    {"wire", COUNTER_LINK_WIRE},
		    {"desk", COUNTER_LINK_DESK},
		    {"desk-ear", COUNTER_LINK_EAR},
		    {"desk-inbox", COUNTER_LINK_INBOX}};

	for (size_t i = 0; i < COUNT_OF(told); i++) {
		if (strcmp(link->name, told[i].name) != 0)
			continue;
		if (link->state == LINK_CLOSED)
			counters_unsay(told[i].up);
		else
			counters_say(told[i].up, link->state == LINK_READY);
	}
}

/* The one setter. A link that cannot connect says so once, not at every attempt; nor one that is sent away each time. */
static void set_state(struct link *link, enum link_state to, const char *why)
{
	enum link_state from = link->state;
	enum log_level level = LOG_DEBUG;

	if (from == LINK_READY && to == LINK_WAITING)
		link->flaps += link->backoff.tries > 0;
	if (to == LINK_READY && link->flaps < 2)
		level = LOG_INFO;
	if (to == LINK_WAITING && link->flaps < 2 &&
	    (from == LINK_READY || link->backoff.tries == 0))
		level = LOG_WARN;
	link->state = to;
	tell_up(link);
	if (log_wants(level))
		log_event(level, "redis_link",
			  LOG_FIELDS_(LOG_S("link", link->name),
				      LOG_S("from", link_state_name(from)),
				      LOG_S("to", link_state_name(to)), LOG_S("why", why)),
			  4);
}

static void release(struct link *link)
{
	if (--link->holds > 0)
		return;
	redis_place_free(&link->place);
	free(link);
}

/* --- losing the connection ------------------------------------------------------------------ */

static void wait_for_next_attempt(struct link *link, const char *why)
{
	bool was_ready = link->state == LINK_READY;

	COUNT(REDIS_LOST);
	link->trouble = redis_words(why);
	if (link->trouble->passes) /* else set_state() says all there is */
		redis_words_tell(link->trouble, why);
	set_state(link, LINK_WAITING, why);
	uv_timer_start(&link->timer, on_timer, backoff_next(&link->backoff), 0);
	if (was_ready && link->events.lost)
		link->events.lost(link->arg);
}

void link_let_go(struct link *link, const char *reason)
{
	snprintf(link->reason, sizeof link->reason, "%s", reason);
	redisAsyncFree(link->redis);
}

/* hiredis frees the context: whatever is still owed will not come. */
static void on_gone(void *arg)
{
	struct link *link = arg;
	char why[160];

	snprintf(why, sizeof why, "%s",
		 link->reason[0]    ? link->reason
		 : link->redis->err ? link->redis->errstr
				    : "let go");
	link->reason[0] = '\0';
	link->redis = NULL;
	link->poll = NULL;
	link->paused = false;
	link->owed = 0;
	link->loaded_count = 0;
	link_answer_nobody(link);
	if (link->state != LINK_CLOSED)
		wait_for_next_attempt(link, why);
}

static void on_batch(void *arg)
{
	struct link *link = arg;

	link->heard_ms = clock_mono_ms();
	if (link->state != LINK_CLOSED && link->events.batch)
		link->events.batch(link->arg);
}

static void on_poll_closed(void *arg)
{
	release(arg);
}

static const struct redis_uv_events poll_events = {on_batch, on_gone, on_poll_closed};

/* --- greeting ------------------------------------------------------------------------------- */

/* AUTH or SELECT was answered. */
static void on_greeting(redisReply *reply, void *arg)
{
	struct link *link = arg;

	if (reply == NULL || reply->type != REDIS_REPLY_ERROR || link->state != LINK_GREETING)
		return;
	link_let_go(link, reply->str);
}

/* ROLE was: only a master takes what is written. A Redis that forbids to ask (NOPERM) may be one. */
static void on_role(redisReply *reply, void *arg)
{
	struct link *link = arg;
	const char *role;

	if (reply == NULL || link->state != LINK_GREETING || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements == 0 || (role = reply->element[0]->str) == NULL ||
	    strcmp(role, "slave") != 0)
		return;
	if (!link->told_role)
		log_error("redis_is_replica", LOG_S("link", link->name), LOG_S("host", link->host),
			  LOG_I("port", link->port),
			  LOG_S("means", "nothing can be written there, so it counts as away"),
			  LOG_S("remedy", "--redis names the master, or Sentinels who know it "
					  "(redis+sentinel://…)"));
	link->told_role = true;
	link_let_go(link, "READONLY it is a replica");
}

/* PING was: Redis works for us, unless it says that it is still loading, or wants a password, or
 * … A Redis whose disk is full (MISCONF) can be read, and one that forbids PING (NOPERM) may
 * allow the rest. */
static void on_pong(redisReply *reply, void *arg)
{
	struct link *link = arg;

	if (reply == NULL || link->state != LINK_GREETING)
		return;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "MISCONF", 7) != 0 &&
	    strncmp(reply->str, "NOPERM", 6) != 0) {
		link_let_go(link, reply->str);
		return;
	}
	COUNT(REDIS_CONNECTS);
	link->told_role = false;
	set_state(link, LINK_READY, "greeted");
	if (link->events.ready)
		link->events.ready(link->arg);
}

static int greet(struct link *link)
{
	const struct redis_place *place = &link->place;
	const char *auth[] = {"AUTH", place->user, place->password};
	const char *old_auth[] = {"AUTH", place->password};
	char name[48], db[12];
	const char *select[] = {"SELECT", db};
	const char *set_name[] = {"CLIENT", "SETNAME", name};
	const char *role[] = {"ROLE"}, *ping[] = {"PING"};

	snprintf(name, sizeof name, "newswired-%s", link->name);
	snprintf(db, sizeof db, "%d", place->db);
	if (place->user && link_send_words(link, on_greeting, link, 3, auth, NULL) == -1)
		return -1;
	if (!place->user && place->password &&
	    link_send_words(link, on_greeting, link, 2, old_auth, NULL) == -1)
		return -1;
	if (place->db && link_send_words(link, on_greeting, link, 2, select, NULL) == -1)
		return -1;
	if (link_send_words(link, NULL, NULL, 3, set_name, NULL) == -1 ||
	    link_send_words(link, on_role, link, 1, role, NULL) == -1)
		return -1;
	return link_send_words(link, on_pong, link, 1, ping, NULL);
}

static void on_connect(const redisAsyncContext *redis, int status)
{
	struct link *link = redis->data;

	if (status != REDIS_OK || link->state != LINK_CONNECTING)
		return; /* on_gone() follows */
	set_state(link, LINK_GREETING, "connected");
	if (greet(link) == -1) /* hiredis must not be freed in here: the watch will do it */
		log_error("redis_greeting_failed", LOG_S("link", link->name));
}

/* --- connecting ----------------------------------------------------------------------------- */

/* host: a numeric address, or NULL for the Unix socket. */
static void connect_to(struct link *link, const char *host)
{
	redisAsyncContext *redis = host ? redisAsyncConnect(host, link->port)
					: redisAsyncConnectUnix(link->place.unix_path);

	if (redis == NULL || redis->err) {
		wait_for_next_attempt(link, redis ? redis->errstr : "out of memory");
		goto fail;
	}
	redis->data = link;
	if ((link->poll = redis_uv_attach(link->loop, redis, &poll_events, link)) == NULL) {
		wait_for_next_attempt(link, "cannot be polled");
		goto fail;
	}
	link->holds++;
	link->redis = redis;
	link->heard_ms = link->watched_ms = clock_mono_ms();
	uv_timer_start(&link->timer, on_timer, WATCH_MS, WATCH_MS);
	redisAsyncSetConnectCallback(redis, on_connect);
	return;

fail:
	if (redis)
		redisAsyncFree(redis);
}

/* Of several addresses each attempt takes the next one. */
static const struct addrinfo *choose_address(const struct link *link, const struct addrinfo *all)
{
	unsigned count = 0, pick;

	for (const struct addrinfo *a = all; a; a = a->ai_next)
		count++;
	for (pick = link->backoff.tries % count; pick > 0; pick--)
		all = all->ai_next;
	return all;
}

static void on_resolved(uv_getaddrinfo_t *resolver, int status, struct addrinfo *addresses)
{
	struct link *link = resolver->data;
	char host[INET6_ADDRSTRLEN];

	link->resolving = false;
	if (link->state == LINK_CONNECTING) {
		if (link->outdated) {
			wait_for_next_attempt(link, "there is another master");
			uv_timer_start(&link->timer, on_timer, 0, 0);
		} else if (status != 0 || addresses == NULL) {
			wait_for_next_attempt(link, status ? uv_strerror(status) : "no address");
		} else {
			const struct addrinfo *a = choose_address(link, addresses);

			if (a->ai_family == AF_INET6)
				uv_ip6_name((const struct sockaddr_in6 *)a->ai_addr, host,
					    sizeof host);
			else
				uv_ip4_name((const struct sockaddr_in *)a->ai_addr, host,
					    sizeof host);
			connect_to(link, host);
		}
	}
	uv_freeaddrinfo(addresses);
	release(link);
}

/* hiredis would resolve names blocking, and every reader would wait with it. */
static void resolve(struct link *link)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	link->resolver.data = link;
	if (uv_getaddrinfo(link->loop, &link->resolver, on_resolved, link->host, NULL, &hints) !=
	    0) {
		wait_for_next_attempt(link, "cannot look up the host");
		return;
	}
	link->resolving = true;
	link->holds++;
}

/* Where to now? false: the Sentinels have not said it yet. */
static bool find_target(struct link *link)
{
	const char *host = link->place.host;

	link->port = link->place.port;
	if (link->sentinel != NULL && (host = sentinel_master(link->sentinel, &link->port)) == NULL)
		return false;
	snprintf(link->host, sizeof link->host, "%s", host ? host : "");
	link->outdated = false;
	return true;
}

static void start_attempt(struct link *link)
{
	struct in6_addr address;
	const char *host;

	if (!find_target(link))
		return; /* on_moved() goes on */
	host = link->host[0] ? link->host : NULL;
	set_state(link, LINK_CONNECTING, host ? host : link->place.unix_path);
	if (host == NULL || inet_pton(AF_INET, host, &address) == 1 ||
	    inet_pton(AF_INET6, host, &address) == 1)
		connect_to(link, host);
	else
		resolve(link);
}

/* --- watching ------------------------------------------------------------------------------- */

static void watch(struct link *link)
{
	uint64_t now = clock_mono_ms();
	bool we_slept = now - link->watched_ms >
			(uint64_t)3 * WATCH_MS; /* then answers may be waiting unread */

	link->watched_ms = now;
	if (we_slept || link->paused)
		link->heard_ms = now;
	if ((link->owed > 0 || link->state != LINK_READY) &&
	    now - link->heard_ms > LINK_SILENCE_MS) {
		log_warn("redis_silent", LOG_S("link", link->name),
			 LOG_I("ms", now - link->heard_ms), LOG_I("owed", link->owed));
		link_let_go(link, "it is silent");
		return;
	}
	if (link->state ==
	    LINK_READY) { /* it has lasted: one that breaks at once waits ever longer */
		backoff_reset(&link->backoff);
		link->flaps = 0;
	}
	link_send_heartbeat(link);
}

static void on_timer(uv_timer_t *timer)
{
	struct link *link = timer->data;

	if (link->state == LINK_WAITING)
		start_attempt(link);
	else if (link->redis)
		watch(link);
}

/* The Sentinels name another master, or one at last. */
static void on_moved(void *arg)
{
	struct link *link = arg;

	if (link->state == LINK_CLOSED)
		return;
	link->outdated = true;
	backoff_reset(&link->backoff);
	if (link->redis != NULL)
		link_let_go(link, "there is another master");
	if (link->state == LINK_WAITING)
		uv_timer_start(&link->timer, on_timer, 0, 0);
}

const struct redis_words *link_trouble(const struct link *link)
{
	return link->trouble;
}

void link_pause(struct link *link, bool paused)
{
	if (link->poll == NULL)
		return;
	link->paused = paused;
	redis_uv_pause(link->poll, paused);
}

/* --- opening and closing -------------------------------------------------------------------- */

struct link *link_open(uv_loop_t *loop, const struct redis_place *place, const char *name,
		       const struct link_events *events, void *arg)
{
	struct link *link = calloc(1, sizeof *link);

	if (link == NULL || redis_place_copy(&link->place, place) == -1) {
		free(link);
		return NULL;
	}
	link->ear = (struct sentinel_ear){.moved = on_moved, .arg = link};
	if (place->master && (link->sentinel = sentinel_join(loop, place, &link->ear)) == NULL) {
		redis_place_free(&link->place);
		free(link);
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN); /* hiredis writes to sockets whose other end may be gone */
	link->loop = loop;
	link->events = *events;
	link->arg = arg;
	link->backoff = (struct backoff){.base_ms = BACKOFF_BASE_MS, .cap_ms = BACKOFF_CAP_MS};
	link->holds = 1;
	link->trouble = redis_words("");
	snprintf(link->name, sizeof link->name, "%s", name);
	tell_up(link);
	uv_timer_init(loop, &link->timer);
	link->timer.data = link;
	uv_timer_start(&link->timer, on_timer, 0, 0);
	return link;
}

static void on_timer_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void close_link(struct link *link, bool answering)
{
	if (link == NULL)
		return;
	MUST(link->state != LINK_CLOSED);
	set_state(link, LINK_CLOSED, "closed"); /* from here on no ask is added */
	for (struct ask *ask = link->asks; ask; ask = ask->next) {
		link_reply_cb *cb = ask->cb;

		ask->cb = NULL;
		if (cb && answering && ask->channels == 0)
			cb(NULL, ask->arg);
	}
	if (link->sentinel != NULL)
		sentinel_leave(link->sentinel, &link->ear);
	link->sentinel = NULL;
	if (link->resolving)
		uv_cancel((uv_req_t *)&link->resolver);
	uv_close((uv_handle_t *)&link->timer, on_timer_closed);
	if (link->redis)
		redisAsyncFree(link->redis);
}

void link_close(struct link *link)
{
	close_link(link, false);
}

void link_close_answering(struct link *link)
{
	close_link(link, true);
}

enum link_state link_state(const struct link *link)
{
	return link->state;
}
