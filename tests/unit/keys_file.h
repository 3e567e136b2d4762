/* keys_file.h - a file of publishers' keys, which a test opens and throws away. */
#ifndef NEWSWIRE_TESTS_KEYS_FILE_H
#define NEWSWIRE_TESTS_KEYS_FILE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "news/keyring.h"

/* A keyring that has read this text; its file is gone again. */
static inline struct keyring *keyring_of(const char *text)
{
	char path[] = "/tmp/newswire-test-keys-XXXXXX";
	int fd = mkstemp(path);
	struct keyring *keyring;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	keyring = keyring_open(path);
	unlink(path);
	assert_non_null(keyring);
	return keyring;
}

#endif
