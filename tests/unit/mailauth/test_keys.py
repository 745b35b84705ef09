import base64
import json
import stat

import pytest
from cryptography.hazmat.primitives import serialization

from backend.mailauth.keys import (
    KeyMissingError,
    free_name,
    is_record_of,
    record_name,
    record_text,
    txt_strings,
)
from tests.support.dkim import a_key, key_store


@pytest.mark.parametrize(("algorithm", "bits"), [("rsa2048", 2048), ("ed25519", 256)])
def test_a_key_is_made_kept_and_read(tmp_path, algorithm, bits):
    store = key_store(tmp_path / "secrets")
    assert not store.has("example.org", "2026a")
    store.make("example.org", "2026a", algorithm)
    assert store.has("example.org", "2026a")
    assert store.cached("example.org", "2026a") is None
    key = store.load("example.org", "2026a")
    assert store.cached("example.org", "2026a") is key
    assert key.made_at == 1_700_000_000
    public = base64.b64decode(key.public)
    if bits == 2048:
        assert serialization.load_der_public_key(public).key_size == bits
    else:
        assert len(public) * 8 == bits
    again = key_store(tmp_path / "secrets").load("example.org", "2026a")
    assert again.public == key.public


def test_keys_are_for_this_user_alone(tmp_path):
    a_key(tmp_path / "secrets", "2026a", "rsa2048")
    for path in (tmp_path / "secrets").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("algorithm", ["rsa2048", "ed25519"])
def test_a_key_does_not_show_itself(tmp_path, algorithm):
    key = a_key(tmp_path / "secrets", "2026a", algorithm)
    (file,) = (tmp_path / "secrets").rglob("2026a.json")
    private = json.loads(file.read_text())["private_key"].splitlines()[1]
    for shown in (repr(key), str(key.private), f"{key}"):
        assert "PRIVATE" not in shown
        assert private not in shown


def test_a_removed_key_is_gone(tmp_path):
    store = key_store(tmp_path / "secrets")
    store.make("example.org", "2026a", "ed25519")
    store.load("example.org", "2026a")
    store.remove("example.org", "2026a")
    assert store.cached("example.org", "2026a") is None
    with pytest.raises(KeyMissingError, match=r"no key of 2026a\._domainkey\.example\.org"):
        store.load("example.org", "2026a")
    assert not list((tmp_path / "secrets").rglob("*.json"))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"private_key": "secret stuff"}'])
def test_a_damaged_key_is_told_without_its_content(tmp_path, text):
    store = key_store(tmp_path / "secrets")
    store.make("example.org", "2026a", "ed25519")
    next((tmp_path / "secrets").rglob("2026a.json")).write_text(text)
    with pytest.raises(KeyMissingError, match="can't be read") as error:
        store.load("example.org", "2026a")
    assert "secret stuff" not in str(error.value)
    assert error.value.__cause__ is None


def test_the_longest_domain_has_a_place_for_its_keys(tmp_path):
    domain = ".".join(["a" * 60] * 4)
    assert a_key(tmp_path / "secrets", "2026a", "ed25519", domain).public


def test_a_record_holds_the_public_key_in_strings_that_dns_takes(tmp_path):
    key = a_key(tmp_path / "secrets", "2026a", "rsa2048")
    text = record_text(key)
    assert text.startswith("v=DKIM1; k=rsa; p=MII")
    strings = txt_strings(text)
    assert [len(s) for s in strings] == [255, len(text) - 255]
    assert "".join(strings) == text
    assert txt_strings("") == ()
    assert record_name("example.org", "2026a") == "2026a._domainkey.example.org"


def test_a_record_is_recognised_however_it_was_written(tmp_path):
    key = a_key(tmp_path / "secrets", "2026a", "rsa2048")
    other = a_key(tmp_path / "other", "2026a", "rsa2048")
    text = record_text(key)
    assert is_record_of(text, key)
    assert is_record_of(text.replace("k=rsa; ", ""), key)
    assert is_record_of(f"v=DKIM1;k=rsa;t=s;p={key.public[:99]} {key.public[99:]};", key)
    assert not is_record_of(record_text(other), key)
    assert not is_record_of("v=DKIM1; k=rsa; p=", key)
    assert not is_record_of(text.replace("k=rsa", "k=ed25519"), key)
    assert not is_record_of("something else", key)


def test_names_count_through_the_year():
    assert free_name(2026, []) == "2026a"
    taken = [f"2026{letter}" for letter in "abcdefghijklmnopqrstuvwxy"]
    assert free_name(2026, taken) == "2026z"
    assert free_name(2026, [*taken, "2026z"]) == "2026aa"
    assert free_name(2027, taken) == "2027a"
