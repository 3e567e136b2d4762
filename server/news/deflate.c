/* deflate.c - zlib's compressor, used again for each message. */
#include "news/deflate.h"

#include <stdbool.h>
#define ZLIB_CONST
#include <zlib.h>
#include <newswire/protocol.h>

/* Samples get no shorter above level 6, and below it the time is nearly the same: 10 to 40 µs. */
enum { LEVEL = 6, MEMORY_LEVEL = 8, LEFT_OUT = 4 };

/* The words of posts, the commonest last: near ones are cheaper to refer to. It is JSON, so that a message that ends in it is. */
static const char like[] =
	",\"like\":{\"action\":\"kill\",\"notice\":\"This report has been withdrawn. \","
	"\"associations\":[{\"name\":\"main\",\"rel\":\"featured\",\"uri\":\"urn:newsml:\","
	"\"type\":\"picture\","
	"\"by\":\"\",\"copyrightHolder\":\"\","
	"\"descriptions\":[{\"role\":\"caption\",\"value\":\"\"},{\"role\":\"alt\",\"value\":\"\"}]"
	","
	"\"renditions\":[{\"name\":\"web\",\"href\":\"https://\",\"contentType\":\"image/jpeg\","
	"\"width\":1280,\"height\":720,\"duration\":0}]},"
	"{\"name\":\"author\",\"rel\":\"author\",\"type\":\"component\",\"uri\":\"urn:newswire:"
	"author:\",\"title\":\"\","
	"\"descriptions\":[{\"role\":\"jobtitle\",\"value\":\"\"},{\"role\":\"biography\","
	"\"value\":\"\"}],"
	"\"renditions\":[{\"name\":\"avatar\",\"href\":\"https://\"}]}],"
	"\"genres\":[{\"name\":\"Article "
	"(news)\",\"literal\":\"Article\"}],\"by\":\"\",\"located\":\"\","
	"\"subjects\":[{\"name\":\"\",\"literal\":\"20000337\","
	"\"uri\":\"http://cv.iptc.org/newscodes/mediatopic/20000337\"}],"
	"\"infoSources\":[{\"name\":\"\",\"role\":\"source\"}],\"copyrightNotice\":\"\","
	"\"bodies\":[{\"role\":\"main\",\"contentType\":\"text/"
	"html\",\"charCount\":0,\"wordCount\":0,"
	"\"value\":\"<p> the </p><p>\"}],"
	"\"descriptions\":[{\"role\":\"summary\",\"contentType\":\"text/plain\",\"value\":\"\"}],"
	"\"message\":{\"type\":\"post\",\"cursor\":\":17\",\"action\":\"publish\",\"class\":"
	"\"regular\","
	"\"channels\":[\"class:regular\",\"feed:all\",\"lang:en\",\"story:\",\"topic:20000\","
	"\"type:text\",\"world\"],"
	"\"item\":{\"standard\":{\"name\":\"ninjs\",\"version\":\"3.1\"},\"uri\":\"urn:newsml:\","
	"\"type\":\"text\","
	"\"profile\":\"story\",\"version\":\"1\",\"firstCreated\":\"2026-01-10T08:00:00Z\","
	"\"versionCreated\":\"2026-01-10T08:00:00Z\",\"pubStatus\":\"usable\",\"urgency\":5,"
	"\"language\":\"en\","
	"\"headlines\":[{\"role\":\"main\",\"value\":\"\"}]}}}}";

static z_stream z;
static bool is_open;
static bool failed; /* this message: no room for it, or no memory */
static enum deflate_way way;

static int open_compressor(void)
{
	if (is_open)
		return deflateReset(&z) == Z_OK ? 0 : -1;
	is_open = deflateInit2(&z, LEVEL, Z_DEFLATED, -MAX_WBITS, MEMORY_LEVEL,
			       Z_DEFAULT_STRATEGY) == Z_OK;
	return is_open ? 0 : -1;
}

static void run(const void *bytes, size_t len, int flush)
{
	if (failed)
		return;
	z.next_in = bytes;
	z.avail_in = (uInt)len;
	failed = deflate(&z, flush) != Z_OK || z.avail_in > 0;
}

void deflate_begin(enum deflate_way w, uint8_t *out, size_t room)
{
	way = w;
	failed = open_compressor() != 0;
	if (!failed && way == DEFLATE_LIKE)
		failed = deflateSetDictionary(&z, (const Bytef *)like, sizeof like - 1) != Z_OK;
	z.next_out = out;
	z.avail_out = (uInt)room;
}

void deflate_add(const void *bytes, size_t len)
{
	if (len > 0)
		run(bytes, len, Z_NO_FLUSH);
}

/* With room left over, the flush is whole: it ends in 00 00 ff ff, which a WebSocket's message leaves out. */
size_t deflate_end(void)
{
	if (way == DEFLATE_LIKE)
		run(like, sizeof like - 1, Z_SYNC_FLUSH);
	else
		run(NULL, 0, way == DEFLATE_PIECE ? Z_FULL_FLUSH : Z_SYNC_FLUSH);
	if (failed || z.avail_out == 0)
		return 0;
	return z.total_out - (way == DEFLATE_PIECE ? 0 : LEFT_OUT);
}

const uint8_t *deflate_first(size_t *len)
{
	static const char begin[] = "{\"type\":\"" NEWSWIRE_TYPE_LIKE "\"";
	static uint8_t message[sizeof begin + sizeof like];
	static size_t message_len;

	if (message_len == 0) {
		deflate_begin(DEFLATE_ALONE, message, sizeof message);
		deflate_add(begin, sizeof begin - 1);
		deflate_add(like, sizeof like - 1);
		message_len = deflate_end();
	}
	*len = message_len;
	return message_len > 0 ? message : NULL;
}
