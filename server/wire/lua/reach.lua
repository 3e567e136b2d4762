-- reach.lua - to how many readers the posts of one uri went.
--
-- ARGV: prefix, uri, who asks ("": may see all): what nobody was ever sent is only its owner's to know. Returns {epoch, head, status, posts}: status is "" (nothing is known of it), held (only under embargo), purged, or
-- that of its latest version; posts that are still on the wire, newest first: {id, action, version, readers, behind, ms, workers,
-- reported, complete}, as read_reach() tells them.
-- include: common.lua

local uri = ARGV[2]
local epoch, head = read_wire()
local item = by_name(on('hash', 'HGETALL', 'item:' .. uri))

local function find_status()
	if item.action == 'purge' then
		return 'purged'
	end
	local held = not item.status and by_name(on('hash', 'HGETALL', 'held:' .. uri))
	local owner = held and held.owner or item.owner
	if not item.first and ARGV[3] ~= '' and ARGV[3] ~= owner then
		return ''
	end
	return item.status or (next(held) and 'held') or ''
end

local function read_post(id)
	local reach, meta = read_reach(id)
	local good, fields = pcall(cjson.decode, meta or '')
	if not good or type(fields) ~= 'table' or type(fields.action) ~= 'string' or type(fields.version) ~= 'string' then
		return nil
	end
	return {id, fields.action, fields.version, unpack(reach)}
end

local status, posts = find_status(), {}
if status ~= 'purged' then
	for id in (item.posts or item.last or ''):gmatch('%d+%-%d+') do
		local post = read_post(id)
		if post then
			table.insert(posts, 1, post)
		end
	end
end
return {epoch, head, status, posts}
