"""SMTP as pure functions and state machines (RFC 5321 and extensions): commands, replies, content, the client's side. No I/O."""
