"""Sizes and timeouts of SMTP (RFC 5321 §4.5.3), as constants that both sides use."""

# RFC 5321 §4.5.3.1.4: 512 octets, more with extensions. Room for SIZE, BODY, SMTPUTF8, DSN and long addresses; a security limit.
MAX_COMMAND_OCTETS = 4096
# RFC 4954 §4: a line of a sign-in exchange may have 12,288 octets; a security limit.
MAX_AUTH_OCTETS = 12_288
# RFC 5321 §4.5.3.1.5: 512 octets for a reply line; real servers send longer ones. A security limit.
MAX_REPLY_LINE_OCTETS = 4096
MAX_REPLY_LINES = 200  # a security limit
# RFC 5321 §4.5.3.1.5: what we send stays within it.
MAX_REPLY_TEXT_OCTETS = 480

# RFC 5321 §4.5.3.2.7: a server waits at least five minutes for the next command.
SERVER_TIMEOUT_S = 300.0

# RFC 5321 §4.5.3.2.1 to §4.5.3.2.6: how long a client waits.
GREETING_TIMEOUT_S = 300.0
EHLO_TIMEOUT_S = 300.0
STARTTLS_TIMEOUT_S = 60.0
AUTH_TIMEOUT_S = 180.0
MAIL_TIMEOUT_S = 300.0
RCPT_TIMEOUT_S = 300.0
DATA_START_TIMEOUT_S = 120.0
DATA_BLOCK_TIMEOUT_S = 180.0
DATA_END_TIMEOUT_S = 600.0
QUIT_TIMEOUT_S = 10.0
