"""A new data folder with its first configuration. Blocking; for the command line and for threads."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.config.atomic import write_atomically
from backend.config.check import check
from backend.config.load import domains_from_data, server_from_data
from backend.config.model import ServerConfig
from backend.config.paths import DataFolder
from backend.config.plan import Plain, to_plain
from backend.config.render import render_domains, render_server
from backend.config.secrets import SecretStore
from backend.config.server import Listener, Outbound
from backend.core.errors import ConfigError, ConflictError
from backend.core.problems import Problem


def default_listeners(*, practice_mode: bool) -> dict[str, Listener]:
    """The ports of the standards; for practice those with 10,000 added (rounded), on this computer alone."""
    if practice_mode:
        return {
            "practice": Listener(
                addresses=["127.0.0.1"],
                smtp_port=1025,
                submission_port=1587,
                submissions_port=1465,
                imap_port=1143,
                imaps_port=1993,
                http_port=1080,
                admin=True,
            )
        }
    return {
        "public": Listener(
            addresses=["0.0.0.0", "::"],  # noqa: S104  # a mail server listens to the world
            smtp_port=25,
            submission_port=587,
            submissions_port=465,
            imap_port=143,
            imaps_port=993,
        ),
        "local": Listener(addresses=["127.0.0.1"], http_port=8080, admin=True),
    }


def create_data_folder(
    folder: Path,
    *,
    hostname: str,
    practice_mode: bool = False,
    domain: str = "",
    domains: Sequence[str] = (),
    listeners: Mapping[str, Listener] | None = None,
    outbound: Outbound | None = None,
    server: Plain | None = None,
) -> DataFolder:
    """`domain` and `domains` are added to `domains.toml`; `server` holds further settings of `server.toml`.

    Raises:
        ConflictError: there is a configuration already.
        ConfigError: a name or setting can't be used.
        OSError: the folder can't be written.
    """
    data = DataFolder(folder)
    if data.exists:
        raise ConflictError(
            Problem(
                code="setup.exists",
                subject=str(folder),
                message=f"{folder} holds a Gatepost server already.",
                fix="Choose another folder, or use that server.",
            )
        )
    chosen = listeners if listeners is not None else default_listeners(practice_mode=practice_mode)
    values = {
        "hostname": hostname,
        "practice_mode": practice_mode,
        "listeners": {name: to_plain(listener) for name, listener in chosen.items()},
        **({"outbound": to_plain(outbound)} if outbound is not None else {}),
        **(server or {}),
    }
    names = dict.fromkeys([domain, *domains] if domain else domains)
    server_config: ServerConfig = server_from_data(values)
    domains_config = domains_from_data({"domains": {name: {} for name in names}})
    if problems := check(server_config, domains_config):
        raise ConfigError(problems)
    data.make()
    SecretStore(data.secrets).open()
    write_atomically(data.domains_toml, render_domains(domains_config).encode())
    # Last: with this file the folder counts as set up.
    write_atomically(data.server_toml, render_server(server_config).encode())
    return data
