/* protocol.h - what the server and its clients must agree on: names, limits, codes.
 *
 * What it does  Holds the constants of protocol "newswire.v1" and nothing else: no function, no
 *               type, no state, so that the server, libnewswire and the tests may all include it.
 * Rule          A value here is seen on the network or in Redis. Changing one changes the protocol;
 *               adding one does not. Sizes are bytes and never count a terminating zero; names of
 *               an array's length (…_SIZE) do count it.
 * Reference     docs/protocol.md says how they are used.
 */
#ifndef NEWSWIRE_PROTOCOL_H
#define NEWSWIRE_PROTOCOL_H

/* --- the protocol and where it is spoken ------------------------------------------------------ */

#define NEWSWIRE_SUBPROTOCOL "newswire.v1" /* Sec-WebSocket-Protocol; absent means the same */
#define NEWSWIRE_PORT	     8080	   /* newswired's default TCP port */

#define NEWSWIRE_PATH_STREAM	     "/v1/stream" /* GET, Upgrade: websocket, or as text/event-stream */
#define NEWSWIRE_PATH_PUBLISH	     "/v1/publish" /* GET, Upgrade: websocket: a line for tools */
#define NEWSWIRE_PATH_CENTRIFUGE     "/connection/websocket" /* GET, Upgrade: Centrifuge's protocol */
#define NEWSWIRE_PATH_FEED	     "/v1/feed"	  /* GET: snapshot, newest first, with a cursor */
#define NEWSWIRE_PATH_JSON_FEED	     "/feed.json" /* the same for feed readers: JSON Feed 1.1 … */
#define NEWSWIRE_PATH_ATOM_FEED	     "/feed.atom" /* … and Atom */
#define NEWSWIRE_PATH_CHANNEL_FEEDS  "/feed"	  /* GET below it: /<channel>.json or .atom */
#define NEWSWIRE_PATH_ITEMS	     "/v1/items" /* POST an item or several; GET below it: /<escaped uri> */
#define NEWSWIRE_PATH_CHANNELS	     "/v1/channels" /* GET: how many read each channel now */
#define NEWSWIRE_PATH_AUDIT	     "/v1/audit" /* GET, with a key: what was done, newest first */
#define NEWSWIRE_PATH_KEY	     "/v1/key"	 /* GET, with a key: whose it is, and what it may */
#define NEWSWIRE_PATH_SENT	     "/v1/sent" /* GET, with a key: what became of its own stories */
#define NEWSWIRE_PATH_HELD	     "/v1/held" /* GET ?uri=…, with a key: its own, under embargo */
#define NEWSWIRE_PATH_REJECTS	     "/v1/rejects" /* GET, with a key: what was refused, newest first */
#define NEWSWIRE_PATH_REACH	     "/v1/reach" /* GET ?uri=…, with a key; also below the item: */
#define NEWSWIRE_REACH_END	     "/reach"	 /* /v1/items/<escaped uri>/reach */
#define NEWSWIRE_PATH_NEWSROOM	     "/newsroom" /* the composer; its files lie below it */
#define NEWSWIRE_PATH_METRICS	     "/metrics"
#define NEWSWIRE_PATH_HEALTHZ	     "/healthz"	       /* is the process alive? */
#define NEWSWIRE_PATH_READYZ	     "/readyz"	       /* can readers be served? */
#define NEWSWIRE_PATH_READYZ_PUBLISH "/readyz/publish" /* can items be accepted durably? */

/* --- limits ----------------------------------------------------------------------------------- */

#define NEWSWIRE_MAX_CHANNEL	    64	    /* one channel's name, [a-z0-9][a-z0-9._-]* */
#define NEWSWIRE_MAX_CHANNELS	    256	    /* channels in one subscription (a number, not bytes) */
#define NEWSWIRE_MAX_QUERY	    4096    /* what follows the '?' of a URL */
#define NEWSWIRE_MAX_CLIENT_MESSAGE 16384   /* a WebSocket message from a client; above: 1009 */
#define NEWSWIRE_MAX_ENVELOPE	    32768   /* what stands around an item in a tool's message */
#define NEWSWIRE_MAX_STRANGER	    4096    /* a message of a tool that has not said who it is */
#define NEWSWIRE_MAX_URI	    1024    /* an item's uri, unescaped */
#define NEWSWIRE_MAX_ITEM	    262144  /* an item as posted: the default of --max-item */
#define NEWSWIRE_MAX_ITEM_LIMIT	    4194304 /* the most that --max-item may be set to */
#define NEWSWIRE_MAX_BATCH	    4194304 /* a body of several items: the default of --max-batch */
#define NEWSWIRE_MAX_BATCH_ITEMS    1000    /* items in one batch (a number, not bytes) */
#define NEWSWIRE_MAX_IDEMPOTENCY    255	    /* an Idempotency-Key: visible characters of ASCII */
#define NEWSWIRE_MAX_EPOCH	    16	    /* the epoch in a cursor, [a-z0-9]+ */
#define NEWSWIRE_MAX_CURSOR	    64	    /* a cursor's text, "<epoch>:<ms>-<seq>" */
#define NEWSWIRE_CURSOR_SIZE	    (NEWSWIRE_MAX_CURSOR + 1)
#define NEWSWIRE_MAX_MESSAGE	    8388608 /* the largest server message a client must take */
#define NEWSWIRE_MAX_REASON	    123	    /* a close reason's text (RFC 6455, 5.5) */

#define NEWSWIRE_FEED_LIMIT	20  /* posts on a page of the feed when none is asked for */
#define NEWSWIRE_MAX_FEED_LIMIT 100 /* the most posts that one page of the feed may hold */

#define NEWSWIRE_CHANNELS_LIMIT	    100 /* channels on a page of /v1/channels when none is asked for */
#define NEWSWIRE_MAX_CHANNELS_LIMIT 1000 /* the most channels that one page may hold */
#define NEWSWIRE_MAX_COUNTED	    10000 /* channels whose readers are counted (a number, not bytes) */

/* --- time ------------------------------------------------------------------------------------- */

#define NEWSWIRE_TICK_S	      25 /* a tick this often proves life; `hello` carries the real value */
#define NEWSWIRE_TICKS_MISSED 2	 /* after so many missed ticks a client calls the link dead */

/* --- the default channel and the derived ones --------------------------------------------------
 * Publishers name plain channels. A name with a colon is derived by the server, never accepted. */

#define NEWSWIRE_CHANNEL_ALL	 "feed:all" /* every item; what no `channels` at all means */
#define NEWSWIRE_CHANNEL_DEFAULT "news"	    /* where the program newswire publishes unless told */

/* What is sent to it, or below it (`exercise.night`), is a drill: no derived channel, so nobody reads it
 * who did not ask for that very channel. */
#define NEWSWIRE_CHANNEL_EXERCISE "exercise"

/* --- message types (`type`), server to client ------------------------------------------------- */

#define NEWSWIRE_TYPE_HELLO	 "hello"
#define NEWSWIRE_TYPE_POST	 "post"
#define NEWSWIRE_TYPE_TICK	 "tick"
#define NEWSWIRE_TYPE_GAP	 "gap"
#define NEWSWIRE_TYPE_BYE	 "bye"
#define NEWSWIRE_TYPE_ERROR	 "error"
#define NEWSWIRE_TYPE_SUBSCRIBED "subscribed"
#define NEWSWIRE_TYPE_LIKE	 "like"	   /* compressed: the words that later messages refer to */
#define NEWSWIRE_TYPE_READERS	 "readers" /* only to those who asked by readers=1 */

/* client to server */
#define NEWSWIRE_TYPE_SUBSCRIBE "subscribe"
#define NEWSWIRE_TYPE_PING	"ping"

/* on a tool's line: tool to server (and `ping`) … */
#define NEWSWIRE_TYPE_PUBLISH "publish"
#define NEWSWIRE_TYPE_AUTH    "auth"
/* … and back (and `hello`, `tick`, `bye`, `error`) */
#define NEWSWIRE_TYPE_ACCEPTED	 "accepted"
#define NEWSWIRE_TYPE_REFUSED	 "refused"
#define NEWSWIRE_TYPE_AUTHORIZED "authorized"

#define NEWSWIRE_LINE_WINDOW 64 /* a line's items that may be without an answer */

/* --- tables ------------------------------------------------------------------------------------
 * Each takes the name of a macro that is applied to every row:
 *
 *	#define AS_CASE(name, code, reason) case code: return reason;
 *	switch (code) { NEWSWIRE_CLOSES(AS_CASE) }
 *	#undef AS_CASE */

/* --- what a post does (`action`) ---------------------------------------------------------------
 * NEWSWIRE_ACTION(name, text, has_item): has_item is 1 when the post carries the item, 0 when it
 * carries `uri`, `version` and perhaps a `notice`, and never a word of the item. */

#define NEWSWIRE_ACTIONS(NEWSWIRE_ACTION) \
	NEWSWIRE_ACTION(PUBLISH, "publish", 1) \
	NEWSWIRE_ACTION(UPDATE, "update", 1) \
	NEWSWIRE_ACTION(CORRECT, "correct", 1) \
	NEWSWIRE_ACTION(RELEASE, "release", 1) \
	NEWSWIRE_ACTION(KILL, "kill", 0) \
	NEWSWIRE_ACTION(HOLD, "hold", 0) \
	NEWSWIRE_ACTION(REMOVE, "remove", 0)

/* --- how pressing a post is (`class`), most pressing first ------------------------------------
 * NEWSWIRE_CLASS(name, text) */

#define NEWSWIRE_CLASSES(NEWSWIRE_CLASS) \
	NEWSWIRE_CLASS(FLASH, "flash") \
	NEWSWIRE_CLASS(BULLETIN, "bulletin") \
	NEWSWIRE_CLASS(URGENT, "urgent") \
	NEWSWIRE_CLASS(REGULAR, "regular") \
	NEWSWIRE_CLASS(DEFERRED, "deferred")

/* --- what became of a posted item (a receipt's `status`), with the HTTP status of the answer ---
 * NEWSWIRE_RECEIPT(name, text, http_status) */

#define NEWSWIRE_RECEIPTS(NEWSWIRE_RECEIPT) \
	NEWSWIRE_RECEIPT(ACCEPTED, "accepted", 201)   /* durable, and on the wire */ \
	NEWSWIRE_RECEIPT(DUPLICATE, "duplicate", 200) /* had it already; nothing changed */ \
	NEWSWIRE_RECEIPT(STALE, "stale", 200) /* a later version is out; recorded, not sent */ \
	NEWSWIRE_RECEIPT(HELD, "held", 202)   /* durable, under embargo; sent when it is over */

/* --- what a publisher's key may do (a word of `may` in keys.json) -------------------------------
 * NEWSWIRE_RIGHT(name, text, bit, what) */

#define NEWSWIRE_RIGHTS(NEWSWIRE_RIGHT) \
	NEWSWIRE_RIGHT(PUBLISH, "publish", 1, "post new stories") \
	NEWSWIRE_RIGHT(CORRECT, "correct", 2, "change its own stories") \
	NEWSWIRE_RIGHT(KILL, "kill", 4, "kill and withhold its own stories") \
	NEWSWIRE_RIGHT(FLASH, "flash", 8, "send what is a flash") \
	NEWSWIRE_RIGHT(EMBARGO, "embargo", 16, "send what is under embargo") \
	NEWSWIRE_RIGHT(AUDIT, "audit", 32, "read the audit trail and what was refused") \
	NEWSWIRE_RIGHT(ALL, "all", 64, "change the stories of others too, and purge")

/* --- close codes -------------------------------------------------------------------------------
 * NEWSWIRE_CLOSE(name, code, reason): the WebSocket close code (RFC 6455, 7.4) and the reason text
 * that goes with it; the counter and the log line use the same text. */

#define NEWSWIRE_CLOSES(NEWSWIRE_CLOSE) \
	NEWSWIRE_CLOSE(NORMAL, 1000, "normal") \
	NEWSWIRE_CLOSE(DRAIN, 1001, "drain") \
	NEWSWIRE_CLOSE(PROTOCOL, 1002, "protocol") \
	NEWSWIRE_CLOSE(BINARY, 1003, "binary") \
	NEWSWIRE_CLOSE(BAD_UTF8, 1007, "bad_utf8") \
	NEWSWIRE_CLOSE(BAD_DEFLATE, 1007, "bad_deflate") \
	NEWSWIRE_CLOSE(POLICY, 1008, "policy") \
	NEWSWIRE_CLOSE(TOO_BIG, 1009, "too_big") \
	NEWSWIRE_CLOSE(INTERNAL, 1011, "internal") \
	NEWSWIRE_CLOSE(FULL, 1013, "full") \
	NEWSWIRE_CLOSE(BAD_SUBSCRIPTION, 4000, "bad_subscription") \
	NEWSWIRE_CLOSE(TOKEN_EXPIRED, 4001, "token_expired") \
	NEWSWIRE_CLOSE(FORBIDDEN, 4003, "forbidden") \
	NEWSWIRE_CLOSE(TOO_SLOW, 4008, "too_slow") \
	NEWSWIRE_CLOSE(TOO_MANY, 4029, "too_many")

/* The codes as numbers: NEWSWIRE_CLOSE_DRAIN is 1001, and so on. */
enum newswire_close {
#define NEWSWIRE_CLOSE_AS_ENUM(name, code, reason) NEWSWIRE_CLOSE_##name = (code),
	NEWSWIRE_CLOSES(NEWSWIRE_CLOSE_AS_ENUM)
#undef NEWSWIRE_CLOSE_AS_ENUM
};

/* --- Redis ------------------------------------------------------------------------------------
 * Pub/sub channels begin with the prefix; keys with the prefix in braces (one Cluster slot). */

#define NEWSWIRE_REDIS_PREFIX "newswire"
#define NEWSWIRE_REDIS_IN     ":in:" /* <prefix>:in:<channel>: raw items from tools */
#define NEWSWIRE_REDIS_OUT    ":out" /* <prefix>:out: accepted posts, in order */
#define NEWSWIRE_REDIS_CHANNELS \
	":channels" /* <prefix>:channels: which channels are occupied and vacated, for tools */
#define NEWSWIRE_REDIS_INBOX ":inbox" /* {<prefix>}:inbox: a stream of items, the durable way in */

/* --- the state directory ----------------------------------------------------------------------
 * $NEWSWIRE_STATE_DIR, else $XDG_STATE_HOME/newswire, else ~/.local/state/newswire. */

#define NEWSWIRE_STATE_FILE \
	"newswired.json" /* {"pid","port","url","redis","version",…}: there while it runs \
					      */
#define NEWSWIRE_KEY_FILE   "publish.key" /* first line: the node's own publishing key */
#define NEWSWIRE_KEYS_FILE  "keys.json"	  /* the publishers: who may post what */
#define NEWSWIRE_REDIS_SOCK "redis.sock"  /* the private Redis */
#define NEWSWIRE_LOCK_FILE  "lock"	  /* held by flock() while a supervisor runs */

#endif
