-- common.lua - what the wire's scripts share. KEYS[1] is any key of ours (it tells a Redis Cluster the slot); ARGV[1] is
-- the braced prefix that all keys begin with, e.g. "{newswire}".

local function key(name)
	return ARGV[1] .. ':' .. name
end

-- Raises an error that names the key and the remedy unless it has this type or is absent. Redis has no rollback: scripts
-- call this before they write.
local function need(name, kind)
	local found = redis.call('TYPE', key(name)).ok
	if found ~= kind and found ~= 'none' then
		error({err = 'WRONGKEY ' .. key(name) .. ' is a ' .. found .. ', not a ' .. kind ..
			': another program writes there. Rename that key, or give newswired a --prefix of its own.'})
	end
end

-- Calls a command on one key. Should the key be of another type, the error says which.
local function on(kind, command, name, ...)
	local answer = redis.pcall(command, key(name), ...)
	if type(answer) == 'table' and answer.err then
		need(name, kind)
		error(answer)
	end
	return answer
end

-- Where the wire stands..
local function read_wire()
	local epoch = on('string', 'GET', 'epoch') or ''
	local head = on('string', 'GET', 'head') or '0-0'
	local floor = on('string', 'GET', 'floor') or '0-0'
	need('wire', 'stream')
	return epoch, head, floor
end

local function parts(id)
	local ms, seq = id:match('^(%d+)%-(%d+)$')
	return tonumber(ms) or 0, tonumber(seq) or 0
end

local function is_before(a, b)
	local a_ms, a_seq = parts(a)
	local b_ms, b_seq = parts(b)
	return a_ms < b_ms or (a_ms == b_ms and a_seq < b_seq)
end

local function now_ms()
	local time = redis.call('TIME')
	return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The name of the key that holds the text which an entry's meta speaks of; nil if it makes no sense.
local function body_name(meta)
	local good, fields = pcall(cjson.decode, meta)
	if good and type(fields) == 'table' and type(fields.uri) == 'string' and type(fields.version) == 'string' then
		return key('body:' .. fields.uri .. ':' .. fields.version)
	end
end

-- Fields of a stream's entry, or a flat hash, by name.
local function by_name(flat)
	local fields = {}
	for i = 1, #flat, 2 do
		fields[flat[i]] = flat[i + 1]
	end
	return fields
end

-- How a post went out, from what its workers reported: {readers, behind, ms ("": it was written to nobody), workers (which have
-- it; "": nobody counted them), reported (how many of these have spoken), complete ("1" or "0")}. nil: it is no longer on the wire.
-- Also returns the entry's meta. A worker that missed the message and read the stream is one more than those that Redis counted. read_wire() comes first.
local function read_reach(id)
	local entry = redis.call('XRANGE', key('wire'), id, id)[1]
	if not entry then
		return nil
	end
	local fields = by_name(entry[2])
	local workers = tonumber(fields.heard)
	local sum, ms, reported, missed = {0, 0}, -1, 0, 0
	local reports = redis.pcall('HGETALL', key('reach:' .. id))
	for _, value in pairs(reports.err and {} or by_name(reports)) do
		local readers, behind, heard, last = value:match('^(%d+) (%d+) ([01]) (%S+)$')
		if readers then
			sum[1], sum[2], ms = sum[1] + readers, sum[2] + behind, math.max(ms, tonumber(last) or -1)
			reported, missed = reported + 1, missed + 1 - heard
		end
	end
	workers = workers and math.max(workers + missed, reported)
	local function text(number)
		return string.format('%.0f', number)
	end
	return {text(sum[1]), text(sum[2]), ms < 0 and '' or text(ms), workers and text(workers) or '', text(reported),
		workers == reported and '1' or '0'}, fields.meta
end
