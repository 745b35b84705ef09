"""Messages in the queue of a running admin API, without a submission."""

from backend.core.address import parse_address
from backend.core.ids import AccountId, TraceId
from backend.outbound.entries import NewEntry

CONTENT = b"From: me@example.org\r\nSubject: Lunch\r\n\r\nhello\r\n"


async def enqueue(rig, *to: str, account: str = "me", sender: str = "me@example.org") -> list[int]:
    """The numbers of the rows."""
    entry = NewEntry(
        trace=TraceId("q1"),
        account=AccountId(account),
        sender=parse_address(sender),
        content=CONTENT,
        size_bytes=len(CONTENT),
        header_bytes=len(CONTENT) - 7,
        message_id="<q1@example.org>",
        subject="Lunch",
        remote=tuple(parse_address(address) for address in to),
    )
    accepted = await rig.services.outbound.queue.add(entry)
    return list(accepted.remote)


async def put_off(
    rig,
    ids: list[int],
    code: int = 421,
    enhanced: str = "4.7.28",
    text: str = "",
    *,
    in_s: int = 900,
) -> None:
    """As if another server had answered that, once, and the next attempt is a while away."""
    text = text or "Our system has detected an unusual rate of mail. gsmtp"
    queue = rig.services.outbound.queue
    now = queue.now()
    values = {"code": code, "enhanced": enhanced, "text": text, "now": now, "due": now + in_s}

    def write(tx) -> None:
        for number in ids:
            tx.run(
                "UPDATE recipient SET attempts = 1, answer_code = :code, answer_enhanced = :enhanced,"
                " answer_text = :text, last_attempt_at = :now, next_attempt_at = :due WHERE id = :id",
                {**values, "id": number},
            )
            tx.run(
                "INSERT INTO attempt (message, domain, at, host, ip, port, tls, succeeded, answer,"
                " duration_ms, excerpt, transport, reason, policy) SELECT message, domain, :now,"
                " 'mx.' || domain, '192.0.2.7', 25, 'TLS 1.3', 0, :answer, 740, :excerpt, '', 'no route matched',"
                " 'Encrypted if possible: the domain asks for nothing' FROM recipient WHERE id = :id",
                {
                    "id": number,
                    "now": now,
                    "answer": f"{code} {enhanced} {text}",
                    "excerpt": f"S: 220 mx\nC: EHLO mail.example.org\nS: {code} {enhanced} {text}",
                },
            )

    await queue.database.write(write)
