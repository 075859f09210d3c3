-- Takes in a batch. ARGV: for each event the item, the weight and the time. KEYS[1]: the
-- sorted set of ranks.
--
-- Events are grouped by item first, so that an item costs one HMGET and one HSET however
-- many events it has in the batch, and all ranks cost one ZADD. Numbers become text once:
-- what is a number in an argument is printed with 17 digits, which takes longer than
-- finding the text of a bucket that the last event was in too.
local exp, log, floor, format = math.exp, math.log, math.floor, string.format
local call = redis.call

local LAMBDA = math.log(2) / 86400000
local HOUR, DAY, WEEK = 60000, 1440000, 10080000
local WIDTHS = {[0] = HOUR, DAY, WEEK}
-- Windows reach 183 buckets at most, so that a hash of more fields than the first number has
-- some that are old; one of no more than the second may keep them.
local FIELDS_MAX, FIELDS_MIN = 200, 64

local digits = setmetatable({}, {__index = function(known, number)
  local text = format('%d', number)
  known[number] = text
  return text
end})

local groups, items, count = {}, {}, 0
for i = 1, #ARGV, 3 do
  local item, weight, at = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local time = tonumber(at)
  local group = groups[item]
  if not group then
    group = {sum = 0, since = time, at = at, buckets = {}}
    groups[item] = group
    count = count + 1
    items[count] = item
  end
  if time >= group.since then
    group.sum = group.sum * exp(LAMBDA * (group.since - time)) + weight
    group.since, group.at = time, at
  else
    group.sum = group.sum + weight * exp(LAMBDA * (time - group.since))
  end
  local buckets = group.buckets
  local hour = digits[4 * floor(time / HOUR)]
  local day = digits[4 * floor(time / DAY) + 1]
  local week = digits[4 * floor(time / WEEK) + 2]
  buckets[hour] = (buckets[hour] or 0) + 1
  buckets[day] = (buckets[day] or 0) + 1
  buckets[week] = (buckets[week] or 0) + 1
end

-- Removes the buckets that no window reaches which ends behind this time.
local function prune(item, time)
  local old, count = {}, 0
  for _, field in ipairs(call('HKEYS', item)) do
    local number = tonumber(field)
    if number then
      local window = number % 4
      if floor(number / 4) < floor(time / WIDTHS[window]) - 60 then
        count = count + 1
        old[count] = field
      end
    end
  end
  if count > 0 then
    call('HDEL', item, unpack(old))
  end
end

local ranks = {}
for i = 1, count do
  local item = items[i]
  local group = groups[item]
  local fields, last = {'s', 't'}, 2
  for field in pairs(group.buckets) do
    last = last + 1
    fields[last] = field
  end
  local known = call('HMGET', item, unpack(fields))
  local sum, since, at = group.sum, group.since, group.at
  if known[1] then
    local earlier = tonumber(known[2])
    if since >= earlier then
      sum = tonumber(known[1]) * exp(LAMBDA * (earlier - since)) + sum
    else
      sum = tonumber(known[1]) + sum * exp(LAMBDA * (since - earlier))
      since, at = earlier, known[2]
    end
  end
  local values, is_new, is_new_week = {'s', sum, 't', at}, false, false
  for j = 3, last do
    local field, before = fields[j], known[j]
    values[2 * j - 1] = field
    if before then
      values[2 * j] = digits[group.buckets[field] + tonumber(before)]
    else
      values[2 * j] = digits[group.buckets[field]]
      is_new, is_new_week = true, is_new_week or field % 4 == 2
    end
  end
  call('HSET', item, unpack(values))
  if is_new and known[1] then
    local had = call('HLEN', item)
    if had > FIELDS_MAX or (had > FIELDS_MIN and is_new_week) then
      prune(item, since)
    end
  end
  ranks[2 * i - 1] = log(sum) + LAMBDA * since
  ranks[2 * i] = item
end
call('ZADD', KEYS[1], unpack(ranks))
