from backend.api import forms as f
from tests.support.fake_admin import an_account
from ui.presenters.search import ACTIONS, Entry, find, of_accounts, of_settings

PAGE = Entry(title="Queue", path="/queue", icon="x", kind="Page", words="waiting outgoing")


def test_synonyms_find_the_page() -> None:
    assert find([PAGE, *ACTIONS], "outgoing")[0] is PAGE


def test_titles_that_begin_so_come_first() -> None:
    other = Entry(title="About the queue", path="/x", icon="x", kind="Page")
    assert find([other, PAGE], "que")[0] is PAGE


def test_all_words_are_needed() -> None:
    assert find([PAGE], "queue nonsense") == []


def test_people_are_found_by_their_addresses() -> None:
    entries = of_accounts([an_account("anna", "Anna Example", "shop@example.org")])
    assert [entry.path for entry in find(entries, "shop@")] == [
        "/accounts/anna",
        "/accounts/anna/connect",
    ]


def test_nothing_typed_lists_everything_up_to_the_limit() -> None:
    assert len(find([PAGE] * 30, "")) == 12


def test_settings_are_found_by_their_help_and_other_words_and_say_where_they_stand() -> None:
    found = [
        f.FoundItem(title="Limits", kind="page", path="/limits"),
        f.FoundItem(
            title="Space",
            kind="field",
            path="/accounts",
            context="Account",
            help="How much mail it may keep.",
            words="quota",
        ),
    ]
    entries = of_settings(found)
    assert [(entry.title, entry.path) for entry in find(entries, "quota keep")] == [
        ("Space (Account)", "/accounts")
    ]
    assert len(entries) == 1
