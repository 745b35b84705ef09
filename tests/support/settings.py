"""Configurations and data folders for tests."""

from pathlib import Path

from backend.config.create import create_data_folder
from backend.config.load import domains_from_data, server_from_data
from backend.config.model import Config
from backend.config.paths import DataFolder
from backend.config.store import ConfigStore


def config_of(server: dict | None = None, **domains) -> Config:
    """`config_of(domains={"example.org": {}}, accounts={…})`."""
    return Config(
        server_from_data({"hostname": "mail.example.org", **(server or {})}),
        domains_from_data(domains),
    )


def two_accounts(**server) -> Config:
    return config_of(
        server,
        domains={"example.org": {"catchall_separator": "+"}},
        accounts={
            "anna": {
                "domain": "example.org",
                "destinations": {
                    "anna@example.org": {},
                    "a.meier@example.org": {"mailbox": "Work"},
                },
            },
            "bob": {
                "domain": "example.org",
                "destinations": {"bob@example.org": {}, "@example.org": {"mailbox": "Rest"}},
            },
        },
    )


def new_folder(path: Path, **arguments) -> DataFolder:
    return create_data_folder(
        path, **{"hostname": "mail.example.org", "domain": "example.org", **arguments}
    )


async def open_store(folder: DataFolder, **arguments) -> ConfigStore:
    store = ConfigStore(folder, **arguments)
    await store.open()
    return store
