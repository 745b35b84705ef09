"""Signing what is sent: by the domain of its From line, with every selector that the domain signs with (behaviour D1)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.config.model import Config
from backend.core.address import Address
from backend.core.clock import Clock
from backend.core.errors import TemporaryError
from backend.core.status import SmtpStatus
from backend.mailauth.keys import Key, KeyMissingError, KeyStore
from backend.mailauth.signature import Signer, UnsignableError, body_hash, prepare, select_fields
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

# Up to here the hash of a body and one signature take less than 5 ms, which the loop can spare.
INLINE_OCTETS = 64 * 1024
MAX_INLINE_KEYS = 2
# The loop stands still while a piece is searched for blanks: small ones, some milliseconds each.
_PIECE_OCTETS = 64 * 1024

_NO_DOMAIN = SmtpStatus(
    451, "4.3.0", "Internal error: the domain of the From line is not configured here (any more)"
)


@dataclass(frozen=True, slots=True)
class Signed:
    """`fields` go before the header; empty when the domain does not sign. `failed`: selectors that could not sign."""

    domain: str
    fields: tuple[bytes, ...] = ()
    selectors: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class DkimSigner:
    def __init__(self, config: Callable[[], Config], keys: KeyStore, clock: Clock) -> None:
        self._config = config
        self._keys = keys
        self._clock = clock

    async def sign(
        self, author: Address, header: bytes, content: bytes | Path, body_at: int
    ) -> Signed:
        """For a message that is `header` and what follows in `content` from `body_at` on.

        Never fails for want of a key: the message then goes without that signature.

        Raises:
            TemporaryError: the author's domain is not configured.
        """
        domain = author.domain.ascii
        settings = self._config().domains.domains.get(domain)
        if settings is None:
            raise TemporaryError(_NO_DOMAIN)
        selectors = settings.dkim.sign
        if not selectors:
            return Signed(domain)
        job = _Job(
            domain=domain,
            localpart=settings.canonical_localpart(author.localpart),
            selectors=selectors,
            header=header,
            content=content,
            body_at=body_at,
            at=self._clock.time(),
        )
        if (
            isinstance(content, bytes)
            and len(content) <= INLINE_OCTETS
            and len(selectors) <= MAX_INLINE_KEYS
            and all(self._keys.cached(domain, selector) for selector in selectors)
        ):
            return self._sign(job)
        return await run_blocking(Pool.CRYPTO, self._sign, job)

    def _sign(self, job: "_Job") -> Signed:
        try:
            fields = select_fields(job.header)
            body = body_hash(_chunks(job.content, job.body_at))
        except (UnsignableError, OSError) as error:
            log.error("message can't be signed", domain=job.domain, cause=str(error))
            return Signed(job.domain, failed=tuple(job.selectors))
        written: list[bytes] = []
        used: list[str] = []
        for selector in job.selectors:
            try:
                key = self._key(job.domain, selector)
            except KeyMissingError as error:
                log.error("message is not signed with a selector", cause=str(error))
                continue
            signer = Signer(
                domain=job.domain,
                selector=selector,
                algorithm=key.algorithm,
                localpart=job.localpart,
            )
            unsigned = prepare(signer, fields, body, job.at)
            written.append(unsigned.field(key.private.sign(unsigned.digest)))
            used.append(selector)
        failed = tuple(selector for selector in job.selectors if selector not in used)
        return Signed(job.domain, tuple(written), tuple(used), failed)

    def _key(self, domain: str, selector: str) -> Key:
        return self._keys.cached(domain, selector) or self._keys.load(domain, selector)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    domain: str
    localpart: str
    selectors: Sequence[str]
    header: bytes
    content: bytes | Path
    body_at: int
    at: float


def _chunks(content: bytes | Path, body_at: int) -> Iterator[bytes]:
    if isinstance(content, bytes):
        for at in range(body_at, len(content), _PIECE_OCTETS):
            yield content[at : min(at + _PIECE_OCTETS, len(content))]
        return
    with content.open("rb") as file:
        file.seek(body_at)
        while chunk := file.read(_PIECE_OCTETS):
            yield chunk
