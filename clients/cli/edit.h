/* edit.h - the next version of a story: corrected, or withdrawn.
 *
 * No I/O: a post as the server has it goes in, an item to publish comes out.
 */
#ifndef NEWSWIRE_CLI_EDIT_H
#define NEWSWIRE_CLI_EDIT_H

#include "command.h"

#include <jansson.h>

enum { EDIT_VERSION_SIZE = 64, EDIT_TIME_SIZE = 32 };

/* What is to be different; NULL: as it was. */
struct edit_changes {
	const char *headline, *summary, *body; /* body: HTML if it begins with a tag */
	const char *note;		       /* what readers are told of the correction */
};

/* "2026-01-10T11:02:07Z" of this moment. */
void edit_now(char out[EDIT_TIME_SIZE]);

/* The version after this one: a number and one; anything else stays, and versionCreated must tell them apart. */
void edit_next_version(const char *version, char out[EDIT_VERSION_SIZE]);

/* Makes an item of a file into the one after the public `post` (NULL: none): a version of its own that is higher stays. Its
 * note is written where its generation of ninjs wants it. Returns 0, or -1: out of memory. */
int edit_follow(json_t *item, const json_t *post, const char *note, const char *now);

/* The item of a post with these changes, as its next version; NULL: out of memory, or the post has no item. */
json_t *edit_correct(const json_t *post, const struct edit_changes *changes, const char *now);

/* The item that withdraws this uri; `post` as above. NULL: out of memory. */
json_t *edit_kill(const char *uri, const json_t *post, const char *reason, const char *now);

/* The channels of a post that people may name. They point into it. */
void edit_channels(const json_t *post, struct word_list *channels);

#endif
