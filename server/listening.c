/* listening.c - binds the port once to see that it is free, then once per worker. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "listening.h"

enum { LISTEN_QUEUE = 4096 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t length_of(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
}

static void set_port(union address *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET)
		a->v4.sin_port = htons(port);
	else
		a->v6.sin6_port = htons(port);
}

static void read_address(union address *a, const char *text, uint16_t port)
{
	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->any.sa_family = AF_INET;
	} else {
		MUST(inet_pton(AF_INET6, text, &a->v6.sin6_addr) ==
		     1); /* options.c has looked at it */
		a->any.sa_family = AF_INET6;
	}
	set_port(a, port);
}

/* --- who has the port ------------------------------------------------------------------------- */

/* A line of /proc/net/tcp: the inode (field 9) if the local port (after the colon of field 1) is
 * this one and the state (field 3) is LISTEN; else 0. */
static unsigned long inode_in(char *line, uint16_t port)
{
	char *field, *rest = line;
	const char *colon;

	for (int i = 0; (field = strtok_r(rest, " \n", &rest)) != NULL; i++) {
		if (i == 1 &&
		    ((colon = strchr(field, ':')) == NULL || strtoul(colon + 1, NULL, 16) != port))
			return 0;
		if (i == 3 && strcmp(field, "0A") != 0)
			return 0;
		if (i == 9)
			return strtoul(field, NULL, 10);
	}
	return 0;
}

/* The inode of the socket that listens on the port; 0 if none is seen. */
static unsigned long listener_inode(const char *table, uint16_t port)
{
	FILE *file = fopen(table, "re");
	unsigned long found = 0;
	char line[512];

	while (file && found == 0 && fgets(line, sizeof line, file))
		found = inode_in(line, port);
	if (file)
		fclose(file);
	return found;
}

static bool process_has(const char *pid, const char *socket_name)
{
	char path[64], link[320], target[64];
	const struct dirent *entry;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	if ((fds = opendir(path)) == NULL)
		return false;
	while (!found && (entry = readdir(fds)) != NULL) {
		ssize_t n;

		snprintf(link, sizeof link, "%s/%s", path, entry->d_name);
		if ((n = readlink(link, target, sizeof target - 1)) > 0) {
			target[n] = '\0';
			found = strcmp(target, socket_name) == 0;
		}
	}
	closedir(fds);
	return found;
}

/* " by nginx (process 812)", or "" if that cannot be seen. */
static void name_holder(uint16_t port, char *out, size_t size)
{
	unsigned long inode = listener_inode("/proc/net/tcp", port);
	char wanted[48], path[64], name[32] = "";
	const struct dirent *entry;
	DIR *processes;
	FILE *file;

	*out = '\0';
	if (inode == 0 && (inode = listener_inode("/proc/net/tcp6", port)) == 0)
		return;
	snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
	if ((processes = opendir("/proc")) == NULL)
		return;
	while ((entry = readdir(processes)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !process_has(entry->d_name, wanted))
			continue;
		snprintf(path, sizeof path, "/proc/%.20s/comm", entry->d_name);
		if ((file = fopen(path, "re")) != NULL) {
			if (fgets(name, sizeof name, file))
				name[strcspn(name, "\n")] = '\0';
			fclose(file);
		}
		snprintf(out, size, " by %s (process %.20s)", *name ? name : "somebody",
			 entry->d_name);
		break;
	}
	closedir(processes);
}

/* --- sockets ---------------------------------------------------------------------------------- */

/* A bound socket, shared (SO_REUSEPORT) or not; -1 with errno. */
static int bound_socket(const union address *a, bool shared)
{
	int on = 1, off = 0, saved;
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) ||
	    (a->any.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) ||
	    bind(fd, &a->any, length_of(a)) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int explain(const char *bind_to, uint16_t port, char *error, size_t size)
{
	char holder[96];

	switch (errno) {
	case EADDRINUSE:
		name_holder(port, holder, sizeof holder);
		snprintf(error, size, "port %u is in use%s: stop that, or give --port another one",
			 port, holder);
		break;
	case EACCES:
		snprintf(error, size,
			 "port %u needs a privilege that this user has not: give --port 1024 or "
			 "above, or the "
			 "capability CAP_NET_BIND_SERVICE",
			 port);
		break;
	case EADDRNOTAVAIL:
		snprintf(error, size, "this machine has no address %s: correct --bind", bind_to);
		break;
	default:
		snprintf(error, size, "cannot listen on %s port %u: %s", bind_to, port,
			 strerror(errno));
	}
	return -1;
}

/* SO_REUSEPORT would let a second newswired of this user share the port without a word: bind
 * once without it. */
static int probe(const union address *a)
{
	int fd = bound_socket(a, false);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int port_of(int fd, uint16_t *port)
{
	union address a = {0};
	socklen_t len = sizeof a;

	if (getsockname(fd, &a.any, &len) < 0)
		return -1;
	*port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
	return 0;
}

int listening_open(int *fds, unsigned count, const char *bind_to, uint16_t *port, char *error,
		   size_t size)
{
	union address a;

	for (unsigned i = 0; i < count; i++)
		fds[i] = -1;
	read_address(&a, bind_to, *port);
	if (*port && probe(&a) < 0)
		goto fail;
	for (unsigned i = 0; i < count; i++) {
		fds[i] = bound_socket(&a, true);
		if (fds[i] < 0 || listen(fds[i], LISTEN_QUEUE) < 0 || port_of(fds[i], port) < 0)
			goto fail;
		set_port(&a, *port);
	}
	return 0;

fail:
	explain(bind_to, *port, error, size);
	listening_close(fds, count);
	return -1;
}

void listening_close(int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

void listening_url(bool tls, const char *bind_to, uint16_t port, char *out, size_t size)
{
	bool anywhere = strcmp(bind_to, "0.0.0.0") == 0 || strcmp(bind_to, "::") == 0;
	const char *host = anywhere ? "127.0.0.1" : bind_to;

	snprintf(out, size, strchr(host, ':') ? "http%s://[%s]:%u" : "http%s://%s:%u",
		 tls ? "s" : "", host, port);
}
