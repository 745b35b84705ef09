import json

import pytest

from backend.accounts.passwords import Passwords, check_password_rules, generate_password
from backend.config.secrets import SecretStore
from backend.core.errors import UserError
from backend.sasl.scram import derive


@pytest.fixture
async def passwords(tmp_path):
    store = SecretStore(tmp_path / "secrets")
    store.open()
    passwords = Passwords(store)
    await passwords.open()
    return passwords


async def test_the_right_password_is_told_from_wrong_ones(passwords):
    await passwords.set("anna", "correct horse battery")
    for _ in range(2):
        assert await passwords.check("anna", "correct horse battery")
        assert not await passwords.check("anna", "correct horse batterz")
    assert not await passwords.check("bob", "correct horse battery")
    assert not await passwords.check(None, "correct horse battery")


async def test_a_new_password_ends_the_old_one_at_once(passwords):
    await passwords.set("anna", "first password")
    assert await passwords.check("anna", "first password")
    await passwords.set("anna", "second password")
    assert not await passwords.check("anna", "first password")
    assert await passwords.check("anna", "second password")
    await passwords.remove("anna")
    assert not await passwords.check("anna", "second password")
    assert not passwords.has_password("anna")


async def test_passwords_survive_a_restart(passwords, tmp_path):
    await passwords.set("anna", "pässwörd \u2168")
    again = Passwords(SecretStore(tmp_path / "secrets"))
    await again.open()
    assert await again.check("anna", "pässwörd IX")
    for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256"):
        kept = again.scram("anna", "anna@example.org", mechanism)
        assert kept == derive(mechanism, "pässwörd \u2168", kept.salt, kept.iterations)
    assert again.cram("anna") == passwords.cram("anna")
    # Made-up salts are the same after a restart, too.
    assert (
        again.scram(None, "x@y", "SCRAM-SHA-1").salt
        == passwords.scram(None, "X@y", "SCRAM-SHA-1").salt
    )


async def test_the_password_stands_nowhere_on_disk(passwords, tmp_path):
    await passwords.set("anna", "correct-horse-battery")
    for path in (tmp_path / "secrets").rglob("*.json"):
        assert b"correct-horse" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


async def test_an_unknown_name_can_not_be_told_from_a_known_one(passwords):
    await passwords.set("anna", "correct horse battery")
    for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256"):
        known = passwords.scram("anna", "anna@example.org", mechanism)
        unknown = passwords.scram(None, "nobody@example.org", mechanism)
        assert len(known.salt) == len(unknown.salt)
        assert known.iterations == unknown.iterations
        assert len(known.stored_key) == len(unknown.stored_key)
        again = passwords.scram(None, "nobody@example.org", mechanism)
        assert again.salt == unknown.salt
        other = passwords.scram(None, "else@example.org", mechanism)
        assert other.salt != unknown.salt
    assert len(passwords.cram(None).inner) == len(passwords.cram("anna").inner)


async def test_a_damaged_secret_is_a_fault_with_a_fix(passwords, tmp_path):
    path = tmp_path / "secrets" / "accounts" / "anna" / "password.json"
    await passwords.set("anna", "correct horse battery")
    data = json.loads(path.read_text())
    del data["scram"]
    path.write_text(json.dumps(data))
    again = Passwords(SecretStore(tmp_path / "secrets"))
    await again.open()
    with pytest.raises(UserError, match="damaged"):
        await again.check("anna", "x")


def test_generated_passwords_are_long_different_and_easy_to_read():
    made = {generate_password() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        assert len(password) == 23 and password.isascii()
        assert not set(password) & set("0O1lI ")
        assert check_password_rules(password) is None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password.length"),
        ("x" * 1025, "password.length"),
        ("elevenchars", "password.short"),
        ("aaaaaaaaaaaabb", "password.simple"),
        ("with a bell \u0007 in it", "password.characters"),
        ("twelve chars", None),
        ("zwölf Zeichen", None),
    ],
)
def test_rules_for_passwords_that_people_choose(password, code):
    problem = check_password_rules(password)
    assert (problem.code if problem else None) == code
    if problem is not None:
        assert problem.fix
        assert password == "" or password not in str(problem)


def test_in_practice_any_password_will_do():
    assert check_password_rules("x", practice=True) is None
    assert check_password_rules("", practice=True) is not None


@pytest.mark.parametrize("damaged", ["{", "[]", "{}"])
async def test_a_damaged_salt_for_unknown_names_does_not_keep_the_server_from_starting(
    tmp_path, expect_log, damaged
):
    expect_log("salt for unknown names is damaged")
    store = SecretStore(tmp_path / "secrets")
    store.open()
    store.set("server/dummy-salt", {})
    (tmp_path / "secrets/server/dummy-salt.json").write_text(damaged)
    await Passwords(store).open()
    assert store.get("server/dummy-salt")


async def test_whoever_holds_sessions_is_told_of_a_new_password(passwords):
    changed = []
    passwords.on_changed = changed.append
    await passwords.set("anna", "first password")
    assert changed == ["anna"]
