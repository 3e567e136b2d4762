/* entry.c - an entry of the inbox, read. */
#include "desk/entry.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <string.h>
#include "base/buf.h"
#include "news/proof.h"

enum { CHANNEL_BYTES_MAX = 2 * CHANNEL_SET_MAX * (CHANNEL_NAME_MAX + 1) };

/* What was found among the fields; all but `names` is borrowed. */
struct fields {
	const redisReply *item, *key, *signature;
	struct buf names; /* of channels, with spaces between them */
	bool twice;	  /* one that may be there once is there again */
};

static void add_names(struct buf *names, const redisReply *value)
{
	if (names->len + value->len > CHANNEL_BYTES_MAX) {
		buf_addc(names, '!'); /* no channel: the entry will be refused for it */
		return;
	}
	for (size_t i = 0; i < value->len; i++)
		buf_addc(names, value->str[i] == ',' ? ' ' : value->str[i]);
	buf_addc(names, ' ');
}

static void set_once(struct fields *f, const redisReply **field, const redisReply *value)
{
	f->twice = f->twice || *field != NULL;
	*field = value;
}

static bool is_called(const redisReply *name, const char *what)
{
	return name->len == strlen(what) && memcmp(name->str, what, name->len) == 0;
}

static void find_fields(struct fields *f, const redisReply *all)
{
	for (size_t i = 0; i + 1 < all->elements; i += 2) {
		const redisReply *name = all->element[i], *value = all->element[i + 1];

		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
			continue;
		if (is_called(name, "item"))
			set_once(f, &f->item, value);
		else if (is_called(name, "channel"))
			add_names(&f->names, value);
		else if (is_called(name, "key"))
			set_once(f, &f->key, value);
		else if (is_called(name, "signature"))
			set_once(f, &f->signature, value);
	}
}

/* Are they all plain, and not too many? */
static bool are_channels(const struct buf *names)
{
	size_t count = 0;

	for (size_t at = 0; at < names->len;) {
		const char *name = names->data + at;
		const char *end = memchr(name, ' ', names->len - at);
		size_t len = end ? (size_t)(end - name) : names->len - at;

		if (len > 0 && (!channel_is_plain(name, len) || ++count > CHANNEL_SET_MAX))
			return false;
		at += len + 1;
	}
	return true;
}

/* As C text; NULL if there is a NUL in it. */
static const char *text_of(const redisReply *value)
{
	return value != NULL && strlen(value->str) == value->len ? value->str : NULL;
}

/* What is signed: the channels in order with spaces between them, a newline, and the item. */
static void write_signed(struct buf *out, const struct channel_set *channels,
			 const redisReply *item)
{
	channel_set_write(channels, ' ', out);
	buf_addc(out, '\n');
	buf_add(out, item->str, item->len);
}

/* Whoever signed it; publisher_redis if it says nothing of that. 0 with NULL: it is not true. -1: memory is short. */
static int find_sender(const struct publisher **who, const struct fields *f,
		       const struct channel_set *channels, const struct keyring *keyring)
{
	const char *name = text_of(f->key), *signature = text_of(f->signature);
	const struct publisher *p = NULL;
	struct buf bytes = {0};
	int result;

	*who = f->key == NULL && f->signature == NULL ? &publisher_redis : NULL;
	if (keyring != NULL && name != NULL)
		p = publisher_by_name(keyring_book(keyring), name);
	if (p == NULL || signature == NULL)
		return 0;
	write_signed(&bytes, channels, f->item);
	result = bytes.failed ? -1 : proof_is_signed_by(p, signature, bytes.data, bytes.len);
	if (result == 1)
		*who = p;
	buf_free(&bytes);
	return result == -1 ? -1 : 0;
}

static struct job *refuse(const struct fields *f, enum item_refusal refusal, const char *detail)
{
	return job_new_refused(f->item ? f->item->str : "", f->item ? f->item->len : 0,
			       f->names.len ? f->names.data : "", f->names.len, refusal, detail);
}

static struct job *make_job(const struct fields *f, const struct channel_set *channels,
			    const struct desk_options *options)
{
	struct desk_order order = {
		.bytes = f->item->str, .len = f->item->len, .channels = channels};

	if (order.len > options->max_item) /* not hashed for nothing: who sent it does not matter */
		order.who = &publisher_redis;
	else if (find_sender(&order.who, f, channels, options->keyring) == -1)
		return NULL;
	if (order.who == NULL)
		return refuse(f, ITEM_BAD_SIGNATURE,
			      "The signature is not that of the key's owner over these channels "
			      "and this item.");
	return job_new(&order, options->max_item);
}

static struct job *read_fields(const struct fields *f, const struct desk_options *options)
{
	struct channel_set channels;
	struct job *job;

	if (f->names.failed)
		return NULL;
	if (f->twice)
		return refuse(f, ITEM_BAD_VALUE,
			      "An entry has one item, and at most one key and one signature.");
	if (f->item == NULL)
		return refuse(f, ITEM_EMPTY, "The entry has no field `item`.");
	if (!are_channels(&f->names))
		return refuse(f, ITEM_BAD_CHANNEL, JOB_BAD_CHANNEL);
	if (channel_set_read(&channels, f->names.data, f->names.len, ' ') == -1)
		return NULL;
	job = make_job(f, &channels, options);
	channel_set_free(&channels);
	return job;
}

struct job *entry_read(const redisReply *fields, const struct desk_options *options)
{
	struct fields f = {0};
	struct job *job;

	find_fields(&f, fields);
	job = read_fields(&f, options);
	buf_free(&f.names);
	return job;
}
