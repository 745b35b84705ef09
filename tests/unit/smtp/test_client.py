"""The client against scripted servers: what it says, and what it makes of the answers."""

import base64

import pytest

from backend.core.address import parse_address
from backend.core.envelope import Asked, Notify, Ret, Wish
from backend.smtp.client import (
    Closed,
    Finished,
    Options,
    Outcome,
    Receive,
    Send,
    SendContent,
    SmtpClient,
    Stage,
    StartTls,
    Tls,
    Transaction,
)
from backend.smtp.data import DotStuffer

ANNA, BERT, CARL = (parse_address(f"{n}@example.org") for n in ("anna", "bert", "carl"))
SENDER = parse_address("me@gatepost.test")
CONTENT = b"Subject: hello\r\n\r\n.dots\r\n"


class Conversation:
    """Runs a client against replies: each entry answers one chunk that the client sends (the first is the greeting)."""

    def __init__(self, client: SmtpClient, replies: list[bytes | None]) -> None:
        self.client = client
        self.replies = list(replies)
        self.sent: list[bytes] = []
        self.outcomes: list[Outcome] = []
        self.tls_fails = ""
        self.next_transactions: list[Transaction] = []
        self.could_go_on: list[bool] = []

    def run(self) -> "Conversation":
        for _ in range(1000):
            match self.client.step():
                case Send(data=data):
                    self.sent.append(data)
                case Receive():
                    reply = self.replies.pop(0) if self.replies else None
                    self.client.receive(b"" if reply is None else reply)
                case StartTls():
                    self.sent.append(b"<tls>")
                    if self.tls_fails:
                        self.client.tls_failed(self.tls_fails)
                    else:
                        self.client.tls_started()
                case SendContent(chunked=True, envelope=envelope):
                    self.sent.append(b"%sBDAT %d LAST\r\n%s" % (envelope, len(CONTENT), CONTENT))
                    self.client.content_sent(1)
                case SendContent():
                    stuffer = DotStuffer()
                    self.sent.append(stuffer.feed(CONTENT) + stuffer.end())
                    self.client.content_sent()
                case Finished(outcome=outcome):
                    self.outcomes.append(outcome)
                    self.could_go_on.append(self.client.can_go_on)
                    if self.next_transactions:
                        self.client.add(self.next_transactions.pop(0))
                case Closed():
                    return self
        raise AssertionError("the client does not end")

    @property
    def codes(self) -> list[int]:
        return [r.status.code for r in self.outcomes[0].results]


def transaction(*recipients, **more) -> Transaction:
    return Transaction(sender=SENDER, recipients=recipients or (ANNA,), **more)


def converse(replies, *recipients, options=None, **more) -> Conversation:
    client = SmtpClient(options or Options(ehlo_name="mail.gatepost.test"))
    client.add(transaction(*recipients, **more))
    return Conversation(client, replies).run()


PIPELINING = b"250-there\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1000\r\n"
PLAIN_EHLO = b"250 there\r\n"
TLS_EHLO = b"250-there\r\n250 STARTTLS\r\n"
OK = b"250 2.0.0 ok\r\n"


def test_a_pipelined_transaction_takes_three_round_trips():
    talk = converse(
        [b"220 there\r\n", PIPELINING, OK * 3 + b"354 go\r\n", OK, b"221 bye\r\n"], ANNA, BERT
    )
    assert talk.sent == [
        b"EHLO mail.gatepost.test\r\n",
        b"MAIL FROM:<me@gatepost.test> BODY=8BITMIME\r\nRCPT TO:<anna@example.org>\r\nRCPT TO:<bert@example.org>\r\nDATA\r\n",
        b"Subject: hello\r\n\r\n..dots\r\n.\r\n",
        b"QUIT\r\n",
    ]
    assert talk.codes == [250, 250]
    assert talk.outcomes[0].accepted == (ANNA, BERT)
    assert all(r.remote and r.stage is Stage.DATA for r in talk.outcomes[0].results)


def test_without_pipelining_each_command_waits_for_its_reply():
    talk = converse([b"220 there\r\n", PLAIN_EHLO, OK, OK, b"354 go\r\n", OK, b"221 bye\r\n"])
    assert talk.sent[1:4] == [
        b"MAIL FROM:<me@gatepost.test>\r\n",
        b"RCPT TO:<anna@example.org>\r\n",
        b"DATA\r\n",
    ]
    assert talk.codes == [250]


@pytest.mark.parametrize("code", [500, 502, 550])
def test_a_server_without_ehlo_is_spoken_to_with_helo(code):
    talk = converse(
        [b"220 old\r\n", b"%d what\r\n" % code, b"250 hi\r\n", OK, OK, b"354 go\r\n", OK]
    )
    assert talk.sent[1] == b"HELO mail.gatepost.test\r\n"
    assert talk.codes == [250]


def test_each_recipient_gets_its_own_result():
    replies = OK + OK + b"550 5.1.1 nobody\r\n" + b"452 4.2.2 full\r\n" + b"354 go\r\n"
    talk = converse([b"220 x\r\n", PIPELINING, replies, OK, b"221 x\r\n"], ANNA, BERT, CARL)
    assert talk.codes == [250, 550, 452]
    assert [str(r.status) for r in talk.outcomes[0].results[1:]] == [
        "550 5.1.1 nobody",
        "452 4.2.2 full",
    ]
    assert [r.stage for r in talk.outcomes[0].results] == [Stage.DATA, Stage.RCPT, Stage.RCPT]


def test_data_that_is_let_in_without_recipients_gets_an_empty_message():
    replies = OK + b"550 5.1.1 nobody\r\n" + b"354 go\r\n"
    talk = converse([b"220 x\r\n", PIPELINING, replies, b"554 no recipients\r\n", b"221 x\r\n"])
    assert talk.sent[2:] == [b".\r\n", b"QUIT\r\n"]
    assert talk.codes == [550]


def test_a_refused_sender_refuses_all_recipients():
    replies = b"550 5.7.1 no\r\n" + b"503 first MAIL\r\n" * 3
    talk = converse([b"220 x\r\n", PIPELINING, replies, b"221 x\r\n"], ANNA, BERT)
    assert talk.codes == [550, 550]
    assert {r.stage for r in talk.outcomes[0].results} == {Stage.MAIL}


def test_many_recipients_go_out_in_groups():
    recipients = tuple(parse_address(f"r{i}@example.org") for i in range(120))
    talk = converse(
        [b"220 x\r\n", PIPELINING, OK * 51, OK * 50, OK * 20 + b"354 go\r\n", OK, b"221 x\r\n"],
        *recipients,
    )
    assert [chunk.count(b"RCPT") for chunk in talk.sent[1:4]] == [50, 50, 20]
    assert talk.codes == [250] * 120


def test_a_sender_refused_in_the_first_group_ends_the_transaction():
    recipients = tuple(parse_address(f"r{i}@example.org") for i in range(120))
    talk = converse(
        [b"220 x\r\n", PIPELINING, b"451 4.7.1 later\r\n" + b"503 no\r\n" * 50, b"221 x\r\n"],
        *recipients,
    )
    assert talk.codes == [451] * 120


@pytest.mark.parametrize(
    "replies",
    [
        [],
        [b"220 x\r\n"],
        [b"220 x\r\n", PIPELINING],
        [b"220 x\r\n", PIPELINING, OK],
        [b"220 x\r\n", PIPELINING, OK * 2 + b"354 go\r\n"],
    ],
)
def test_a_lost_connection_is_temporary_at_every_stage(replies):
    talk = converse(replies)
    assert talk.codes == [451]
    assert talk.outcomes[0].results[0].remote is False
    assert talk.outcomes[0].results[0].status.enhanced == "4.4.2"
    assert b"QUIT\r\n" not in talk.sent


def test_421_ends_the_session_with_the_servers_words():
    talk = converse([b"220 x\r\n", b"421 4.3.2 shutting down\r\n"])
    assert str(talk.outcomes[0].results[0].status) == "421 4.3.2 shutting down"
    assert b"QUIT\r\n" not in talk.sent


def test_a_refusing_greeting_refuses_the_message():
    talk = converse([b"554 5.7.1 not you\r\n", b"221 x\r\n"])
    assert talk.codes == [554]
    assert talk.outcomes[0].results[0].stage is Stage.CONNECT


@pytest.mark.parametrize("reply", [b"hello\r\n", b"250-a\r\n251 b\r\n", b"2" * 5000])
def test_an_answer_that_is_no_reply_is_temporary(reply):
    talk = converse([b"220 x\r\n", reply])
    assert talk.outcomes[0].results[0].status.enhanced == "4.5.0"


def test_a_success_out_of_turn_is_never_taken_for_delivery():
    # 250 instead of 354: nothing was sent.
    talk = converse([b"220 x\r\n", PLAIN_EHLO, OK, OK, OK, b"221 x\r\n"])
    assert talk.codes == [451]
    talk = converse([b"220 x\r\n", PIPELINING, OK * 3, b"221 x\r\n"])
    assert talk.codes == [451]
    # 354 instead of the final reply.
    talk = converse(
        [b"220 x\r\n", PIPELINING, OK * 2 + b"354 go\r\n", b"354 more\r\n", b"221 x\r\n"]
    )
    assert talk.codes == [451]
    # 250 to STARTTLS where TLS is demanded.
    options = Options(ehlo_name="me", tls=Tls.REQUIRED)
    talk = converse([b"220 x\r\n", TLS_EHLO, OK, b"221 x\r\n"], options=options)
    assert talk.codes == [451]


def test_a_message_beyond_the_servers_size_is_not_sent():
    talk = converse([b"220 x\r\n", PIPELINING, b"221 x\r\n"], size_bytes=1001)
    assert talk.codes == [552]
    assert talk.sent[-1] == b"QUIT\r\n" and len(talk.sent) == 2


def test_a_known_size_is_announced():
    talk = converse([b"220 x\r\n", PIPELINING], size_bytes=900)
    assert b" SIZE=900 " in talk.sent[1]


def test_an_address_beyond_ascii_needs_the_servers_consent():
    talk = converse([b"220 x\r\n", PLAIN_EHLO, b"221 x\r\n"], parse_address("jürgen@example.org"))
    assert str(talk.outcomes[0].results[0].status).startswith("550 5.6.7")
    talk = converse([b"220 x\r\n", PIPELINING], parse_address("jürgen@example.org"))
    assert "SMTPUTF8\r\nRCPT TO:<jürgen@example.org>\r\n".encode() in talk.sent[1]


def test_recipients_within_ascii_get_the_mail_that_others_can_not_get():
    jurgen = parse_address("jürgen@example.org")
    talk = converse(
        [b"220 x\r\n", PLAIN_EHLO, OK, OK, b"354 go\r\n", OK, b"221 x\r\n"], jurgen, ANNA
    )
    international, plain = talk.outcomes[0].results
    assert (international.status.enhanced, international.remote) == ("5.6.7", False)
    assert plain.status.code == 250
    assert talk.sent[1:3] == [
        b"MAIL FROM:<me@gatepost.test>\r\n",
        b"RCPT TO:<anna@example.org>\r\n",
    ]


def test_an_international_header_or_sender_is_for_all_or_none():
    talk = converse([b"220 x\r\n", PLAIN_EHLO, b"221 x\r\n"], ANNA, BERT, smtputf8=True)
    assert [r.status.enhanced for r in talk.outcomes[0].results] == ["5.6.7", "5.6.7"]
    client = SmtpClient(Options(ehlo_name="me"))
    client.add(Transaction(sender=parse_address("é@gatepost.test"), recipients=(ANNA,)))
    talk = Conversation(client, [b"220 x\r\n", PLAIN_EHLO, b"221 x\r\n"]).run()
    assert talk.outcomes[0].results[0].status.enhanced == "5.6.7"


def test_an_international_domain_needs_nothing_of_the_server():
    bücher = parse_address("anna@bücher.example")
    talk = converse([b"220 x\r\n", PLAIN_EHLO, OK, OK, b"354 go\r\n", OK, b"221 x\r\n"], bücher)
    assert talk.sent[2] == b"RCPT TO:<anna@xn--bcher-kva.example>\r\n"
    assert talk.codes == [250]


DSN_EHLO = b"250-there\r\n250-PIPELINING\r\n250 DSN\r\n"
ASKED = Asked(ret=Ret.HEADERS, envelope_id="id+1")
WISHES = {ANNA: Wish(frozenset({Notify.SUCCESS}), ("rfc822", "a@b.c"))}


def test_what_was_asked_of_reports_goes_to_a_server_that_makes_them():
    talk = converse(
        [b"220 x\r\n", DSN_EHLO, OK * 3 + b"354 go\r\n", OK, b"221 x\r\n"],
        ANNA,
        BERT,
        asked=ASKED,
        wishes=WISHES,
    )
    assert talk.sent[1] == (
        b"MAIL FROM:<me@gatepost.test> RET=HDRS ENVID=id+2B1\r\n"
        b"RCPT TO:<anna@example.org> NOTIFY=SUCCESS ORCPT=rfc822;a@b.c\r\n"
        b"RCPT TO:<bert@example.org>\r\nDATA\r\n"
    )
    assert [r.peer_reports for r in talk.outcomes[0].results] == [True, True]
    talk = converse(
        [b"220 x\r\n", PLAIN_EHLO, OK, OK, b"354 go\r\n", OK, b"221 x\r\n"],
        asked=ASKED,
        wishes=WISHES,
    )
    assert talk.sent[1:3] == [
        b"MAIL FROM:<me@gatepost.test>\r\n",
        b"RCPT TO:<anna@example.org>\r\n",
    ]
    assert not talk.outcomes[0].results[0].peer_reports


SAFE_EHLO = b"250-there\r\n250 REQUIRETLS\r\n"


def protected(ehlo: bytes, *, tls: bool = True, verified: bool = True) -> Conversation:
    options = Options(ehlo_name="me", tls=Tls.IMPLICIT if tls else Tls.NEVER, is_verified=verified)
    replies = [b"220 x\r\n", ehlo, OK, OK, b"354 go\r\n", OK, b"221 x\r\n"]
    return converse(replies, options=options, asked=Asked(require_tls=True))


def test_a_message_that_requires_tls_goes_only_where_it_stays_protected():
    talk = protected(SAFE_EHLO)
    assert talk.sent[1] == b"MAIL FROM:<me@gatepost.test> REQUIRETLS\r\n"
    assert talk.codes == [250]
    for talk, enhanced in (
        (protected(PLAIN_EHLO), "5.7.30"),
        (protected(SAFE_EHLO, tls=False), "5.7.10"),
        (protected(SAFE_EHLO, verified=False), "5.7.10"),
    ):
        (result,) = talk.outcomes[0].results
        assert (result.status.code, result.status.enhanced) == (550, enhanced)
        assert result.stage is Stage.TLS
        assert not any(said.startswith(b"MAIL") for said in talk.sent)


def test_the_null_sender_is_written_as_brackets():
    client = SmtpClient(Options(ehlo_name="me"))
    client.add(Transaction(sender=None, recipients=(ANNA,)))
    talk = Conversation(client, [b"220 x\r\n", PIPELINING]).run()
    assert talk.sent[1].startswith(b"MAIL FROM:<> ")


def test_starttls_starts_the_session_anew_and_forgets_plain_text():
    injected = b"220 go\r\n250 injected\r\n"
    talk = converse(
        [b"220 x\r\n", TLS_EHLO, injected, PIPELINING, OK * 2 + b"354 go\r\n", OK, b"221 x\r\n"]
    )
    assert talk.sent[:4] == [
        b"EHLO mail.gatepost.test\r\n",
        b"STARTTLS\r\n",
        b"<tls>",
        b"EHLO mail.gatepost.test\r\n",
    ]
    assert talk.codes == [250]
    assert talk.client.is_tls


def test_opportunistic_tls_goes_on_without_it_and_required_tls_does_not():
    refused = [b"220 x\r\n", TLS_EHLO, b"454 4.7.0 no\r\n", OK, OK, b"354 go\r\n", OK, b"221 x\r\n"]
    assert converse(refused).codes == [250]
    required = Options(ehlo_name="me", tls=Tls.REQUIRED)
    assert converse(refused, options=required).codes == [454]
    talk = converse([b"220 x\r\n", PLAIN_EHLO, b"221 x\r\n"], options=required)
    assert str(talk.outcomes[0].results[0].status).startswith("451 4.7.10")


def test_tls_never_does_not_ask_for_it():
    talk = converse([b"220 x\r\n", TLS_EHLO], options=Options(ehlo_name="me", tls=Tls.NEVER))
    assert b"STARTTLS\r\n" not in talk.sent


def test_a_failed_handshake_is_temporary_and_told():
    client = SmtpClient(Options(ehlo_name="me"))
    client.add(transaction())
    talk = Conversation(client, [b"220 x\r\n", TLS_EHLO, b"220 go\r\n"])
    talk.tls_fails = "no common cipher"
    talk.run()
    assert "no common cipher" in talk.outcomes[0].results[0].status.text
    assert client.tls_handshake_failed


def test_several_messages_share_a_connection_with_rset_after_an_unfinished_one():
    client = SmtpClient(Options(ehlo_name="me"))
    client.add(transaction(ANNA))
    talk = Conversation(
        client,
        [
            b"220 x\r\n",
            PIPELINING,
            OK + b"550 no\r\n" + b"503 no\r\n",
            OK,
            OK * 2 + b"354 go\r\n",
            OK,
            b"221 x\r\n",
        ],
    )
    talk.next_transactions = [transaction(BERT)]
    talk.run()
    assert talk.sent[2] == b"RSET\r\n"
    assert [r.status.code for o in talk.outcomes for r in o.results] == [550, 250]


class Secret:
    name = "TOY"

    def __init__(self, *, complete=True, initial=b"secret-one"):
        self.complete = complete
        self.initial = initial

    def start(self):
        return self.initial

    def step(self, challenge):
        if challenge == b"bad":
            raise ValueError("cheating")
        return b"secret-two"

    @property
    def is_complete(self):
        return self.complete


AUTH_EHLO = b"250-there\r\n250-PIPELINING\r\n250 AUTH TOY\r\n"


def test_signing_in_and_keeping_the_secret_out_of_the_transcript():
    options = Options(
        ehlo_name="me", choose_sasl=lambda offered: Secret() if "TOY" in offered else None
    )
    challenge = b"334 " + base64.b64encode(b"well?") + b"\r\n"
    talk = converse(
        [
            b"220 x\r\n",
            AUTH_EHLO,
            challenge,
            b"235 in\r\n",
            OK * 2 + b"354 go\r\n",
            OK,
            b"221 x\r\n",
        ],
        options=options,
    )
    assert talk.sent[1] == b"AUTH TOY " + base64.b64encode(b"secret-one") + b"\r\n"
    assert talk.sent[2] == base64.b64encode(b"secret-two") + b"\r\n"
    assert talk.codes == [250]
    shown = "\n".join(talk.client.transcript)
    for secret in (b"secret-one", b"secret-two"):
        assert base64.b64encode(secret).decode() not in shown


@pytest.mark.parametrize(
    "replies, complete, code",
    [
        ([b"535 5.7.8 wrong\r\n"], True, 535),
        ([b"454 4.7.0 later\r\n"], True, 454),
        ([b"235 in\r\n"], False, 535),
        ([b"334 " + base64.b64encode(b"bad") + b"\r\n", b"501 cancelled\r\n"], True, 535),
        ([b"334 not-base64!\r\n", b"501 cancelled\r\n"], True, 535),
        ([b"334 \r\n"] * 20, True, 451),
    ],
)
def test_a_failed_sign_in_fails_the_message(replies, complete, code):
    options = Options(ehlo_name="me", choose_sasl=lambda _: Secret(complete=complete))
    talk = converse([b"220 x\r\n", AUTH_EHLO, *replies, b"221 x\r\n"], options=options)
    assert talk.codes == [code]
    assert talk.outcomes[0].results[0].stage is Stage.AUTH


def test_no_common_mechanism_names_what_is_offered():
    options = Options(ehlo_name="me", choose_sasl=lambda _: None)
    talk = converse([b"220 x\r\n", AUTH_EHLO, b"221 x\r\n"], options=options)
    assert "TOY" in talk.outcomes[0].results[0].status.text


def test_an_empty_initial_response_is_written_as_an_equals_sign():
    options = Options(ehlo_name="me", choose_sasl=lambda _: Secret(initial=b""))
    talk = converse([b"220 x\r\n", AUTH_EHLO, b"235 in\r\n"], options=options)
    assert talk.sent[1] == b"AUTH TOY =\r\n"


def test_a_transaction_without_recipients_is_a_mistake():
    with pytest.raises(ValueError):
        SmtpClient(Options(ehlo_name="me")).add(Transaction(sender=None, recipients=()))


CHUNKING = b"250-there\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
IN_CHUNKS = Options(ehlo_name="me", chunking=True)


def test_a_small_message_goes_out_in_chunks_together_with_its_envelope():
    talk = converse(
        [b"220 there\r\n", CHUNKING, OK * 2 + b"550 5.1.1 no\r\n" + OK, b"221 bye\r\n"],
        ANNA,
        BERT,
        options=IN_CHUNKS,
        at_once=True,
    )
    assert talk.sent[1] == (
        b"MAIL FROM:<me@gatepost.test>\r\nRCPT TO:<anna@example.org>\r\n"
        b"RCPT TO:<bert@example.org>\r\nBDAT 25 LAST\r\nSubject: hello\r\n\r\n.dots\r\n"
    )
    assert talk.codes == [250, 550]
    assert [r.stage for r in talk.outcomes[0].results] == [Stage.DATA, Stage.RCPT]


def test_chunks_of_a_larger_message_wait_for_the_recipients():
    talk = converse(
        [b"220 there\r\n", CHUNKING, OK * 2, OK, b"221 bye\r\n"], ANNA, options=IN_CHUNKS
    )
    assert talk.sent[1:3] == [
        b"MAIL FROM:<me@gatepost.test>\r\nRCPT TO:<anna@example.org>\r\n",
        b"BDAT 25 LAST\r\nSubject: hello\r\n\r\n.dots\r\n",
    ]
    assert talk.codes == [250]


def test_nothing_goes_out_in_chunks_when_no_recipient_was_taken():
    talk = converse(
        [b"220 there\r\n", CHUNKING, OK + b"550 no\r\n", b"221 bye\r\n"], options=IN_CHUNKS
    )
    assert not any(line.startswith(b"BDAT") for line in talk.sent)
    assert talk.codes == [550]


def test_a_refused_chunk_is_the_answer_and_resets_before_the_next_transaction():
    client = SmtpClient(IN_CHUNKS)
    client.add(transaction(at_once=True))
    replies = [b"220 x\r\n", CHUNKING, OK * 2 + b"452 4.3.1 full\r\n", OK, OK * 3, b"221 x\r\n"]
    talk = Conversation(client, replies)
    talk.next_transactions = [transaction(at_once=True)]
    talk.run()
    assert talk.sent[2] == b"RSET\r\n"
    assert [o.results[0].status.code for o in talk.outcomes] == [452, 250]


def test_a_connection_that_breaks_after_everything_went_out_at_once_breaks_in_the_content():
    talk = converse([b"220 there\r\n", CHUNKING, OK, b""], options=IN_CHUNKS, at_once=True)
    (result,) = talk.outcomes[0].results
    assert (result.stage, result.remote) == (Stage.DATA, False)


def test_a_421_instead_of_the_first_answer_says_that_nothing_was_taken():
    talk = converse(
        [b"220 there\r\n", CHUNKING, b"421 4.3.2 closing\r\n"], options=IN_CHUNKS, at_once=True
    )
    (result,) = talk.outcomes[0].results
    assert (result.stage, result.remote, result.status.code) == (Stage.MAIL, True, 421)


def test_a_reply_that_nobody_asked_for_ends_the_use_of_a_connection():
    before = [b"220 x\r\n", PLAIN_EHLO, OK, OK, b"354 go\r\n"]
    assert converse([*before, OK]).could_go_on == [True]
    assert converse([*before, OK + b"250 x\r\n"]).could_go_on == [False]
