"""The two configuration files on disk: read, seen to have changed, rewritten with their comments, written together.

Blocking; for a thread.
"""

from dataclasses import dataclass, replace

from tomlkit.exceptions import TOMLKitError

from backend.config.atomic import write_atomically
from backend.config.document import rewrite
from backend.config.load import DOMAINS_FILE, SERVER_FILE, Loaded, load_texts
from backend.config.model import Config, DomainsConfig, ServerConfig
from backend.config.paths import DataFolder
from backend.config.plan import plan, to_lean, to_plain
from backend.config.render import render_domains, render_server
from backend.core.errors import ConfigError
from backend.core.problems import Problem
from backend.observe import log as logs

log = logs.get(__name__)

MAX_FILE_BYTES = 16 * 1024 * 1024  # a security limit
# What tomlkit raises when it loses its way in a text of unusual order.
_TOMLKIT_FAULTS = (TOMLKitError, LookupError, TypeError, ValueError, AttributeError, ConfigError)


@dataclass(frozen=True, slots=True)
class Texts:
    server: str
    domains: str
    stamp: tuple[int, ...]
    """Time and size of both files, to see edits cheaply."""


def stamp(folder: DataFolder) -> tuple[int, ...]:
    numbers: list[int] = []
    for path in (folder.server_toml, folder.domains_toml):
        try:
            status = path.stat()
            numbers += [status.st_mtime_ns, status.st_size, status.st_ino]
        except OSError:
            numbers += [0, -1, 0]
    return tuple(numbers)


def read_texts(folder: DataFolder) -> Texts:
    seen = stamp(folder)
    texts, problems = [], []
    for path in (folder.server_toml, folder.domains_toml):
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
            if len(data) > MAX_FILE_BYTES:
                raise ValueError("is larger than 16 MiB")
            texts.append(data.decode("utf-8-sig").replace("\r\n", "\n"))
        except (OSError, ValueError) as error:
            why = (
                "is not in UTF-8"
                if isinstance(error, UnicodeDecodeError)
                else getattr(error, "strerror", None) or str(error)
            )
            problems.append(
                Problem(
                    code="config.unreadable",
                    file=path.name,
                    line=1,
                    message=f"{path} can't be read: {why}.",
                    fix="Put the file back, or set the data folder up again.",
                )
            )
    if problems:
        raise ConfigError(problems)
    return Texts(texts[0], texts[1], seen)


def write_texts(folder: DataFolder, old: Texts, new: Texts) -> Texts:
    """Both or, when the second fails, none."""
    server, domains = folder.server_toml, folder.domains_toml
    if new.server != old.server:
        write_atomically(server, new.server.encode())
    try:
        if new.domains != old.domains:
            write_atomically(domains, new.domains.encode())
    except OSError:
        if new.server != old.server:
            write_atomically(server, old.server.encode())
        raise
    return replace(new, stamp=stamp(folder))


def rewritten(texts: Texts, loaded: Loaded, new: Config) -> tuple[Texts, Loaded]:
    """The texts of another configuration, not yet on disk, and what they are read as."""
    server = _rewrite_server(texts.server, loaded, new.server)
    domains = _rewrite_domains(texts.domains, loaded, new.domains)
    return Texts(server, domains, ()), load_texts(server, domains)


def _rewrite_server(text: str, loaded: Loaded, new: ServerConfig) -> str:
    steps = plan(to_plain(loaded.server), to_plain(new))
    if not steps:
        return text
    parsed = loaded.server_file
    try:
        result = rewrite(text, steps, lean=to_lean(new), spelling=parsed.spelling)
        if load_texts(result, "").server == new:
            return result
    except _TOMLKIT_FAULTS:
        pass
    log.warning("comments could not be kept", file=SERVER_FILE)
    return render_server(new)


def _rewrite_domains(text: str, loaded: Loaded, new: DomainsConfig) -> str:
    parsed = loaded.domains_file
    steps = plan(to_plain(loaded.domains), to_plain(new))
    if not steps and not parsed.completed:
        return text
    try:
        result = rewrite(
            text,
            steps,
            lean=to_lean(new),
            spelling=parsed.spelling,
            completed=parsed.completed,
        )
        if load_texts('hostname = "localhost"', result).domains == new:
            return result
    except _TOMLKIT_FAULTS:
        pass
    log.warning("comments could not be kept", file=DOMAINS_FILE)
    return render_domains(new)
