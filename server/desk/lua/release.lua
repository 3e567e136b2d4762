-- release.lua - what the clock brings: items whose embargo is over take their place on the wire; once a minute at most, one
-- worker is told to have the append-only file written anew, because a kill took text that is still in it.
--
-- ARGV: prefix, epoch, retention_ms, archive_ms, feed_max; clock (what time it is by the worker), ahead (how far Redis' clock is ahead of
--       that, where the worker saw it jump; else 0); rewritten: what an earlier call returned as `rewrite`, done now.
-- Returns {released, due, rewrite, problem, now}: how many were released; ms until the next, "" if there is none; "" or a token:
--       run BGREWRITEAOF and hand the token back; a key in the way, or ""; Redis' time.
-- include: common.lua

local AT_ONCE = 16	     -- the rest comes with the next call, at once
local LATER_MS = 60000	     -- a release that something is in the way of is tried again
local REWRITE_EACH_MS = 60000

local time -- by which embargoes end

-- Reads a held story as publish() wants it; nil if it is not what it should be.
local function read_held(uri)
	local name = 'held:' .. uri
	local held = read_hash(name)
	if not held then
		return nil
	end
	local story = read_list(name, 'header', held.header or '')
	for _, field in ipairs({'uri', 'version', 'class', 'channels', 'hash', 'owner', 'created', 'expires'}) do
		if type(story[field]) ~= 'string' then
			break_at(name, 'lacks ' .. field)
			return nil
		end
	end
	story.created, story.expires = tonumber(story.created) or 0, tonumber(story.expires) or 0
	story.body, story.due = held.body or '', tonumber(held['until']) or time
	return story
end

-- Did a script that was cut short bring it out already?
local function is_out(story, item)
	return item and item.status == 'usable' and story_order(story, item) == 0
end

-- Why a held story does not come out after all, or nil.
local function find_obstacle(story, item)
	if item and (item.status == 'canceled' or story_order(story, item) < 0) then
		return 'overtaken'
	elseif too_many(item and item.routes or '', story.channels) then
		return 'bad_channel'
	elseif not has_room(story, item) then
		return 'bad_value'
	end
end

-- Returns whether it came out.
local function release(uri)
	local story, item = read_held(uri), read_item(uri)
	if not story then
		if not broken then
			redis.call('ZREM', key('embargo'), uri)
		end
		return false
	end
	if story.due > time then -- put off after something had been in its way
		redis.call('ZADD', key('embargo'), number_text(story.due), uri)
		return false
	end
	need_feeds(union(item and item.routes or '', story.channels))
	local obstacle = find_obstacle(story, item)
	if broken then
		return false
	end
	if is_out(story, item) then
		drop_held(uri)
		return false
	elseif obstacle then
		audit('release_' .. obstacle, story, item and item.version, story.channels, '')
	else
		publish(story, item, 'release', false)
	end
	drop_held(uri)
	return not obstacle
end

local released, problem = 0, ''

local function release_due()
	for _, uri in ipairs(redis.call('ZRANGEBYSCORE', key('embargo'), '-inf', number_text(time), 'LIMIT', 0, AT_ONCE)) do
		if release(uri) then
			released = released + 1
		end
		if broken then
			problem, broken = broken, nil
			redis.call('ZADD', key('embargo'), number_text(time + LATER_MS), uri)
		end
	end
end

local function until_next()
	local first = redis.call('ZRANGE', key('embargo'), 0, 0, 'WITHSCORES')
	return first[2] and number_text(math.max(0, tonumber(first[2]) - time)) or ''
end

-- Entries of the inbox lie in blocks, and one that was taken out lies there until all of its block are. So while there are any, this
-- rewriting may not be the last.
local function may_be_in_inbox()
	local count = redis.pcall('XLEN', key('inbox'))
	return type(count) == 'number' and count > 0
end

-- The token says which kill asked for it: a later one asks again.
local function take_rewrite()
	local wanted = read_string('rewrite')
	if wanted and wanted == args.rewritten then
		redis.call('DEL', key('rewrite'))
		wanted = nil
	end
	if not wanted or not need('rewriting', 'string') then
		return ''
	end
	local mine = redis.call('SET', key('rewriting'), wanted, 'NX', 'PX', REWRITE_EACH_MS)
	return mine and wanted .. (may_be_in_inbox() and ' again' or '') or ''
end

-- Others ask, too, who cannot know that Redis' clock has jumped.
local function tell_doubt()
	if args.ahead ~= '0' then
		redis.call('SET', key('clock'), number_text(now) .. ' ' .. args.ahead, 'PX', DOUBT_MS)
	end
end

need('embargo', 'zset')
need('audit', 'stream')
read_wire()
time = embargo_time()
if broken then
	return redis.error_reply(broken)
end
tell_doubt()
release_due()
return {number_text(released), until_next(), take_rewrite(), problem, number_text(now)}
