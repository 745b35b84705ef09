"""What the SMTP servers say by themselves. The texts may be read by people whose mail app shows them."""

from backend.core.status import SmtpStatus

READY = SmtpStatus(220, "", "ESMTP Gatepost")
OK = SmtpStatus(250, "2.0.0", "Ok")
BYE = SmtpStatus(221, "2.0.0", "Goodbye")
SEND_DATA = SmtpStatus(354, "", "Send the message, end with a line that holds a dot alone")
NOT_A_COMMAND = SmtpStatus(500, "5.5.2", "That is not a command")
NOT_HERE = SmtpStatus(502, "5.5.1", "That command is not available here")
TOO_LONG = SmtpStatus(500, "5.5.2", "The line is too long")
BARE_LINE = SmtpStatus(500, "5.5.2", "Lines must end in CRLF, with no CR or LF elsewhere")
HELLO_FIRST = SmtpStatus(503, "5.5.1", "Say EHLO first")
MAIL_FIRST = SmtpStatus(503, "5.5.1", "Say MAIL FROM first")
RCPT_FIRST = SmtpStatus(503, "5.5.1", "No recipient has been accepted")
NESTED_MAIL = SmtpStatus(503, "5.5.1", "A message has been begun already; RSET gives it up")
NO_ARGUMENT = SmtpStatus(501, "5.5.4", "That command takes no argument")
SIGN_IN_FIRST = SmtpStatus(
    530, "5.7.0", "Sign in first: set user name and password for outgoing mail in your mail app"
)
TLS_FIRST = SmtpStatus(
    530, "5.7.0", "Switch on STARTTLS for outgoing mail in your mail app, then sign in"
)
SIGNED_IN = SmtpStatus(235, "2.7.0", "Signed in")
ALREADY_SIGNED_IN = SmtpStatus(503, "5.5.1", "You are signed in already")
TLS_ALREADY = SmtpStatus(503, "5.5.1", "The connection is encrypted already")
NOT_BASE64 = SmtpStatus(501, "5.5.2", "That is not base64")
VRFY = SmtpStatus(252, "2.5.2", "Send a message and see")
HELP = SmtpStatus(
    214, "2.0.0", "EHLO MAIL RCPT DATA RSET NOOP QUIT STARTTLS AUTH VRFY HELP, as in RFC 5321"
)
TIMED_OUT = SmtpStatus(421, "4.4.2", "Nothing came for too long; closing the connection")
SHUTTING_DOWN = SmtpStatus(421, "4.3.2", "This server is shutting down; please try again later")
ACCOUNT_CHANGED = SmtpStatus(421, "4.7.0", "Your account has changed; please sign in again")
NUL = SmtpStatus(550, "5.6.0", "The message holds a NUL, which no message may")
NO_BINARY = SmtpStatus(502, "5.5.1", "CHUNKING is not offered; closing the connection")
NOT_SMTP = SmtpStatus(554, "5.5.1", "This is a mail server; closing the connection")
