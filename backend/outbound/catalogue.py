"""Adding, testing and removing transports and routes: what the faces and the command line do with the settings.

All changes go through the ConfigStore, passwords into the SecretStore.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backend.config import removed
from backend.config.load import domains_from_data
from backend.config.model import Config, DomainsConfig
from backend.config.plan import to_lean
from backend.config.routing import Route, Transport
from backend.config.secrets import SecretStore, transport_password, transport_password_name
from backend.config.store import ConfigStore
from backend.core.errors import ConflictError, NotFoundError, UserError
from backend.core.problems import Problem
from backend.outbound.route import Level
from backend.outbound.route_lists import RouteList, owner_table, with_lists
from backend.outbound.transport_passwords import FOR, server_of
from backend.runtime.threads import Pool, run_blocking

MAX_PASSWORD_CHARS = 1024  # a security limit


@dataclass(frozen=True, slots=True)
class Place:
    """A route's list: `owner` is the account or domain, empty for the server. `position` counts from 1."""

    level: Level
    owner: str
    position: int

    def __str__(self) -> str:
        return f"route {self.position} of the {self.level}{f' {self.owner}' if self.owner else ''}"


class Catalogue:
    def __init__(self, config: ConfigStore, secrets: SecretStore) -> None:
        self._config = config
        self._secrets = secrets

    # Transports

    def transport(self, name: str) -> Transport:
        """Raises:
        NotFoundError: there is none of that name.
        """
        found = self._config.current.domains.transports.get(name)
        if found is None:
            raise unknown_transport(name)
        return found

    def has_password(self, name: str) -> bool:
        return transport_password(self._secrets, name) is not None

    def password(self, name: str) -> str | None:
        return transport_password(self._secrets, name)

    async def add_transport(
        self, name: str, settings: Mapping[str, Any], *, password: str | None, author: str
    ) -> None:
        """`settings` as they stand in the file.

        Raises:
            ConflictError: there is one of that name.
            ConfigError: with all faults of the settings.
        """

        def change(config: Config) -> Config:
            if name in config.domains.transports:
                raise ConflictError(
                    Problem(
                        code="transport.exists",
                        path="/name",
                        message=f"There is a transport “{name}” already.",
                        fix="Choose another name, or remove that one first.",
                    )
                )
            data = to_lean(config.domains)
            data["transports"] = {**data.get("transports", {}), name: dict(settings)}
            return _replaced(config, data)

        change(self._config.current)
        # SECURITY: a password left over from another transport of that name must not go to this one's server.
        await self.keep_password(name, password)
        await self._config.edit(change, author=author, note=f"Added the transport {name}")

    async def edit_transport(
        self,
        name: str,
        settings: Mapping[str, Any],
        *,
        password: str | None,
        keep_password: bool | None = None,
        author: str,
        base_revision: int | None = None,
    ) -> None:
        """`settings` take the place of all that it had. Without a password the old one stays, except that nothing asks
        for it any more. `keep_password` says what becomes of it when it would go to another server from now on.

        Raises:
            NotFoundError: there is none of that name.
            ConflictError: the settings have changed since `base_revision`, or the old password would go to another server.
            ConfigError: with all faults of the settings.
        """
        _check_password(password)

        def change(config: Config) -> Config:
            if name not in config.domains.transports:
                raise unknown_transport(name)
            data = to_lean(config.domains)
            data["transports"] = {**data["transports"], name: dict(settings)}
            changed = _replaced(config, data)
            if password is not None and not signs_in(changed.domains.transports[name]):
                raise _no_sign_in(name)
            if password is None and keep_password is None and self.has_password(name):
                old, new = config.domains.transports[name], changed.domains.transports[name]
                _check_move(name, server_of(old), server_of(new))
            return changed

        note = f"Changed the transport {name}"
        kept = self.password(name) if keep_password else None
        await self._config.edit(change, author=author, base_revision=base_revision, note=note)
        if not signs_in(self.transport(name)):
            await self.keep_password(name, None)
        elif password is not None or kept is not None:
            await self.keep_password(name, password or kept)

    async def remove_transport(self, name: str, *, author: str) -> None:
        """With its password, which `transport_passwords` keeps for a revert.

        Raises:
            NotFoundError: there is none of that name.
            ConflictError: a route uses it.
        """

        def change(config: Config) -> Config:
            if name not in config.domains.transports:
                raise unknown_transport(name)
            users = uses_of(config.domains, name)
            if users:
                raise ConflictError(
                    Problem(
                        code="transport.in_use",
                        message=f"The transport “{name}” is used by {_listed(users)}.",
                        fix="Remove those routes, or let them use another transport, first.",
                    )
                )
            data = to_lean(config.domains)
            data["transports"] = {k: v for k, v in data["transports"].items() if k != name}
            return _replaced(config, data)

        await self._config.edit(change, author=author, note=f"Removed the transport {name}")

    async def set_password(self, name: str, password: str | None) -> None:
        """None forgets it.

        Raises:
            NotFoundError: there is no such transport.
            UserError: it does not sign in, or the password can't be one.
        """
        settings = self.transport(name)
        if password is not None and not signs_in(settings):
            raise _no_sign_in(name)
        await self.keep_password(name, password)

    async def keep_password(self, name: str, password: str | None) -> None:
        """As `set_password`, whether or not the transport is there and signs in."""
        secret = transport_password_name(name)
        if password is None:
            await run_blocking(Pool.FILES, self._secrets.delete, secret)
            await run_blocking(Pool.FILES, removed.forget, self._secrets, secret)
            return
        _check_password(password)
        kept = {"password": password}
        if (settings := self._config.current.domains.transports.get(name)) is not None:
            kept[FOR] = server_of(settings)
        await run_blocking(Pool.FILES, self._secrets.set, secret, kept)

    # Routes

    async def add_route(
        self,
        place: Place,
        settings: Mapping[str, Any],
        *,
        author: str,
        base_revision: int | None = None,
    ) -> Place:
        """Position 0 appends it.

        Raises:
            NotFoundError: no such account or domain.
            ConfigError: with all faults, an unknown transport among them.
        """
        added: list[Place] = []

        def edit(routes: list[Any]) -> None:
            index = len(routes) if place.position < 1 else min(place.position - 1, len(routes))
            routes.insert(index, dict(settings))
            added[:] = [replace(place, position=index + 1)]

        await self._edit_routes(place, edit, f"Added a {_kind(place)} route", author, base_revision)
        return added[0]

    async def remove_route(
        self, place: Place, *, author: str, base_revision: int | None = None
    ) -> None:
        """Raises:
        NotFoundError: there is no such route.
        """

        def edit(routes: list[Any]) -> None:
            if not 1 <= place.position <= len(routes):
                raise NotFoundError(
                    Problem(
                        code="route.unknown",
                        message=f"There is no {place}.",
                        fix="See the list of routes.",
                    )
                )
            del routes[place.position - 1]

        await self._edit_routes(place, edit, f"Removed {place}", author, base_revision)

    async def set_routes(
        self,
        level: Level,
        owner: str,
        routes: Sequence[Mapping[str, Any]],
        *,
        author: str,
        base_revision: int | None = None,
    ) -> None:
        """The whole list of a level, in order.

        Raises:
            NotFoundError: no such account or domain.
            ConflictError: the settings have changed since `base_revision`.
            ConfigError: with all faults.
        """
        place = Place(level, owner, 0)

        def edit(old: list[Any]) -> None:
            old[:] = [dict(each) for each in routes]

        note = f"Changed the {_kind(place)} routes{f' of {owner}' if owner else ''}"
        await self._edit_routes(place, edit, note, author, base_revision)

    async def set_lists(
        self,
        lists: Sequence[RouteList],
        *,
        author: str,
        base_revision: int | None = None,
    ) -> None:
        """Several whole lists, all or nothing.

        Raises:
            NotFoundError: no such account or domain.
            ConflictError: the settings have changed since `base_revision`.
            ConfigError: with all faults.
        """
        names = ["the server" if not each.owner else each.owner for each in lists]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        await self._config.edit(
            lambda config: with_lists(config, lists),
            author=author,
            note=f"Changed the routes of {shown}",
            base_revision=base_revision,
        )

    async def _edit_routes(
        self,
        place: Place,
        edit: Callable[[list[Any]], None],
        note: str,
        author: str,
        base_revision: int | None,
    ) -> None:
        def change(config: Config) -> Config:
            data = to_lean(config.domains)
            table = owner_table(data, place.level, place.owner)
            table["routes"] = list(table.get("routes", []))
            edit(table["routes"])
            return _replaced(config, data)

        await self._config.edit(change, author=author, note=note, base_revision=base_revision)


def routes_of(domains: DomainsConfig) -> list[tuple[Place, Route]]:
    """All of them, in the order in which they are looked at."""
    found = [
        (Place(level, owner, position), route)
        for level, owners in (
            (Level.ACCOUNT, [(name, a.routes) for name, a in domains.accounts.items()]),
            (Level.DOMAIN, [(name, d.routes) for name, d in domains.domains.items()]),
            (Level.SERVER, [("", domains.routes)]),
        )
        for owner, routes in owners
        for position, route in enumerate(routes, 1)
    ]
    return found


def uses_of(domains: DomainsConfig, transport: str) -> list[Place]:
    return [place for place, route in routes_of(domains) if route.transport == transport]


def signs_in(settings: Transport) -> bool:
    if settings.socks is not None:
        return bool(settings.socks.username)
    relays = (settings.submissions, settings.submission, settings.smtp)
    return any(relay is not None and relay.auth is not None for relay in relays)


def _check_password(password: str | None) -> None:
    if password is None:
        return
    if not password or len(password) > MAX_PASSWORD_CHARS or "\0" in password:
        raise UserError(
            Problem(
                code="transport.password",
                path="/password",
                message="This can't be a password.",
                fix="Enter the one that the operator of the server gave you.",
            )
        )


def _check_move(name: str, old: str, new: str) -> None:
    if not old or not new or old == new:
        return
    raise ConflictError(
        Problem(
            code="transport.password_moves",
            subject=name,
            path="/password",
            message=f"The stored password of the transport “{name}” is for {old}; with this change it would be sent to {new}.",
            fix="Give the password for the new server with the change, or say what becomes of the stored one: keep_password true sends it there, false forgets it (--keep-password and --forget-password on the command line).",
        )
    )


def _no_sign_in(name: str) -> UserError:
    return UserError(
        Problem(
            code="transport.no_sign_in",
            message=f"The transport “{name}” has no user name, so a password is of no use.",
            fix="Give it a user name first.",
        )
    )


def unknown_transport(name: str) -> NotFoundError:
    # Behaviour T10, the words of its row.
    return NotFoundError(
        Problem(
            code="transport.unknown",
            message=f'unknown transport "{name}".',
            fix="See the list of transports.",
        )
    )


def _replaced(config: Config, data: dict[str, Any]) -> Config:
    return replace(config, domains=domains_from_data(data))


def _kind(place: Place) -> str:
    return "global" if place.level is Level.SERVER else str(place.level)


def _listed(places: Sequence[Place]) -> str:
    shown = ", ".join(str(place) for place in places[:5])
    return f"{shown} and {len(places) - 5} more" if len(places) > 5 else shown
