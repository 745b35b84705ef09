"""Values that every other package shares: addresses, replies, errors, events. No I/O, no clock, no logging."""
