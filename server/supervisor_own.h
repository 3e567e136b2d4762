/* supervisor_own.h - the supervisor's state, for supervisor.c and renewing.c. */
#ifndef NEWSWIRE_SUPERVISOR_OWN_H
#define NEWSWIRE_SUPERVISOR_OWN_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/counters.h"
#include "crew.h"
#include "options.h"
#include "private_redis.h"
#include "state_dir.h"
#include "supervisor.h"

enum phase { OPENING, RUNNING, STOPPING_WORKERS, STOPPING_REDIS };

/* What a renewal is for. */
enum renewal { RENEWAL_NONE, RENEWAL_RELOAD, RENEWAL_UPGRADE };

/* Always true: coming != NULL <=> a reload goes on; checking != 0 <=> the next program is being tried. */
struct supervisor {
	const struct supervisor_call *call;
	const struct options *options;	/* in force */
	struct options *own;		/* the same, where a reload has read them; or NULL */
	struct options *coming;		/* those of successors */
	struct ssl_ctx_st *certificate; /* in force (certificate.h); NULL: none */
	struct ssl_ctx_st *coming_certificate;
	struct state_dir dir;
	struct private_redis *redis; /* NULL with --redis */
	char redis_address[1100];
	char keys[PATH_MAX]; /* the file of publishers' keys */
	struct counters_page *pages;
	struct crew *crew;
	unsigned count;
	uint16_t port;
	char url[600];
	char program[PATH_MAX]; /* what an upgrade starts; "": not known */
	int signals;		/* signalfd */
	enum phase phase;
	uint64_t
		impatient; /* OPENING: when to say what is waited for; stopping: when to use SIGKILL */
	enum renewal renewal;
	pid_t checking;
	unsigned generation, renewals;
	char trouble[600]; /* why the last renewal came to nothing; "" */
	int code;
};

/* What tools on this machine call this server. */
void supervisor_name_url(struct supervisor *s);
/* Tells tools where this server is, and how it stands. */
void supervisor_announce(struct supervisor *s);

/* --- renewing.c ------------------------------------------------------------------------------- */

/* SIGHUP: reads the options again, and has them by new workers. */
void renewing_reload(struct supervisor *s);
/* SIGUSR2: tries the program that stands where ours came from, then becomes it. */
void renewing_upgrade(struct supervisor *s);
/* Right after that, in the new program: workers of its own kind are to take over. */
void renewing_take_over(struct supervisor *s);
/* A child has ended: was it the program that was tried? */
bool renewing_ended(struct supervisor *s, pid_t pid, int status);
/* Looks whether a renewal is over. */
void renewing_step(struct supervisor *s);
/* Frees what was read, be it in force or not. */
void renewing_forget(struct supervisor *s);

#endif
