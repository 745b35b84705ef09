"""The draft of routes: what counts as a change, what somebody else's save does to it, where faults belong."""

import pytest

from backend.api import delivery as w
from ui.presenters import routes as words
from ui.presenters.routes import SERVER, Draft, entries


def listed(*domains, level="server", owner="", revision=1, **told):
    items = [
        w.MailRoute(
            level=level,
            owner=owner,
            position=at,
            settings=settings(domain),
            sentence=f"to **{domain}**",
            **told,
        )
        for at, domain in enumerate(domains, 1)
    ]
    return w.MailRoutes(items=items, revision=revision)


def settings(domain, **values):
    return w.RouteSettings(to_domain=[domain], transport="relay", **values)


def order(draft, place=SERVER):
    return [rule.settings.to_domain[0] for rule in draft.lists.get(place, [])]


def keys(draft):
    return [rule.key for rule in draft.lists[SERVER]]


def test_a_route_that_is_moved_far_is_one_change():
    draft = Draft.of(listed("a", "b", "c", "d", "e"))
    draft.move(keys(draft)[4], 0)
    assert order(draft) == ["e", "a", "b", "c", "d"]
    assert draft.count() == 1
    draft.move(keys(draft)[0], 99)
    assert draft.count() == 0
    assert draft.changed() == []


def test_each_kind_of_change_counts_once():
    draft = Draft.of(listed("a", "b", "c"))
    draft.switch(keys(draft)[0])
    draft.remove(keys(draft)[1])
    draft.add(SERVER, 1, settings("x"))
    draft.add(("account", "anna"), -1, settings("y"))
    assert draft.count() == 4
    assert [(each.level, each.owner) for each in draft.changed()] == [
        ("server", ""),
        ("account", "anna"),
    ]
    assert [e.kind for e in entries(draft)] == [
        *("header", "rule"),
        *("header", "rule", "rule", "rule"),
        "otherwise",
    ]


def test_what_the_server_tells_is_kept_where_the_rule_is_still_the_same():
    draft = Draft.of(listed("a", "b"))
    draft.move(keys(draft)[1], 0)
    draft.tell(listed("b", "x", warning="route 1 before it takes all that it would take"))
    first, second = draft.lists[SERVER]
    assert words.notes(first) == ["Never matches: route 1 before it takes all that it would take."]
    assert words.notes(second) == []


def test_a_save_of_another_list_does_not_disturb():
    draft = Draft.of(listed("a", "b"))
    draft.switch(keys(draft)[0])
    theirs = w.MailRoutes(
        items=[*listed("m", level="domain", owner="x.test").items, *listed("a", "b").items],
        revision=2,
    )
    merged = draft.rebased(theirs)
    assert merged is not None
    assert merged.base.revision == 2
    assert order(merged, ("domain", "x.test")) == ["m"]
    assert merged.lists[SERVER][0].settings.disabled
    assert merged.changed() == draft.changed()


def test_a_save_of_the_same_list_is_a_clash():
    draft = Draft.of(listed("a", "b"))
    draft.switch(keys(draft)[0])
    theirs = listed("a", "c", revision=2)
    assert draft.rebased(theirs) is None
    forced = draft.forced(theirs)
    assert order(forced) == ["a", "b"]
    assert forced.base.revision == 2


@pytest.mark.parametrize(
    ("place", "path", "field"),
    [
        (SERVER, "/routes/2/to_domain/0", "/to_domain/0"),
        (SERVER, "/routes/22/to_domain/0", None),
        (("domain", "x.test"), "/domains/x.test/routes/2/transport", "/transport"),
        (("account", "anna"), "/routes/2/transport", None),
    ],
)
def test_a_fault_is_led_to_the_field_of_its_route(place, path, field):
    assert words.faults_of(place, 2, path) == field


def test_a_sentence_comes_in_pieces():
    told = "When mail from **any domain** goes to **x.test**, send it through **relay**."
    assert words.pieces(told)[1] == ("any domain", True)
    assert "**" not in words.plain(told)
    assert "".join(text for text, _ in words.pieces(told)) == words.plain(told)
