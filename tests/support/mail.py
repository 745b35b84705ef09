"""Messages to put into tests."""


def sample_message(text: str = "hello", size: int = 0, *, subject: str = "") -> bytes:
    """A plain message; `size` fills the body up to about that many bytes."""
    head = (
        f"From: Anna <anna@example.org>\r\nTo: ben@example.net\r\nSubject: {subject or text}\r\n"
        f"Date: Fri, 17 Nov 2023 12:00:00 +0000\r\nMessage-ID: <{text.replace(' ', '.')}@example.org>\r\n\r\n"
    )
    line = f"{text} and more of the same\r\n"
    return (head + line + line * (max(size - len(head), 0) // len(line))).encode()
