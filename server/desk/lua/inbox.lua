-- inbox.lua - one step of whoever reads the inbox, or would like to: one worker of all nodes reads it, so that entries are decided in the
-- order in which they were added.
--
-- The reader is named in `inbox_reader`, for a while, with its consumer: it must say again and again that it is there. Only here are entries given to anybody, and
-- only to the reader: should Redis' clock or the network take the inbox from a reader who does not know it yet, it gets none any more. What another consumer was given and
-- did not decide (it died, or it was put off because a key was in the way) the reader takes over, one entry at a time: an entry that
-- ends its worker has only itself to blame when it counts.
--
-- ARGV: prefix, name (who asks), consumer (whom its connection is to the group), lease_ms (0: gives the inbox up), take (1: an entry is wanted), idle_ms (how long another consumer
--       must have been silent), from (where to look on; "-" from the start), pause_ms (the first of the pauses of those put off), tries, read (how many new entries are wanted).
-- Returns {who, rest, length, what, id, fields, next, entries, last}: who is mine or other (rest: for so many ms); how many entries there are; what is
--       none, more (look on from `next`), entry (id and fields: to be decided), poison or gone (id: that one is over); new entries, {id, fields} each; and
--       the last that was ever given to anybody.
-- include: common.lua

local PUT_OFF = 'put-off'   -- consumer of those that are to be tried again later
local AT_ONCE = 100	    -- looked at in one step
local READ_BYTES = 65536    -- of new entries in one step; one always fits
local PAUSE_GROWS, PAUSE_MAX_MS = 5, 300000

local inbox, reader = key('inbox'), key('inbox_reader')

local function report(who, rest, what, id, fields, next)
	return {who, number_text(rest), number_text(redis.call('XLEN', inbox)), what or 'none', id or '', fields or {}, next or '-', {}, '0-0'}
end

-- Which entry was given to somebody last. nil: there is no group.
local function last_given()
	if redis.call('EXISTS', inbox) == 1 then
		for _, group in ipairs(redis.call('XINFO', 'GROUPS', inbox)) do
			local about = by_name(group)
			if about.name == INBOX_GROUP then
				return about['last-delivered-id']
			end
		end
	end
end

local function have_group()
	if not last_given() then
		redis.call('XGROUP', 'CREATE', inbox, INBOX_GROUP, '0', 'MKSTREAM') -- from the first entry on, whenever it was added
	end
end

-- As many as are wanted, but no more than so much text: the next step of the reader, and everybody's receipts, come behind it.
local function read_new(count)
	local entries, bytes = {}, 0
	while #entries < tonumber(count) and bytes < READ_BYTES do
		local given = redis.call('XREADGROUP', 'GROUP', INBOX_GROUP, args.consumer, 'COUNT', 1, 'STREAMS', inbox, '>')
		if not given then
			break
		end
		local entry = given[1][2][1]
		for _, text in ipairs(entry[2]) do
			bytes = bytes + #text
		end
		entries[#entries + 1] = entry
	end
	return entries
end

-- Each connection of each reader was another consumer.
local function drop_old_consumers()
	for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', inbox, INBOX_GROUP)) do
		local about = by_name(consumer)
		if about.pending == 0 and about.idle >= tonumber(args.idle_ms) and about.name ~= args.consumer then
			redis.call('XGROUP', 'DELCONSUMER', inbox, INBOX_GROUP, about.name)
		end
	end
end

local function pause_after(tries)
	return math.min(args.pause_ms * PAUSE_GROWS ^ (tries - 1), PAUSE_MAX_MS)
end

-- entry: {id, consumer, how long ago, how often it was given to somebody}.
local function is_due(entry)
	local id, consumer, idle, tries = unpack(entry)
	if consumer == PUT_OFF then
		return idle >= pause_after(tries)
	end
	return consumer ~= args.consumer and idle >= tonumber(args.idle_ms)
end

local function end_entry(id)
	redis.call('XDEL', inbox, id)
	redis.call('XACK', inbox, INBOX_GROUP, id)
end

-- How much text it is, and for which channels.
local function describe(id)
	local found, bytes, channels = redis.call('XRANGE', inbox, id, id)[1], 0, {}
	for i = 1, found and #found[2] or 0, 2 do
		if found[2][i] == 'item' then
			bytes = #found[2][i + 1]
		elseif found[2][i] == 'channel' and #channels < 8 then
			channels[#channels + 1] = found[2][i + 1]:sub(1, 64)
		end
	end
	return found, bytes, table.concat(channels, ' ')
end

-- What becomes of an entry that is due: what, id, fields.
local function take_over(id, tries)
	local found, bytes, channels = describe(id)
	if not found then -- somebody else deleted it, or XADD with MAXLEN did
		end_entry(id)
		return 'gone', id
	elseif tries >= tonumber(args.tries) then
		args.channel, args.owner, args.seen, args.bytes = channels, 'redis', '', number_text(bytes)
		note_reject('poison', 'The entry ' .. id .. ' of the inbox was taken ' .. tries .. ' times and never decided.', '', '')
		end_entry(id)
		return 'poison', id
	end
	redis.call('XCLAIM', inbox, INBOX_GROUP, args.consumer, 0, id)
	return 'entry', id, found[2]
end

-- what, id, fields, next.
local function look()
	local pending = redis.call('XPENDING', inbox, INBOX_GROUP, args.from, '+', AT_ONCE)
	for _, entry in ipairs(pending) do
		if is_due(entry) then
			return take_over(entry[1], entry[4])
		end
	end
	if #pending == AT_ONCE then
		return 'more', '', nil, '(' .. pending[AT_ONCE][1]
	end
	return 'none'
end

local function give_up()
	if inbox_reader() == args.name then
		redis.call('DEL', reader)
	end
	return report('other', 0)
end

local function lead()
	redis.call('SET', reader, args.name .. ' ' .. args.consumer, 'PX', args.lease_ms)
	have_group()
	drop_old_consumers()
	local said = args.take == '1' and report('mine', 0, look()) or report('mine', 0)
	said[8] = read_new(args.read)
	said[9] = last_given()
	return said
end

need('inbox', 'stream')
need('inbox_reader', 'string')
need('rejects', 'stream')
if broken then
	return redis.error_reply(broken)
elseif args.lease_ms == '0' then
	return give_up()
end
local now_reads = inbox_reader()
if now_reads and now_reads ~= args.name then
	return report('other', math.min(math.max(0, redis.call('PTTL', reader)), args.lease_ms)) -- the clock may have been set back
end
return lead()
