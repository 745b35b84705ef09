"""Secrets whose owner was removed: kept aside for a while, so that going back to an earlier revision finds them again.

They lie under `removed/` in the secret store and count for nothing while they are there. All of this waits for the disk.
"""

from collections.abc import Mapping

from backend.config.secrets import SecretStore
from backend.observe import log as logs

log = logs.get(__name__)

KEPT_S = 30 * 86_400.0
_ASIDE = "removed/"


def set_aside(
    store: SecretStore, name: str, *, now: float, purpose: Mapping[str, str] | None = None
) -> bool:
    """Whether there was such a secret. `purpose`: what must be the same for it to come back."""
    try:
        secret = store.get(name)
        if secret is None:
            return False
        kept = {"secret": secret, "removed_at": now, "purpose": dict(purpose or {})}
        store.set(_ASIDE + name, kept)
        store.delete(name)
    except (OSError, ValueError) as error:
        log.warning("a removed secret can't be set aside", name=name, cause=type(error).__name__)
        return False
    log.info("secret set aside", name=name)
    return True


def bring_back(store: SecretStore, name: str, *, purpose: Mapping[str, str] | None = None) -> bool:
    """Whether it is there again; never over one that is in use."""
    try:
        kept = store.get(_ASIDE + name)
        secret = None if kept is None else kept.get("secret")
        if kept is None or not isinstance(secret, dict) or store.get(name) is not None:
            return False
        # SECURITY: a password for one server must not go to another that took over the name.
        if kept.get("purpose") != dict(purpose or {}):
            return False
        store.set(name, secret)
        store.delete(_ASIDE + name)
    except (OSError, ValueError) as error:
        log.warning("a secret can't be brought back", name=name, cause=type(error).__name__)
        return False
    log.info("secret brought back", name=name)
    return True


def exchange(
    store: SecretStore, name: str, *, now: float, old: Mapping[str, str], new: Mapping[str, str]
) -> bool:
    """Sets aside what served `old`, and brings back what was once kept for `new`. Whether anything changed."""
    try:
        kept = store.get(_ASIDE + name)
        changed = set_aside(store, name, now=now, purpose=old)
        secret = None if kept is None else kept.get("secret")
        if kept is None or not isinstance(secret, dict) or kept.get("purpose") != dict(new):
            return changed
        store.set(name, secret)
        if not changed:
            store.delete(_ASIDE + name)
    except (OSError, ValueError) as error:
        log.warning("a secret can't be exchanged", name=name, cause=type(error).__name__)
        return False
    log.info("secret brought back", name=name)
    return True


def forget(store: SecretStore, name: str) -> None:
    """It is not wanted back."""
    store.delete(_ASIDE + name)


def clear(store: SecretStore, *, now: float) -> int:
    """Deletes those that have been aside for long enough; how many."""
    count = 0
    for aside in store.list(_ASIDE):
        try:
            kept = store.get(aside)
        except ValueError:
            kept = {}  # damaged: it could not come back
        removed_at = None if kept is None else kept.get("removed_at")
        if not isinstance(removed_at, int | float) or removed_at + KEPT_S < now:
            store.delete(aside)
            count += 1
    return count
