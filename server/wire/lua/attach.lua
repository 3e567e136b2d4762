-- attach.lua - a worker says where it stands, and is told which history this is. Run on every connect.
--
-- ARGV: prefix, an epoch to take if a new one is needed, the worker's epoch and head ("" and "0-0" if it has none), and 1 if
--       it saw a fork.
-- Returns {epoch, head, floor}.
--
-- Where a worker of this epoch knows more than Redis does, or saw the chain break, history is another one from here on: a new
-- epoch, made once. A worker that comes later still has the old epoch, and takes the new one. What stood on the wire before
-- belongs to no cursor any more, so the floor rises to the head.
-- include: common.lua

local proposed, known_epoch, known_head, forked = ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local epoch, head, floor = read_wire()

local is_broken = known_epoch == epoch and (forked or is_before(head, known_head))
if epoch == '' or is_broken then
	epoch = proposed
	if is_broken then
		floor = head
		redis.call('SET', key('floor'), floor)
	end
	redis.call('SET', key('epoch'), epoch)
end
return {epoch, head, floor}
