"""UidSet against Python's own set."""

from hypothesis import given
from hypothesis import strategies as st

from backend.core.uidset import UidSet

uids = st.sets(st.integers(1, 60))


@given(uids, uids)
def test_it_behaves_as_a_set(left: set[int], right: set[int]) -> None:
    a, b = UidSet.from_iterable(left), UidSet.from_iterable(right)
    assert list(a) == sorted(left)
    assert len(a) == len(left)
    assert set(a | b) == left | right
    assert set(a & b) == left & right
    assert set(a - b) == left - right
    assert (a == b) == (left == right)
    assert a | b == UidSet.from_iterable(left | right)
    assert a - b == UidSet.from_iterable(left - right)
    assert a & b == UidSet.from_iterable(left & right)
    assert all((uid in a) == (uid in left) for uid in range(1, 62))


@given(uids)
def test_rank_and_uid_are_inverse(members: set[int]) -> None:
    a = UidSet.from_iterable(members)
    for seq, uid in enumerate(sorted(members), start=1):
        assert a.seq_of(uid) == seq
        assert a.uid_at(seq) == uid
    for uid in set(range(1, 62)) - members:
        assert a.seq_of(uid) is None


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=10))
def test_overlapping_runs_become_one(runs: list[tuple[int, int]]) -> None:
    expected = {uid for run in runs for uid in range(min(run), max(run) + 1)}
    a = UidSet(runs)
    assert set(a) == expected
    assert all(
        left[1] + 1 < right[0]
        for left, right in zip(list(a.runs()), list(a.runs())[1:], strict=False)
    )


@given(uids, st.integers(-2, 70), st.integers(-2, 70))
def test_slice_by_sequence_number(members: set[int], first: int, last: int) -> None:
    ordered = sorted(members)
    assert (
        list(UidSet.from_iterable(members).slice_seq(first, last))
        == ordered[max(first, 1) - 1 : max(last, 0)]
    )
