import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.imap.commands import List
from backend.imap.listing import Entry, list_mailboxes, list_subscribed, normal_name

ENTRIES = [
    Entry("Work", subscribed=True),
    Entry("INBOX", subscribed=True),
    Entry("Work/2024/Müll"),
    Entry("Sent", special_use="\\Sent"),
    Entry("Gone/Below", subscribed=True, exists=False),
]


def names(*patterns, reference="", **options):
    return [listed.name for listed in list_mailboxes(ENTRIES, List(reference, patterns, **options))]


@pytest.mark.parametrize(
    ("reference", "pattern", "expected"),
    [
        ("", "*", ["INBOX", "Sent", "Work", "Work/2024", "Work/2024/Müll"]),
        ("", "%", ["INBOX", "Sent", "Work"]),
        ("", "Work/%", ["Work/2024"]),
        ("Work/", "*", ["Work/2024", "Work/2024/Müll"]),
        ("", "inbox", ["INBOX"]),
        ("", "work", []),
        ("", "*l", ["Work/2024/Müll"]),
        ("", "W%k", ["Work"]),
        ("", "nothing", []),
    ],
)
def test_patterns(reference, pattern, expected):
    assert names(pattern, reference=reference) == expected


def test_a_parent_without_mailbox_cannot_be_selected():
    found = {one.name: one.attributes for one in list_mailboxes(ENTRIES, List("", ("*",)))}
    assert found["Work"] == ("\\HasChildren",)
    assert found["Work/2024"] == ("\\Noselect", "\\HasChildren")
    assert found["Sent"] == ("\\HasNoChildren", "\\Sent")


def test_extended_answers_say_nonexistent():
    command = List("", ("Work/2024",), is_extended=True)
    assert list_mailboxes(ENTRIES, command)[0].attributes == ("\\NonExistent", "\\HasChildren")


def test_subscribed_names_are_told_even_when_their_mailbox_is_gone():
    # RFC 5258 §3
    assert names("*", select=frozenset({"SUBSCRIBED"})) == ["INBOX", "Gone/Below", "Work"]


def test_recursive_match_tells_parents_of_what_matches():
    options = frozenset({"SUBSCRIBED", "RECURSIVEMATCH"})
    found = list_mailboxes(ENTRIES, List("", ("%",), select=options, is_extended=True))
    assert [(one.name, one.child_info) for one in found] == [
        ("INBOX", ()),
        ("Gone", ("SUBSCRIBED",)),
        ("Work", ()),
    ]


def test_special_use_selects():
    assert names("*", select=frozenset({"SPECIAL-USE"})) == ["Sent"]


def test_subscription_is_shown_on_demand():
    found = list_mailboxes(ENTRIES, List("", ("Work",), returns=frozenset({"SUBSCRIBED"})))
    assert found[0].attributes == ("\\HasChildren", "\\Subscribed")


def test_lsub_tells_hidden_children_by_their_parent():
    # RFC 3501 §6.3.9
    found = [(one.name, one.attributes) for one in list_subscribed(ENTRIES, "", "%")]
    assert found == [("INBOX", ()), ("Gone", ("\\Noselect",)), ("Work", ())]


def test_many_wildcards_cost_little():
    entries = [Entry("a" * 400)]
    started = time.process_time()
    assert list_mailboxes(entries, List("", ("%*" * 200 + "b",))) == []
    assert time.process_time() - started < 5


def test_inbox_in_any_case_is_inbox():
    assert normal_name("inBox/a") == "INBOX/a"
    assert normal_name("inBoxes") == "inBoxes"


def test_a_pattern_of_many_wildcards_is_answered_at_once():
    deep = [Entry("a" * 500)]
    assert list_mailboxes(deep, List("", ("*a" * 200 + "*b",))) == []
    assert list_mailboxes(deep, List("", ("%a*a" * 100 + "%b",))) == []
    assert len(list_mailboxes(deep, List("", ("*a" * 200 + "%",)))) == 1


@given(
    st.text("ab/", max_size=8).filter(lambda name: name.upper() != "INBOX"),
    st.text("ab/*%", min_size=1, max_size=8),
)
def test_patterns_mean_what_a_regular_expression_would(name, pattern):
    parts = {"*": ".*", "%": "[^/]*"}
    meaning = "".join(parts.get(char, char) for char in pattern)
    found = [one.name for one in list_mailboxes([Entry(name)], List("", (pattern,)))]
    assert (name in found) == bool(re.fullmatch(meaning, name))
