-- Everything that chatglass writes to Redis, atomic and exactly once.
--
-- KEYS[1]: the prefix of all keys. ARGV: the writer, the number of this write and of the one before
-- it, then its steps, each as name, count of arguments, arguments. A writer's numbers grow; a write
-- whose number was seen before is not done again, and answers as it did. One whose forerunner was not
-- seen is not done (that one may have failed for want of memory, and must come first).
--
-- The answer is {'ok'}, or {CODE, WORD...} (see errors.py). Steps that only look come first, so that a
-- write that is refused has changed nothing. 'changed' and 'gap' are not counted as seen.

local prefix = KEYS[1]
local call = redis.call
local WRITER_SECONDS = 90 * 86400
local REFUSAL_SECONDS = 90 * 86400
local HOLD_SECONDS = 7 * 86400
local BLOCK = 64

local function at(what, id) return prefix .. what .. ':' .. id end

local function owner(kind, id) return call('HGET', prefix .. 'owners', kind .. id) end

local function own(kind, id, sid) call('HSET', prefix .. 'owners', kind .. id, sid) end

-- What lists show of the session is made anew (see read.lua).
local function changed(sid)
  for _, key in ipairs(call('SMEMBERS', prefix .. 'card_keys')) do call('HDEL', key, sid) end
end

local function touch(sid, time)
  local key = at('session', sid)
  if tonumber(time) > tonumber(call('HGET', key, 'updated_at')) then
    call('HSET', key, 'updated_at', time)
    changed(sid)
    if call('HGET', key, 'hidden') ~= '1' then call('ZADD', prefix .. 'sessions', time, sid) end
  end
end

local function unqueue(id)
  local sid = owner('q', id)
  if sid then
    call('HDEL', at('queue', sid), id)
    call('HDEL', prefix .. 'owners', 'q' .. id)
    call('HINCRBY', at('session', sid), 'queued', -1)
    changed(sid)
  end
end

local function unindex(sid, name)
  local number = call('HGET', at('docs', sid), name)
  if number then
    local block = at('doc', math.floor(number / BLOCK))
    call('HINCRBY', prefix .. 'sizes', 'texts', -call('HSTRLEN', block, number))
    call('HDEL', block, number)
    call('HDEL', at('docs', sid), name)
  end
end

local function settle(sid, id, status, row)
  call('HSET', at('messages', sid), id, row)
  call('HDEL', at('checkpoints', sid), id)
  if status == 'partial' then return end
  call('HDEL', at('open', sid), 'm' .. id)
  local key = at('session', sid)
  if call('HGET', key, 'last_answer_id') == id then call('HSET', key, 'last_status', status) end
  changed(sid)
end

local function mark_open(sid, name, open)
  if open == '1' then call('HSET', at('open', sid), name, '') else call('HDEL', at('open', sid), name) end
end

local function negative(number)
  -- As text: a Lua number has 53 bits, a cost up to 64.
  if number == '0' then return number end
  if number:sub(1, 1) == '-' then return number:sub(2) end
  return '-' .. number
end

local function as_it_is(number) return number end

-- `spent` begins with tokens, cost in 1e-12 USD, and whether it is unpriced, as texts; its tenth says
-- where the usage comes from.
local function spend(sid, spent, sign)
  local key = at('session', sid)
  local known = cjson.decode(spent)
  local tokens, cost, unpriced = unpack(known, 1, 3)
  sign = sign or as_it_is
  call('HINCRBY', key, 'total_tokens', sign(tokens))
  call('HINCRBY', key, 'cost', sign(cost))
  call('HINCRBY', key, 'unpriced_requests', sign(unpriced))
  call('HINCRBY', key, 'estimated_requests', sign(known[10] == 'estimated' and '1' or '0'))
  changed(sid)
end

local function note_spent(sid, id, started, spent)
  call('HSET', at('spent', sid), id, spent)
  call('ZADD', prefix .. 'spent_at', started, sid .. '\n' .. id)
end

local function note_ran(sid, id, proposed, ran)
  call('HSET', at('ran', sid), id, ran)
  call('ZADD', prefix .. 'ran_at', proposed, sid .. '\n' .. id)
end

local function use(sid, kind, name)
  call('SADD', prefix .. 'names:' .. kind, name)
  call('SADD', at('using', kind .. ':' .. name), sid)
  call('SADD', at('uses', sid), kind .. ':' .. name)
end

local function end_reservation(sid)
  call('DEL', at('reserved', sid))
  call('SREM', prefix .. 'reserving', sid)
end

local function next_number(sid)
  local number = call('HINCRBY', at('session', sid), 'counter', 1)
  changed(sid)
  return number
end

local steps = {}

-- Steps that look

function steps.session(sid)
  if call('EXISTS', at('session', sid)) == 0 then return {'session', sid} end
end

function steps.no_session(sid)
  if call('EXISTS', at('session', sid)) == 1 then return {'duplicate', 'session', sid} end
end

function steps.absent(kind, word, id)
  if owner(kind, id) then return {'duplicate', word, id} end
end

function steps.owned(kind, word, id, sid)
  local there = owner(kind, id)
  if not there then return {word, id, ''} end
  if there ~= sid then return {'elsewhere', word, id, there} end
end

function steps.parent(sid, id)
  if id ~= '' and call('HEXISTS', at('parents', sid), id) == 0 then return {'message', id, sid} end
end

function steps.blobs(...)
  for _, digest in ipairs({...}) do
    if call('EXISTS', at('blob', digest)) == 0 then return {'blob', digest} end
  end
end

-- Nothing is done where another process holds the session, ...
function steps.unless_held(sid, token)
  local held = call('GET', at('holder', sid))
  if held and cjson.decode(held).token ~= token then return {'skip'} end
end

-- ... or it is refused.
function steps.not_held(sid, token)
  local held = call('GET', at('holder', sid))
  if held and cjson.decode(held).token ~= token then return {'held', sid, held} end
end

function steps.still_open(sid, ...)
  for _, name in ipairs({...}) do
    if call('HEXISTS', at('open', sid), name) == 0 then return {'changed'} end
  end
end

-- Steps that write

function steps.create(sid, time, hidden, ...)
  call('HSET', at('session', sid), 'hidden', hidden, 'counter', 0, 'queued', 0, ...)
  if hidden ~= '1' then call('ZADD', prefix .. 'sessions', time, sid) end
end

function steps.show(sid, time)
  call('HSET', at('session', sid), 'hidden', '0', 'updated_at', time)
  changed(sid)
  call('ZADD', prefix .. 'sessions', time, sid)
end

function steps.touch(sid, time) touch(sid, time) end

function steps.set(sid, ...)
  call('HSET', at('session', sid), ...)
  changed(sid)
end

function steps.append(sid, id, parent, role, status, time, row, excerpt, draft, plain, queued)
  local key = at('session', sid)
  local number = next_number(sid)
  own('m', id, sid)
  call('HSET', at('messages', sid), id, row)
  call('HSET', at('parents', sid), id, number .. ':' .. parent)
  local children = call('HGET', at('children', sid), parent)
  call('HSET', at('children', sid), parent, children and (children .. '\n' .. id) or id)
  if children then call('SADD', at('forked', sid), parent) end
  call('HINCRBY', key, 'messages', 1)
  call('HSET', key, 'leaf_id', id)
  touch(sid, time)
  if role == 'user' then
    if call('HGET', key, 'excerpt') == '' then call('HSET', key, 'excerpt', excerpt) end
    local there = call('HGET', key, 'draft')
    if there == draft or there == plain then call('HSET', key, 'draft', '') end
  elseif role == 'assistant' then
    call('HSET', key, 'last_status', status, 'last_answer_id', id)
  end
  if queued ~= '' then unqueue(queued) end
  if status == 'partial' then mark_open(sid, 'm' .. id, '1') end
end

function steps.checkpoint(id, text)
  local sid = owner('m', id)
  if not sid then return {'message', id, ''} end
  if call('HEXISTS', at('open', sid), 'm' .. id) == 1 then
    call('HSET', at('checkpoints', sid), id, text)
  end
end

function steps.finish(sid, id, parent, status, row)
  local there = owner('m', id)
  if not there then return {'message', id, ''} end
  if call('HEXISTS', at('open', there), 'm' .. id) == 0 then
    local final = call('HGET', at('messages', there), id)
    if final == row then return {'skip'} end
    return {'final', id, final}
  end
  local place = call('HGET', at('parents', there), id)
  if there ~= sid or place:match(':(.*)$') ~= parent then return {'moved', id} end
  settle(sid, id, status, row)
end

-- Replaces an indexed text of the same name. `slots` are pairs of bytes, the trigrams of the text.
function steps.index(sid, name, text, slots)
  unindex(sid, name)
  local number = call('INCR', prefix .. 'last_doc')
  local block = math.floor(number / BLOCK)
  call('HSET', at('doc', block), number, text)
  call('HSET', at('docs', sid), name, number)
  local bits = 0
  for i = 1, #slots, 2 do
    local high, low = slots:byte(i, i + 1)
    if call('SETBIT', at('slot', high * 256 + low), block, 1) == 0 then bits = bits + 1 end
  end
  call('HINCRBY', prefix .. 'sizes', 'bits', bits)
  call('HINCRBY', prefix .. 'sizes', 'texts', #text)
end

function steps.unindex(sid, name) unindex(sid, name) end

function steps.put_blob(digest, text)
  call('SET', at('blob', digest), text, 'NX')
  call('SET', at('held', digest), '', 'EX', HOLD_SECONDS)
  if call('EXISTS', at('users', digest)) == 0 then
    call('EXPIRE', at('blob', digest), HOLD_SECONDS)
  end
end

function steps.keep_blob(sid, digest, text)
  call('SET', at('blob', digest), text, 'NX')
  steps.refer(sid, digest)
end

function steps.refer(sid, ...)
  for _, digest in ipairs({...}) do
    call('SADD', at('users', digest), sid)
    call('SADD', at('blobs', sid), digest)
    call('PERSIST', at('blob', digest))
    call('DEL', at('held', digest))
  end
end

function steps.add_request(sid, id, time, open, row, parts, model, spent)
  call('HSET', at('requests', sid), id, next_number(sid) .. ':' .. row)
  own('r', id, sid)
  call('HSET', at('parts', sid), id, parts)
  call('HINCRBY', at('session', sid), 'requests', 1)
  note_spent(sid, id, time, spent)
  spend(sid, spent)
  touch(sid, time)
  mark_open(sid, 'r' .. id, open)
  use(sid, 'model', model)
end

function steps.finish_request(sid, id, time, open, row, parts, started, spent)
  local number = call('HGET', at('requests', sid), id):match('^%d+')
  call('HSET', at('requests', sid), id, number .. ':' .. row)
  spend(sid, call('HGET', at('spent', sid), id), negative)
  spend(sid, spent)
  note_spent(sid, id, started, spent)
  if parts ~= '' then call('HSET', at('parts', sid), id, parts) end
  touch(sid, time)
  mark_open(sid, 'r' .. id, open)
  if open ~= '1' then end_reservation(sid) end
end

function steps.add_call(sid, id, open, row, name, proposed, ran)
  call('HSET', at('calls', sid), id, next_number(sid) .. ':' .. row)
  own('c', id, sid)
  call('HINCRBY', at('session', sid), 'tool_calls', 1)
  note_ran(sid, id, proposed, ran)
  mark_open(sid, 'c' .. id, open)
  use(sid, 'tool', name)
end

function steps.change_call(sid, id, open, row, proposed, ran)
  local number = call('HGET', at('calls', sid), id):match('^%d+')
  call('HSET', at('calls', sid), id, number .. ':' .. row)
  note_ran(sid, id, proposed, ran)
  mark_open(sid, 'c' .. id, open)
end

-- `same` is '1' where the model saw all that the tool gave.
function steps.result(id, produced, seen, same)
  call('HSET', at('result', id), 'produced', produced)
  if same == '1' then
    call('HDEL', at('result', id), 'seen')
  else
    call('HSET', at('result', id), 'seen', seen)
  end
end

function steps.add_compaction(sid, id, row)
  call('RPUSH', at('compactions', sid), row)
  own('x', id, sid)
end

function steps.enqueue(sid, id, row)
  call('HSET', at('queue', sid), id, row)
  own('q', id, sid)
  call('HINCRBY', at('session', sid), 'queued', 1)
  changed(sid)
end

function steps.unqueue(id) unqueue(id) end

function steps.delete(sid)
  local owners = prefix .. 'owners'
  local function disown(kind, ids)
    for _, id in ipairs(ids) do call('HDEL', owners, kind .. id) end
  end
  disown('m', call('HKEYS', at('messages', sid)))
  local requests = call('HKEYS', at('requests', sid))
  disown('r', requests)
  for _, id in ipairs(requests) do call('ZREM', prefix .. 'spent_at', sid .. '\n' .. id) end
  disown('q', call('HKEYS', at('queue', sid)))
  local calls = call('HKEYS', at('calls', sid))
  disown('c', calls)
  for _, id in ipairs(calls) do
    call('DEL', at('result', id))
    call('ZREM', prefix .. 'ran_at', sid .. '\n' .. id)
  end
  for _, row in ipairs(call('LRANGE', at('compactions', sid), 0, -1)) do
    call('HDEL', owners, 'x' .. cjson.decode(row).id)
  end
  for _, name in ipairs(call('HKEYS', at('docs', sid))) do unindex(sid, name) end
  for _, used in ipairs(call('SMEMBERS', at('uses', sid))) do
    call('SREM', at('using', used), sid)
    if call('EXISTS', at('using', used)) == 0 then
      local kind, name = used:match('^(.-):(.*)$')
      call('SREM', prefix .. 'names:' .. kind, name)
    end
  end
  end_reservation(sid)
  for _, digest in ipairs(call('SMEMBERS', at('blobs', sid))) do
    call('SREM', at('users', digest), sid)
    if call('EXISTS', at('users', digest)) == 0 then
      local left = call('TTL', at('held', digest))
      if left > 0 then call('EXPIRE', at('blob', digest), left) else call('DEL', at('blob', digest)) end
    end
  end
  for _, what in ipairs({
    'session', 'messages', 'parents', 'children', 'forked', 'checkpoints', 'open', 'requests',
    'spent', 'parts', 'calls', 'ran', 'compactions', 'queue', 'docs', 'blobs', 'uses', 'holder',
  }) do
    call('DEL', at(what, sid))
  end
  call('ZREM', prefix .. 'sessions', sid)
  changed(sid)
end

local writer, number = at('writer', ARGV[1]), tonumber(ARGV[2])
local refusal = writer .. ':' .. ARGV[2]
local seen = tonumber(call('GET', writer) or '0')
if seen < tonumber(ARGV[3]) then return {'gap'} end
if number <= seen then
  local refused = call('GET', refusal)
  return refused and cjson.decode(refused) or {'ok'}
end
local index = 4
while index <= #ARGV do
  local count = tonumber(ARGV[index + 1])
  local answer = steps[ARGV[index]](unpack(ARGV, index + 2, index + 1 + count))
  if answer then
    if answer[1] == 'changed' then return answer end
    if answer[1] ~= 'skip' then
      call('SET', refusal, cjson.encode(answer), 'EX', REFUSAL_SECONDS)
      call('SET', writer, ARGV[2], 'EX', WRITER_SECONDS)
      return answer
    end
    break
  end
  index = index + 2 + count
end
call('SET', writer, ARGV[2], 'EX', WRITER_SECONDS)
return {'ok'}
