"""SMTP replies with their enhanced codes (RFC 5321 §4.2, RFC 3463), and the ones that the server gives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmtpStatus:
    """`code` such as 550, `enhanced` such as `5.1.1` (empty for replies that carry none), `text` public, one or more lines."""

    code: int
    enhanced: str
    text: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_temporary(self) -> bool:
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        return 500 <= self.code < 600

    def __str__(self) -> str:
        return (
            f"{self.code} {self.enhanced} {self.text}"
            if self.enhanced
            else f"{self.code} {self.text}"
        )


UNKNOWN_FAULT = SmtpStatus(451, "4.3.0", "A fault in this server; please try again later")
NO_SUCH_USER = SmtpStatus(550, "5.1.1", "No such mailbox here")
NO_RELAY = SmtpStatus(550, "5.7.1", "This server does not relay mail for that domain")
MAILBOX_FULL = SmtpStatus(452, "4.2.2", "The mailbox is full; please try again later")
DISK_FULL = SmtpStatus(452, "4.3.1", "Not enough storage; please try again later")
MESSAGE_TOO_BIG = SmtpStatus(552, "5.3.4", "Message is larger than this server accepts")
BARE_NEWLINE = SmtpStatus(550, "5.6.0", "A line ends in a bare CR or LF; lines must end in CRLF")
