/* message_own.h - what message.c and tool_message.c share: the parts that every client's message has. Nobody else includes it. */
#ifndef NEWSWIRE_NEWS_MESSAGE_OWN_H
#define NEWSWIRE_NEWS_MESSAGE_OWN_H

#include <jansson.h>
#include "base/base.h"
#include "base/buf.h"
#include "news/message.h"

/* The close codes of newswire/protocol.h that a message can earn. */
enum { ANSWER_ONLY = 0, CLOSE_BAD_UTF8 = 1007, CLOSE_SHORT = 1011, CLOSE_BAD_SUBSCRIPTION = 4000 };

/* Appends `,"name":"value"`, and the client's own mark if there is one. */
void message_add_text(struct buf *out, const char *name, const char *value);
void message_add_ref(struct buf *out, const char *ref);

/* Fill *fault and return -1. */
int message_refuse(struct message_fault *fault, int close, const char *code, const char *detail);
int message_refuse_memory(struct message_fault *fault);
/* Memory is short, and not even its ref is known: who waits for the answer would wait for ever, so the connection ends. */
int message_refuse_unread(struct message_fault *fault);
int message_refuse_json(struct message_fault *fault, const json_error_t *error);

/* Keeps the client's own mark as JSON, to be sent back. */
int message_read_ref(const json_t *ref, char out[MESSAGE_REF_SIZE],
		     struct message_fault *fault) MUST_USE;
/* A list is an array of strings, or one string with commas: both become the latter. -1 if it is
 * neither. */
int message_read_list(const json_t *list, struct buf *out) MUST_USE;

#endif
