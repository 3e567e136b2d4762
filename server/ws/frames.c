/* frames.c - one frame after the other: its head, then its payload. */
#include "ws/frames.h"

#include <string.h>
#include "news/utf8.h"

enum {
	OPCODE_CONTINUATION = 0,
	OPCODE_TEXT = 1,
	OPCODE_BINARY = 2,
	OPCODE_CLOSE = 8,
	OPCODE_PING = 9,
	OPCODE_PONG = 10
};

enum {
	FIN = 0x80,
	RSV1 = 0x40,
	RSV23 = 0x30,
	OPCODE_BITS = 0x0f,
	MASKED = 0x80,
	LENGTH_BITS = 0x7f
};
enum { LENGTH_16 = 126, LENGTH_64 = 127 };

/* Deflate makes some things longer, if only a little. */
enum { DEFLATE_OVERHEAD = 32 };

static uint8_t opcode_of(const struct frames *f)
{
	return f->head[0] & OPCODE_BITS;
}

static bool is_final(const struct frames *f)
{
	return (f->head[0] & FIN) != 0;
}

static bool is_control(const struct frames *f)
{
	return (f->head[0] & 8) != 0;
}

static bool is_masked(const struct frames *f)
{
	return (f->head[1] & MASKED) != 0;
}

/* --- the head --------------------------------------------------------------------------------- */

/* How long the head is, by its first two bytes. */
static uint8_t head_size(const struct frames *f)
{
	uint8_t length = f->head[1] & LENGTH_BITS;

	return (uint8_t)(2 + (length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0) + 4);
}

static enum close_why judge_control(const struct frames *f)
{
	uint8_t opcode = opcode_of(f);
	bool known = opcode == OPCODE_CLOSE || opcode == OPCODE_PING || opcode == OPCODE_PONG;

	if (!known || !is_final(f) || (f->head[0] & RSV1) != 0 ||
	    (f->head[1] & LENGTH_BITS) > FRAMES_CONTROL_MAX)
		return CLOSE_PROTOCOL;
	return CLOSE_NONE;
}

/* RFC 7692, 6: only a message's first frame says that it is compressed. */
static enum close_why judge_data(const struct frames *f, const struct frames_rules *rules)
{
	bool rsv1 = (f->head[0] & RSV1) != 0;

	switch (opcode_of(f)) {
	case OPCODE_CONTINUATION:
		return f->in_message && !rsv1 ? CLOSE_NONE : CLOSE_PROTOCOL;
	case OPCODE_TEXT:
		return f->in_message || (rsv1 && !rules->deflates) ? CLOSE_PROTOCOL : CLOSE_NONE;
	case OPCODE_BINARY:
		return f->in_message || (rsv1 && !rules->deflates) ? CLOSE_PROTOCOL : CLOSE_BINARY;
	default:
		return CLOSE_PROTOCOL;
	}
}

/* By its first two bytes: whoever breaks the rules is not waited for. */
static enum close_why judge(const struct frames *f, const struct frames_rules *rules)
{
	if (!is_masked(f) || (f->head[0] & RSV23) != 0)
		return CLOSE_PROTOCOL;
	return is_control(f) ? judge_control(f) : judge_data(f, rules);
}

static uint64_t read_length(const struct frames *f)
{
	uint8_t length = f->head[1] & LENGTH_BITS;
	size_t bytes = length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
	uint64_t value = 0;

	if (bytes == 0)
		return length;
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | f->head[2 + i];
	return value;
}

/* A message begins or goes on. */
static enum close_why begin_data(struct frames *f, const struct frames_rules *rules)
{
	uint64_t max;

	if (opcode_of(f) != OPCODE_CONTINUATION) {
		f->in_message = true;
		f->compressed = (f->head[0] & RSV1) != 0;
		f->message_len = 0;
	}
	max = rules->max + (f->compressed ? DEFLATE_OVERHEAD : 0);
	if (f->left > max || f->message_len > max - f->left)
		return CLOSE_TOO_BIG;
	f->message_len += f->left;
	return CLOSE_NONE;
}

/* The head is whole. */
static enum close_why begin_payload(struct frames *f, const struct frames_rules *rules)
{
	f->left = read_length(f);
	if (f->left >> 63 != 0)
		return CLOSE_PROTOCOL;
	memcpy(f->mask, f->head + f->head_len - 4, 4);
	f->has_head = true;
	f->control_len = 0;
	return is_control(f) ? CLOSE_NONE : begin_data(f, rules);
}

/* Takes what there is of the head. */
static enum close_why read_head(struct frames *f, struct frames_input *in,
				const struct frames_rules *rules)
{
	while (in->len > 0) {
		enum close_why why;

		f->head[f->head_len++] = (uint8_t)*in->at++;
		in->len--;
		if (f->head_len < 2)
			continue;
		if (f->head_len == 2 && (why = judge(f, rules)) != CLOSE_NONE)
			return why;
		if (f->head_len == head_size(f))
			return begin_payload(f, rules);
	}
	return CLOSE_NONE;
}

/* --- the payload ------------------------------------------------------------------------------ */

/* Takes the mask off, and turns it to where the next byte needs it. */
static void unmask(uint8_t mask[4], char *bytes, size_t len)
{
	uint8_t turned[4];
	uint32_t word, key;
	size_t i = 0;

	memcpy(&key, mask, sizeof key);
	for (; i + sizeof word <= len; i += sizeof word) {
		memcpy(&word, bytes + i, sizeof word);
		word ^= key;
		memcpy(bytes + i, &word, sizeof word);
	}
	for (; i < len; i++)
		bytes[i] = (char)((uint8_t)bytes[i] ^ mask[i % 4]);
	for (size_t k = 0; k < 4; k++)
		turned[k] = mask[(len + k) % 4];
	memcpy(mask, turned, sizeof turned);
}

static struct frames_piece take(struct frames *f, struct frames_input *in)
{
	size_t len = in->len < f->left ? in->len : (size_t)f->left;
	struct frames_piece piece = {.bytes = in->at, .len = len};

	unmask(f->mask, in->at, len);
	in->at += len;
	in->len -= len;
	f->left -= len;
	return piece;
}

static void frame_ends(struct frames *f)
{
	f->has_head = false;
	f->head_len = 0;
}

static enum frames_what wrong(struct frames *f, enum close_why why)
{
	f->why = why;
	return FRAMES_WRONG;
}

/* RFC 6455, 7.4: 1005, 1006 and 1015 are for those who were told nothing, 1004 means nothing. */
static bool may_be_sent(unsigned code)
{
	return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
	       (code >= 3000 && code <= 4999);
}

static enum frames_what read_close(struct frames *f)
{
	if (f->control_len == 0)
		return FRAMES_CLOSE;
	if (f->control_len == 1 || !may_be_sent((unsigned)f->control[0] << 8 | f->control[1]))
		return wrong(f, CLOSE_PROTOCOL);
	if (!utf8_is_valid(f->control + 2, f->control_len - 2u))
		return wrong(f, CLOSE_BAD_UTF8);
	return FRAMES_CLOSE;
}

static enum frames_what read_control(struct frames *f, struct frames_input *in)
{
	struct frames_piece piece = take(f, in);

	memcpy(f->control + f->control_len, piece.bytes, piece.len);
	f->control_len = (uint8_t)(f->control_len + piece.len);
	if (f->left > 0)
		return FRAMES_MORE;
	frame_ends(f);
	switch (opcode_of(f)) {
	case OPCODE_PING:
		return FRAMES_PING;
	case OPCODE_PONG:
		return FRAMES_PONG;
	default:
		return read_close(f);
	}
}

static enum frames_what read_data(struct frames *f, struct frames_input *in,
				  struct frames_piece *piece)
{
	*piece = take(f, in);
	if (f->left == 0) {
		piece->last = is_final(f);
		f->in_message = !piece->last;
		frame_ends(f);
	}
	return piece->len > 0 || piece->last ? FRAMES_PIECE : FRAMES_MORE;
}

enum frames_what frames_read(struct frames *f, struct frames_input *in,
			     const struct frames_rules *rules, struct frames_piece *piece)
{
	enum frames_what what = FRAMES_MORE;

	while (what == FRAMES_MORE && (in->len > 0 || (f->has_head && f->left == 0))) {
		enum close_why why = f->has_head ? CLOSE_NONE : read_head(f, in, rules);

		if (why != CLOSE_NONE)
			return wrong(f, why);
		if (f->has_head)
			what = is_control(f) ? read_control(f, in) : read_data(f, in, piece);
	}
	return what;
}

bool frames_is_between(const struct frames *f)
{
	return f->head_len == 0 && !f->has_head && !f->in_message;
}
