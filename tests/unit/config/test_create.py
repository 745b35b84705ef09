import tomllib

import pytest

from backend.config.create import create_data_folder, default_listeners
from backend.config.load import load_texts
from backend.config.render import render_domains, render_server
from backend.config.server import Outbound
from backend.core.errors import ConfigError, ConflictError
from tests.support.settings import two_accounts


def test_a_new_folder_holds_a_commented_configuration_that_loads(tmp_path):
    folder = create_data_folder(
        tmp_path / "data",
        hostname="Mail.Example.org",
        domain="example.org",
        domains=["example.net"],
        outbound=Outbound(smtp_port=2525, resolvers=["127.0.0.1:5300"]),
    )
    loaded = load_texts(folder.server_toml.read_text(), folder.domains_toml.read_text())
    assert loaded.server.hostname == "mail.example.org"
    assert not loaded.server.practice_mode
    assert loaded.server.outbound.resolvers == ["127.0.0.1:5300"]
    assert loaded.server.listeners == default_listeners(practice_mode=False)
    assert list(loaded.domains.domains) == ["example.org", "example.net"]
    assert folder.exists
    assert folder.secrets.stat().st_mode & 0o777 == 0o700
    assert folder.run.stat().st_mode & 0o777 == 0o700
    assert "# Largest message (bytes): " in folder.server_toml.read_text()


def test_practice_listens_on_this_computer_alone(tmp_path):
    folder = create_data_folder(tmp_path / "data", hostname="localhost", practice_mode=True)
    server = load_texts(folder.server_toml.read_text(), folder.domains_toml.read_text()).server
    assert server.practice_mode
    assert {a for listener in server.listeners.values() for a in listener.addresses} == {
        "127.0.0.1"
    }


def test_a_folder_is_not_set_up_twice(tmp_path):
    create_data_folder(tmp_path, hostname="localhost")
    with pytest.raises(ConflictError):
        create_data_folder(tmp_path, hostname="localhost")


def test_a_bad_name_leaves_no_folder(tmp_path):
    with pytest.raises(ConfigError):
        create_data_folder(tmp_path / "data", hostname="not a name")
    assert not (tmp_path / "data").exists()


def test_defaults_that_stand_as_comments_are_the_defaults():
    config = two_accounts()
    for text in (render_server(config.server), render_domains(config.domains)):
        lines = text.splitlines()
        settings = [line[2:] for line in lines if line.startswith("# ") and " = " in line]
        for line in settings:
            tomllib.loads(line)
    uncommented = render_server(config.server)
    for line in uncommented.splitlines():
        if line.startswith("# ") and " = " in line:
            uncommented = uncommented.replace(line + "\n", line[2:] + "\n")
    loaded = load_texts(uncommented, render_domains(config.domains))
    assert (loaded.server, loaded.domains) == (config.server, config.domains)
