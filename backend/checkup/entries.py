"""One record field by field, each ready to paste into the form of the provider that keeps the zone. Pure."""

from backend.checkup.checks import Copy
from backend.checkup.providers import GENERIC, Provider
from backend.checkup.records import MAX_STRING_OCTETS, split_text

ENTERED = frozenset({"A", "AAAA", "MX", "TXT", "CNAME", "SRV", "TLSA", "CAA", "PTR"})
"""Types that are entered into forms; a rule that is fetched from the web is not."""

_NAMED = frozenset({"MX", "SRV", "CNAME", "PTR"})


def entry(
    kind: str, name: str, value: str, *, zone: str, provider: Provider = GENERIC
) -> tuple[Copy, ...]:
    """`zone`: where the record lies; empty when that is not known, then the name stays whole."""

    def field(label: str, text: str) -> Copy:
        return Copy(provider.label(label, kind), text)

    fields = [field("Name", _name(name, zone, provider))]
    if kind == "MX":
        preference, _, host = value.partition(" ")
        host = _host(host, provider)
        if provider.priority_in_value:
            return (*fields, field("Value", f"{preference} {host}"))
        return (*fields, field("Priority", preference), field("Value", host))
    if kind == "SRV":
        priority, weight, port, target = value.split()
        if provider.priority_in_value:
            return (
                *fields,
                field("Value", f"{priority} {weight} {port} {_host(target, provider)}"),
            )
        return (
            *fields,
            field("Priority", priority),
            field("Weight", weight),
            field("Port", port),
            field("Target", _host(target, provider)),
        )
    if kind == "TXT" and provider.quotes:
        value = " ".join(f'"{part}"' for part in split_text(value))
    elif kind in _NAMED:
        value = _host(value, provider)
    return (*fields, field("Value", value))


def long_text_note(kind: str, value: str, provider: Provider = GENERIC) -> str:
    """RFC 1035 §3.3: a text of more than 255 octets is several strings. Empty when that does not matter."""
    if kind != "TXT" or len(value.encode()) <= MAX_STRING_OCTETS:
        return ""
    length = len(value.encode())
    if provider.quotes:
        return f"The value has {length} characters, so it comes in several pieces in quotes of at most {MAX_STRING_OCTETS} each; paste all of them into the one field."
    return (
        f"The value has {length} characters. Paste it whole, without line breaks: most providers split it by themselves. "
        f'If yours refuses more than {MAX_STRING_OCTETS}, enter it in pieces, each in quotes: "first part" "second part".'
    )


def _name(name: str, zone: str, provider: Provider) -> str:
    if provider.full_names or not zone:
        return name
    if name == zone:
        return provider.apex
    return name.removesuffix(f".{zone}")


def _host(name: str, provider: Provider) -> str:
    return f"{name.rstrip('.')}." if provider.dot else name
