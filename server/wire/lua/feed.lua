-- feed.lua - a page of the newest items of some channels, and the place on the wire that it belongs to.
--
-- ARGV: prefix, the most items, the most bytes of text (one item always fits), the score and uri to go on below ("" for the
--       first page), and four lists of channels, joined by spaces: what is asked for (a union; `topic:2*` is a prefix),
--       classes, languages and types (empty: any).
-- Returns {epoch, head, score, uri, {{uri, version, action, class, channels, body, published, updated}, ...}}. score and uri are where the next
-- page goes on; "" on the last one. A page may hold fewer items than asked for and not be the last; one with prefixes is
-- picked out of the feed of everything.
-- include: common.lua

local BATCH, SCAN_MAX, SCAN_MAX_PREFIXES = 64, 5000, 1000
local max_items, max_bytes, below_score, below_uri = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local epoch, head = read_wire()
local now = now_ms()

local function set_of(text)
	local set = {}
	for name in text:gmatch('%S+') do
		set[name] = true
	end
	return set
end
local wanted = set_of(ARGV[6])
-- Prefixes without their `*`, and their lengths.
local prefixes, lengths = {}, {}
for name in pairs(wanted) do
	if name:sub(-1) == '*' then
		prefixes[name:sub(1, -2)] = true
		lengths[#name - 1] = true
	end
end
local scan_max = next(prefixes) and SCAN_MAX_PREFIXES or SCAN_MAX
local filters = {set_of(ARGV[7]), set_of(ARGV[8]), set_of(ARGV[9])}

-- Byte order, as in sorted sets. Lua's `<` follows the locale of the server.
local function is_text_before(a, b)
	for i = 1, math.min(#a, #b) do
		local x, y = a:byte(i), b:byte(i)
		if x ~= y then
			return x < y
		end
	end
	return #a < #b
end

-- Does x come before y on the page? Newest first; of the same moment, the greater uri first.
local function is_newer(x, y)
	if x.score ~= y.score then
		return x.score > y.score
	end
	return is_text_before(y.uri, x.uri)
end

local function is_below(place)
	if below_score == '' then
		return true
	end
	return is_newer({score = tonumber(below_score), uri = below_uri}, place)
end

-- One channel's feed, read in batches from the top (or from the place to go on below).
local feeds = {}
for channel in pairs(next(prefixes) and {['feed:all'] = true} or wanted) do
	feeds[#feeds + 1] = {name = 'feed:' .. channel, offset = 0, batch = {}, at = 1}
end

local function read_batch(feed)
	feed.batch = on('zset', 'ZREVRANGEBYSCORE', feed.name, below_score == '' and '+inf' or below_score, '-inf',
		'WITHSCORES', 'LIMIT', feed.offset, BATCH)
	feed.offset = feed.offset + BATCH
	feed.at = 1
end

-- Moves to the next place of this feed, which is feed.top; nil at its end.
local function move(feed)
	repeat
		if feed.at > #feed.batch then
			read_batch(feed)
		end
		local uri = feed.batch[feed.at]
		feed.top = uri and {uri = uri, text = feed.batch[feed.at + 1], score = tonumber(feed.batch[feed.at + 1])}
		feed.at = feed.at + 2
	until not feed.top or is_below(feed.top)
end

-- The next place of all feeds together: the same uri in several is one.
local function next_place()
	local best
	for _, feed in ipairs(feeds) do
		if feed.top and (not best or is_newer(feed.top, best)) then
			best = feed.top
		end
	end
	for _, feed in ipairs(feeds) do
		if best and feed.top and feed.top.uri == best.uri and feed.top.score == best.score then
			move(feed)
		end
	end
	return best
end

local function meets(set, channels)
	for name in channels:gmatch('%S+') do
		if set[name] then
			return true
		end
	end
	return false
end

-- A prefix without a colon is one of plain names only.
local function has_prefix(channels)
	for name in channels:gmatch('%S+') do
		local colon = name:find(':', 1, true) or 1
		for length in pairs(lengths) do
			if length >= colon and prefixes[name:sub(1, length)] then
				return true
			end
		end
	end
	return false
end

local function is_wanted(channels)
	for _, filter in ipairs(filters) do
		if next(filter) and not meets(filter, channels) then
			return false
		end
	end
	return meets(wanted, channels) or has_prefix(channels)
end

-- The item of this uri as the page shows it, or nil.
local function read_item(uri)
	local field = on('hash', 'HMGET', 'item:' .. uri, 'status', 'version', 'action', 'class', 'channels', 'expires',
		'first', 'last')
	if field[1] ~= 'usable' or not field[2] or not field[5] or not is_wanted(field[5]) then
		return nil
	end
	local expires = tonumber(field[6])
	if expires and expires > 0 and expires <= now then
		return nil
	end
	local body = on('string', 'GET', 'body:' .. uri .. ':' .. field[2])
	return body and {uri, field[2], field[3] or 'publish', field[4] or 'regular', field[5], body, field[7] or '0-0',
		field[8] or '0-0'}
end

for _, feed in ipairs(feeds) do
	move(feed)
end
local page, seen, bytes, scanned, last = {}, {}, 0, 0, nil
local place = next_place()
while place do
	local item = not seen[place.uri] and read_item(place.uri)
	if item then
		bytes = bytes + #item[6]
		if #page == max_items or (#page > 0 and bytes > max_bytes) then
			break -- there is more: the next page begins below `last`
		end
		page[#page + 1] = item
	end
	seen[place.uri] = true
	scanned, last = scanned + 1, place
	if scanned == scan_max then
		break
	end
	place = next_place()
end
if not place then
	last = nil
end
return {epoch, head, last and last.text or '', last and last.uri or '', page}
