-- report.lua - keeps what one worker counted: to how many readers each post was written.
--
-- ARGV: prefix, the worker's name, how many ms to keep it, and a line for each post: id, readers, behind, heard (1: its message
-- on `out` came; 0: it was read from the stream), and how many ms ago the last write was ("-": none).
-- The field of a worker in reach:<id> is `readers behind heard ms`: ms from the post's id to its last write. Run twice, it says
-- the same. Returns {epoch, head, problem}: a key that is no hash of ours is left alone and named; the others are written.
-- include: common.lua

local me, keep = ARGV[2], ARGV[3]
local epoch, head = read_wire()
local now, problem = now_ms(), ''

local function since(id, age)
	return string.format('%.0f', math.max(0, now - age - parts(id)))
end

for id, readers, behind, heard, age in ARGV[4]:gmatch('(%S+) (%d+) (%d+) ([01]) (%S+)\n') do
	local name = key('reach:' .. id)
	local ms = age == '-' and '-' or since(id, age)
	local made = redis.pcall('HSET', name, me, readers .. ' ' .. behind .. ' ' .. heard .. ' ' .. ms)
	if type(made) == 'table' then
		problem = made.err .. ': ' .. name
	elseif redis.call('HLEN', name) == 1 then -- the first worker
		redis.call('PEXPIRE', name, keep)
	end
end
return {epoch, head, problem}
