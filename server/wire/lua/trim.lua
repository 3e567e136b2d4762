-- trim.lua - takes entries that are too old or too many from the start of the wire, at most a step of them, and their reach. One worker of
-- all does it: the one that holds the key `trimmer`.
--
-- ARGV: prefix, this worker's name, retention in ms, the most entries to keep, the most to take.
-- Returns how many were taken, or -1 if another worker looks after it.
-- include: common.lua

local TRIMMER_MS = 15000
local me, retention, max_entries, step = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local trimmer = on('string', 'GET', 'trimmer')
local _, _, floor = read_wire()
if trimmer and trimmer ~= me then
	return -1
end
redis.call('SET', key('trimmer'), me, 'PX', TRIMMER_MS)

local oldest = string.format('%.0f', math.max(now_ms() - retention, 0)) .. '-0'
local too_many = redis.call('XLEN', key('wire')) - max_entries

-- The look at the first entry alone is what most calls come to.
local function take(count)
	local taken, last, reaches = 0, nil, {}
	for i, entry in ipairs(redis.call('XRANGE', key('wire'), '-', '+', 'COUNT', count)) do
		if i > too_many and not is_before(entry[1], oldest) then
			break
		end
		taken, last, reaches[i] = i, entry[1], key('reach:' .. entry[1])
	end
	return taken, last, reaches
end

local taken, last = take(1)
if taken == 0 then
	return 0
end
local reaches
taken, last, reaches = take(step)
if is_before(floor, last) then -- a new epoch has put it higher
	redis.call('SET', key('floor'), last)
end
redis.call('UNLINK', unpack(reaches))
local ms, seq = parts(last)
redis.call('XTRIM', key('wire'), 'MINID', string.format('%.0f-%.0f', ms, seq + 1))
return taken
