-- attach.lua - a worker says where it stands, and is told which history this is. Run on every connect.
--
-- ARGV: prefix, an epoch to take if a new one is needed, the worker's epoch and head ("" and "0-0" if it has none), 1 if it
--       saw a fork, and the uri and version of its head ("" if it does not know; an older release does not say).
-- Returns {epoch, head, floor}.
--
-- Where a worker of this epoch knows more than Redis does, has another post at its head (two masters, of which neither knew
-- of the other, gave both the same id), or saw the chain break, history is another one from here on: a new
-- epoch, made once. A worker that comes later still has the old epoch, and takes the new one. What stood on the wire before
-- belongs to no cursor any more, so the floor rises to the head.
-- include: common.lua

local proposed, known_epoch, known_head, forked = ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local known_uri, known_version = ARGV[6] or '', ARGV[7] or ''
local epoch, head, floor = read_wire()

local function is_another_post()
	local entry = known_uri ~= '' and redis.call('XRANGE', key('wire'), known_head, known_head)[1]
	local good, meta = pcall(cjson.decode, entry and by_name(entry[2]).meta or '')
	return good and type(meta) == 'table' and (meta.uri ~= known_uri or meta.version ~= known_version)
end

local is_broken = known_epoch == epoch and (forked or is_before(head, known_head) or is_another_post())
if epoch == '' or is_broken then
	epoch = proposed
	if is_broken then
		floor = head
		redis.call('SET', key('floor'), floor)
	end
	redis.call('SET', key('epoch'), epoch)
end
return {epoch, head, floor}
