-- What chatglass reads from Redis in one round trip. KEYS[1]: the prefix of all keys. ARGV: what, and
-- its arguments. An answer that begins with 'missing' says what is (see errors.py).

local prefix = KEYS[1]
local call = redis.call
local CHUNK = 1000
local BLOCK = 64

local function at(what, id) return prefix .. what .. ':' .. id end

local function owner(kind, id) return call('HGET', prefix .. 'owners', kind .. id) end

-- The values of these fields, in their order.
local function values(key, fields)
  local found = {}
  for first = 1, #fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #fields)
    for _, value in ipairs(call('HMGET', key, unpack(fields, first, last))) do
      found[#found + 1] = value
    end
  end
  return found
end

local function place(sid, id)
  local number, parent = call('HGET', at('parents', sid), id):match('^(%d+):(.*)$')
  return tonumber(number), parent
end

local function lines(text)
  local found = {}
  for line in text:gmatch('[^\n]+') do found[#found + 1] = line end
  return found
end

local reads = {}

-- JSON of an array of these, those that are not there left out: one long text is read in a tenth of the
-- time that many short ones take.
local function array(texts)
  local there = {}
  for _, text in ipairs(texts) do
    if text then there[#there + 1] = text end
  end
  return '[' .. table.concat(there, ',') .. ']'
end

-- What a list shows of these sessions: JSON of an array of arrays of the texts of `fields`. They are kept under `key` until the session changes, since making them takes the server
-- ten times what giving them does.
local function cards(key, fields, sids)
  if #sids == 0 then return '[]' end
  local found = call('HMGET', key, unpack(sids))
  for i, card in ipairs(found) do
    if not card and call('EXISTS', at('session', sids[i])) == 1 then
      found[i] = cjson.encode(call('HMGET', at('session', sids[i]), unpack(fields)))
      call('HSET', key, sids[i], found[i])
    end
  end
  return array(found)
end

-- `key` names the kept cards of these `fields` (a JSON array), so that programs which want others
-- don't get them.
function reads.cards(key, fields, ...)
  key = prefix .. 'cards:' .. key
  call('SADD', prefix .. 'card_keys', key)
  return cards(key, cjson.decode(fields), {...})
end

-- The same of those sessions that fit: `only` is a JSON object of `root` (if it matters) and `words`,
-- which the folded title must hold.
function reads.fitting(only, key, fields, ...)
  local want = cjson.decode(only)
  local fitting = {}
  for _, sid in ipairs({...}) do
    local root, title = unpack(call('HMGET', at('session', sid), 'root', 'folded_title'))
    local fits = title and (not want.root or root == want.root)
    if fits then
      for _, word in ipairs(want.words) do
        if not title:find(word, 1, true) then fits = false break end
      end
    end
    if fits then fitting[#fitting + 1] = sid end
  end
  return reads.cards(key, fields, unpack(fitting))
end

function reads.path(sid, leaf)
  if call('EXISTS', at('session', sid)) == 0 then return {'missing', 'session', sid} end
  if leaf == '' then return {'[]', {}} end
  if call('HEXISTS', at('parents', sid), leaf) == 0 then return {'missing', 'message', leaf, sid} end
  local up, key = {}, at('parents', sid)
  while leaf ~= '' do
    up[#up + 1] = leaf
    leaf = call('HGET', key, leaf):match(':(.*)$')
  end
  local ids = {}
  for i = #up, 1, -1 do ids[#ids + 1] = up[i] end
  return {array(values(at('messages', sid), ids)), call('HGETALL', at('checkpoints', sid))}
end

function reads.siblings(id)
  local sid = owner('m', id)
  if not sid then return {'missing', 'message', id, ''} end
  local _, parent = place(sid, id)
  return {lines(call('HGET', at('children', sid), parent))}
end

function reads.forks(sid)
  local found = {}
  for _, parent in ipairs(call('SMEMBERS', at('forked', sid))) do
    found[#found + 1] = parent
    found[#found + 1] = lines(call('HGET', at('children', sid), parent))
  end
  return {found}
end

function reads.leaf_below(id)
  local sid = owner('m', id)
  if not sid then return {'missing', 'message', id, ''} end
  -- What was written last below it has nothing below itself.
  local newest, highest, waiting = id, 0, {id}
  while #waiting > 0 do
    local each = table.remove(waiting)
    local number = place(sid, each)
    if number > highest then newest, highest = each, number end
    local children = call('HGET', at('children', sid), each)
    if children then
      for _, child in ipairs(lines(children)) do waiting[#waiting + 1] = child end
    end
  end
  return {newest}
end

-- What a crash left open: messages, their checkpoints, requests, tool calls.
function reads.open(sid)
  if call('EXISTS', at('session', sid)) == 0 then return {'missing', 'session', sid} end
  local ids = {m = {}, r = {}, c = {}}
  for _, name in ipairs(call('HKEYS', at('open', sid))) do
    local of = ids[name:sub(1, 1)]
    of[#of + 1] = name:sub(2)
  end
  return {
    array(values(at('messages', sid), ids.m)), call('HGETALL', at('checkpoints', sid)),
    values(at('requests', sid), ids.r), values(at('calls', sid), ids.c),
  }
end

-- The session as it is at one moment, and the number of the writer's last write in it.
function reads.whole(sid, writer, with_results, ...)
  if call('EXISTS', at('session', sid)) == 0 then return {'missing', 'session', sid} end
  local digests = call('SMEMBERS', at('blobs', sid))
  local texts = {}
  for i, digest in ipairs(digests) do texts[i] = call('GET', at('blob', digest)) end
  local results = {}
  if with_results == '1' then
    for _, id in ipairs(call('HKEYS', at('calls', sid))) do
      local found = call('HMGET', at('result', id), 'produced', 'seen')
      if found[1] then
        results[#results + 1] = id
        results[#results + 1] = found
      end
    end
  end
  return {
    call('HMGET', at('session', sid), ...),
    call('HGETALL', at('messages', sid)), call('HGETALL', at('parents', sid)),
    call('HGETALL', at('checkpoints', sid)),
    call('HVALS', at('requests', sid)), call('HGETALL', at('parts', sid)),
    call('HVALS', at('calls', sid)), results,
    call('LRANGE', at('compactions', sid), 0, -1), call('HVALS', at('queue', sid)),
    digests, texts,
    call('GET', at('writer', writer)) or '0',
  }
end

-- Which of the ids (each with its kind before it) belong to which session.
function reads.owners(...)
  return {values(prefix .. 'owners', {...})}
end

-- The bits that are set in all of these strings, in a string.
function reads.blocks(...)
  local scratch = prefix .. 'scratch'
  call('BITOP', 'AND', scratch, ...)
  local bits = call('GET', scratch)
  call('DEL', scratch)
  return bits
end

-- The parts of an indexed text, `LENGTH HEAD\n`, the text, and its folded form where that is not
-- its ASCII lower case: head, where the text starts, where it ends, and the folded form.
local function parts(whole)
  local length, head, start = whole:match('^(%d+) ([^\n]*)\n()')
  local stop = start + tonumber(length)
  return head, start, stop - 1, stop <= #whole and whole:sub(stop) or whole:sub(start):lower()
end

-- What stands around the byte `first` of the folded text, and whether something stands before it.
-- A folded text may be longer or shorter than what it was made of: hence the margin on both sides.
local function excerpt(whole, start, stop, first, margin)
  local from = math.max(start, start + first - margin)
  return whole:sub(from, math.min(stop, start + first + margin * 2)), from > start and 1 or 0
end

local function first_match(folded, words, all)
  local first
  for _, word in ipairs(words) do
    local match = folded:find(word, 1, true)
    if match then
      first = math.min(first or match, match)
    elseif all then
      return nil
    end
  end
  return first
end

-- Indexed texts of these blocks that hold all the words, newest first, at most `most`, until so
-- many bytes were looked through. Each as its number, its head, and (unless `margin` is 0) the text
-- around the first match and whether it was cut before. `below` (or 0) bounds the numbers.
-- The last element says how many of the blocks were done.
function reads.verify(most, budget, margin, below, words, ...)
  most, budget, margin, below = tonumber(most), tonumber(budget), tonumber(margin), tonumber(below)
  words = cjson.decode(words)
  local blocks, found, done = {...}, {}, 0
  for _, block in ipairs(blocks) do
    local texts, numbers = {}, {}
    local flat = call('HGETALL', at('doc', block))
    for i = 1, #flat, 2 do
      local number = tonumber(flat[i])
      budget = budget - #flat[i + 1]
      if below == 0 or number < below then
        numbers[#numbers + 1], texts[number] = number, flat[i + 1]
      end
    end
    table.sort(numbers, function(one, other) return one > other end)
    for _, number in ipairs(numbers) do
      local head, start, stop, folded = parts(texts[number])
      local first = first_match(folded, words, true)
      if first then
        local text, cut = '', 0
        if margin > 0 then text, cut = excerpt(texts[number], start, stop, first, margin) end
        found[#found + 1] = {number, head, text, cut}
        if #found >= most then return {found, #blocks} end
      end
    end
    done = done + 1
    if budget <= 0 then break end
  end
  return {found, done}
end

-- The same of the texts of these numbers, those that have gone left out.
function reads.lines(margin, words, ...)
  words = cjson.decode(words)
  local found = {}
  for _, number in ipairs({...}) do
    local whole = call('HGET', at('doc', math.floor(number / BLOCK)), number)
    if whole then
      local head, start, stop, folded = parts(whole)
      local first = first_match(folded, words, false) or 1
      local text, cut = excerpt(whole, start, stop, first, tonumber(margin))
      found[#found + 1] = {tonumber(number), head, text, cut}
    end
  end
  return {found}
end

-- A message, so many above it, and so many below it down the newest branch, in order. '' for the
-- last one of the shown path.
function reads.around(sid, id, before, after)
  local leaf = call('HGET', at('session', sid), 'leaf_id')
  if not leaf then return {'missing', 'session', sid} end
  if id == '' then
    id, before, after = leaf, before + after, 0
    if id == '' then return {'[]', {}} end
  end
  if call('HEXISTS', at('parents', sid), id) == 0 then return {'missing', 'message', id, sid} end
  local up, each = {id}, id
  for _ = 1, before do
    local _, parent = place(sid, each)
    if parent == '' then break end
    up[#up + 1], each = parent, parent
  end
  local ids = {}
  for i = #up, 1, -1 do ids[#ids + 1] = up[i] end
  each = id
  for _ = 1, after do
    local children = call('HGET', at('children', sid), each)
    if not children then break end
    each = children:match('([^\n]+)$')
    ids[#ids + 1] = each
  end
  return {array(values(at('messages', sid), ids)), call('HGETALL', at('checkpoints', sid))}
end

-- Of each `SESSION\nID`, what its request spent ('spent') or its call was ('ran').
function reads.noted(what, ...)
  local found = {}
  for i, member in ipairs({...}) do
    local sid, id = member:match('^(.-)\n(.*)$')
    found[i] = call('HGET', at(what, sid), id)
  end
  return {found}
end

function reads.titles(...)
  local found = {}
  for i, sid in ipairs({...}) do found[i] = call('HGET', at('session', sid), 'title') end
  return {found}
end

return reads[ARGV[1]](unpack(ARGV, 2))
