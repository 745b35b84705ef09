"""From the settings to the sockets: which service answers on which address and port."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from backend.config.model import ServerConfig
from backend.config.server import Listener
from backend.runtime.listeners import Endpoint, Service

Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of a listener's port settings. `purpose` is shown to people."""

    setting: str
    service: str
    security: Security
    purpose: str


KINDS = (
    Kind("smtp_port", "smtp", "starttls", "other servers deliver mail here"),
    Kind("submission_port", "submission", "starttls", "mail apps send here"),
    Kind("submissions_port", "submissions", "tls", "mail apps send here"),
    Kind("imap_port", "imap", "starttls", "mail apps read here"),
    Kind("imaps_port", "imaps", "tls", "mail apps read here"),
    Kind("http_port", "http", "none", "browsers"),
    Kind("https_port", "https", "tls", "browsers"),
)


@dataclass(frozen=True, slots=True)
class OpenPort:
    listener: str
    kind: Kind
    host: str
    port: int


def endpoints(config: ServerConfig) -> Iterator[tuple[Endpoint, Listener, Kind]]:
    """All that the settings ask for."""
    for name, listener in config.listeners.items():
        for kind in KINDS:
            port = getattr(listener, kind.setting)
            if port:
                for address in listener.addresses:
                    yield Endpoint(f"{name}/{kind.setting}", address, port), listener, kind


def wanted(
    config: ServerConfig, make: Callable[[Listener, Kind], Service]
) -> Mapping[Endpoint, Service]:
    return {endpoint: make(listener, kind) for endpoint, listener, kind in endpoints(config)}
