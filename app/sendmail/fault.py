"""What stops a message; its text is for the person who reads the output of cron."""


class SendmailError(Exception):
    """`fix` says what to do, as far as that is known."""

    def __init__(self, text: str, fix: str = "") -> None:
        super().__init__(text)
        self.fix = fix

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text} {self.fix}" if self.fix else text
