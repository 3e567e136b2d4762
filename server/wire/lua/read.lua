-- read.lua - a page of the wire: the entries after a place, with their texts.
--
-- ARGV: prefix, after (an id), the most entries, the most bytes (one entry always fits).
-- Returns {epoch, head, floor, known, {{id, prev, meta, body or false}, ...}}. known is 0 if nothing is known of the place:
-- it is below the floor, or no entry has (or had, as the last below the floor) this id.
-- include: common.lua

local after, max_entries, max_bytes = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local epoch, head, floor = read_wire()

local function is_known()
	return after == floor or
		(not is_before(after, floor) and #redis.call('XRANGE', key('wire'), after, after) == 1)
end

local function body_of(meta)
	local name = body_name(meta)
	local body = name and redis.pcall('GET', name)
	return type(body) == 'string' and body
end

if not is_known() then
	return {epoch, head, floor, 0, {}}
end
local page, bytes = {}, 0
for _, entry in ipairs(redis.call('XRANGE', key('wire'), '(' .. after, '+', 'COUNT', max_entries)) do
	local fields = by_name(entry[2])
	local meta = fields.meta or ''
	local body = body_of(meta)
	bytes = bytes + #meta + (body and #body or 0)
	if #page > 0 and bytes > max_bytes then
		break
	end
	page[#page + 1] = {entry[1], fields.prev or '', meta, body}
end
return {epoch, head, floor, 1, page}
