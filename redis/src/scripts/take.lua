-- Returns a newer record, or takes the lease, or says how long somebody else has it.
-- KEYS: record, lease. ARGV: the generation that the caller has, its owner, the lease in ms, the format's version.
local LARGEST = 9007199254740000

local seen = tonumber(ARGV[1])
local stored = 0
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'table' and not string.find(record.err, 'WRONGTYPE', 1, true) then
  return record
end
if type(record) == 'string' then
  local digits = string.match(record, '^(%d+):')
  if digits and #digits <= 16 and tonumber(digits) <= LARGEST then
    local version = string.byte(record, #digits + 2)
    if version and version > tonumber(ARGV[4]) then
      return { 'version' }
    end
    stored = tonumber(digits)
    if stored > seen then
      return { 'record', record }
    end
  end
end

local time = redis.call('TIME')
local fence = math.max(stored + 1, seen + 1, time[1] * 1000000 + time[2])
fence = string.format('%.0f', fence)

local holder = redis.pcall('GET', KEYS[2])
if type(holder) == 'string' and holder ~= ARGV[2] then
  local left = redis.call('PTTL', KEYS[2])
  -- Only a lease that ends is one.
  if left >= 0 then
    return { 'held', left, fence }
  end
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return { 'lease', fence }
