-- recent.lua - finds the place after which about so many bytes of posts follow, for a worker that starts.
--
-- ARGV: prefix, bytes of memory to fill, the most entries to look at, bytes that a post takes besides its texts.
-- Returns {epoch, head, floor, place}.
-- include: common.lua

local max_bytes, max_entries, each = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local STEP = 200
local epoch, head, floor = read_wire()

local function body_len(meta)
	local name = body_name(meta)
	local len = name and redis.pcall('STRLEN', name)
	return type(len) == 'number' and len or 0
end

local place, bytes, looked = head, 0, 0
while looked < max_entries do
	-- The entry that `place` names is the next to be taken in: then the place is the one before it.
	local entries = redis.call('XREVRANGE', key('wire'), place, '(' .. floor, 'COUNT', STEP)
	if #entries == 0 or entries[1][1] ~= place then
		break -- the floor, or an entry that is gone
	end
	for _, entry in ipairs(entries) do
		local fields = by_name(entry[2])
		local meta = fields.meta or ''
		bytes = bytes + each + 2 * #meta + body_len(meta)
		looked = looked + 1
		if entry[1] ~= place or bytes > max_bytes or looked > max_entries or not fields.prev then
			return {epoch, head, floor, place}
		end
		place = fields.prev
	end
end
return {epoch, head, floor, place}
