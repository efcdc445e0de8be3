-- Grants calls, each on the key with the most room, or says how long until it is this caller's turn.
--
-- The clock is the server's own, so that processes with different clocks count alike. Each key has a log of calls
-- (member: the call's token, score: microseconds). Those who must wait stand in one line, ordered by lane, then by
-- arrival; a call is granted only where more is free than there are others ahead in that line.
--
-- KEYS: line, alive, then for every key of the account its log and its `closed` flag.
-- ARGV: limit, window (us), lane (0 goes first), token, patience (us; 0: do not queue), early (us: a call may be
--       granted that long before it may be made), count (calls wanted; fewer are granted where fewer are free),
--       then for every piece of news on an earlier call: number of its key, its token, its age (us; -1: not made).
-- Returns for each call granted the number of its key and the microseconds until it may be made; {0, microseconds until
-- it is worth asking again} where none is. The log knows the first by `token`, the others by `token/2`, `token/3`, ...

local limit, window, lane = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local token, patience, early, count = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- Lua's own conversion keeps 14 digits; microseconds since 1970 have 16.
local function digits(number) return string.format('%.0f', number) end

for i = 8, #ARGV, 3 do
  local log, age = KEYS[1 + 2 * ARGV[i]], tonumber(ARGV[i + 2])
  if age < 0 then
    redis.call('ZREM', log, ARGV[i + 1])
  else
    redis.call('ZADD', log, 'XX', 'GT', digits(now - age), ARGV[i + 1])
  end
end

-- Whoever did not come back when it said it would has left the line.
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', digits(now), 'LIMIT', 0, 1000)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end

-- How much room a key has, and when its next call may be made.
local function look(key)
  key.made = redis.call('ZCARD', key.log)
  key.room, key.ready, key.leaving = limit - key.made, now, nil
  if key.opens <= now and key.room < 1 then
    -- The call whose leaving makes room: of more than the limit (it was lowered), the first ones make none.
    key.leaving = key.made - limit
    key.ready = redis.call('ZRANGE', key.log, key.leaving, key.leaving, 'WITHSCORES')[2] + window
    if key.ready <= now + early then
      key.room = redis.call('ZCOUNT', key.log, '-inf', digits(now + early - window)) - key.leaving
    end
  end
  key.room = math.max(0, key.room)
end

local free, keys = 0, {}
for i = 3, #KEYS, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', digits(now - window))
  local closed = math.max(0, redis.call('PTTL', KEYS[i + 1])) * 1000
  local key = {log = KEYS[i], opens = now + closed}
  look(key)
  if closed == 0 then free = free + key.room end
  keys[#keys + 1] = key
end

-- Soonest first, then the one with the most room.
local function better(one, other)
  if one.ready ~= other.ready then return one.ready < other.ready end
  return one.room > other.room
end

local place = redis.call('ZRANK', KEYS[1], token)
local ahead = place or redis.call('ZCOUNT', KEYS[1], '-inf', digits(lane * 1e16 + now))
if free > ahead then
  local granted = {}
  for call = 1, math.min(count, free - ahead) do
    local best
    for number, key in ipairs(keys) do
      if key.opens <= now and key.room > 0 and (not best or better(key, keys[best])) then best = number end
    end
    local key = keys[best]
    if key.leaving then redis.call('ZREMRANGEBYRANK', key.log, 0, key.leaving) end
    redis.call('ZADD', key.log, digits(key.ready), call == 1 and token or token .. '/' .. call)
    redis.call('PEXPIRE', key.log, math.ceil(window / 500))
    granted[#granted + 1], granted[#granted + 2] = best, math.ceil(key.ready - now)
    look(key)
  end
  if place then
    redis.call('ZREM', KEYS[1], token)
    redis.call('ZREM', KEYS[2], token)
  end
  return granted
end

-- The moments at which room appears, up to the one that is this caller's.
local need, moments = ahead + 1 - free, {}
for _, key in ipairs(keys) do
  if key.opens > now then
    for _ = 1, math.min(key.room, need) do moments[#moments + 1] = key.opens + early end
  end
  local first = math.max(0, key.made - limit)
  local oldest = redis.call('ZRANGE', key.log, first, first + need - 1, 'WITHSCORES')
  for i = 2, #oldest, 2 do moments[#moments + 1] = math.max(oldest[i] + window, key.opens + early) end
end
table.sort(moments)
local wait = math.max(1, (moments[need] or now + window) - early - now)

if patience > 0 then
  redis.call('ZADD', KEYS[1], 'NX', digits(lane * 1e16 + now), token)
  redis.call('ZADD', KEYS[2], digits(now + math.min(wait, patience) + 1000000), token)
  redis.call('PEXPIRE', KEYS[1], 60000)
  redis.call('PEXPIRE', KEYS[2], 60000)
end
return {0, math.ceil(wait)}
