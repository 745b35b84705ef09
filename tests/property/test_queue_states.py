"""The queue against a plain model: whatever people, attempts and crashes do, every item is where its history says."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backend.core.address import parse_address
from backend.core.clock import FakeClock
from backend.core.envelope import Asked, Hold, Notify, Wish
from backend.core.ids import AccountId, TraceId
from backend.core.status import SmtpStatus
from backend.outbound import actions, backoff
from backend.outbound.claims import Room
from backend.outbound.entries import NewEntry
from backend.outbound.failure import judge
from backend.outbound.history_listing import list_past
from backend.outbound.listing import list_items
from backend.outbound.owed import find_notices, settle_notice
from backend.outbound.queue import Queue
from backend.outbound.transport import Result, Try

ANSWERS = {
    "done": SmtpStatus(250, "2.0.0", "ok"),
    "later": SmtpStatus(451, "4.3.0", "later"),
    "never": SmtpStatus(550, "5.1.1", "never"),
}


NOTIFY = [
    frozenset(words)
    for words in (
        (),
        (),
        (Notify.NEVER,),
        (Notify.SUCCESS,),
        (Notify.FAILURE, Notify.DELAY),
        (Notify.DELAY,),
        (Notify.SUCCESS, Notify.FAILURE),
    )
]


class QueueStates(RuleBasedStateMachine):
    """`model`: id to [state, attempts, next_attempt_at]; `succeeded`: gone but for the report of success that is owed."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        self.model: dict[int, list] = {}
        self.domain: dict[int, str] = {}
        self.has_sender: dict[int, bool] = {}
        self.left: dict[int, str] = {}
        self.notify: dict[int, frozenset[Notify]] = {}
        self.succeeded: set[int] = set()
        self.forgiven: set[int] = set()
        self.sending = []
        self.open()

    def do(self, coro):
        return self.loop.run_until_complete(coro)

    def open(self) -> None:
        self.queue = Queue(self.folder, clock=self.clock)
        self.do(self.queue.open())

    def teardown(self) -> None:
        self.do(self.queue.close())
        self.loop.close()
        shutil.rmtree(self.folder)

    @rule(
        domains=st.lists(st.sampled_from(["b.test", "c.test"]), min_size=1, max_size=3),
        has_sender=st.booleans(),
        notify=st.lists(st.sampled_from(NOTIFY), min_size=3, max_size=3),
        hold_s=st.sampled_from([0, 0, 2000]),
    )
    def submit(self, domains, has_sender, notify, hold_s) -> None:
        remote = tuple(parse_address(f"u{n}@{d}") for n, d in enumerate(domains))
        content = b"From: a@a.test\r\n\r\n"
        entry = NewEntry(
            trace=TraceId("t"),
            account=AccountId("anna"),
            sender=parse_address("a@a.test") if has_sender else None,
            content=content,
            size_bytes=len(content),
            header_bytes=len(content),
            remote=remote,
            asked=Asked(hold=Hold(f"for;{hold_s}", seconds=hold_s) if hold_s else None),
            wishes={a: Wish(words) for a, words in zip(remote, notify, strict=False)},
        )
        accepted = self.do(self.queue.add(entry))
        assert len(accepted.remote) == len(domains)
        for i, domain, words in zip(accepted.remote, domains, notify, strict=False):
            self.model[i] = ["waiting", 0, self.clock.time() + hold_s]
            self.notify[i] = words
            self.domain[i] = domain
            self.has_sender[i] = has_sender

    @rule(seconds=st.sampled_from([1.0, 460.0, 4000.0, 40_000.0]))
    def time_passes(self, seconds) -> None:
        self.clock.advance(seconds)

    @rule()
    def claim(self) -> None:
        busy = {self.domain[batch.ids[0]] for batch in self.sending}
        batches = self.do(self.queue.claim(Room(places=5, served=dict.fromkeys(busy, 0))))
        claimed = [self.domain[batch.ids[0]] for batch in batches]
        assert len(set(claimed)) == len(claimed)
        assert not busy & set(claimed)
        due = {
            self.domain[i]
            for i, (state, _, at) in self.model.items()
            if state == "waiting" and at <= self.clock.time()
        }
        assert set(claimed) == due - busy
        for batch in batches:
            for i in batch.ids:
                state, attempts, at = self.model[i]
                assert state == "waiting"
                assert at <= self.clock.time()
                assert batch.attempts == attempts + 1
                self.model[i] = ["sending", attempts + 1, batch.next_attempt_at]
            delay = batch.next_attempt_at - self.clock.time()
            assert 444 * 2 ** (batch.attempts - 1) <= delay <= 455 * 2 ** (batch.attempts - 1)
        self.sending += batches

    @precondition(lambda self: self.sending)
    @rule(data=st.data())
    def settle(self, data) -> None:
        batch = self.sending.pop(0)
        words = [data.draw(st.sampled_from(sorted(ANSWERS))) for _ in batch.ids]
        results = [
            Result(recipient=r, status=ANSWERS[w])
            for r, w in zip(batch.outgoing.recipients, words, strict=True)
        ]
        wishes = batch.outgoing.wishes
        kept = [wishes.get(r, Wish()).notify for r in batch.outgoing.recipients]
        assert kept == [self.notify[i] for i in batch.ids]
        fates = judge(batch.ids, results, batch.attempts, wishes)
        entry = Try(host="mx", answer="x")
        self.do(self.queue.settle(batch, fates, [entry], started_at=self.clock.time()))
        self.forgiven -= set(batch.ids)
        for i, word in zip(batch.ids, words, strict=True):
            if word == "done":
                del self.model[i]
                if self.has_sender[i] and Notify.SUCCESS in self.notify[i]:
                    self.succeeded.add(i)  # leaves when its report has been delivered
                else:
                    self.left[i] = "delivered"
            elif word == "never" or batch.attempts >= backoff.MAX_ATTEMPTS:
                self.ended(i)
            else:
                self.model[i][0] = "waiting"

    @rule(action=st.sampled_from(["kick", "hold", "release", "drop", "fail"]), data=st.data())
    def people_act(self, action, data) -> None:
        known = sorted(self.domain)
        ids = data.draw(st.lists(st.sampled_from(known), max_size=4)) if known else []
        acted = self.do(getattr(actions, action)(self.queue, [*ids, 10_000]))
        allowed = {
            "kick": {"waiting"},
            "hold": {"waiting"},
            "release": {"held"},
            "drop": {"waiting", "held"},
            "fail": {"waiting", "held"},
        }[action]
        unique = list(dict.fromkeys(ids))
        possible = [i for i in unique if i in self.model and self.model[i][0] in allowed]
        assert list(acted.changed) == possible
        assert list(acted.missing) == [i for i in unique if i not in possible] + [10_000]
        for i in possible:
            if action == "kick":
                self.model[i][2] = self.clock.time()
            elif action == "drop":
                del self.model[i]
                self.left[i] = "dropped"
            elif action == "fail":
                self.ended(i)
            else:
                self.model[i][0] = {"hold": "held", "release": "waiting"}[action]

    @rule()
    def reports_are_delivered(self) -> None:
        for notice in self.do(find_notices(self.queue)):
            assert all(self.has_sender[r.id] for r in notice.recipients)
            self.do(settle_notice(self.queue, notice))
            for recipient in notice.recipients:
                words = self.notify[recipient.id]
                if notice.kind == "failed":
                    assert not words or Notify.FAILURE in words
                    assert self.model[recipient.id][0] == "failed"
                    del self.model[recipient.id]
                    self.left[recipient.id] = "failed"
                elif notice.kind == "relayed":
                    self.succeeded.remove(recipient.id)
                    self.left[recipient.id] = "delivered"
                else:
                    assert not words or Notify.DELAY in words
        assert not self.succeeded
        assert not self.do(find_notices(self.queue))

    @rule()
    def the_server_starts_again(self) -> None:
        self.do(self.queue.close())
        self.open()
        self.sending = []
        for i, row in self.model.items():
            if row[0] == "sending":
                row[0] = "waiting"
                if i not in self.forgiven:  # nothing was sent: once, that attempt has never been
                    row[1:] = [row[1] - 1, self.clock.time()]
                    self.forgiven.add(i)

    @invariant()
    def every_item_is_where_the_model_says(self) -> None:
        items = self.do(list_items(self.queue, limit=1000)).items
        seen = {i.id: [i.state.value, i.attempts, i.next_attempt_at] for i in items}
        assert seen == self.model

    @invariant()
    def what_has_left_is_in_the_history_once_and_as_it_went(self) -> None:
        items = self.do(list_past(self.queue, limit=1000)).items
        assert {past.id: past.outcome.value for past in items} == self.left
        for past in items:
            assert past.left_at <= self.clock.time()

    @invariant()
    def attempts_belong_to_a_message_that_is_here_or_in_the_history(self) -> None:
        orphans = self.do(
            self.queue.database.read(
                lambda reader: reader.value(
                    "SELECT count(*) FROM attempt WHERE message NOT IN (SELECT message FROM recipient)"
                    " AND message NOT IN (SELECT message FROM history)"
                )
            )
        )
        assert orphans == 0

    @invariant()
    def nothing_is_kept_without_a_recipient(self) -> None:
        orphans = self.do(
            self.queue.database.read(
                lambda reader: reader.value(
                    "SELECT count(*) FROM message WHERE id NOT IN (SELECT message FROM recipient)"
                )
            )
        )
        assert orphans == 0

    def ended(self, i: int) -> None:
        """A report is owed, unless nobody is there to get it or wants it."""
        if self.has_sender[i] and (not self.notify[i] or Notify.FAILURE in self.notify[i]):
            self.model[i][0] = "failed"
        else:
            del self.model[i]
            self.left[i] = "failed"


QueueStates.TestCase.settings = settings(max_examples=25, stateful_step_count=30)
TestQueueStates = QueueStates.TestCase
