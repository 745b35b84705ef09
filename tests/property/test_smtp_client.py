"""Whatever a server answers, and wherever it breaks off: each recipient gets one result, and success only what was sent."""

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.address import parse_address
from backend.smtp.client import (
    Closed,
    Finished,
    Options,
    Receive,
    Send,
    SendContent,
    SmtpClient,
    StartTls,
    Tls,
    Transaction,
)

SENDER = parse_address("anna@a.test")
RECIPIENTS = tuple(map(parse_address, ("bo@b.test", "jürgen@b.test", "cy@b.test")))
LOST = "lost"
ANSWERS = (
    *("220 hi", "250 ok", "250-half", "250 HELP", "251 forwarded", "221 bye", "354 go on"),
    *("421 going", "451 4.3.0 not now", "500 what", "550 5.1.1 no", "554 5.7.1 no", "999 odd"),
    *("", "25", "250", "550-half", "no reply at all", LOST),
)
MAX_STEPS = 500


@st.composite
def dialogues(draw: st.DrawFn) -> tuple[int, bool, bool, list[str]]:
    """Number of recipients, in chunks, all at once, and what the server says: a good dialogue with some faults."""
    count, chunked, at_once = draw(st.integers(1, 3)), draw(st.booleans()), draw(st.booleans())
    offers = ["250-PIPELINING", "250-SMTPUTF8"] + (["250-CHUNKING"] if chunked else [])
    transaction = ["250 ok"] * (1 + count) + ([] if chunked else ["354 go on"]) + ["250 taken"]
    said = ["220 hi", "250-b.test", *offers, "250 HELP", *transaction, *transaction]
    for _ in range(draw(st.integers(0, 3))):
        at, answer = draw(st.integers(0, len(said) - 1)), draw(st.sampled_from(ANSWERS))
        said[at : at + draw(st.integers(0, 1))] = [answer]
    return count, chunked, at_once, said


@given(dialogues(), st.integers(1, 3))
@settings(max_examples=100)
def test_each_recipient_gets_one_result_whatever_the_server_says(dialogue, chunks):
    count, chunked, at_once, said = dialogue
    client = SmtpClient(Options(ehlo_name="mail.a.test", tls=Tls.NEVER, chunking=chunked))

    def add() -> None:
        client.add(
            Transaction(
                sender=SENDER, recipients=RECIPIENTS[:count], size_bytes=10, at_once=at_once
            )
        )

    add()
    answers, sent, finished = iter(said), 0, 0
    for _ in range(MAX_STEPS):
        match client.step():
            case Receive():
                answer = next(answers, None)
                if answer == LOST:
                    client.lost("it is gone")
                else:
                    client.receive(b"" if answer is None else f"{answer}\r\n".encode())
            case SendContent():
                sent += 1
                client.content_sent(chunks if chunked else 1)
            case Finished(outcome):
                finished += 1
                assert [result.recipient for result in outcome.results] == list(RECIPIENTS[:count])
                for result in outcome.results:
                    status = result.status
                    assert status.is_success or status.is_temporary or status.is_permanent
                    assert not status.is_success or (result.remote and sent)
                assert sent <= 1
                sent = 0
                if finished == 1 and client.can_go_on:
                    add()
            case Closed():
                break
            case Send() | StartTls():
                pass
    else:
        raise AssertionError("the dialogue does not end")
    assert finished


def test_a_good_dialogue_is_a_success() -> None:
    """So that the property above speaks of something."""
    client = SmtpClient(Options(ehlo_name="mail.a.test", tls=Tls.NEVER))
    client.add(Transaction(sender=SENDER, recipients=RECIPIENTS[:1], size_bytes=10))
    for answer in ("220 hi", "250 HELP", "250 ok", "250 ok", "354 go on", "250 taken", "221 bye"):
        client.receive(f"{answer}\r\n".encode())
    found = []
    while not isinstance(step := client.step(), Closed):
        if isinstance(step, SendContent):
            client.content_sent()
        if isinstance(step, Finished):
            found.append(step.outcome.results[0].status.code)
    assert found == [250]
