"""The words for faults in forms: pydantic's findings and the checks between settings, said for who sees a form and no file."""

from collections.abc import Mapping
from typing import Any

from backend.admin.language import Words
from backend.admin.specs.check import TEXT_PARAMS, Fault, Path
from backend.api import types as t
from backend.config.sentences import fault_path, pointer
from backend.core.problems import Problem, Severity

_MODEL: dict[str, str] = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field here.",
    "string_too_short": "This may not be empty.",
    "too_short": "At least {min_length} are needed.",
    "string_too_long": "At most {max_length} characters are possible.",
    "too_long": "At most {max_length} are possible.",
    "greater_than_equal": "The smallest possible value is {ge}.",
    "less_than_equal": "The largest possible value is {le}.",
    "literal_error": "This is none of the possible values.",
    "string_type": "Text is needed.",
    "int_type": "A whole number is needed.",
    "bool_type": "On or off is needed.",
    "list_type": "A list is needed.",
    "dict_type": "A table of entries is needed.",
    "model_type": "A group of fields is needed.",
    "string_unicode": "This holds characters that are none.",
}

_BETWEEN: dict[str, tuple[str, str]] = {
    "listener.port_twice": (
        "Another service listens on this port and address already.",
        "Give one of the two another port, or 0 to switch it off.",
    ),
    "tls.file_missing": (
        "With your own files, both of them are needed.",
        "Name the PEM file, or let the certificate be made here.",
    ),
    "account.unknown_domain": (
        "This domain is not one of this server's.",
        "Choose one of the list, or add the domain first.",
    ),
    "address.unknown_domain": (
        "The domain of this address is not one of this server's.",
        "Add the domain first, or correct the address.",
    ),
    "address.separator": (
        "This address holds the separator of its domain, so no mail would reach it.",
        "Use an address without it, or change the separator of the domain.",
    ),
    "address.exists": (
        "This address belongs to somebody already.",
        "Remove it there first, or choose another.",
    ),
    "address.catchall_exists": (
        "The domain has a catch-all address already.",
        "Remove it there first.",
    ),
    "dkim.unknown_selector": ("There is no such key.", "Choose one of the domain's keys."),
    "dkim.selector_twice": ("A key is named twice.", "Name each one once."),
    "mta_sts.no_listener": (
        "This server has no web port at which others could fetch the rule.",
        "Give a listener the HTTPS port 443, or choose “No rule”.",
    ),
    "postmaster.unknown_account": ("There is no such account.", "Choose one of the list."),
    "transport.no_family": (
        "Without IPv4 and without IPv6 nothing can be delivered.",
        "Allow one of the two.",
    ),
    "transport.host": (
        "This can't be the name of a server.",
        "Enter a name such as smtp.example.net.",
    ),
    "transport.mechanism": (
        "This way to sign in is unknown or named twice.",
        "Choose from the list.",
    ),
    "transport.socks_address": (
        "This is not a host and a port.",
        "Enter both, such as 127.0.0.1:1080.",
    ),
    "transport.socks_ip": ("This is not an IP address.", "Enter one such as 192.0.2.1."),
    "transport.socks_hostname": (
        "This can't be a host name.",
        "Enter the name that belongs to the proxy's addresses.",
    ),
    "route.unknown_transport": (
        "There is no such transport.",
        "Choose one of the list, or add it first.",
    ),
}

_OTHER = "This can't be used."


def texts() -> list[str]:
    """All of this module's, for the catalogue."""
    return [*_MODEL.values(), *(text for pair in _BETWEEN.values() for text in pair), _OTHER]


def fault_of_model(error: Mapping[str, Any]) -> Fault:
    """One entry of `ValidationError.errors()`, its path in the model's data."""
    kind: str = error["type"]
    path = tuple(str(part) for part in fault_path(error["loc"]))
    context: Mapping[str, Any] = error.get("ctx") or {}
    if kind == "value_error":
        return Fault("field.value", path, f"{str(context['error']).rstrip('.')}.")
    params = {name: str(value) for name, value in context.items() if name != "error"}
    message = _MODEL.get(kind, _OTHER)
    return Fault(f"field.{kind}", path, message, params=params)


def fault_between(problem: Problem, path: Path) -> Fault:
    """A fault between settings; words that speak of files are changed for others."""
    message, fix = _BETWEEN.get(problem.code, (problem.message, problem.fix))
    return Fault(
        problem.code, path, message, fix, dict(problem.params), severity=problem.severity.value
    )


def to_wire(fault: Fault, words: Words) -> t.Problem:
    params = {
        name: ", ".join(words(line) for line in value.split("\n")) if name in TEXT_PARAMS else value
        for name, value in fault.params.items()
    }
    return t.Problem(
        code=fault.code,
        path=pointer(fault.path),
        message=words(fault.message, **params),
        fix=words(fault.fix) if fault.fix else "",
        severity=Severity(fault.severity).value,
        params=params,
    )
