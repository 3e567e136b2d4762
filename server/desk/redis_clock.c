/* redis_clock.c - Redis' clock, held against the monotonic one. */
#include "desk/redis_clock.h"

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"

/* Where Redis' clock stands: the question and its answer bound it. */
struct reading {
	int64_t least, most;
};

void redis_clock_init(struct redis_clock *c, uint64_t patience_ms)
{
	uint64_t now = clock_boot_ms();

	*c = (struct redis_clock){.patience_ms = patience_ms, .heard_at = now};
	c->offset_ms = clock_wall_ms() - (int64_t)now;
}

int64_t redis_clock_now_ms(const struct redis_clock *c)
{
	return (int64_t)clock_boot_ms() + c->offset_ms;
}

int64_t redis_clock_ahead_ms(const struct redis_clock *c)
{
	int64_t ahead = c->jumped_ms - c->offset_ms;

	return c->is_read && c->is_doubted && ahead > 0 ? ahead : 0;
}

/* The offset within the reading that is nearest to this one. */
static int64_t draw(int64_t offset, const struct reading *r)
{
	if (offset < r->least)
		return r->least;
	return offset > r->most ? r->most : offset;
}

static bool is_near(int64_t offset, const struct reading *r, uint64_t since, uint64_t now)
{
	int64_t far = draw(offset, r) - offset;
	int64_t most = REDIS_CLOCK_TOLERANCE_MS + (int64_t)((now - since) / REDIS_CLOCK_DRIFT);

	return far <= most && far >= -most;
}

static void believe(struct redis_clock *c, int64_t offset, uint64_t now)
{
	c->offset_ms = offset;
	c->heard_at = now;
	c->is_read = true;
	c->is_doubted = false;
	GAUGE_SET(CLOCK_DOUBTED, 0);
}

static void doubt(struct redis_clock *c, int64_t offset, uint64_t now)
{
	c->jumped_ms = offset;
	c->jumped_since = now;
	c->is_doubted = true;
	GAUGE_SET(CLOCK_DOUBTED, 1);
	COUNT(CLOCK_JUMPS);
	log_error("clock_jumped", LOG_I("ahead_ms", offset - c->offset_ms),
		  LOG_I("believed_in_ms", c->patience_ms),
		  LOG_S("remedy", "set Redis' clock right; embargoes end when both clocks say so"));
}

static void end_doubt(struct redis_clock *c, int64_t offset, uint64_t now, const char *why)
{
	log_warn("clock_believed", LOG_S("why", why), LOG_I("moved_ms", offset - c->offset_ms));
	believe(c, offset, now);
}

bool redis_clock_hear(struct redis_clock *c, uint64_t asked_at, int64_t redis_ms)
{
	uint64_t now = clock_boot_ms();
	struct reading r = {redis_ms - (int64_t)now, redis_ms - (int64_t)asked_at};
	bool is_behind_at_first = !c->is_read && r.most < c->offset_ms;

	if (is_behind_at_first || is_near(c->offset_ms, &r, c->heard_at, now)) {
		if (c->is_doubted)
			end_doubt(c, draw(c->offset_ms, &r), now, "it came back");
		else
			believe(c, draw(c->offset_ms, &r), now);
		return false;
	}
	if (!c->is_doubted || !is_near(c->jumped_ms, &r, c->jumped_since, now)) {
		doubt(c, draw(c->offset_ms, &r), now);
		return true;
	}
	c->jumped_ms = draw(c->jumped_ms, &r);
	if (now - c->jumped_since >= c->patience_ms)
		end_doubt(c, c->jumped_ms, now, "it stood there long enough");
	return false;
}
