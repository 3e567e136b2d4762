-- item.lua - one item by its uri, whatever became of it.
--
-- ARGV: prefix, uri. Returns {epoch, head} if there is none, else
-- {epoch, head, status, version, action, class, channels, notice, body or false}.
-- include: common.lua

local uri = ARGV[2]
local epoch, head = read_wire()

local item = by_name(on('hash', 'HGETALL', 'item:' .. uri))
if not item.status or not item.version then
	return {epoch, head}
end
local body = false
if item.status == 'usable' then
	body = on('string', 'GET', 'body:' .. uri .. ':' .. item.version)
end
return {epoch, head, item.status, item.version, item.action or 'publish', item.class or 'regular', item.channels or '',
	item.notice or '', body}
