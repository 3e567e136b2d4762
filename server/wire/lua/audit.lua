-- audit.lua - one bounded step through the audit trail, newest first: a filter that matches nothing must not keep Redis busy.
--
-- ARGV: prefix, before (an id; "": from the newest), the most entries to answer, the most to look at, and what they must say
-- exactly ("": anything): uri, who, what. Then reader ("": nobody asks what has become of the stories), "1" if he wants nothing but his own stories and
-- what he did to others', "1" if he may know of everybody's embargoes.
-- Returns {epoch, head, before, {{id, time, who, what, uri, version, before, channels, wire id; for a reader, of the story: status (held: only that;
-- purged; "": nothing is known of it any more), version, owner, held version, until (ms); and as read_reach() tells it:
-- readers, behind, ms, workers, reported, complete, if the post is still on the wire}, ...}}. before is where the
-- next step goes on; "" if the trail is at its end. Only these fields leave: whatever else an entry may hold stays here.
-- include: common.lua

local before, most, looks = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local wanted = {uri = ARGV[5], who = ARGV[6], what = ARGV[7]}
local reader, only_own, sees_all = ARGV[8] or '', ARGV[9] == '1', ARGV[10] == '1'
local epoch, head = read_wire()
local stories = {} -- by uri

-- What has become of a story, as the reader may know it.
local function read_story(uri)
	local status, version, owner, action = unpack(on('hash', 'HMGET', 'item:' .. uri, 'status', 'version', 'owner', 'action'))
	local held, ends, holder = unpack(on('hash', 'HMGET', 'held:' .. uri, 'version', 'until', 'owner'))
	owner = owner or holder or ''
	if not sees_all and owner ~= reader then
		held, ends = false, false
	end
	if action == 'purge' then
		status = 'purged'
	end
	return {status or held and 'held' or '', version or '', owner, held or '', ends or ''}
end

local owners = {} -- by uri
local function is_own(uri)
	if owners[uri] == nil then
		owners[uri] = on('hash', 'HGET', 'item:' .. uri, 'owner') or on('hash', 'HGET', 'held:' .. uri, 'owner')
	end
	return owners[uri] == reader
end

local function story_of(uri)
	stories[uri] = stories[uri] or read_story(uri)
	return stories[uri]
end

local function is_wanted(fields)
	for name, value in pairs(wanted) do
		if value ~= '' and fields[name] ~= value then
			return false
		end
	end
	if not fields.what then
		return false -- somebody else's entry
	end
	return not only_own or fields.who == reader or is_own(fields.uri or '')
end

local function read_reach_of(id)
	return id:find('^%d+%-%d+$') and read_reach(id)
end

local from = before == '' and '+' or '(' .. before
local seen, last, answer = 0, '', {}
for _, entry in ipairs(on('stream', 'XREVRANGE', 'audit', from, '-', 'COUNT', looks)) do
	local fields = by_name(entry[2])
	seen, last = seen + 1, entry[1]
	if is_wanted(fields) then
		local row = {entry[1]}
		for _, name in ipairs({'time', 'who', 'what', 'uri', 'version', 'before', 'channels', 'id'}) do
			row[#row + 1] = fields[name] or ''
		end
		local id = row[#row]
		for _, value in ipairs(reader ~= '' and story_of(fields.uri or '') or {}) do
			row[#row + 1] = value
		end
		for _, value in ipairs(read_reach_of(id) or {}) do
			row[#row + 1] = value
		end
		answer[#answer + 1] = row
		if #answer == most then
			break
		end
	end
end
local is_end = #answer < most and seen < looks
return {epoch, head, is_end and '' or last, answer}
