-- presence.lua - one worker says how many readers its channels have, and is told what all workers' add up to.
--
-- ARGV: prefix, me, was (a name of the same worker whose counts are over, or ""), fresh (1: me speaks for the first time), lease (ms
-- until a worker that says nothing counts as dead), vacate (ms that a channel stays without readers before it is said to be
-- vacated), most (channels that are counted), step (the most of anything that one call does), since (a serial), and a line for
-- each channel of mine that has changed: name, readers.
-- What is said is absolute, so running it twice changes nothing. The readers of workers that are dead are taken away.
-- Returns {epoch, head, state, serial, more, refused, problem, changed}: state is "lost" if me is not known here (any more), or is being taken away:
-- nothing was done, and me has to begin anew under another name; serial is the `since` of the next call, more is 1 if there is more of anything to do at
-- once, refused is how many channels found no room, changed is a list of names and totals.
-- include: common.lua

local me, was, fresh = ARGV[2], ARGV[3], ARGV[4] == '1'
local lease, vacate, most, step = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local since, lines = ARGV[9], ARGV[10]
local epoch, head = read_wire()
for name, kind in pairs({counting = 'zset', counts = 'hash', counts_order = 'zset', counts_idle = 'zset',
		counts_serial = 'string', ['counts:' .. me] = 'hash'}) do
	need(name, kind)
end
local now = now_ms()
local more, refused, problem = '0', 0, ''

-- In `counting` a worker whose readers are being taken away is below 0: whatever it says, it is dead.
if not fresh and tonumber(redis.call('ZSCORE', key('counting'), me) or '-1') < 0 then
	return {epoch, head, 'lost', '0', '0', '0', '', {}}
end

local function tell(channel, state, readers)
	local said = redis.pcall('PUBLISH', ARGV[1]:sub(2, -2) .. ':channels', string.format(
		'{"channel":"%s","state":"%s","readers":%.0f,"at":%.0f}', channel, state, readers, now))
	if type(said) == 'table' then
		problem = said.err
	end
end

-- In `counts` a channel without readers is "0" until it is said to be vacated, then "-" until every worker has heard of it.
local function set_total(channel, before, total)
	redis.call('HSET', key('counts'), channel, string.format('%.0f', total))
	redis.call('ZADD', key('counts_order'), redis.call('INCR', key('counts_serial')), channel)
	if total == 0 then
		redis.call('ZADD', key('counts_idle'), now + vacate, channel)
		return
	end
	redis.call('ZREM', key('counts_idle'), channel)
	if not before or before == '-' then
		tell(channel, 'occupied', total)
	end
end

-- false: there is no room for one more channel.
local function add(channel, readers)
	local before = redis.call('HGET', key('counts'), channel)
	local total = math.max(0, (tonumber(before or '0') or 0) + readers)
	if not before and total > 0 and redis.call('HLEN', key('counts')) >= most then
		return false
	end
	if before and tonumber(before) ~= total and not (before == '-' and total == 0) or not before and total > 0 then
		set_total(channel, before, total)
	end
	return true
end

-- As far as one step goes.
local function bury(worker)
	local name = key('counts:' .. worker)
	local cursor, fields = '0', {}
	redis.call('ZADD', key('counting'), -1, worker)
	repeat
		cursor, fields = unpack(redis.call('HSCAN', name, cursor, 'COUNT', step))
	until #fields > 0 or cursor == '0'
	for i = 1, #fields, 2 do
		add(fields[i], -tonumber(fields[i + 1]))
		redis.call('HDEL', name, fields[i])
	end
	if redis.call('EXISTS', name) == 0 then
		redis.call('ZREM', key('counting'), worker)
	else
		more = '1'
	end
end

local function report(channel, readers)
	local name = key('counts:' .. me)
	local had = tonumber(redis.call('HGET', name, channel) or '0')
	if had == readers then
		return
	end
	if not add(channel, readers - had) then
		refused = refused + 1
	elseif readers > 0 then
		redis.call('HSET', name, channel, string.format('%.0f', readers))
	else
		redis.call('HDEL', name, channel)
	end
end

local function vacate_due()
	local due = redis.call('ZRANGEBYSCORE', key('counts_idle'), '-inf', now, 'LIMIT', 0, step)
	for _, channel in ipairs(due) do
		if redis.call('HGET', key('counts'), channel) == '0' then
			redis.call('HSET', key('counts'), channel, '-')
			redis.call('ZADD', key('counts_idle'), now + 2 * lease, channel)
			tell(channel, 'vacated', 0)
		else
			redis.call('HDEL', key('counts'), channel)
			redis.call('ZREM', key('counts_idle'), channel)
			redis.call('ZREM', key('counts_order'), channel)
		end
	end
	if #due == step then
		more = '1'
	end
end

local function read_changed()
	local found = redis.call('ZRANGEBYSCORE', key('counts_order'), '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, step)
	local changed = {}
	for i = 1, #found, 2 do
		changed[i] = found[i]
		changed[i + 1] = string.format('%.0f', tonumber(redis.call('HGET', key('counts'), found[i]) or '0') or 0)
	end
	if #found == 2 * step then
		more = '1'
		return changed, found[#found]
	end
	return changed, redis.call('GET', key('counts_serial')) or '0'
end

redis.call('ZADD', key('counting'), now + lease, me)
if was ~= '' then
	redis.call('ZADD', key('counting'), 0, was)
end
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', key('counting'), '-inf', now, 'LIMIT', 0, 1)) do
	need('counts:' .. worker, 'hash')
	bury(worker)
end
for channel, readers in lines:gmatch('(%S+) (%d+)\n') do
	report(channel, tonumber(readers))
end
vacate_due()
local changed, serial = read_changed()
return {epoch, head, 'ok', serial, more, string.format('%.0f', refused), problem, changed}
