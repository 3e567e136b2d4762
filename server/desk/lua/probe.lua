-- probe.lua - asked each second after Redis refused to decide: can everything be written that deciding writes? Leaves nothing behind.
--
-- ARGV: prefix. An error, as accept.lua would meet it, or `ok`. What takes memory comes first: a full Redis lets through what begins by giving some back.
-- include: common.lua

local name = key('probe')
redis.call('SET', name, '1', 'PX', 1000)
redis.call('INCR', name)
redis.call('PEXPIRE', name, 1000)
redis.call('DEL', name)
redis.call('HSET', name, 'v', '1')
redis.call('HDEL', name, 'v')
redis.call('ZADD', name, 1, 'v')
redis.call('ZREM', name, 'v')
redis.call('XADD', name, '*', 'v', '1')
redis.call('XTRIM', name, 'MAXLEN', 0)
redis.call('RENAME', name, name)
redis.call('UNLINK', name)
return 'ok'
