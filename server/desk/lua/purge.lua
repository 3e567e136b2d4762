-- purge.lua - takes a story away for good: its texts, its place in the feeds, its version under embargo, and what its notice said.
-- Everybody who was sent any version is told by a kill without a word. What stays is that the uri is refused, and who purged it when.
--
-- ARGV: prefix, uri, owner (who purges), epoch, archive_ms. Run twice, it changes nothing.
-- Returns {result, id, versions, feeds, held}: result is purged, or missing (nothing is known of the uri); id on the wire, "" if nobody
-- was told; how many texts and places in feeds went, and (1 or 0) a version under embargo.
-- include: common.lua

local uri = args.uri
local item, held = read_item(uri), read_hash('held:' .. uri)

local function need_all()
	need('embargo', 'zset')
	need('audit', 'stream')
	need('rewrite', 'string')
	read_wire()
	need_feeds(item and item.routes or '')
	for _, version in ipairs(item and item.bodies or {}) do
		if type(version) ~= 'string' then
			break_at('item:' .. uri, 'has a field bodies that is no list of versions')
		else
			need(body_name(uri, version), 'string')
		end
	end
end

local function count_removed(command, names, ...)
	local count = 0
	for _, name in ipairs(names) do
		count = count + redis.call(command, name, ...)
	end
	return count
end

local function take_texts()
	local names = {}
	for i, version in ipairs(item and item.bodies or {}) do
		names[i] = key(body_name(uri, version))
	end
	return count_removed('DEL', names)
end

local function take_from_feeds()
	local names = {}
	each_beyond(item and item.routes or '', '', function(channel)
		names[#names + 1] = key('feed:' .. channel)
	end)
	return count_removed('ZREM', names, uri)
end

-- Also when they know of a kill that had a notice: this one has none.
local function tell(version)
	if not (item and item.first) or (item.status == 'canceled' and not item.notice) then
		return ''
	end
	return append({action = 'kill', uri = uri, version = version, class = item.class or 'regular', channels = item.routes,
		was = item.routes}, '', item)
end

local function purge()
	local old = item or held
	local version, routes = old.version or '', item and item.routes or ''
	begin_to_kill(uri, true)
	local versions, feeds, had_held = take_texts(), take_from_feeds(), held and 1 or 0
	local id = tell(version)
	audit('purge', {owner = args.owner, uri = uri, version = version}, item and item.version, routes, id)
	write_item({uri = uri, version = version, created = 0, status = 'canceled', owner = old.owner or args.owner,
		first = item and item.first, last = id ~= '' and id or item and item.last, action = 'purge', bodies = {},
		for_ever = true}) -- refused for ever, not only as long as a kill's
	drop_held(uri) -- last: were it all that is known of the uri, nobody would find the rest to do
	return {'purged', id, number_text(versions), number_text(feeds), number_text(had_held)}
end

need_all()
if broken then
	return redis.error_reply(broken)
elseif not (item or held) then
	return {'missing', '', '0', '0', '0'}
elseif item and item.action == 'purge' and not held then
	return {'purged', item.last or '', '0', '0', '0'}
end
return purge()
