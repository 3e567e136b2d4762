-- accept.lua - decides what becomes of one item, and gives it its place. Run twice for the same item, it changes nothing.
--
-- ARGV: prefix, seen (hash of bytes, channels and owner), seen_ms, bytes (how many), channel (where it was sent), owner,
--       rights (words: publish correct kill flash embargo; all: also what belongs to others), epoch (a name to take if there is none yet), retention_ms, archive_ms,
--       max_embargo_ms, feed_max, clock (what time it is by the worker); and of the item: uri version created embargo expires (ms, 0: none) status class
--       evolved (the uri that it is an update of, or "") lang type notice channels hash body; idem (hash of an idempotency key), if there is one;
--       entry and consumer, if it came through the inbox.
-- Returns {result, id, action, channels, code, detail, due, replayed (1: it was said before)}: result is accepted, duplicate, seen (these very bytes were
--       decided before), stale, held (due: ms from now), refused or refused_again (code and detail say why), taken (its entry is not
--       this worker's any more: nothing was decided).
-- include: common.lua

local KILL_NOTICE = 'This report has been withdrawn.'

local story = {
	uri = args.uri, version = args.version, created = tonumber(args.created), embargo = tonumber(args.embargo),
	expires = tonumber(args.expires), status = args.status, class = args.class, lang = args.lang, type = args.type,
	notice = args.notice, channels = args.channels, hash = args.hash, owner = args.owner, body = args.body, entry = args.entry,
}

local known, item, held
local ends -- by what time its embargo ends

-- When the order of arrival decides: after all that came before, also in the same moment, or when Redis' clock went back. What says
-- that it was created in the future is later. What came through the inbox arrived there, however late it is decided.
local function time_of_arrival()
	if args.entry then
		return tonumber(args.entry:match('^%d+'))
	end
	local last = math.max(item and item.created or 0, held and held.created or 0)
	return math.max(now, math.min(last, wire.ms + 1000) + 1)
end

local may = {}
for right in args.rights:gmatch('%a+') do
	may[right] = true
end
local deeds = {publish = 'post new stories', correct = 'change what was sent', kill = 'kill or withhold', flash = 'send a flash',
	embargo = 'send what is under embargo'}

-- The end of everything that was decided for good.
local function done(result, id, action, channels)
	write_seen(id and id ~= '' and id or result)
	return answer(result, id, action, channels)
end

-- The text is still in the append-only file: release.lua hands the rewriting to one worker.
local function ask_for_rewriting(id)
	redis.call('SET', key('rewrite'), number_text(now) .. ' ' .. id)
end

local function refuse(code, detail)
	if not need('rejects', 'stream') then
		return redis.error_reply(broken)
	elseif code == 'killed' and args.entry then -- the inbox held its text
		ask_for_rewriting('late ' .. args.entry)
	end
	local news = write_reject(known, code, detail, story.uri, story.version)
	return answer(news and 'refused' or 'refused_again', '', '', '', code, detail)
end

local function refuse_right(right)
	return refuse('may_not_' .. right, 'Whoever sent this may not ' .. deeds[right] .. '.')
end

local function stale()
	audit('stale', story, item and item.version, story.channels, '')
	return done('stale')
end

-- Kills and holds ------------------------------------------------------------------------------------------------------

-- Takes the text away and leaves the feeds.
local function take_away()
	for _, version in ipairs(item and item.bodies or {}) do
		redis.call('DEL', key(body_name(story.uri, version)))
	end
	leave_feeds(story.uri, item and item.routes or '', '')
end

-- What is held stays only if it is newer.
local function drop_overtaken()
	if not held then
		redis.call('ZREM', key('embargo'), story.uri) -- a script that was cut short may have left it
	elseif story_order(story, held) >= 0 then
		drop_held(story.uri)
	end
end

-- Tells all who were sent any version, and nobody if nobody was.
local function tell(action)
	if not (item and item.first) then
		return ''
	end
	return append({action = action, uri = story.uri, version = story.version, class = story.class, channels = item.routes,
		was = item.routes, lang = story.lang, type = story.type, notice = story.notice}, '', item)
end

-- What stays of a story without text.
local function write_stone(action, id)
	local old = item or {routes = '', channels = ''}
	audit(action, story, old.version, old.routes, id)
	write_item({uri = story.uri, version = story.version, created = story.created, status = story.status, hash = story.hash,
		owner = old.owner or held and held.owner or story.owner, routes = old.routes, channels = old.channels,
		first = old.first, last = id ~= '' and id or old.last, action = action, class = story.class, lang = story.lang, type = story.type,
		notice = story.notice, bodies = {}, posts = add_post(item, id), entry = story.entry})
end

local function kill()
	begin_to_kill(story.uri, held or item and #item.bodies > 0 or inbox_was_used())
	if story.notice == '' then
		story.notice = KILL_NOTICE
	end
	take_away()
	drop_held(story.uri)
	local id = tell('kill')
	write_stone('kill', id)
	return done('accepted', id, 'kill', item and item.routes)
end

local function withhold()
	local is_hidden = item and item.status == 'withheld'
	if item and version_order(story.version, item.version) == 0 then
		if is_hidden and story.hash == item.hash then
			return done('duplicate', item.last)
		end
		if is_hidden and age_order(story, item) <= 0 then
			return stale()
		end
	end
	if item and story_order(story, item) < 0 then
		return stale()
	end
	take_away()
	drop_overtaken()
	local id = is_hidden and '' or tell('hold')
	write_stone('hold', id)
	return done('accepted', id, 'hold', item and item.routes)
end

-- News ----------------------------------------------------------------------------------------------------------------

-- What the public version says to a usable one: `duplicate`, `stale`, or nil: go ahead.
local function judge()
	if not item then
		return nil
	end
	if version_order(story.version, item.version) == 0 and item.status == 'usable' then
		if story.hash == item.hash then
			return 'duplicate'
		end
		return age_order(story, item) <= 0 and 'stale' or nil
	end
	return story_order(story, item) < 0 and 'stale' or nil
end

-- What the held version says to a new one under embargo. The same news for more channels, or for another time, goes ahead.
local function judge_held()
	local order = held and story_order(story, held) or 1
	if order < 0 then
		return 'stale'
	end
	local is_same_time = held and tonumber(held['until']) == story.embargo
	if held and version_order(story.version, held.version) == 0 and story.hash == held.hash then
		story.channels = union(held.channels, story.channels)
		return is_same_time and story.channels == held.channels and 'duplicate' or nil
	end
	return order == 0 and is_same_time and 'stale' or nil
end

-- The right that the sender lacks to send this news, or nil. Asked only where something would change.
local function lacks_for_news()
	local right = (item or held) and 'correct' or 'publish'
	if story.class == 'flash' and not may.flash then
		return 'flash'
	elseif story.embargo > ends and not may.embargo then
		return 'embargo'
	end
	return not may[right] and right or nil
end

-- Under embargo: kept apart, told nobody.
local function hold_back()
	if story.embargo - now > tonumber(args.max_embargo_ms) then
		return refuse('embargo_too_far', 'The embargo ends later than this server may keep items.')
	end
	local judgement = judge() or judge_held()
	if judgement == 'duplicate' then
		return done('duplicate', item and item.last)
	elseif judgement == 'stale' then
		return stale()
	end
	local lacks = lacks_for_news()
	if lacks then
		return refuse_right(lacks)
	end
	local name, header = key('held:' .. story.uri), {}
	for _, field in ipairs({'uri', 'version', 'class', 'lang', 'type', 'notice', 'channels', 'hash', 'owner'}) do
		header[field] = story[field]
	end
	header.owner = held and held.owner or story.owner
	header.created, header.expires, header.entry = number_text(story.created), number_text(story.expires), story.entry
	redis.call('ZADD', key('embargo'), number_text(story.embargo), story.uri)
	audit('held', story, item and item.version, story.channels, '')
	write_hash(name, {'header', cjson.encode(header), 'body', story.body, 'until', number_text(story.embargo), 'version', story.version,
		'created', header.created, 'hash', story.hash, 'owner', header.owner, 'channels', story.channels,
		'entry', story.entry or ''},
		{'PEXPIREAT', number_text(story.embargo + args.archive_ms)})
	write_seen('held')
	return answer('held', '', '', story.channels, '', '', number_text(story.embargo - ends))
end

local function choose_action()
	if item and item.status == 'withheld' then
		return 'release'
	elseif item and item.first then
		return 'correct'
	end
	return args.evolved ~= '' and 'update' or 'publish'
end

local function bring_out()
	local judgement, action, also = judge(), choose_action(), false
	if judgement == 'stale' then
		return stale()
	elseif judgement == 'duplicate' then
		each_beyond(story.channels, item.routes, function()
			also = true
		end)
		if not also then
			drop_overtaken() -- a script that was cut short may have left it
			return done('duplicate', item.last)
		end
		action = item.action
	end
	local lacks = lacks_for_news()
	if lacks then
		return refuse_right(lacks)
	end
	local id, channels = publish(story, item, action, also)
	drop_overtaken()
	return done('accepted', id, action, channels)
end

-- A drill goes to `exercise` and below it, and to nothing else.
local function is_drill(channels)
	return (' ' .. channels .. ' '):find(' exercise[ .]') ~= nil
end

-- A version that makes a drill of what readers have, or news of a drill?
local function changes_sides()
	local before = item and item.routes or held and held.channels or ''
	return before ~= '' and is_drill(before) ~= is_drill(story.channels)
end

-- An update of an update belongs to the story of the first of them, as far as that is known.
local function find_story()
	local name = 'item:' .. args.evolved
	if args.evolved == '' or is_drill(story.channels) or not need(name, 'hash') then
		return
	end
	local first = (redis.call('HGET', key(name), 'channels') or ''):match('story:%x+')
	if first then
		story.channels = union(story.channels:gsub('story:%x+', ''), first)
	end
end

-- The order of these questions is the law; docs/redis.md gives the reasons.
local function decide()
	local owner = item and item.owner or held and held.owner or story.owner
	if owner ~= story.owner and not may.all then
		return refuse('not_owner', 'This uri belongs to another publisher.')
	elseif item and item.status == 'canceled' then
		if story.status == 'canceled' then
			return done('duplicate', item.last)
		end
		return refuse('killed', 'This uri was killed, which cannot be undone.')
	elseif story.status ~= 'usable' and not may.kill then
		return refuse_right('kill')
	elseif story.status == 'canceled' then
		return kill()
	elseif story.status == 'withheld' then
		return withhold()
	elseif changes_sides() then
		return refuse('bad_channel', 'An exercise and real news cannot be versions of one story: give it another uri.')
	elseif too_many(item and item.routes or '', story.channels) then
		return refuse('bad_channel', 'All versions of an item together may go to 256 channels, derived ones included.')
	elseif not has_room(story, item) then
		return broken and redis.error_reply(broken) or
			refuse('bad_value', 'The place of this version is taken by another uri: choose a version without a colon.')
	elseif story.embargo > ends then
		return hold_back()
	end
	return bring_out()
end

local is_ours = has_entry()
known = read_string('seen:' .. args.seen)
read_answer()
if broken then
	return redis.error_reply(broken)
elseif not is_ours then
	return answer('taken')
elseif remembered then
	return answer_again(story.uri, story.version)
end
if known and not known:find('^refused ') then
	return take_out(answer('seen', known:match('^%d+%-%d+$')))
end
item = read_item(story.uri)
held = read_hash('held:' .. story.uri)
if held then
	held.created = tonumber(held.created) or 0
	held.version, held.channels = held.version or '', held.channels or ''
end
find_story()
ends = story.embargo > 0 and embargo_time() or now
need('embargo', 'zset')
need('audit', 'stream')
need('rewrite', 'string')
read_wire()
if story.created == 0 then
	story.created = time_of_arrival()
end
need_feeds(union(item and item.routes or '', story.status == 'usable' and story.channels or ''))
if broken then
	return redis.error_reply(broken)
end
return take_out(decide())
