"""What the sender asked for: how the queue keeps it, which reports follow from it, and how it is told to people. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from backend.core.envelope import Asked, Hold, Notify, Ret, Wish

ASKED_COLUMNS = "ret, envelope_id, require_tls, tls_optional, future_release"


def release_at(asked: Asked, now: float) -> float:
    """When a message may leave that is accepted now; 0 for at once."""
    at = asked.hold.release_at(now) if asked.hold is not None else 0.0
    return at if at > now else 0.0


def asked_values(asked: Asked) -> dict[str, object]:
    return {
        "ret": asked.ret or "",
        "envelope_id": asked.envelope_id,
        "require_tls": int(asked.require_tls),
        "tls_optional": int(asked.tls_optional),
        "future_release": asked.hold.text if asked.hold is not None else "",
    }


def asked_of(row: Sequence[object]) -> Asked:
    """From `ASKED_COLUMNS`. The time of the release has a column of its own; here it is only how it was asked for."""
    ret, envelope_id, require_tls, tls_optional, future_release = row
    return Asked(
        ret=Ret(str(ret)) if ret else None,
        envelope_id=str(envelope_id),
        require_tls=bool(require_tls),
        tls_optional=bool(tls_optional),
        hold=Hold(str(future_release)) if future_release else None,
    )


def wish_values(wish: Wish) -> dict[str, object]:
    return {
        "notify": ",".join(word for word in Notify if word in wish.notify),
        "original": ";".join(wish.original) if wish.original is not None else "",
    }


def wish_of(notify: str, original: str) -> Wish:
    kind, _, address = original.partition(";")
    return Wish(
        frozenset(Notify(word) for word in notify.split(",") if word),
        (kind, address) if original else None,
    )


def wants(wish: Wish, event: Notify) -> bool:
    """Whether the sender wants to hear of it (RFC 3461 §5.2.2, §5.2.5, §5.2.6); who says nothing hears of failure and delay."""
    if not wish.notify:
        return event in {Notify.FAILURE, Notify.DELAY}
    return event in wish.notify


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d %B %Y, %H:%M UTC")


_EVENTS = {
    Notify.SUCCESS: "when it arrives",
    Notify.DELAY: "when it is delayed",
    Notify.FAILURE: "when it can't be delivered",
}


def in_words(asked: Asked, wish: Wish, *, released_at: float) -> list[str]:
    """A sentence for each thing that was asked for; none for most messages."""
    told = []
    if released_at:
        told.append(f"It is not sent before {moment(released_at)}: the sender chose that time.")
    if Notify.NEVER in wish.notify:
        told.append("The sender wants no report about it, not even when it can't be delivered.")
    elif wish.notify:
        events = [text for event, text in _EVENTS.items() if event in wish.notify]
        listed = " and ".join(filter(None, (", ".join(events[:-1]), events[-1])))
        told.append(f"The sender wants a report {listed}, and at no other time.")
    if asked.ret is not None:
        part = "the whole message" if asked.ret is Ret.FULL else "only its header"
        told.append(f"A report about it returns {part}.")
    if asked.envelope_id:
        told.append(f"The sender's own name for it is “{asked.envelope_id}”.")
    if wish.original is not None:
        told.append(f"It was first addressed to {wish.original[1]}.")
    if asked.require_tls:
        told.append(
            "It goes only over encrypted connections to servers that prove who they are and promise the same (REQUIRETLS)."
        )
    if asked.tls_optional:
        told.append(
            "It may go without encryption: its header says that arriving matters more (TLS-Required: No)."
        )
    return told
