/* key_file.h - the server's file of keys, edited: read whole, changed, put in place at once.
 *
 * What it does  Holds a lock on the directory while it is open, so that two who edit lose nothing.
 *               The file is written beside the old one and renamed, mode 0600, and stays its owner's.
 * Ownership     key_file_close() frees all and lets go of the lock.
 * Errors        Explained on stderr; never with what stands in the file.
 */
#ifndef NEWSWIRE_CLI_KEY_FILE_H
#define NEWSWIRE_CLI_KEY_FILE_H

#include "command.h"

#include <jansson.h>
#include <limits.h>

struct key_file {
	char path[PATH_MAX]; /* without symbolic links */
	int dir;	     /* its directory, locked; -1: closed */
	json_t *file;	     /* the whole of it */
	json_t *keys;	     /* its list of keys; borrowed */
};

/* Opens the file of settings (--keys, or keys.json in the state directory); one that is not there is empty. Returns an exit
 * code; key_file_close() is due in every case. */
enum exit_code key_file_open(struct key_file *f, const struct settings *settings);
enum exit_code key_file_save(const struct key_file *f);
void key_file_close(struct key_file *f);

/* The place of the key of that name; its list's size if there is none. */
size_t key_file_find(const struct key_file *f, const char *name);

#endif
