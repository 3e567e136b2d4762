-- reject.lua - writes down an item that could not even be read. Never any text of it.
--
-- ARGV: prefix, seen (hash of bytes, channels and owner), seen_ms, reason, detail, pointer, channel, owner, bytes (how many), idem
--       (hash of an idempotency key, if there is one).
-- Answers as accept.lua does: refused if it was news, refused_again if another worker has written it down.
-- include: common.lua

need('rejects', 'stream')
local known = read_string('seen:' .. args.seen)
read_answer()
if broken then
	return redis.error_reply(broken)
elseif remembered then
	return answer_again('', '')
elseif not known then
	write_reject(nil, args.reason, args.detail, '', '')
end
return answer(known and 'refused_again' or 'refused', '', '', '', args.reason, args.detail)
