/* handover.c - a text in memory, whose file the environment names. */
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VARIABLE "NEWSWIRE_HANDOVER"
#define HEAD	 "newswired handover 1\n"

static int given_fd = -1;

static void set_inherited(const struct handover *h, bool inherited)
{
	int flag = inherited ? 0 : FD_CLOEXEC;

	(void)fcntl(h->lock_fd, F_SETFD, flag);
	if (h->redis_log_fd >= 0)
		(void)fcntl(h->redis_log_fd, F_SETFD, flag);
	for (unsigned i = 0; i < h->count; i++)
		(void)fcntl(h->places[i].listen_fd, F_SETFD, flag);
}

/* 0, or -1 with errno. The stream is closed. */
static int write_text(const struct handover *h, FILE *out)
{
	fprintf(out, HEAD "lock %d\nport %u\nredis %d %d\ngeneration %u\nrenewals %u\nplaces %u\n",
		h->lock_fd, h->port, (int)h->redis_pid, h->redis_log_fd, h->generation, h->renewals,
		h->count);
	for (unsigned i = 0; i < h->count; i++)
		fprintf(out, "%d %d\n", h->places[i].listen_fd, (int)h->places[i].pid);
	return fclose(out) == 0 ? 0 : -1;
}

int handover_give(const struct handover *h)
{
	char name[16];
	FILE *out;
	int copy;

	if ((given_fd = memfd_create("newswired-handover", 0)) < 0)
		return -1;
	copy = dup(given_fd);
	out = copy < 0 ? NULL : fdopen(copy, "w");
	snprintf(name, sizeof name, "%d", given_fd);
	if (out == NULL || write_text(h, out) != 0 || setenv(VARIABLE, name, 1) != 0) {
		int saved = errno;

		handover_take_back(h);
		errno = saved;
		return -1;
	}
	set_inherited(h, true);
	return 0;
}

void handover_take_back(const struct handover *h)
{
	set_inherited(h, false);
	unsetenv(VARIABLE);
	if (given_fd >= 0)
		close(given_fd);
	given_fd = -1;
}

static bool read_places(struct handover *h, FILE *in)
{
	for (unsigned i = 0; i < h->count; i++)
		if (fscanf(in, "%d %d\n", &h->places[i].listen_fd, &h->places[i].pid) != 2)
			return false;
	return true;
}

static bool read_text(struct handover *h, FILE *in)
{
	char head[sizeof HEAD];

	return fgets(head, sizeof head, in) != NULL && strcmp(head, HEAD) == 0 &&
	       fscanf(in, "lock %d\nport %u\nredis %d %d\ngeneration %u\nrenewals %u\nplaces %u\n",
		      &h->lock_fd, &h->port, &h->redis_pid, &h->redis_log_fd, &h->generation,
		      &h->renewals, &h->count) == 7 &&
	       h->count >= 1 && h->count <= CREW_MAX && read_places(h, in);
}

int handover_take(struct handover *h)
{
	const char *name = getenv(VARIABLE);
	bool understood;
	FILE *in;

	*h = (struct handover){.lock_fd = -1, .redis_log_fd = -1};
	if (name == NULL)
		return 0;
	in = fdopen(atoi(name), "r");
	unsetenv(VARIABLE);
	if (in == NULL)
		return -1;
	rewind(in);
	understood = read_text(h, in);
	fclose(in);
	if (understood)
		set_inherited(h, false);
	return understood ? 1 : -1;
}
