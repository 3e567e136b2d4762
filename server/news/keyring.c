/* keyring.c - keys.json on the disk, and what of it is in force. */
#include "news/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/counters.h"
#include "base/log.h"

/* What tells one state of the file from another. */
struct look {
	int missing; /* errno of stat(); 0: it is there */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
	mode_t mode;
};

struct keyring {
	struct publisher_book *book;
	struct look look; /* of the file that was read, or could not be */
	char path[];
};

static const char nobody[] = "{\"keys\":[],\"raw\":{\"*\":[]}}", no_keys[] = "{}";

/* --- the file --------------------------------------------------------------------------------- */

static struct look look_of(const struct stat *about)
{
	return (struct look){.dev = about->st_dev,
			     .ino = about->st_ino,
			     .size = about->st_size,
			     .modified = about->st_mtim,
			     .changed = about->st_ctim,
			     .mode = about->st_mode};
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct look *a, const struct look *b)
{
	return a->missing == b->missing && a->dev == b->dev && a->ino == b->ino &&
	       a->size == b->size && is_same_time(&a->modified, &b->modified) &&
	       is_same_time(&a->changed, &b->changed);
}

/* The bytes of an open file, to be freed; NULL and `error`. */
static char *read_bytes(int fd, size_t *len, char *error, size_t size)
{
	char *bytes = malloc(KEYRING_FILE_MAX + 1);
	ssize_t n = 1;

	*len = 0;
	while (bytes != NULL && n > 0 && *len <= KEYRING_FILE_MAX) {
		n = read(fd, bytes + *len, KEYRING_FILE_MAX + 1 - *len);
		if (n > 0)
			*len += (size_t)n;
	}
	if (bytes != NULL && n >= 0 && *len <= KEYRING_FILE_MAX)
		return bytes;
	snprintf(error, size, "%s",
		 bytes == NULL ? "out of memory"
		 : n < 0       ? strerror(errno)
			       : "the file has more than 1 MiB");
	free(bytes);
	return NULL;
}

static struct publisher_book *read_open_file(int fd, char *error, size_t size)
{
	struct publisher_book *book;
	char *bytes;
	size_t len;

	if ((bytes = read_bytes(fd, &len, error, size)) == NULL)
		return NULL;
	book = publisher_book_read(bytes, len, error, size);
	explicit_bzero(bytes, len);
	free(bytes);
	return book;
}

/* Reads the file, and how it looked then. A file that is not there is a book without keys. */
static struct publisher_book *read_path(const char *path, struct look *look, char *error,
					size_t size)
{
	struct publisher_book *book = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat about;

	*look = (struct look){.missing = fd < 0 ? errno : 0};
	if (fd < 0 && errno == ENOENT)
		return publisher_book_read(no_keys, strlen(no_keys), error, size);
	if (fd < 0 || fstat(fd, &about) < 0) {
		snprintf(error, size, "%s", strerror(errno));
		if (stat(path, &about) ==
		    0) /* there, but not ours to read: not anew every second */
			*look = look_of(&about);
	} else if (*look = look_of(&about), !S_ISREG(about.st_mode)) {
		snprintf(error, size, "it is no file");
	} else {
		book = read_open_file(fd, error, size);
	}
	if (fd >= 0)
		close(fd);
	return book;
}

/* --- what is in force ------------------------------------------------------------------------- */

static void put_in_force(struct keyring *k, struct publisher_book *book)
{
	publisher_book_unref(k->book);
	k->book = book;
	GAUGE_SET(KEYS, publisher_count(book));
	if (k->look.missing == 0 && (k->look.mode & 077) != 0)
		log_warn("keys_exposed", LOG_S("file", k->path),
			 LOG_S("remedy", "others may read it: chmod 600"));
	if (k->look.missing == 0 || publisher_count(book) > 0)
		log_info("keys_read", LOG_S("file", k->path), LOG_I("keys", publisher_count(book)));
}

static void complain(const struct keyring *k, const char *error, bool no_memory)
{
	COUNT(KEYS_BROKEN);
	log_error("keys_broken", LOG_S("file", k->path), LOG_S("reason", error),
		  LOG_S("in_force", k->book == NULL ? "no key" : "the keys that were read before"),
		  LOG_S("remedy", no_memory
					  ? "it is read again in a second"
					  : "correct the file; it is read again when it changes"));
}

static void read_anew(struct keyring *k)
{
	char error[320];
	struct publisher_book *book;
	bool no_memory;

	errno = 0;
	book = read_path(k->path, &k->look, error, sizeof error);
	no_memory = book == NULL && errno == ENOMEM;
	if (book != NULL)
		put_in_force(k, book);
	else
		complain(k, error, no_memory);
	if (no_memory)
		k->look.missing = ENOMEM; /* as no file looks */
}

struct keyring *keyring_open(const char *path)
{
	struct keyring *k = calloc(1, sizeof *k + strlen(path) + 1);
	char error[320];

	if (k == NULL)
		return NULL;
	memcpy(k->path, path, strlen(path) + 1);
	read_anew(k);
	if (k->book == NULL)
		k->book = publisher_book_read(nobody, strlen(nobody), error, sizeof error);
	if (k->book != NULL)
		return k;
	free(k);
	return NULL;
}

void keyring_second(struct keyring *k)
{
	struct look now = {0};
	struct stat about;

	if (stat(k->path, &about) == 0)
		now = look_of(&about);
	else
		now.missing = errno;
	if (is_same(&now, &k->look))
		return;
	if (now.missing == ENOENT)
		log_warn("keys_gone", LOG_S("file", k->path),
			 LOG_S("in_force", "no key but the node's own"));
	read_anew(k);
}

struct publisher_book *keyring_book(const struct keyring *k)
{
	return k->book;
}

void keyring_close(struct keyring *k)
{
	if (k == NULL)
		return;
	publisher_book_unref(k->book);
	free(k);
}

int keyring_check(const char *path, char *error, size_t size)
{
	char why[320];
	struct look look;
	struct publisher_book *book = read_path(path, &look, why, sizeof why);

	if (book == NULL) {
		snprintf(error, size, "%.400s cannot be used: %s", path, why);
		return -1;
	}
	publisher_book_unref(book);
	return 0;
}
