-- rejects.lua - one bounded step through what was refused, newest first, as audit.lua walks what was done.
--
-- ARGV: prefix, before (an id; "": from the newest), the most entries to answer, the most to look at, and what they must say
-- exactly ("": anything): uri, owner, reason.
-- Returns {epoch, head, before, {{id, owner, reason, detail, pointer, uri, version, channel, bytes}, ...}}. before is where
-- the next step goes on; "" if the stream is at its end. Only these fields leave: whatever else an entry may hold stays here.
-- include: common.lua

local before, most, looks = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local wanted = {uri = ARGV[5], owner = ARGV[6], reason = ARGV[7]}
local epoch, head = read_wire()

local function is_wanted(fields)
	for name, value in pairs(wanted) do
		if value ~= '' and fields[name] ~= value then
			return false
		end
	end
	return fields.reason ~= nil -- somebody else's entry has none
end

local from = before == '' and '+' or '(' .. before
local seen, last, answer = 0, '', {}
for _, entry in ipairs(on('stream', 'XREVRANGE', 'rejects', from, '-', 'COUNT', looks)) do
	local fields = by_name(entry[2])
	seen, last = seen + 1, entry[1]
	if is_wanted(fields) then
		local row = {entry[1]}
		for _, name in ipairs({'owner', 'reason', 'detail', 'pointer', 'uri', 'version', 'channel', 'bytes'}) do
			row[#row + 1] = fields[name] or ''
		end
		answer[#answer + 1] = row
		if #answer == most then
			break
		end
	end
end
local is_end = #answer < most and seen < looks
return {epoch, head, is_end and '' or last, answer}
