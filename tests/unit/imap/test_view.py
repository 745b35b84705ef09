import pytest

from backend.core.events import FlagsChanged, MessagesAdded, MessagesExpunged
from backend.core.uidset import EMPTY, UidSet
from backend.imap import view as view_module
from backend.imap.grammar import GrammarError
from backend.imap.search import SequenceSet
from backend.imap.view import MailboxView


def added(*uids):
    return MessagesAdded("a", 1, uids, 9)


def expunged(*uids):
    return MessagesExpunged("a", 1, uids, 9)


def flags(*pairs, modseq=9):
    return FlagsChanged("a", 1, pairs, modseq)


def view_of(*uids):
    return MailboxView(UidSet.from_iterable(uids))


def told(view, *, allow_expunge=True, **options):
    return [line.decode().strip() for line in view.tell(allow_expunge=allow_expunge, with_recent=False, **options)]  # fmt: skip


def test_new_messages_are_told_as_exists():
    view = view_of(1, 5)
    view.apply(added(7, 9))
    assert told(view) == ["* 4 EXISTS"]
    assert told(view) == []


def test_rev1_clients_are_told_recent_too():
    view = view_of()
    view.apply(added(1))
    assert view.tell(allow_expunge=True) == [b"* 1 EXISTS\r\n", b"* 0 RECENT\r\n"]


def test_expunge_numbers_mean_what_they_meant_before():
    view = view_of(1, 3, 5, 7)
    view.apply(expunged(1, 3, 7))
    assert told(view) == ["* 4 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"]
    assert list(view.uids) == [5]


def test_expunge_is_held_back_until_fetch_ends():
    view = view_of(1, 2, 3)
    view.apply(expunged(2))
    view.apply(added(4))
    assert told(view, allow_expunge=False) == ["* 4 EXISTS"]
    assert view.has_pending_expunge
    assert told(view) == ["* 2 EXPUNGE"]
    assert list(view.uids) == [1, 3, 4]


def test_a_message_that_came_and_went_unseen_is_never_mentioned():
    view = view_of(1)
    view.apply(added(2, 3))
    view.apply(expunged(2))
    assert told(view) == ["* 2 EXISTS"]


def test_a_change_that_comes_twice_counts_once():
    view = view_of(1)
    for change in (added(2), added(2), expunged(2), added(2)):
        view.apply(change)
    assert told(view) == []


def test_flags_are_told_with_uid_and_modseq():
    view = view_of(4, 6)
    view.apply(flags((6, b"\\Seen"), modseq=12))
    assert told(view, with_modseq=True) == ["* 2 FETCH (UID 6 FLAGS (\\Seen) MODSEQ (12))"]


def test_only_the_last_flags_are_told_and_none_of_the_dead():
    view = view_of(1, 2)
    view.apply(flags((1, b"a"), (2, b"b")))
    view.apply(flags((1, b"c")))
    view.apply(expunged(2))
    assert told(view, allow_expunge=False) == ["* 1 FETCH (UID 1 FLAGS (c))"]


def test_own_flags_are_not_told():
    view = view_of(1, 2)
    view.apply(flags((1, b"a")))
    view.apply(flags((1, b"b")), own=True)
    assert not view.has_news(allow_expunge=True)
    view.apply(flags((2, b"a")))
    view.forget_flags(UidSet([(2, 2)]))
    assert told(view) == []


def test_too_many_flags_ask_for_a_resync(monkeypatch):
    monkeypatch.setattr(view_module, "MAX_PENDING_FLAGS", 2)
    view = view_of(1, 2, 3)
    view.apply(flags((1, b"a"), (2, b"a")))
    view.apply(flags((3, b"a")))
    assert view.needs_resync
    view.resync(UidSet.from_iterable([2, 3, 4]), {3: (b"a", 5)})
    assert not view.needs_resync
    assert told(view) == ["* 1 EXPUNGE", "* 3 EXISTS", "* 2 FETCH (UID 3 FLAGS (a))"]


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([(1, 1)], [10]),
        ([(1, None)], [10, 20, 30]),
        ([(None, None)], [30]),
        ([(3, 2)], [20, 30]),
        ([(9, None)], [30]),
        ([(1, 1), (3, 3)], [10, 30]),
    ],
)
def test_sequence_numbers_are_resolved(ranges, expected):
    assert list(view_of(10, 20, 30).resolve(SequenceSet(tuple(ranges), False))) == expected


def test_a_number_that_no_message_has_is_an_error():
    with pytest.raises(GrammarError):
        view_of(10).resolve(SequenceSet(((1, 2),), False))


def test_an_empty_mailbox_can_be_asked_for_all():
    assert view_of().resolve(SequenceSet(((1, None),), False)) == EMPTY
    assert view_of().resolve(SequenceSet(((1, None),), True)) == EMPTY


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [([(15, 25)], [20]), ([(40, None)], [30]), ([(1, 5)], []), ([(None, 20)], [20, 30])],
)
def test_unknown_uids_are_passed_over(ranges, expected):
    assert list(view_of(10, 20, 30).resolve(SequenceSet(tuple(ranges), True))) == expected


def test_numbers_of_uids():
    assert list(view_of(1, 2, 5, 6, 9).numbers_of(UidSet([(2, 6), (8, 8)]))) == [2, 3, 4]
