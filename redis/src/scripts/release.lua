-- Ends the lease, if it is still the caller's. KEYS: lease. ARGV: its owner.
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
