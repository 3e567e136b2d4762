-- common.lua - what the desk's scripts share: keys, versions, sets of channels, and a place on the wire.
--
-- Lua has no rollback. So every script reads and checks all that it will touch, and only then writes; a key that holds
-- something else is named in the error, and nothing was written. What decides about the same input next time is written late
-- (the item, then `seen`), so that a script which an error cut short does the rest when it is asked again.
-- KEYS[1] is any key of ours (it tells a Redis Cluster the slot). ARGV is names and values in turn, so that nodes of two
-- releases understand each other. docs/redis.md lists keys and fields.

local AUDIT_MAX, REJECTS_MAX = 100000, 10000
local ROUTES_MAX = 256 -- what a worker can read (CHANNEL_SET_MAX)
local POSTS_MAX = 32   -- of one uri, whose reach can be asked for
local FEED_LONGER = 65 / 64
local SLOW_LONGER_MS, SLOW_STEP_MS = 60000, 30000

local args = {}
for i = 1, #ARGV, 2 do
	args[ARGV[i]] = ARGV[i + 1]
end

local function key(name)
	return '{' .. args.prefix .. '}:' .. name
end

local function number_text(n)
	return string.format('%.0f', n)
end

local now
do
	local time = redis.call('TIME')
	now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Checking ------------------------------------------------------------------------------------------------------------

local broken -- the first key that is not what it should be, in words

local function break_at(name, what)
	broken = broken or ('WRONGKEY ' .. key(name) .. ' ' .. what)
end

-- Is the key of this type, or absent?
local function need(name, kind)
	local found = redis.call('TYPE', key(name)).ok
	if found ~= kind and found ~= 'none' then
		break_at(name, 'is a ' .. found .. ', not a ' .. kind)
		return false
	end
	return true
end

-- What a command says of the key that it reads. nil, and broken, if the key is of another type: so the one command both checks and reads.
local function ask(name, kind, command, ...)
	local said = redis.pcall(command, key(name), ...)
	if type(said) ~= 'table' or not said.err then
		return said
	end
	return need(name, kind) and redis.call(command, key(name), ...) or nil
end

-- What Redis answers as names and values in turn.
local function by_name(flat)
	local fields = {}
	for i = 1, #flat, 2 do
		fields[flat[i]] = flat[i + 1]
	end
	return fields
end

local function read_hash(name)
	local hash = by_name(ask(name, 'hash', 'HGETALL') or {})
	return next(hash) and hash or nil
end

-- Writes a hash anew, in one step: it is made aside. expire: a command and its argument, or nil: it stays for ever.
local function write_hash(name, flat, expire)
	local new = key('new')
	if redis.call('HSET', new, 'v', '1', unpack(flat)) ~= 1 + #flat / 2 then
		redis.call('DEL', new) -- a script that was cut short had left its own
		redis.call('HSET', new, 'v', '1', unpack(flat))
	end
	if expire then
		redis.call(expire[1], new, expire[2])
	end
	redis.call('RENAME', new, name)
end

local function read_string(name)
	return ask(name, 'string', 'GET') or nil
end

-- The time by which embargoes end. Redis' clock may be set, so it is the earliest of three: Redis'; the own time of the worker
-- that asks (args.clock); and Redis' less what a worker that saw it jump said lately (`clock`: when, and how far it is ahead).
local DOUBT_MS = 5000

local function embargo_time()
	local time, doubt = math.min(now, tonumber(args.clock)), read_string('clock')
	local said, ahead = (doubt or ''):match('^(%d+) (%d+)$')
	if said and math.abs(now - said) <= DOUBT_MS then
		time = math.min(time, now - ahead)
	end
	return time
end

local function read_list(name, field, json)
	local good, list = pcall(cjson.decode, json)
	if good and type(list) == 'table' then
		return list
	end
	break_at(name, 'has a field ' .. field .. ' that is no JSON')
	return {}
end

-- What is known of a uri: its latest public version, or that it was killed or withheld. nil if nothing.
local function read_item(uri)
	local name = 'item:' .. uri
	local item = read_hash(name)
	if item then
		item.created = tonumber(item.created) or 0
		item.routes = item.routes or ''
		item.channels = item.channels or ''
		item.bodies = read_list(name, 'bodies', item.bodies or '[]')
	end
	return item
end

-- Versions ------------------------------------------------------------------------------------------------------------

-- Byte order. Lua's `<` follows the locale of the server.
local function text_order(a, b)
	if a == b then
		return 0
	end
	for i = 1, math.min(#a, #b) do
		local x, y = a:byte(i), b:byte(i)
		if x ~= y then
			return x < y and -1 or 1
		end
	end
	return #a < #b and -1 or 1
end

-- As integers, of any length, where both are; else as strings.
local function version_order(a, b)
	local x, y = a:match('^0*(%d+)$'), b:match('^0*(%d+)$')
	if x and y then
		return #x == #y and text_order(x, y) or (#x < #y and -1 or 1)
	end
	return text_order(a, b)
end

-- Two ids of a stream, or 0 where one is missing.
local function entry_order(a, b)
	local ms, seq = (a or ''):match('^(%d+)%-(%d+)$')
	local other_ms, other_seq = (b or ''):match('^(%d+)%-(%d+)$')
	if not ms or not other_ms then
		return 0
	end
	local order = version_order(ms, other_ms)
	return order ~= 0 and order or version_order(seq, other_seq)
end

-- By versionCreated; of one moment by place in the inbox, where both came through it: however late an entry is decided.
local function age_order(a, b)
	if a.created == b.created then
		return entry_order(a.entry, b.entry)
	end
	return a.created < b.created and -1 or 1
end

-- By version, then by age.
local function story_order(a, b)
	local order = version_order(a.version, b.version)
	return order ~= 0 and order or age_order(a, b)
end

-- Sets of channels: sorted names joined by spaces ---------------------------------------------------------------------

local function before(a, b)
	return text_order(a, b) < 0
end

-- Returns the union and how many names it has.
local function union(a, b)
	local has, names = {}, {}
	if a == '' or b == '' then
		local _, count = (a .. b):gsub('%S+', '')
		return a .. b, count
	end
	for name in (a .. ' ' .. b):gmatch('%S+') do
		if not has[name] then
			has[name] = true
			names[#names + 1] = name
		end
	end
	table.sort(names, before)
	return table.concat(names, ' '), #names
end

local function too_many(a, b)
	local _, count = union(a, b)
	return count > ROUTES_MAX
end

-- Calls f for every name of a that is not in b.
local function each_beyond(a, b, f)
	local has = {}
	for name in b:gmatch('%S+') do
		has[name] = true
	end
	for name in a:gmatch('%S+') do
		if not has[name] then
			f(name)
		end
	end
end

local feed_size = {} -- by channel

local function need_feeds(channels)
	each_beyond(channels, '', function(channel)
		feed_size[channel] = ask('feed:' .. channel, 'zset', 'ZCARD')
	end)
end

-- The wire ------------------------------------------------------------------------------------------------------------

local wire = {}

local function read_id(name, id)
	local ms, seq = id:match('^(%d+)%-(%d+)$')
	ms, seq = tonumber(ms), tonumber(seq)
	if not ms or ms >= 2 ^ 53 or seq >= 2 ^ 53 then
		break_at(name, 'does not hold the id of an entry')
		return 0, 0
	end
	return ms, seq
end

local function is_above(ms, seq)
	return ms > wire.ms or (ms == wire.ms and seq > wire.seq)
end

-- The newest entry is the head, also where a script was cut short before it could write that down.
local function read_last(id, fields)
	if id ~= wire.head and not is_above(read_id('wire', id)) then
		return -- Redis lost the entry that head names
	end
	wire.head = id
	fields = by_name(fields)
	wire.meta, wire.prev = fields.meta, fields.prev
end

-- Reads where it stands. The next id must be above `head` (also if Redis lost the entry that head names, or if its
-- clock went back) and above all that the stream ever held.
local function read_wire()
	wire.head = read_string('head') or '0-0'
	wire.ms, wire.seq = read_id('head', wire.head)
	wire.epoch = read_string('epoch')
	if wire.epoch and (#wire.epoch > 16 or not wire.epoch:find('^[a-z0-9]+$')) then
		break_at('epoch', 'does not hold the name of an epoch')
	end
	local info = redis.pcall('XINFO', 'STREAM', key('wire'))
	if info.err then
		if need('wire', 'stream') and redis.call('EXISTS', key('wire')) == 1 then
			error(info)
		end
		info = {'last-generated-id', '0-0'} -- nothing was ever sent
	end
	info = by_name(info)
	if info['last-entry'] then
		read_last(unpack(info['last-entry']))
	end
	local ms, seq = read_id('wire', info['last-generated-id'])
	if is_above(ms, seq) then
		wire.ms, wire.seq = ms, seq
	end
	wire.slow = now < wire.ms and read_string('slow')
end

-- Where Redis' clock was set back, time on the wire goes on at half its pace until the clock has caught up. So an id still belongs to a moment:
-- a Redis that lost its last posts gives their ids to no others. `slow`: an id's ms, and the clock when it was given.
local function slowed_time()
	local ms, at = (wire.slow or ''):match('^(%d+) (%d+)$')
	if tonumber(ms) ~= wire.ms or now < tonumber(at) then
		at = now -- it was set back just now
	end
	local gone = math.floor((now - at) / 2)
	if gone > SLOW_STEP_MS then -- it may have jumped ahead, though not as far as the wire is
		at, gone = now - 2 * SLOW_STEP_MS, SLOW_STEP_MS
	end
	if gone > 0 or at == now then
		wire.slow = number_text(wire.ms + gone) .. ' ' .. number_text(at + 2 * gone)
		redis.call('SET', key('slow'), wire.slow, 'PX', number_text(2 * (wire.ms - now) + SLOW_LONGER_MS))
	end
	return wire.ms + gone
end

local function next_id()
	local time = now < wire.ms and slowed_time() or now
	if time > wire.ms then
		wire.ms, wire.seq = time, 0
	else
		wire.seq = wire.seq + 1
	end
	return number_text(wire.ms) .. '-' .. number_text(wire.seq)
end

local function json_text(text)
	return (cjson.encode(text):gsub('\\/', '/')) -- cjson escapes every slash
end

-- A flat JSON object of the fields that are not empty, in this order.
local function meta_json(meta)
	local parts = {}
	for _, name in ipairs({'action', 'uri', 'version', 'class', 'channels', 'was', 'lang', 'type', 'notice', 'also'}) do
		local value = meta[name]
		if value and value ~= '' or name == 'was' then
			parts[#parts + 1] = '"' .. name .. '":' .. json_text(value)
		end
	end
	return '{' .. table.concat(parts, ',') .. '}'
end

-- How many workers of all nodes will hear of a post: as many have to report to how many readers it went.
local function count_workers()
	local subscribed = redis.pcall('PUBSUB', 'NUMSUB', args.prefix .. ':out')
	return subscribed.err and '' or number_text(subscribed[2])
end

-- Is this very post the newest already, and its item does not know? Then a script was cut short after it, and is run again.
local function is_there(json, item)
	return wire.meta == json and not (item and item.last == wire.head)
end

local function add_entry(json)
	local id = next_id()
	redis.call('XADD', key('wire'), id, 'v', '1', 'prev', wire.head, 'meta', json, 'heard', count_workers())
	wire.prev, wire.head, wire.meta = wire.head, id, json
end

-- Gives a post its place and tells everybody. item: what is known of its uri. Returns the id.
local function append(meta, body, item)
	local json = meta_json(meta)
	if not wire.epoch then
		wire.epoch = args.epoch
		redis.call('SET', key('epoch'), wire.epoch)
	end
	if not is_there(json, item) then
		add_entry(json)
	end
	local id, prev = wire.head, wire.prev
	redis.call('SET', key('head'), id)
	-- Who does not hear it finds within a second that head has moved: no reason to stop half-way.
	redis.pcall('PUBLISH', args.prefix .. ':out',
		'1 ' .. wire.epoch .. ' ' .. id .. ' ' .. prev .. '\n' .. json .. '\n' .. body)
	return id
end

-- What is kept --------------------------------------------------------------------------------------------------------

local function body_name(uri, version)
	return 'body:' .. uri .. ':' .. version
end

local function audit(what, story, before_version, channels, id)
	redis.call('XADD', key('audit'), 'MAXLEN', '~', AUDIT_MAX, '*', 'v', '1', 'who', story.owner, 'what', what,
		'uri', story.uri, 'version', story.version, 'before', before_version or '', 'channels', channels,
		'id', id, 'time', number_text(now))
end

local function write_seen(value)
	redis.call('SET', key('seen:' .. args.seen), value, 'PX', args.seen_ms)
end

local function note_reject(reason, detail, uri, version)
	redis.call('XADD', key('rejects'), 'MAXLEN', '~', REJECTS_MAX, '*', 'v', '1', 'reason', reason, 'detail', detail,
		'pointer', args.pointer or '', 'channel', args.channel, 'owner', args.owner, 'uri', uri, 'version', version,
		'hash', args.seen, 'bytes', args.bytes)
end

-- Writes a refusal down, unless the same bytes were refused for the same reason before (every worker hears a PUBLISH).
-- Returns whether it was news. rejects must have been checked.
local function write_reject(known, reason, detail, uri, version)
	if known == 'refused ' .. reason then
		return false
	end
	note_reject(reason, detail, uri, version)
	write_seen('refused ' .. reason)
	return true
end

-- The wire ids of a uri's posts, oldest first, with a new one ("": none).
local function add_post(item, id)
	local posts = {}
	for post in ((item and item.posts or '') .. ' ' .. id):gmatch('%S+') do
		posts[#posts + 1] = post
	end
	return table.concat(posts, ' ', math.max(1, #posts - POSTS_MAX + 1))
end

-- The inbox -----------------------------------------------------------------------------------------------------------
--
-- An item that came through it has `entry` (its id in the stream) and `consumer` (whoever was given it).

local INBOX_GROUP = 'desk'

-- Who reads the inbox: its name, and whom its connection is to the group (nil: it has an older release).
local function inbox_reader()
	local text = redis.pcall('GET', key('inbox_reader'))
	if type(text) == 'string' then
		return text:match('^%S+'), text:match(' (%S+)$')
	end
end

-- Is the entry still for this worker to decide? Not if another one took it over, or it was decided before; nor if another one reads by now, who
-- takes one after the other, and perhaps has come to one before this. True where there is none.
local function has_entry()
	if not args.entry then
		return true
	elseif not need('inbox', 'stream') then
		return false
	end
	local _, reads = inbox_reader()
	if reads and reads ~= args.consumer then
		return false
	end
	local pending = redis.pcall('XPENDING', key('inbox'), INBOX_GROUP, args.entry, args.entry, 1, args.consumer)
	return not pending.err and #pending > 0
end

-- Every decision takes its entry out of the inbox; after an error it stays there. What is deleted and not acknowledged is found again.
local function take_out(said)
	if args.entry and not said.err then
		redis.call('XDEL', key('inbox'), args.entry)
		redis.call('XACK', key('inbox'), INBOX_GROUP, args.entry)
	end
	return said
end

-- Did anything ever go through it? Then a text can be in the append-only file that no other key ever held.
local function inbox_was_used()
	local info = by_name(redis.pcall('XINFO', 'STREAM', key('inbox')))
	return (info['last-generated-id'] or '0-0') ~= '0-0'
end

-- Answers -------------------------------------------------------------------------------------------------------------
--
-- {result, id, action, channels, code, detail, due, replayed}. Who sends an idempotency key (`idem`, a hash of it) has his
-- answer kept beside the hash of what he sent: the same again is answered the same, whatever has become of the story.

local remembered -- what was answered under the same key before; nil: nothing, or there is no key

local function answer_name()
	return 'idem:' .. args.owner .. ':' .. args.idem
end

local function read_answer()
	remembered = args.idem and read_hash(answer_name()) or nil
end

local function answer(result, id, action, channels, code, detail, due)
	local said = {result, id or '', action or '', channels or '', code or '', detail or '', due or '', ''}
	if args.idem then
		write_hash(key(answer_name()), {'seen', args.seen, 'result', said[1], 'id', said[2], 'action', said[3],
			'channels', said[4], 'code', said[5], 'detail', said[6]}, {'PEXPIRE', args.seen_ms})
	end
	return said
end

-- The answer to one whose key is remembered: the same again, or a refusal if he sent something else under it.
local function answer_again(uri, version)
	local old, detail = remembered, 'Something else was sent with the same Idempotency-Key before.'
	if old.seen == args.seen then
		return {old.result or '', old.id or '', old.action or '', old.channels or '', old.code or '', old.detail or '', '', '1'}
	end
	if not need('rejects', 'stream') then
		return redis.error_reply(broken)
	end
	local news = old.reused ~= args.seen
	if news then
		note_reject('idempotency_mismatch', detail, uri, version)
		redis.call('HSET', key(answer_name()), 'reused', args.seen)
	end
	return {news and 'refused' or 'refused_again', '', '', '', 'idempotency_mismatch', detail, '', ''}
end

-- Writes the hash of a uri anew; empty fields are left out.
local function write_item(item)
	local flat = {}
	for _, name in ipairs({'version', 'created', 'status', 'hash', 'owner', 'routes', 'channels', 'first', 'last', 'action',
			'class', 'lang', 'type', 'notice', 'bodies', 'expires', 'posts', 'entry'}) do
		local value = item[name]
		if name == 'bodies' then
			local parts = {}
			for i, version in ipairs(value) do
				parts[i] = json_text(version)
			end
			value = '[' .. table.concat(parts, ',') .. ']'
		elseif name == 'created' then
			value = number_text(value)
		end
		if value and value ~= '' then
			flat[#flat + 1] = name
			flat[#flat + 1] = value
		end
	end
	write_hash(key('item:' .. item.uri), flat, not item.for_ever and {'PEXPIRE', args.archive_ms})
end

-- May this story's text be kept under its name? uri and version are joined by a colon and both may hold colons, so the
-- text of another uri could be there.
local function has_room(story, item)
	local there = read_string(body_name(story.uri, story.version))
	if not there then
		return not broken
	end
	for _, version in ipairs(item and item.bodies or {}) do
		if version == story.version then
			return true
		end
	end
	local good, body = pcall(cjson.decode, there)
	return good and type(body) == 'table' and body.uri == story.uri
end

-- Keeps the text of the new version (the first write: a full Redis refuses it). Returns the versions that have one, oldest first: the one
-- before stays as long as the wire can replay it.
local function keep_body(story, item)
	redis.call('SET', key(body_name(story.uri, story.version)), story.body, 'PX', args.archive_ms)
	local kept, gone = {}, true
	for _, version in ipairs(item and item.bodies or {}) do
		local name = key(body_name(story.uri, version))
		if version == item.version and version ~= story.version then
			redis.call('PEXPIRE', name, args.retention_ms)
		end
		gone = gone and redis.call('EXISTS', name) == 0
		if not gone and version ~= story.version then
			kept[#kept + 1] = version
		end
	end
	kept[#kept + 1] = story.version
	return kept
end

local function leave_feeds(uri, from, stays)
	each_beyond(from, stays, function(channel)
		redis.call('ZREM', key('feed:' .. channel), uri)
	end)
end

-- A feed is ordered by the first id, so that a correction does not move its story. It stays for archive_ms after its last post, and a
-- little longer, so that not every post has to move its end.
local function enter_feeds(uri, channels, first)
	local ms, seq = first:match('^(%d+)%-(%d+)$')
	local score = number_text(ms * 1000 + seq % 1000)
	each_beyond(channels, '', function(channel)
		local feed = key('feed:' .. channel)
		redis.call('ZADD', feed, score, uri)
		if feed_size[channel] + 1 > tonumber(args.feed_max) then
			redis.call('ZREMRANGEBYRANK', feed, 0, -1 - args.feed_max)
		end
		if redis.call('PTTL', feed) < tonumber(args.archive_ms) then
			redis.call('PEXPIRE', feed, number_text(args.archive_ms * FEED_LONGER))
		end
	end)
end

-- The first write of a kill. Redis asks before a script's first write only whether it is full, and not if that takes away: so a kill goes
-- through. has_text: text stays in the append-only file, and release.lua hands the rewriting to one worker.
local function begin_to_kill(uri, has_text)
	redis.call('ZREM', key('embargo'), uri)
	if has_text then
		redis.call('SET', key('rewrite'), number_text(now) .. ' ' .. redis.sha1hex(uri))
	end
end

local function drop_held(uri)
	redis.call('DEL', key('held:' .. uri))
	redis.call('ZREM', key('embargo'), uri)
end

-- Makes a story public: wire, text, item, feeds. also: the same version again, for more channels. Returns id and channels.
-- read_wire(), need_feeds() of all channels and has_room() must have gone well.
local function publish(story, item, action, also)
	local was = item and item.routes or ''
	local channels = also and union(item.channels, story.channels) or story.channels
	local bodies = keep_body(story, item)
	local id = append({action = action, uri = story.uri, version = story.version, class = story.class, channels = channels,
		was = was, lang = story.lang, type = story.type, notice = story.notice, also = also and '1'}, story.body, item)
	local first = item and item.first or id
	local expires = story.expires > 0 and number_text(story.expires) or nil

	if expires and story.expires <= now then
		leave_feeds(story.uri, union(was, channels), '')
	else
		leave_feeds(story.uri, item and item.channels or '', channels)
		enter_feeds(story.uri, channels, first)
	end
	audit(also and 'also' or action, story, item and item.version, channels, id)
	write_item({uri = story.uri, version = story.version, created = story.created, status = 'usable', hash = story.hash,
		owner = item and item.owner or story.owner, routes = (union(was, channels)), channels = channels, first = first,
		last = id, action = action, class = story.class, lang = story.lang, type = story.type, notice = story.notice,
		bodies = bodies, expires = expires, posts = add_post(item, id), entry = story.entry})
	return id, channels
end
