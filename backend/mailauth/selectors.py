"""A domain's DKIM keys as its owner sees them: list, add, sign with, change for new ones, remove.

Which selectors there are is configuration; the keys are secrets. A selector that comes into the configuration without a
key, also by an edit of the file, gets one before the change counts.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from backend.config.dkim import (
    Algorithm,
    Dkim,
    Phase,
    Rotation,
    Selector,
    checked_selector,
    moment,
    moment_text,
)
from backend.config.load import domains_from_data
from backend.config.model import Config
from backend.config.plan import to_lean
from backend.config.store import ConfigStore, Undo
from backend.core.address import AddressError, parse_domain
from backend.core.clock import Clock
from backend.core.errors import ConfigError, ConflictError, NotFoundError, UserError
from backend.core.problems import Problem
from backend.dns.answers import Answer, Found, LookupFailed
from backend.mailauth import rotation as rotations
from backend.mailauth.keys import (
    Key,
    KeyMissingError,
    KeyStore,
    free_name,
    is_record_of,
    record_name,
    record_text,
    selector_names,
    txt_strings,
)
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

CHECK_EVERY_S = 600.0
ROTATION_AUTHOR = "rotation"
"""Who made a change that the server made by itself, a step in a change of keys."""


class TxtResolver(Protocol):
    async def txt(self, name: str) -> Answer[bytes]: ...

    def forget(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorState:
    """`record` and `strings` are the text of the TXT record, whole and in pieces; empty while the key can't be read.
    `in_dns` is None when nobody looked or it could not be told.
    """

    name: str
    algorithm: Algorithm
    signs: bool
    made_at: float | None
    record_name: str
    record: str
    strings: tuple[str, ...]
    in_dns: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationState:
    """`due_at` is None while it waits for records in the DNS."""

    phase: Phase
    new: tuple[str, ...]
    old: tuple[str, ...]
    since: float
    due_at: float | None


@dataclass(frozen=True, slots=True)
class DomainKeys:
    domain: str
    sign: tuple[str, ...]
    selectors: tuple[SelectorState, ...]
    rotation: RotationState | None


def new_domain_settings(year: int) -> dict[str, Any]:
    """Two keys for a new domain, one that signs and one in reserve, whose record can be published beforehand."""
    names = selector_names(year)
    first, second = next(names), next(names)
    return {"dkim": {"sign": [first], "selectors": {first: {}, second: {}}}}


class DkimKeys:
    def __init__(
        self, config: ConfigStore, keys: KeyStore, *, resolver: TxtResolver | None, clock: Clock
    ) -> None:
        """Without `resolver` (practice mode) nobody is asked whether records are published."""
        self._config = config
        self._keys = keys
        self._resolver = resolver
        self._clock = clock

    # --- keys follow the configuration -------------------------------------------------------------------------------

    async def make_missing(self, config: Config) -> None:
        """At the start: the file may have been edited meanwhile. Mail goes without a signature for want of a key."""
        domains = list(config.domains.domains)
        await run_blocking(Pool.FILES, self._keys.set_aside_others, domains)
        try:
            await self._make(_selectors(config))
        except ConfigError as error:
            log.error("DKIM key can't be made", cause=str(error))

    async def prepare(self, old: Config, new: Config) -> Undo | None:
        """Follows a change of the configuration. The keys of a domain that goes are set aside for a while, since going
        back to an earlier revision must find those whose records are in the DNS.

        Raises:
            ConfigError: a key can't be kept.
        """
        before, after = _selectors(old), _selectors(new)
        made, back = await self._make({k: v for k, v in after.items() if k not in before})
        aside = [
            (domain, selector)
            for domain, selector in before
            if domain not in new.domains.domains
            and await run_blocking(Pool.FILES, self._keys.set_aside, domain, selector)
        ]

        async def undo() -> None:
            for names, action in (
                (made, self._keys.remove),
                (back, self._keys.set_aside),
                (aside, self._keys.bring_back),
            ):
                for domain, selector in names:
                    await run_blocking(Pool.FILES, action, domain, selector)

        return undo if made or back or aside else None

    async def _make(
        self, wanted: Mapping[tuple[str, str], Algorithm]
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Those that are new, and those that were brought back."""
        made: list[tuple[str, str]] = []
        back: list[tuple[str, str]] = []
        for (domain, selector), algorithm in wanted.items():
            try:
                if await run_blocking(Pool.FILES, self._keys.has, domain, selector):
                    continue
                if await run_blocking(Pool.FILES, self._keys.bring_back, domain, selector):
                    back.append((domain, selector))
                    continue
                await run_blocking(Pool.CRYPTO, self._keys.make, domain, selector, algorithm)
            except (OSError, ValueError) as error:
                raise ConfigError(
                    [
                        Problem(
                            code="dkim.key_not_kept",
                            message=f"The key of {record_name(domain, selector)} can't be kept: {type(error).__name__}.",
                            fix="Make sure that the folder “secrets” can be written and that the disk is not full.",
                        )
                    ]
                ) from error
            made.append((domain, selector))
            log.info("DKIM key made", domain=domain, selector=selector, algorithm=algorithm)
        return made, back

    # --- looking -----------------------------------------------------------------------------------------------------

    async def describe(self, domain: str, *, look_up: bool = False) -> DomainKeys:
        """Raises:
        NotFoundError: there is no such domain.
        """
        name, dkim = _find(self._config.current, domain)
        if look_up and self._resolver is not None:
            self._resolver.forget()
        selectors = await asyncio.gather(
            *(
                self._describe(name, selector, settings, selector in dkim.sign, look_up=look_up)
                for selector, settings in dkim.selectors.items()
            )
        )
        rotation = None
        if dkim.rotation is not None:
            state = _state(dkim.rotation)
            rotation = RotationState(
                phase=state.phase,
                new=state.new,
                old=state.old,
                since=state.since,
                due_at=rotations.due_at(state),
            )
        return DomainKeys(name, tuple(dkim.sign), tuple(selectors), rotation)

    async def _describe(
        self, domain: str, selector: str, settings: Selector, signs: bool, *, look_up: bool
    ) -> SelectorState:
        key = await self._key(domain, selector)
        record = record_text(key) if key is not None else ""
        return SelectorState(
            name=selector,
            algorithm=settings.algorithm,
            signs=signs,
            made_at=key.made_at if key is not None else None,
            record_name=record_name(domain, selector),
            record=record,
            strings=txt_strings(record),
            in_dns=await self._in_dns(domain, selector) if look_up else None,
        )

    async def _key(self, domain: str, selector: str) -> Key | None:
        found = self._keys.cached(domain, selector)
        if found is not None:
            return found
        try:
            return await run_blocking(Pool.FILES, self._keys.load, domain, selector)
        except KeyMissingError as error:
            log.error("DKIM key is missing", cause=str(error))
            return None

    async def _in_dns(self, domain: str, selector: str) -> bool | None:
        key = await self._key(domain, selector)
        if key is None or self._resolver is None:
            return None
        answer = await self._resolver.txt(record_name(domain, selector))
        if isinstance(answer, LookupFailed):
            return None
        records = answer.records if isinstance(answer, Found) else ()
        # RFC 6376 §3.6.2.2: with several records the result is undefined.
        return len(records) == 1 and is_record_of(records[0].decode("utf-8", "replace"), key)

    # --- changing ----------------------------------------------------------------------------------------------------

    async def add(
        self,
        domain: str,
        *,
        name: str = "",
        algorithm: Algorithm = "rsa2048",
        sign: bool = False,
        author: str,
    ) -> str:
        """The name of the new selector; by default the year and a letter.

        Raises:
            NotFoundError: there is no such domain.
            UserError: the name can't be used; ConflictError: it is taken.
        """
        if name:
            _check_name(name)
        added: list[str] = []

        def change(dkim: Dkim) -> Dkim:
            chosen = name or self._free_name(dkim)
            if chosen in dkim.selectors:
                raise ConflictError(
                    Problem(
                        code="dkim.selector_exists",
                        path="/name",
                        message=f"There is a selector “{chosen}” already.",
                        fix="Choose another name, or leave it empty.",
                    )
                )
            added[:] = [chosen]
            return dkim.model_copy(
                update={
                    "selectors": {**dkim.selectors, chosen: Selector(algorithm=algorithm)},
                    "sign": [*dkim.sign, chosen] if sign else dkim.sign,
                }
            )

        await self._edit(domain, change, author, "Added a DKIM key to")
        return added[0]

    async def set_signing(self, domain: str, selectors: Sequence[str], *, author: str) -> None:
        """Signs with these from now on, with none if empty. Ends a change of keys that is under way.

        Raises:
            NotFoundError: there is no such domain.
            ConfigError: it has no such selector.
        """

        def change(dkim: Dkim) -> Dkim:
            return dkim.model_copy(update={"sign": list(selectors), "rotation": None})

        await self._edit(domain, change, author, "Chose the signing DKIM keys of")

    async def remove(
        self, domain: str, selector: str, *, even_if_signing: bool = False, author: str
    ) -> None:
        """The selector and, for good, its key.

        Raises:
            NotFoundError: there is no such domain or selector.
            ConflictError: mail is signed with it.
        """

        def change(dkim: Dkim) -> Dkim:
            if selector not in dkim.selectors:
                raise _no_selector(domain, selector)
            if selector in dkim.sign and not even_if_signing:
                raise ConflictError(
                    Problem(
                        code="dkim.selector_signs",
                        message=f"Mail from {domain} is signed with “{selector}”.",
                        fix=f"Change it for another first: gatepost domain dkim rotate {domain}. With --even-if-signing it is removed all the same.",
                    )
                )
            return _without(dkim, (selector,))

        await self._edit(domain, change, author, f"Removed the DKIM key {selector} of")
        await self._forget(domain, (selector,))

    async def _forget(self, domain: str, selectors: Sequence[str]) -> None:
        name = parse_domain(domain).ascii
        for selector in selectors:
            await run_blocking(Pool.FILES, self._keys.remove, name, selector)
            log.info("DKIM key removed", domain=name, selector=selector)

    # --- changing keys -----------------------------------------------------------------------------------------------

    async def rotate(self, domain: str, *, hurry: bool = False, author: str) -> None:
        """Begins a change of keys, or goes on with it as far as may be. `hurry` does not wait for DNS or time.

        Raises:
            NotFoundError: there is no such domain.
        """

        def begin(dkim: Dkim) -> Dkim:
            return dkim if dkim.rotation is not None else self._begin(dkim)

        await self._edit(domain, begin, author, "Began to change the DKIM keys of")
        if self._resolver is not None:
            self._resolver.forget()
        await self._advance(domain, author, hurry=hurry)

    def _begin(self, dkim: Dkim) -> Dkim:
        """For each key that signs, one of its kind that does not yet; made where there is none."""
        selectors = dict(dkim.selectors)
        spare = [name for name in selectors if name not in dkim.sign]
        kinds = [selectors[name].algorithm for name in dkim.sign] or ["rsa2048"]
        new: list[str] = []
        for kind in kinds:
            ready = [n for n in spare if n not in new and selectors[n].algorithm == kind]
            name = ready[0] if ready else free_name(self._clock.now().year, selectors)
            selectors.setdefault(name, Selector(algorithm=kind))
            new.append(name)
        state = rotations.begin(tuple(new), tuple(dkim.sign), self._clock.time())
        return dkim.model_copy(update={"selectors": selectors, "rotation": _settings(state)})

    async def _advance(self, domain: str, author: str, *, hurry: bool = False) -> None:
        name, before = _find(self._config.current, domain)
        if before.rotation is None:
            return
        published = None if hurry else await self._published(name, before.rotation)
        removed: list[str] = []

        def change(dkim: Dkim) -> Dkim:
            removed.clear()
            if dkim.rotation != before.rotation:
                return dkim  # somebody else was quicker
            return self._go(dkim, published, removed, hurry=hurry)

        await self._edit(name, change, author, "Went on changing the DKIM keys of")
        await self._forget(name, removed)

    def _go(self, dkim: Dkim, published: bool | None, removed: list[str], *, hurry: bool) -> Dkim:
        facts = rotations.Facts(self._clock.time(), published, hurry)
        while dkim.rotation is not None:
            state = _state(dkim.rotation)
            step = rotations.advance(state, facts)
            if step.state == state:
                break
            dkim = dkim.model_copy(
                update={"rotation": None if step.state is None else _settings(step.state)}
            )
            if step.sign is not None:
                return dkim.model_copy(update={"sign": list(step.sign)})
            removed += step.remove
            dkim = _without(dkim, step.remove)
        return dkim

    async def _published(self, domain: str, rotation: Rotation) -> bool | None:
        if rotation.phase == "retire":
            return None
        seen = [await self._in_dns(domain, selector) for selector in rotation.new]
        return None if None in seen and False not in seen else all(seen)

    async def go_on(self) -> None:
        """One look at every change of keys that is under way."""
        for domain, settings in self._config.current.domains.domains.items():
            if settings.dkim.rotation is None:
                continue
            try:
                await self._advance(domain, ROTATION_AUTHOR)
            except Exception as error:  # one domain must not hold up the others
                log.error("change of DKIM keys does not go on", domain=domain, cause=repr(error))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.go_on()
            await asyncio.sleep(CHECK_EVERY_S)

    # --- configuration -----------------------------------------------------------------------------------------------

    def _free_name(self, dkim: Dkim) -> str:
        return free_name(self._clock.now().year, dkim.selectors)

    async def _edit(self, domain: str, change: "Change", author: str, what: str) -> None:
        def edit(config: Config) -> Config:
            name, dkim = _find(config, domain)
            settings = config.domains.domains[name].model_copy(update={"dkim": change(dkim)})
            data = to_lean(config.domains)
            data["domains"][name] = to_lean(settings)
            return replace(config, domains=domains_from_data(data))

        await self._config.edit(edit, author=author, note=f"{what} {domain}")


class Change(Protocol):
    def __call__(self, dkim: Dkim, /) -> Dkim: ...


def _selectors(config: Config) -> dict[tuple[str, str], Algorithm]:
    return {
        (domain, selector): each.algorithm
        for domain, settings in config.domains.domains.items()
        for selector, each in settings.dkim.selectors.items()
    }


def _without(dkim: Dkim, gone: Sequence[str]) -> Dkim:
    """Without those selectors. A change of keys ends when nothing is left to be done in it."""
    rotation = dkim.rotation
    if rotation is not None:
        new = [name for name in rotation.new if name not in gone]
        old = [name for name in rotation.old if name not in gone]
        is_over = not new or (rotation.phase == "retire" and not old)
        rotation = None if is_over else rotation.model_copy(update={"new": new, "old": old})
    return dkim.model_copy(
        update={
            "sign": [name for name in dkim.sign if name not in gone],
            "selectors": {k: v for k, v in dkim.selectors.items() if k not in gone},
            "rotation": rotation,
        }
    )


def _state(rotation: Rotation) -> rotations.State:
    return rotations.State(
        rotation.phase, tuple(rotation.new), tuple(rotation.old), moment(rotation.since)
    )


def _settings(state: rotations.State) -> Rotation:
    return Rotation(
        phase=state.phase,
        new=list(state.new),
        old=list(state.old),
        since=moment_text(state.since),
    )


def _find(config: Config, domain: str) -> tuple[str, Dkim]:
    try:
        name = parse_domain(domain).ascii
    except AddressError:
        name = ""
    settings = config.domains.domains.get(name)
    if settings is None:
        raise NotFoundError(
            Problem(
                code="domain.unknown",
                message=f"There is no domain {domain} here.",
                fix="Choose one from the list of domains.",
            )
        )
    return name, settings.dkim


def _check_name(name: str) -> None:
    try:
        checked_selector(name)
    except ValueError as error:
        raise UserError(
            Problem(
                code="dkim.selector_name",
                path="/name",
                message=f"{error}.",
                fix="Choose another name, or leave it empty.",
            )
        ) from None


def _no_selector(domain: str, selector: str) -> NotFoundError:
    return NotFoundError(
        Problem(
            code="dkim.unknown_selector",
            message=f"The domain {domain} has no selector “{selector}”.",
            fix=f"See which there are with: gatepost domain dkim list {domain}",
        )
    )
