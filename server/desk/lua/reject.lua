-- reject.lua - writes down an item that could not even be read. Never any text of it.
--
-- ARGV: prefix, seen (hash of bytes, channels and owner), seen_ms, reason, detail, pointer, channel, owner, bytes (how many), idem
--       (hash of an idempotency key, if there is one); entry and consumer, if it came through the inbox.
-- Answers as accept.lua does: refused if it was news, refused_again if another worker has written it down.
-- include: common.lua

need('rejects', 'stream')
local is_ours = has_entry()
local known = read_string('seen:' .. args.seen)
read_answer()
if broken then
	return redis.error_reply(broken)
elseif not is_ours then
	return answer('taken')
elseif remembered then
	return answer_again('', '')
elseif not known then
	write_reject(nil, args.reason, args.detail, '', '')
end
return take_out(answer(known and 'refused_again' or 'refused', '', '', '', args.reason, args.detail))
