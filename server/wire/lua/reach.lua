-- reach.lua - to how many readers the posts of one uri went.
--
-- ARGV: prefix, uri. Returns {epoch, head, status, posts}: status is "" (nothing is known of it), held (only under embargo), purged, or
-- that of its latest version; posts that are still on the wire, newest first: {id, action, version, readers, behind, ms, workers,
-- reported, complete}, as read_reach() tells them.
-- include: common.lua

local uri = ARGV[2]
local epoch, head = read_wire()
local item = by_name(on('hash', 'HGETALL', 'item:' .. uri))

local function status()
	if item.action == 'purge' then
		return 'purged'
	end
	return item.status or (redis.call('EXISTS', key('held:' .. uri)) == 1 and 'held') or ''
end

local function read_post(id)
	local reach, meta = read_reach(id)
	local good, fields = pcall(cjson.decode, meta or '')
	if not good or type(fields) ~= 'table' or type(fields.action) ~= 'string' or type(fields.version) ~= 'string' then
		return nil
	end
	return {id, fields.action, fields.version, unpack(reach)}
end

local posts = {}
if status() ~= 'purged' then
	for id in (item.posts or item.last or ''):gmatch('%d+%-%d+') do
		local post = read_post(id)
		if post then
			table.insert(posts, 1, post)
		end
	end
end
return {epoch, head, status(), posts}
