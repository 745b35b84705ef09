import pytest

from backend.config.load import domains_from_data, load_texts, parse_domains, parse_server
from backend.core.errors import ConfigError

SERVER = 'hostname = "mail.example.org"\n'


def faults(server: str, domains: str) -> list[tuple[str, int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load_texts(server, domains)
    return [(p.file, p.line, p.path, str(p)) for p in caught.value.problems]


def test_all_faults_of_both_files_are_found_at_once_with_their_lines():
    found = faults(
        'hostnam = "x"\n[limits]\n# about\nmessage_size_bytes = "big"\nrecipients = 5\n',
        '[domains."Example.ORG"]\ndesc = "x"\n\n[accounts.anna]\ndomain = "example.org"\n'
        '[accounts.anna.destinations."a b@example.org"]\n[[routes]]\nto_domain = ["x"]\n',
    )
    assert [f[:3] for f in found] == [
        ("server.toml", 1, "/hostname"),
        ("server.toml", 1, "/hostnam"),
        ("server.toml", 4, "/limits/message_size_bytes"),
        ("server.toml", 5, "/limits/recipients"),
        ("domains.toml", 2, "/domains/example.org/desc"),
        ("domains.toml", 6, "/accounts/anna/destinations/a b@example.org"),
        ("domains.toml", 7, "/routes/0/transport"),
    ]


def test_an_unknown_setting_is_met_with_a_guess():
    [fault] = faults(SERVER + "[limits]\nrecipient = 200\n", "")
    assert "“recipient” is not a setting here. Did you mean “recipients”?" in fault[3]
    [fault] = faults(SERVER + "[limits]\nzzz = 200\n", "")
    assert "Settings here are: message_size_bytes" in fault[3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("practice_mode = 1", "“Practice mode” must be true or false"),
        ("limits = 3", "must be a table of settings"),
        ("[limits]\nrecipients = 1.5", "a whole number without"),
        ("[limits]\nrecipients = 5", "at least 100 recipients"),
        ("[outbound]\nresolvers = 3", "a list in square brackets"),
        ('[outbound]\nresolvers = ["::1:53"]', "needs brackets"),
        ('[outbound]\nresolvers = ["x"]', "is not a host and a port"),
        ("[listeners.a]\naddresses = []", "may not be empty"),
        ('[listeners.a]\naddresses = ["x"]', "“x” is not an IP address"),
        ('[listeners.A]\naddresses = ["::"]', "“A” is not a usable name"),
        ('[listeners.a]\naddresses = ["::"]\nsmtp_port = 65536', "at most 65535"),
        ('[log]\nlevel = "loud"', '"debug", "info", "warning" or "error"'),
        ("[log]\nlevel = 3", '"debug"'),
    ],
)
def test_faults_are_said_in_plain_words(text, words):
    found = faults(SERVER + text + "\n", "")
    assert words in found[0][3]
    assert found[0][1] >= 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('a = 1\nb = "x\n', 2, "closing quotation mark"),
        ("a = \n", 1, "no usable value"),
        ("a\n", 1, "no equals sign"),
        ("a = 1\na = 2\n", 2, "twice"),
        ("a = 1 b = 2\n", 1, "Something follows"),
        ("a = [1,\n", 1, "list"),
    ],
)
def test_faults_of_the_toml_itself_name_the_line(text, line, words):
    [fault] = faults(SERVER, text)
    assert fault[:2] == ("domains.toml", line)
    assert words in fault[3]


def test_bare_localparts_are_completed_with_the_domain_of_the_account():
    parsed = parse_domains(
        '[domains."example.org"]\n[accounts.anna]\ndomain = "Example.org"\n[accounts.anna.destinations.Anna]\n'
    )
    assert list(parsed.model.accounts["anna"].destinations) == ["Anna@example.org"]
    [completed] = parsed.completed
    assert (completed.account, completed.localpart, completed.address) == (
        "anna",
        "Anna",
        "Anna@example.org",
    )


def test_the_same_name_in_two_spellings_is_refused():
    found = faults(SERVER, '[domains."example.org"]\n[domains."EXAMPLE.org"]\n')
    assert found[0][2] == "/domains/example.org"
    found = faults(
        SERVER,
        '[domains."example.org"]\n[accounts.a]\ndomain = "example.org"\n'
        '[accounts.a.destinations.a]\n[accounts.a.destinations."a@example.org"]\n',
    )
    assert "twice" in found[0][3]


def test_values_from_a_form_have_faults_without_a_file():
    with pytest.raises(ConfigError) as caught:
        domains_from_data({"accounts": {"a": {"full_name": 3}}})
    assert {p.path for p in caught.value.problems} == {
        "/accounts/a/domain",
        "/accounts/a/full_name",
    }
    assert {p.file for p in caught.value.problems} == {""}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 50_000, "brackets"),
        ("a = " + "{a = " * 50_000, "brackets"),
        ("a = " + "9" * 10_000, "digits"),
        ("\n" + "a." * 50_000 + "a = 1", "parts"),
        ("[" + '"a" . ' * 50_000 + "a]", "parts"),
        ("x = {" + "a." * 50_000 + "a = 1}", "parts"),
        ('\\"' * 500_000 + ".", "neither"),
    ],
)
def test_what_would_take_all_memory_is_a_fault_of_the_file(text, said):
    parsed = parse_server(text)
    assert parsed.model is None
    assert said in parsed.problems[0].message.lower()
    assert parsed.problems[0].line == text.count("\n") + 1


def test_dots_in_values_and_comments_are_not_counted():
    text = f'# {"." * 200}\nhostname = "{".".join("a" * 60)}"  # {"." * 200}\n'
    assert parse_server(text).model is not None
