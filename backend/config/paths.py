"""Where everything lies in a data folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The layout of one server's data (`--dir DIR`)."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def server_toml(self) -> Path:
        return self.config / "server.toml"

    @property
    def domains_toml(self) -> Path:
        return self.config / "domains.toml"

    @property
    def revisions(self) -> Path:
        return self.config / "revisions"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def accounts(self) -> Path:
        return self.root / "accounts"

    @property
    def queue(self) -> Path:
        return self.root / "queue"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def tls(self) -> Path:
        return self.root / "tls"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def admin_socket(self) -> Path:
        return self.run / "admin.sock"

    @property
    def server_json(self) -> Path:
        return self.run / "server.json"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def server_log(self) -> Path:
        return self.log / "server.log"

    @property
    def activity(self) -> Path:
        return self.root / "activity"

    @property
    def flows(self) -> Path:
        """Wizards that were left half-way."""
        return self.activity / "flows"

    @property
    def checks(self) -> Path:
        return self.root / "checks"

    @property
    def exists(self) -> bool:
        return self.server_toml.is_file()

    def make(self) -> None:
        """Makes the folders that are missing; what holds secrets is for this user alone."""
        for folder in (self.root, self.config, self.revisions, self.accounts, self.queue):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.spool, self.log, self.activity):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.root, self.secrets, self.tls, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
