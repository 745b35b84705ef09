"""Practice mode: a data folder that is a complete server on this computer, and what its first visitor needs to know.

Its passwords are kept in the secrets folder so that the next start can show them again; a server that is meant for the
world does nothing of the kind.
"""

from collections.abc import Sequence
from pathlib import Path

import tomlkit

from backend.accounts.passwords import Passwords, generate_password
from backend.accounts.service import AccountService
from backend.admin.password import AdminPassword
from backend.config.atomic import write_atomically
from backend.config.create import create_data_folder
from backend.config.paths import DataFolder
from backend.config.secrets import SecretStore
from backend.config.server import Listener
from backend.core.address import AddressError, parse_address
from backend.core.errors import UserError
from backend.core.ids import AccountId
from backend.core.problems import Problem
from backend.server.ports import ports_from, practice_ports

HOST = "127.0.0.1"
HOSTNAME = "localhost"
DEFAULT_ADDRESS = "me@gatepost.test"
AUTHOR = "practice mode"
_LISTENER = "practice"
_SECRET = "practice"  # noqa: S105  # the name of the file, not what is in it

Accounts = Sequence[tuple[str, str]]
"""Pairs of address and password."""


def prepare_folder(folder: Path, *, port_base: int | None, accounts: Accounts) -> None:
    """Makes the folder a practice server's if it is new. Blocking, before the server starts.

    Raises:
        UserError: the folder belongs to a real server, ports are taken, or an address is none.
        ConfigError: its settings have faults.
    """
    for address, _ in accounts:
        try:
            parse_address(address)
        except AddressError as error:
            raise UserError(
                Problem(code="account.address", subject=address, message=f"{error}.")
            ) from error
    data = DataFolder(folder)
    if not data.exists:
        listener = Listener.model_validate(
            {"addresses": [HOST], "admin": True, **practice_ports(port_base, HOST)}
        )
        create_data_folder(
            folder, hostname=HOSTNAME, practice_mode=True, listeners={_LISTENER: listener}
        )
        return
    document = tomlkit.parse(data.server_toml.read_text(encoding="utf-8"))
    if not document.get("practice_mode", False):
        raise UserError(
            Problem(
                code="practice.real",
                subject=str(folder),
                message=f"{folder} belongs to a server that is not in practice mode.",
                fix="Start that one with “gatepost serve”, or choose another folder with --dir.",
            )
        )
    if port_base is not None:
        _set_ports(data, document, port_base)


def _set_ports(data: DataFolder, document: tomlkit.TOMLDocument, base: int) -> None:
    listener = document.get("listeners", {}).get(_LISTENER)
    if listener is None:
        return
    if all(listener.get(name) == port for name, port in ports_from(base).items()):
        return
    for name, port in practice_ports(base, HOST).items():
        listener[name] = port
    write_atomically(data.server_toml, tomlkit.dumps(document).encode())


async def make_accounts(
    service: AccountService, passwords: Passwords, secrets: SecretStore, given: Accounts
) -> Accounts:
    """Sees to it that the accounts exist, and says which passwords hold: those given, then those of earlier starts."""
    known = _saved_accounts(secrets)
    if not given and not service.accounts():
        given = [(DEFAULT_ADDRESS, generate_password())]
    for address, password in given:
        key = str(parse_address(address))
        owner = _owner(service, key)
        if owner is None:
            await service.add_account(key, password=password, add_domain=True, author=AUTHOR)
        elif not await passwords.check(owner, password):
            await service.set_password(owner, password)
        known.pop(address, None)
    holding = dict(given)
    for address, password in known.items():
        # A person may have removed the account or changed its password since.
        owner = _owner(service, str(parse_address(address)))
        if owner is not None and await passwords.check(owner, password):
            holding[address] = password
    secrets.set(_SECRET, {**(secrets.get(_SECRET) or {}), "accounts": holding})
    return list(holding.items())


def _saved_accounts(secrets: SecretStore) -> dict[str, str]:
    saved = (secrets.get(_SECRET) or {}).get("accounts")
    return {str(k): str(v) for k, v in saved.items()} if isinstance(saved, dict) else {}


def _owner(service: AccountService, address: str) -> AccountId | None:
    for name, account in service.accounts().items():
        if address in account.destinations:
            return name
    return None


async def admin_password(secrets: SecretStore, password: AdminPassword) -> str | None:
    """The administrator's password, made at the first start and shown again at each; None once a person has changed it."""
    saved = (secrets.get(_SECRET) or {}).get("admin_password")
    if not password.exists():
        made = await password.make()
        secrets.set(_SECRET, {**(secrets.get(_SECRET) or {}), "admin_password": made})
        return made
    if isinstance(saved, str) and await password.is_right(saved):
        return saved
    return None
