"""What differs is marked, word by word."""

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.checkup.diff import MAX_WORDS, compare_lines, compare_words


def marked(line):
    return [(span.mark, span.text) for span in line]


def text(line):
    return "".join(span.text for span in line)


def test_a_word_that_is_missing_and_one_that_is_too_much():
    should, now = compare_words("v=spf1 mx include:new.test ~all", "v=spf1 include:old.test ~all")
    assert [each for each in marked(should) if each[0] == "new"] == [
        ("new", "mx "),
        ("new", "new.test"),
    ]
    assert [each for each in marked(now) if each[0] == "gone"] == [("gone", "old.test")]


def test_each_line_is_set_against_the_one_most_like_it():
    should, now = compare_lines(["10 mail.a.test"], ["20 other.test", "20 mail.a.test"])
    assert marked(should[0]) == [("new", "10"), ("same", " mail.a.test")]
    assert marked(now[0]) == [("gone", "20 other.test")]
    assert marked(now[1]) == [("gone", "20"), ("same", " mail.a.test")]


def test_what_is_the_same_is_not_marked():
    should, now = compare_lines(["b", "a"], ["a", "c"])
    assert marked(should[1]) == marked(now[0]) == [("same", "a")]


def test_nothing_is_there():
    assert compare_lines(["x y"], []) == (((*should_new("x y"),),), ())


def should_new(value):
    should, _ = compare_lines([value], [])
    return should[0]


def test_of_two_long_words_that_are_alike_only_the_difference_is_marked():
    key = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"
    should, now = compare_words(f"p={key}", f"p={key[:20]}xyz{key[23:]}")
    assert marked(should)[-3:] == [("same", key[:20]), ("new", key[20:23]), ("same", key[23:])]
    assert marked(now)[-3:] == [("same", key[:20]), ("gone", "xyz"), ("same", key[23:])]
    other = "MA" + key[::-1]
    assert marked(compare_words(key, other)[0]) == [("new", key)]
    assert marked(compare_words(key, key + "=")[1])[-1] == ("gone", "=")


def test_long_values_of_strangers_are_not_compared_word_by_word():
    long = "a " * MAX_WORDS
    should, now = compare_words("a", long)
    assert (marked(should), marked(now)) == ([("new", "a")], [("gone", long)])


WORDS = st.text("ab ;=:", max_size=20)


@given(st.lists(WORDS, max_size=3), st.lists(WORDS, max_size=3))
@settings(max_examples=100)
def test_both_sides_say_what_they_said_before(expected, found):
    should, now = compare_lines(expected, found)
    assert [text(line) for line in should] == expected
    assert [text(line) for line in now] == found
