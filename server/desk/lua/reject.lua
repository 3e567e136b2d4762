-- reject.lua - writes down an item that could not even be read. Never any text of it.
--
-- ARGV: prefix, seen (hash of bytes, channels and owner), seen_ms, reason, detail, pointer, channel, owner, bytes (how many).
-- Returns 1 if it was news, 0 if another worker has written it down.
-- include: common.lua

need('rejects', 'stream')
local known = read_string('seen:' .. args.seen)
if broken then
	return redis.error_reply(broken)
end
if known then
	return 0
end
write_reject(nil, args.reason, args.detail, '', '')
return 1
