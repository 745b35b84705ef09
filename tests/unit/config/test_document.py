import tomllib

import pytest

from backend.config.document import rewrite
from backend.config.load import load_texts, parse_domains
from backend.config.plan import plan, to_lean, to_plain

SERVER = 'hostname = "h"\n'


def changed(text: str, edit) -> str:
    """The text after a change of the plain values; checked to mean exactly that."""
    loaded = load_texts(SERVER, text)
    data = to_plain(loaded.domains)
    edit(data)
    new = parse_domains("").model.__class__.model_validate(data)
    result = rewrite(
        text,
        plan(to_plain(loaded.domains), to_plain(new)),
        lean=to_lean(new),
        spelling=loaded.domains_file.spelling,
        completed=loaded.domains_file.completed,
    )
    assert parse_domains(result).model == new
    return result


def test_keys_stay_as_people_spelled_them():
    text = '[domains."MÜNCHEN.de"] # ours\ndescription = "a"\n'

    def edit(data):
        data["domains"]["xn--mnchen-3ya.de"]["description"] = "b"

    assert changed(text, edit) == text.replace('"a"', '"b"')


@pytest.mark.parametrize(
    "text",
    [
        'domains = {"example.org" = {description = "a"}} # inline\n',
        'domains."example.org".description = "a" # dotted\n',
        '[domains]\n"example.org" = {description = "a"} # half\n',
        '[domains."example.org"]\ndescription = "a" # split\n[transports.t]\n[domains."b.org"]\n# last\n',
    ],
)
def test_all_ways_to_write_tables_can_be_changed(text):
    def edit(data):
        data["domains"]["example.org"]["description"] = "b"
        data["domains"]["c.org"] = {}
        data.setdefault("transports", {})["u"] = {"fail": {"smtp_code": 550}}

    result = changed(text, edit)
    comment = text.partition("# ")[2].split("\n")[0]
    assert f"# {comment}" in result


def test_what_is_removed_takes_its_table_along_and_nothing_else():
    text = '# top\n[domains."a.org"]\n# in a\n[domains."b.org"]\n# in b\ndescription = "b"\n'

    def edit(data):
        del data["domains"]["a.org"]

    assert changed(text, edit) == '# top\n[domains."b.org"]\n# in b\ndescription = "b"\n'


def test_lists_of_tables_are_set_and_removed():
    text = '[transports.t]\n[[routes]]\ntransport = "t"\n'

    def two(data):
        data["routes"] = [{"transport": "t", "to_domain": ["x.org"]}, {"transport": "t"}]

    result = changed(text, two)
    assert tomllib.loads(result)["routes"] == [
        {"transport": "t", "to_domain": ["x.org"]},
        {"transport": "t"},
    ]
    assert "[[routes]]" not in changed(result, lambda data: data["routes"].clear())


def test_bare_localparts_are_renamed_and_keep_their_comments():
    text = (
        '[domains."e.org"]\n[accounts.a]\ndomain = "e.org"\n'
        '[accounts.a.destinations.x] # first\n# note\nmailbox = "X"\n'
        '[accounts.a.destinations."y@e.org"]\n'
    )
    result = changed(text, lambda data: None)
    assert '[accounts.a.destinations."x@e.org"] # first\n# note\nmailbox = "X"\n' in result
    inline = (
        '[domains."e.org"]\n[accounts.a]\ndomain = "e.org"\ndestinations = {x = {mailbox = "X"}}\n'
    )
    assert '"x@e.org"' in changed(inline, lambda data: None)


ROUTES = """[transports.a]
[transports.b]

# the list
[[routes]]
# what goes to the office
to_domain = ["office.test"] # only that
transport = "a"

[[routes]]
transport = "b" # all the rest
"""


@pytest.mark.parametrize(
    ("edit", "lost"),
    [
        (lambda routes: routes.append({"transport": "a"}), ()),
        (lambda routes: routes.insert(0, {"transport": "a"}), ()),
        (lambda routes: routes.reverse(), ()),
        (lambda routes: routes.pop(1), ("# all the rest",)),
        (lambda routes: routes.pop(0), ("# what goes to the office", "# only that")),
        (lambda routes: routes[0].update(minimum_attempts=2), ("# what goes", "# only that")),
    ],
)
def test_a_list_of_tables_keeps_the_comments_of_those_that_stay(edit, lost):
    result = changed(ROUTES, lambda data: edit(data["routes"]))
    comments = [line[line.index("#") :] for line in ROUTES.splitlines() if "#" in line]
    for comment in comments:
        assert (comment in result) is not comment.startswith(lost or ("none",)), result
