-- held.lua - the version of a uri that is under embargo, for who may see it.
--
-- ARGV: prefix, uri, who asks ("": may see everybody's). Returns {epoch, head} if there is none, or it is another owner's; else
-- {epoch, head, version, until (ms), class, channels, body}.
-- include: common.lua

local uri, who = ARGV[2], ARGV[3]
local epoch, head = read_wire()
local held = by_name(on('hash', 'HGETALL', 'held:' .. uri))
local owner = on('hash', 'HGET', 'item:' .. uri, 'owner') or held.owner
local good, header = pcall(cjson.decode, held.header or '')
if not good or type(header) ~= 'table' or not held.body or not tonumber(held['until']) or who ~= '' and who ~= owner then
	return {epoch, head}
end
return {epoch, head, held.version or '', held['until'], header.class or 'regular', held.channels or '', held.body}
