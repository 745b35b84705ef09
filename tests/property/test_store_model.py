"""The store against a naive model: whatever is done, both hold the same, and the counters are those of the messages."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backend.core.errors import ConflictError
from backend.core.events import FlagsChanged, MessagesAdded, MessagesExpunged
from backend.core.ids import AccountId
from backend.core.uidset import UidSet
from backend.runtime import threads
from backend.store.store import Store
from backend.store.values import Field, FlagOp, NewMessage
from backend.store.verify import verify
from tests.support.mail import sample_message

NAMES = ["INBOX", "Archive", "a", "a/b", "c"]
FLAGS = [r"\Seen", r"\Deleted", r"\Flagged", "one", "two"]
UIDS = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=3).map(
    UidSet
)
SOME_FLAGS = st.frozensets(st.sampled_from(FLAGS), max_size=3)


class Box:
    """A mailbox as the model sees it: uid -> (content, flags), modseqs are only compared for growth."""

    def __init__(self):
        self.messages = {}
        self.uidnext = 1

    def add(self, content, flags):
        self.messages[self.uidnext] = (content, frozenset(flags))
        self.uidnext += 1

    def among(self, uids):
        return [uid for uid in sorted(self.messages) if uid in uids]


class StoreMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.boxes = {
            name: Box() for name in ("INBOX", "Archive", "Drafts", "Sent", "Junk", "Trash")
        }
        self.seen = {}
        self.highest = {}
        self.number = 0
        self.store = None
        self.run(self.open())

    def run(self, work):
        return self.loop.run_until_complete(work)

    async def open(self):
        self.store = Store(self.folder)
        await self.store.open()
        self.store.indexer.pause()
        self.account = await self.store.account(AccountId("anna"))
        self.events = self.account.changes.subscribe()
        for box in await self.account.mailboxes():
            self.seen[box.id] = (await self.account.select(box.id)).uids

    def teardown(self):
        self.run(self.store.close())
        report = self.run(verify(self.folder))
        threads.shut_down()
        self.loop.close()
        shutil.rmtree(self.folder)
        assert report.problems == []

    def id_of(self, name):
        return self.run(self.account.find_mailbox(name)).id

    @rule(name=st.sampled_from(NAMES), count=st.integers(1, 3), flags=SOME_FLAGS, big=st.booleans())
    def append(self, name, count, flags, big):
        if name not in self.boxes:
            return
        new = []
        for _ in range(count):
            self.number += 1
            content = sample_message(f"m{self.number}", 270_000 if big else 0)
            new.append(NewMessage(content, 1.0, flags))
            self.boxes[name].add(content, flags)
        self.run(self.account.append(self.id_of(name), new))

    @rule(name=st.sampled_from(NAMES), uids=UIDS, op=st.sampled_from(FlagOp), flags=SOME_FLAGS)
    def store_flags(self, name, uids, op, flags):
        if name not in self.boxes:
            return
        box = self.boxes[name]
        result = self.run(self.account.store_flags(self.id_of(name), uids, op, flags))
        changed = []
        for uid in box.among(uids):
            content, old = box.messages[uid]
            new = {
                FlagOp.ADD: old | flags,
                FlagOp.REMOVE: old - flags,
                FlagOp.REPLACE: flags,
            }[op]
            box.messages[uid] = (content, new)
            if new != old:
                changed.append(uid)
        assert [uid for uid, _, _ in result.changed] == changed
        assert sorted(uid for uid, _, _ in [*result.changed, *result.unchanged]) == box.among(uids)

    @rule(source=st.sampled_from(NAMES), into=st.sampled_from(NAMES), uids=UIDS, move=st.booleans())
    def copy_or_move(self, source, into, uids, move):
        target = into
        if source not in self.boxes or target not in self.boxes:
            return
        work = self.account.move if move else self.account.copy
        result = self.run(work(self.id_of(source), uids, self.id_of(target)))
        moved = self.boxes[source].among(uids)
        first = self.boxes[target].uidnext
        for uid in moved:
            self.boxes[target].add(*self.boxes[source].messages[uid])
        if move:
            for uid in moved:
                del self.boxes[source].messages[uid]
        assert list(result.source_uids) == moved
        assert list(result.target_uids) == list(range(first, first + len(moved)))

    @rule(name=st.sampled_from(NAMES), uids=st.none() | UIDS)
    def expunge(self, name, uids):
        if name not in self.boxes:
            return
        box = self.boxes[name]
        result = self.run(self.account.expunge(self.id_of(name), uids))
        gone = [
            uid
            for uid in sorted(box.messages)
            if r"\Deleted" in box.messages[uid][1] and (uids is None or uid in uids)
        ]
        for uid in gone:
            del box.messages[uid]
        assert list(result.uids) == gone

    @rule(name=st.sampled_from(["a", "a/b", "c"]))
    def create(self, name):
        try:
            self.run(self.account.create_mailbox(name))
        except ConflictError:
            assert name in self.boxes
            return
        assert name not in self.boxes
        self.boxes.setdefault(name.partition("/")[0], Box())
        self.boxes[name] = self.boxes.get(name, Box())

    @rule(name=st.sampled_from(["a", "a/b", "c"]))
    def delete(self, name):
        if name in self.boxes:
            self.run(self.account.delete_mailbox(name))
            del self.boxes[name]

    @rule(old=st.sampled_from(["a", "c"]), new=st.sampled_from(["a", "c", "d"]))
    def rename(self, old, new):
        if old not in self.boxes or new in self.boxes or f"{new}/b" in self.boxes:
            return
        self.run(self.account.rename_mailbox(old, new))
        for name in [name for name in self.boxes if name == old or name.startswith(f"{old}/")]:
            self.boxes[new + name[len(old) :]] = self.boxes.pop(name)

    @precondition(lambda self: self.number > 3)
    @rule()
    def reopen(self):
        self.run(self.store.close())
        self.run(self.open())

    @invariant()
    def both_hold_the_same(self):
        if self.store is not None:
            self.run(self.compare())

    async def compare(self):
        self.follow_events()
        found = {box.name: box for box in await self.account.mailboxes()}
        assert set(found) == set(self.boxes)
        for name, box in self.boxes.items():
            snapshot = await self.account.select(found[name].id)
            now = snapshot.mailbox
            assert list(snapshot.uids) == sorted(box.messages)
            assert self.seen.get(now.id, UidSet()) == snapshot.uids
            assert now.highestmodseq >= self.highest.get(now.id, 0)
            self.highest[now.id] = now.highestmodseq
            flags = [flags for _, flags in box.messages.values()]
            assert (now.messages, now.unseen, now.deleted, now.uidnext) == (
                len(flags),
                sum(r"\Seen" not in one for one in flags),
                sum(r"\Deleted" in one for one in flags),
                box.uidnext,
            )
            assert now.size_bytes == sum(len(content) for content, _ in box.messages.values())
            rows = []
            fields = (Field.UID, Field.FLAGS, Field.CONTENT)
            async for chunk in self.account.rows(now.id, None, fields, list):
                rows += [(uid, set(wire.decode().split()), content) for uid, wire, content in chunk]
            assert rows == [
                (uid, set(f), content) for uid, (content, f) in sorted(box.messages.items())
            ]

    def follow_events(self):
        """What a session sees that started with the first snapshot and heard the events alone."""
        for event in self.events.take():
            uids = self.seen.get(getattr(event, "mailbox", None), UidSet())
            match event:
                case MessagesAdded():
                    self.seen[event.mailbox] = uids | UidSet.from_iterable(event.uids)
                case MessagesExpunged():
                    self.seen[event.mailbox] = uids - UidSet.from_iterable(event.uids)
                case FlagsChanged():
                    assert all(uid in uids for uid, _ in event.flags)


StoreMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
test_the_store_agrees_with_the_model = StoreMachine.TestCase
