-- Writes a record unless there is one of the same or a later generation, and ends the lease.
-- KEYS: record, lease. ARGV: the generation, the lease's owner, the record's life in ms, the record, the format's version.
local LARGEST = 9007199254740000

local function release()
  if redis.pcall('GET', KEYS[2]) == ARGV[2] then
    redis.call('DEL', KEYS[2])
  end
end

local record = redis.pcall('GET', KEYS[1])
if type(record) == 'table' and not string.find(record.err, 'WRONGTYPE', 1, true) then
  return record
end
-- The same bytes: this call was sent before, and only its reply was lost.
if type(record) == 'string' and record ~= ARGV[4] then
  local digits = string.match(record, '^(%d+):')
  if digits and #digits <= 16 and tonumber(digits) <= LARGEST then
    local version = string.byte(record, #digits + 2)
    if version and version > tonumber(ARGV[5]) then
      return 'version'
    end
    if tonumber(digits) >= tonumber(ARGV[1]) then
      release()
      return 'outdated'
    end
  end
end
-- The record first: a script whose first write frees memory may go on when there is none.
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3])
release()
return 'kept'
