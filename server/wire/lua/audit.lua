-- audit.lua - one bounded step through the audit trail, newest first: a filter that matches nothing must not keep Redis busy.
--
-- ARGV: prefix, before (an id; "": from the newest), the most entries to answer, the most to look at, and what they must say
-- exactly ("": anything): uri, who, what.
-- Returns {epoch, head, before, {{id, time, who, what, uri, version, before, channels, wire id, and as read_reach() tells it:
-- readers, behind, ms, workers, reported, complete, if the post is still on the wire}, ...}}. before is where the
-- next step goes on; "" if the trail is at its end. Only these fields leave: whatever else an entry may hold stays here.
-- include: common.lua

local before, most, looks = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local wanted = {uri = ARGV[5], who = ARGV[6], what = ARGV[7]}
local epoch, head = read_wire()

local function is_wanted(fields)
	for name, value in pairs(wanted) do
		if value ~= '' and fields[name] ~= value then
			return false
		end
	end
	return fields.what ~= nil -- somebody else's entry has none
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
		for _, value in ipairs(read_reach_of(row[#row]) or {}) do
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
