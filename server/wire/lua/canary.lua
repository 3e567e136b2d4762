-- canary.lua - a worker's message to itself goes out as posts do, and a key that lives for a minute is written as well, so that a
-- Redis that takes no writes is found.
--
-- ARGV: prefix, meta, body.
-- Returns 1; or 0: there is no epoch, so nobody follows the wire.
--
-- The epoch is Redis' own, never the worker's: a message of another one would make all workers attach anew. The place is 0-0,
-- which no post has (canary_note.h).
-- include: common.lua

local CANARY_MS = 60000

local epoch = on('string', 'GET', 'epoch')
if not epoch then
	return 0
end
on('string', 'SET', 'canary', '1', 'PX', CANARY_MS)
redis.call('PUBLISH', ARGV[1]:sub(2, -2) .. ':out', '1 ' .. epoch .. ' 0-0 0-0\n' .. ARGV[2] .. '\n' .. ARGV[3])
return 1
