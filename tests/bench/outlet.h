/* outlet.h - where a message is published: each server's own natural way in, a row each.
 *
 * What it does  redis: PUBLISH. http: POST, one keep-alive connection, requests follow one another without
 *               waiting for answers. nats: PUB. mqtt: PUBLISH with QoS 0. These two have no answers, so a
 *               question at the end shows that the server has read everything. zmtp: a PUSH of ZeroMQ, which
 *               has neither.
 * Ownership     One outlet per process. Texts are borrowed for the call.
 * Errors        Whatever goes wrong ends the process with a message: the bench then has no result.
 * Threads       None of its own.
 */
#ifndef NW_BENCH_OUTLET_H
#define NW_BENCH_OUTLET_H

#include <stddef.h>

struct outlet {
	const char *name;
	int (*open)(
		const char
			*where); /* a unix socket's path or a port of 127.0.0.1; the descriptor */
	void (*publish)(const char *channel, const char *text, size_t n);
	void (*finish)(void); /* asks whether all was read, where publishing is not answered */
	void (*hear)(void);   /* reads what came without waiting */
};

/* What the server has said so far. */
struct outlet_count {
	unsigned published;
	unsigned answered; /* == published when the server has taken all */
	unsigned unheard;  /* answered: nobody listens. Only redis says so. */
};

extern struct outlet_count outlet_count;

/* NULL if there is no such outlet. */
const struct outlet *outlet_find(const char *name);

extern const struct outlet outlet_redis, outlet_http, outlet_nats, outlet_mqtt, outlet_zmtp;

#endif
