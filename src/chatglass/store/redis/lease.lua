-- What belongs to a living process: who runs a session, and what is set aside for its next request.
-- KEYS[1]: the prefix of all keys. ARGV: what, session, and
--   claim    holder as JSON, milliseconds: nil if it is now ours, or {'held', the other holder}
--   renew    holder as JSON, milliseconds: as claim, and nil where the session is gone
--   release  token
--   bury     token of a holder that is known to be dead
--   reserve  holder as JSON, milliseconds, amount, now, since, until, most ('' for any):
--            {'1' if it fitted, spent, reserved by others}
--   keep     token, milliseconds: a reservation goes on
--   end      token, or '' for whoever made it: a reservation ends

local prefix = KEYS[1]
local call = redis.call
local what, sid = ARGV[1], ARGV[2]

local function at(kind, id) return prefix .. kind .. ':' .. id end

local function exists() return call('EXISTS', at('session', sid)) == 1 end

local function token_of(text) return text and cjson.decode(text).token end

local function end_reservation(id)
  call('DEL', at('reserved', id))
  call('SREM', prefix .. 'reserving', id)
end

-- Integers of 64 bits, which a Lua number can't hold, are added up by Redis.
local function sum(numbers)
  local key = prefix .. 'scratch'
  call('SET', key, '0')
  for _, number in ipairs(numbers) do call('INCRBY', key, number) end
  local total = call('GET', key)
  call('DEL', key)
  return total
end

local run = {}

function run.claim(mine, milliseconds)
  if not exists() then return {'session', sid} end
  local held = call('GET', at('holder', sid))
  if held and token_of(held) ~= token_of(mine) then return {'held', held} end
  call('SET', at('holder', sid), held or mine, 'PX', milliseconds)
end

function run.renew(mine, milliseconds)
  if exists() then return run.claim(mine, milliseconds) end
end

function run.release(token)
  if token_of(call('GET', at('holder', sid))) == token then call('DEL', at('holder', sid)) end
end

run.bury = run.release

function run.reserve(mine, milliseconds, amount, now, since, stop, most)
  if not exists() then return {'session', sid} end
  local costs = {}
  for _, member in ipairs(call('ZRANGEBYSCORE', prefix .. 'spent_at', since, '(' .. stop)) do
    local of, id = member:match('^(.-)\n(.*)$')
    costs[#costs + 1] = cjson.decode(call('HGET', at('spent', of), id))[2]
  end
  local amounts = {}
  for _, other in ipairs(call('SMEMBERS', prefix .. 'reserving')) do
    local text = call('GET', at('reserved', other))
    if not text then
      call('SREM', prefix .. 'reserving', other)
    elseif other ~= sid then
      local reserved = cjson.decode(text)
      if reserved.made_at >= tonumber(since) then amounts[#amounts + 1] = reserved.amount end
    end
  end
  local spent, others = sum(costs), sum(amounts)
  local fits = most == ''
  if not fits then
    local missing = sum({spent, others, amount, '-' .. most})
    fits = missing == '0' or missing:sub(1, 1) == '-'
  end
  if fits then
    local reservation = cjson.decode(mine)
    reservation.amount, reservation.made_at = amount, tonumber(now)
    call('SET', at('reserved', sid), cjson.encode(reservation), 'PX', milliseconds)
    call('SADD', prefix .. 'reserving', sid)
  end
  return {fits and '1' or '0', spent, others}
end

function run.keep(token, milliseconds)
  if token_of(call('GET', at('reserved', sid))) == token then
    call('PEXPIRE', at('reserved', sid), milliseconds)
  end
end

run['end'] = function(token)
  if token == '' or token_of(call('GET', at('reserved', sid))) == token then end_reservation(sid) end
end

return run[what](unpack(ARGV, 3)) or nil
