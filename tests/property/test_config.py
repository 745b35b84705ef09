"""Configurations of any kind: what is written is read again, what is planned can be undone, comments stay."""

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.config.document import rewrite
from backend.config.lines import find_lines
from backend.config.load import load_texts, parse_domains
from backend.config.model import Account, Destination, DomainsConfig, MailDomain
from backend.config.plan import apply_steps, plan, to_lean, to_plain, undo
from backend.config.render import render_domains, render_server
from backend.config.routing import (
    DirectTransport,
    FailTransport,
    Route,
    SmtpTransport,
    SocksTransport,
    Transport,
    TransportAuth,
)
from tests.support.settings import config_of

TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20) | st.sampled_from(
    ["", 'it\'s # "quoted" \\ [x]', "é"]
)
ROUTES = st.lists(
    st.builds(
        Route,
        transport=st.just("relay"),
        from_domain=st.lists(st.sampled_from(["a.org", ".b.org", "."]), max_size=2),
        minimum_attempts=st.integers(0, 9),
    ),
    max_size=2,
)
DOMAIN = st.builds(
    MailDomain,
    description=TEXTS,
    disabled=st.booleans(),
    catchall_separator=st.sampled_from(["", "+"]),
    routes=ROUTES,
)
SMTP = st.builds(
    SmtpTransport,
    host=st.just("smtp.example.net"),
    port=st.integers(0, 65535),
    auth=st.none() | st.builds(TransportAuth, username=st.just("u"), mechanisms=st.just(["PLAIN"])),
)
TRANSPORT = st.one_of(
    st.builds(Transport),
    st.builds(Transport, submissions=SMTP),
    st.builds(Transport, smtp=SMTP),
    st.builds(Transport, direct=st.builds(DirectTransport, disable_ipv4=st.booleans())),
    st.builds(Transport, fail=st.builds(FailTransport, smtp_code=st.integers(400, 599))),
    st.just(
        Transport(socks=SocksTransport(address="127.0.0.1:1", remote_hostname="o.example.org"))
    ),
)
NAMES = st.sampled_from(["anna", "b.c", "x-1", "7"])
DOMAINS = ["example.org", "a.b.test", "xn--mnchen-3ya.de", "one"]


@st.composite
def configs(draw):
    domains = draw(st.dictionaries(st.sampled_from(DOMAINS), DOMAIN, max_size=3))
    accounts = {}
    for name in draw(st.sets(NAMES)) if domains else ():
        home = draw(st.sampled_from(sorted(domains)))
        local = draw(st.sampled_from([name, '"q q"', "ü", f"{name}.x"]))
        keys = [f"{name}{i}@{home}" for i in range(draw(st.integers(0, 2)))]
        if not any(f"{local}@{home}" in other.destinations for other in accounts.values()):
            keys.append(f"{local}@{home}")
        accounts[name] = Account(
            domain=home,
            full_name=draw(TEXTS),
            quota_bytes=draw(st.integers(0, 10**12)),
            destinations={
                key: Destination(mailbox=draw(st.sampled_from(["INBOX", "Lists/é"])))
                for key in keys
            },
            routes=draw(ROUTES),
        )
    return DomainsConfig(
        postmaster_account=draw(st.sampled_from(["", *accounts])),
        domains=domains,
        accounts=accounts,
        transports={"relay": draw(TRANSPORT)},
        routes=draw(ROUTES),
    )


@given(configs())
def test_what_is_written_is_read_again(config):
    assert parse_domains(render_domains(config)).model == config


@given(configs(), configs())
def test_a_plan_leads_there_and_its_undoing_back(old, new):
    before, after = to_plain(old), to_plain(new)
    steps = plan(before, after)
    there = apply_steps(before, steps)
    assert there == after
    assert apply_steps(there, undo(steps)) == before
    assert plan(after, after) == ()


def with_comments(text: str, marks: set[int]) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(
        line + (f"# mark {number}.\n" if number in marks else "")
        for number, line in enumerate(lines)
    )


@settings(max_examples=100)
@given(configs(), configs(), st.sets(st.integers(0, 60), max_size=20))
def test_a_rewritten_file_means_the_new_configuration(old, new, marks):
    text = with_comments(render_domains(old), marks)
    steps = plan(to_plain(old), to_plain(new))
    result = rewrite(text, steps, lean=to_lean(new), spelling={})
    assert parse_domains(result).model == new


@given(configs(), TEXTS, st.sets(st.integers(0, 60), max_size=20))
def test_comments_stay_when_settings_change_or_are_added(old, text_value, marks):
    text = with_comments(render_domains(old), marks)
    domains = {
        **{
            name: domain.model_copy(update={"description": text_value})
            for name, domain in old.domains.items()
        },
        "added.example": MailDomain(description=text_value),
    }
    new = old.model_copy(update={"domains": domains, "postmaster_mailbox": "Post"})
    steps = plan(to_plain(old), to_plain(new))
    result = rewrite(text, steps, lean=to_lean(new), spelling={})
    assert parse_domains(result).model == new
    comments = [line for line in text.splitlines() if line.startswith("#")]
    left = result.splitlines()
    assert all(comment in left for comment in comments)


@given(configs())
def test_every_setting_is_found_on_its_line(config):
    text = render_domains(config)
    lines = text.splitlines()
    for path, number in find_lines(text).items():
        last = path[-1]
        if isinstance(last, str) and last.isascii() and '"' not in last:
            assert last in lines[number - 1], path
    assert tomllib.loads(text) is not None


@given(st.text(max_size=200))
def test_no_text_makes_the_loader_fail_in_another_way(text):
    parsed = parse_domains(text)
    assert (parsed.model is None) == bool(parsed.problems)
    assert all(1 <= p.line <= text.count("\n") + 1 for p in parsed.problems)


def test_a_server_file_is_read_as_it_was_written():
    server = config_of(
        {
            "listeners": {"a": {"addresses": ["::", "127.0.0.1"], "smtp_port": 25}},
            "outbound": {"resolvers": ["[::1]:53"]},
            "admin": {"allowed_hosts": ["Mail.example.org"]},
        }
    ).server
    assert load_texts(render_server(server), "").server == server
