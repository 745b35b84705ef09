import tomllib

from backend.config.lines import find_lines, line_of

TEXT = '''\
# a comment with [brackets] and "quotes"
title = "a # b" # end
"quoted.key" . sub = \'\'\'
[not.a.table]
\'\'\'
list = [ # first
  1,
  "two # ]", [3,
  4],
]
inline = { a = 1, "b c" = { d = 2 } }

[domains."example.org"]
description = """
two
lines \\""" still"""
[[routes]]
transport = "a"
[[routes]]
to = []
[routes.below]
x = 1
'''


def test_lines_of_all_kinds_of_places():
    tomllib.loads(TEXT)
    lines = find_lines(TEXT)
    expected = {
        ("title",): 2,
        ("quoted.key",): 3,
        ("quoted.key", "sub"): 3,
        ("list",): 6,
        ("list", 0): 7,
        ("list", 1): 8,
        ("list", 2): 8,
        ("list", 2, 1): 9,
        ("inline", "b c", "d"): 11,
        ("domains", "example.org"): 13,
        ("domains", "example.org", "description"): 14,
        ("routes", 0): 17,
        ("routes", 0, "transport"): 18,
        ("routes", 1): 19,
        ("routes", 1, "to"): 20,
        ("routes", 1, "below", "x"): 22,
    }
    for path, line in expected.items():
        assert lines.get(path) == line, path


def test_a_missing_setting_is_at_the_table_around_it():
    lines = find_lines(TEXT)
    assert line_of(lines, ("routes", 1, "transport")) == 19
    assert line_of(lines, ("hostname",)) == 1
    assert line_of({}, ()) == 1


def test_escapes_in_keys_are_read():
    assert find_lines('\n"a\\u00e9\\t" = 1')[("aé\t",)] == 2


def test_long_strings_may_end_in_quotation_marks():
    text = 'a = """x"""""\nb = 1\n'
    tomllib.loads(text)
    assert find_lines(text)["b",] == 2
