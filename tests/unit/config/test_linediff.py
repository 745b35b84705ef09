"""What differs between two texts, line by line and piece by piece."""

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.config.linediff import compare

LINES = st.lists(st.sampled_from(["a = 1", "a = 2", "b = 'x'", "", "[one]", "[two]"]), max_size=12)


def test_texts_that_are_the_same_differ_in_nothing():
    assert compare("a = 1\nb = 2\n", "a = 1\nb = 2\n") == []


def test_what_changed_inside_of_a_line_is_marked():
    old, new = compare('name = "anna"\n', 'name = "berta"\n')
    assert (old.kind, new.kind) == ("removed", "added")
    assert [part.text for part in old.parts if part.changed] == ["anna"]
    assert [part.text for part in new.parts if part.changed] == ["berta"]
    assert (old.text, new.text) == ('name = "anna"', 'name = "berta"')


def test_lines_that_have_nothing_in_common_are_a_removal_and_an_addition():
    old, new = compare("quota = 5\n", "[[routes]]\n")
    assert not any(part.changed for line in (old, new) for part in line.parts)


def test_long_stretches_of_the_same_are_left_out():
    before = [f"line {n}" for n in range(40)]
    after = [*before[:20], "new", *before[20:]]
    lines = compare("\n".join(before), "\n".join(after))
    assert [line.kind for line in lines] == ["gap", "same", "same", "added", "same", "same", "gap"]
    assert (lines[3].old, lines[3].new) == (0, 21)
    assert (lines[4].old, lines[4].new) == (21, 22)


def test_very_long_lines_are_not_compared_inside():
    old, new = compare("x" * 5_000, "x" * 5_001)
    assert len(old.parts) == len(new.parts) == 1


@settings(max_examples=100, deadline=None)
@given(LINES, LINES)
def test_the_lines_that_are_shown_are_those_of_the_texts(old: list[str], new: list[str]) -> None:
    for line in compare("\n".join(old), "\n".join(new)):
        if line.kind == "gap":
            continue
        if line.old:
            assert line.text == old[line.old - 1]
        if line.new:
            assert line.text == new[line.new - 1]
        assert bool(line.old) == (line.kind != "added")
        assert bool(line.new) == (line.kind != "removed")
