"""What is wrong between settings that are each fine by themselves: all of it at once, as problems with their path."""

import ipaddress
from collections.abc import Iterator

from backend.config.fields import split_host_port
from backend.config.model import Account, DomainsConfig, ServerConfig
from backend.config.routing import (
    SASL_MECHANISMS,
    Route,
    SmtpTransport,
    SocksTransport,
    Transport,
)
from backend.config.sentences import pointer
from backend.core.address import AddressError, parse_address, parse_domain, quote_localpart
from backend.core.problems import Problem

_METHODS = ("submissions", "submission", "smtp", "socks", "direct", "fail")
_PORTS = (
    "smtp_port",
    "submission_port",
    "submissions_port",
    "imap_port",
    "imaps_port",
    "http_port",
    "https_port",
)


def check(server: ServerConfig, domains: DomainsConfig) -> list[Problem]:
    """Empty when the two can be used."""
    return [
        *_check_listeners(server),
        *_check_tls(server),
        *_check_addresses(domains),
        *_check_aliases(domains),
        *_check_dkim(domains),
        *_check_mta_sts(server, domains),
        *_check_postmaster(domains),
        *_check_transports(domains),
        *_check_all_routes(domains),
    ]


def _problem(code: str, path: tuple[str | int, ...], message: str, fix: str) -> Problem:
    return Problem(code=code, path=pointer(path), message=message, fix=fix)


def _check_listeners(server: ServerConfig) -> Iterator[Problem]:
    taken: dict[tuple[str, int], str] = {}
    for name, listener in server.listeners.items():
        for port_name in _PORTS:
            port: int = getattr(listener, port_name)
            for address in listener.addresses if port else ():
                other = taken.setdefault((address, port), f"{name}.{port_name}")
                if other != f"{name}.{port_name}":
                    yield _problem(
                        "listener.port_twice",
                        ("listeners", name, port_name),
                        f"Port {port} on {address} is also used by “{other}”.",
                        "Give one of the two another port, or 0 to switch it off.",
                    )


def _check_tls(server: ServerConfig) -> Iterator[Problem]:
    if server.tls.mode != "files":
        return
    for name in ("certificate_file", "key_file"):
        if not getattr(server.tls, name):
            yield _problem(
                "tls.file_missing",
                ("tls", name),
                f'mode = "files" needs “{name}”.',
                f'Set “{name}” to the PEM file, or mode to "self_signed".',
            )


def _check_addresses(domains: DomainsConfig) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, account in domains.accounts.items():
        if account.domain not in domains.domains:
            yield _problem(
                "account.unknown_domain",
                ("accounts", name, "domain"),
                f"The domain {account.domain} of the account “{name}” is not one of this server's.",
                f'Add [domains."{account.domain}"] or change the account\'s domain.',
            )
        yield from _check_destinations(name, account, domains, owners)


def _check_destinations(
    name: str, account: Account, domains: DomainsConfig, owners: dict[str, str]
) -> Iterator[Problem]:
    for key in account.destinations:
        path = ("accounts", name, "destinations", key)
        localpart, _, domain_name = key.rpartition("@")
        domain = domains.domains.get(domain_name)
        if domain is None:
            # Behaviour C2, the words of its row.
            yield _problem(
                "address.unknown_domain",
                path,
                f'unknown domain for address "{key}" in account "{name}".',
                f'Add [domains."{domain_name}"] or remove the address.',
            )
            continue
        if not localpart:
            canonical_key = key
        else:
            local = parse_address(key).localpart
            if domain.catchall_separator and domain.catchall_separator in local:
                # Behaviour C3.
                yield _problem(
                    "address.separator",
                    path,
                    f"The address {key} holds the separator “{domain.catchall_separator}” of its domain, so no mail would reach it.",
                    "Use an address without it, or change “catchall_separator” of the domain.",
                )
                continue
            canonical_key = f"{domain.canonical_localpart(local)}@{domain_name}"
        owner = owners.get(canonical_key)
        if owner is not None:
            yield _duplicate(path, key, owner, is_catchall=not localpart)
        else:
            owners[canonical_key] = name


def _check_aliases(domains: DomainsConfig) -> Iterator[Problem]:
    owners = {
        _canonical(key, domains): f"the account “{name}”"
        for name, account in domains.accounts.items()
        for key in account.destinations
    }
    members = {key for key in owners if not key.startswith("@")}
    for domain_name, domain in domains.domains.items():
        for localpart, alias in domain.aliases.items():
            path = ("domains", domain_name, "aliases", localpart)
            key = f"{quote_localpart(localpart)}@{domain_name}"
            if domain.catchall_separator and domain.catchall_separator in localpart:
                yield _problem(
                    "alias.separator",
                    path,
                    f"The alias {key} holds the separator “{domain.catchall_separator}” of its domain, so no mail would reach it.",
                    "Use a name without it, or change “catchall_separator” of the domain.",
                )
                continue
            owner = owners.setdefault(_canonical(key, domains), f"the alias {key}")
            if owner != f"the alias {key}":
                yield _problem(
                    "alias.exists",
                    path,
                    f"The address {key} belongs to {owner} already.",
                    "Choose another name for the alias, or remove the address there.",
                )
            if not alias.members:
                yield _problem(
                    "alias.empty",
                    (*path, "members"),
                    f"The alias {key} has no members, so its mail would reach nobody.",
                    "Add a member, or remove the alias.",
                )
            for index, member in enumerate(alias.members):
                if _canonical(member, domains) not in members:
                    yield _problem(
                        "alias.unknown_member",
                        (*path, "members", index),
                        f"{member} is no address of an account here, so it can't be a member of the alias {key}.",
                        "Enter an address of an account on this server.",
                    )


def _canonical(key: str, domains: DomainsConfig) -> str:
    """What tells addresses apart (behaviour C1); as it is for a domain that is not here."""
    localpart, _, domain_name = key.rpartition("@")
    domain = domains.domains.get(domain_name)
    if domain is None or not localpart:
        return key
    return f"{domain.canonical_localpart(parse_address(key).localpart)}@{domain_name}"


def _duplicate(path: tuple[str, ...], key: str, owner: str, *, is_catchall: bool) -> Problem:
    if is_catchall:
        return _problem(
            "address.catchall_exists",
            path,
            f'catchall address already configured for domain {key[1:]}, in account "{owner}".',
            "A domain has one catch-all: remove one of the two.",
        )
    return _problem(
        "address.exists",
        path,
        f"The address {key} belongs to the account “{owner}” already.",
        "Remove it in one of the two places.",
    )


def _check_dkim(domains: DomainsConfig) -> Iterator[Problem]:
    for name, domain in domains.domains.items():
        path = ("domains", name, "dkim")
        rotation = domain.dkim.rotation
        places: list[tuple[tuple[str | int, ...], str]] = [
            ((*path, "sign", index), each) for index, each in enumerate(domain.dkim.sign)
        ]
        if rotation is not None:
            for field in ("new", "old"):
                places += [
                    ((*path, "rotation", field, index), each)
                    for index, each in enumerate(getattr(rotation, field))
                ]
        for place, selector in places:
            if selector not in domain.dkim.selectors:
                yield _problem(
                    "dkim.unknown_selector",
                    place,
                    f"The domain {name} has no selector “{selector}”.",
                    f'Add [domains."{name}".dkim.selectors.{selector}] or name one that exists.',
                )
        if len(set(domain.dkim.sign)) < len(domain.dkim.sign):
            yield _problem(
                "dkim.selector_twice",
                (*path, "sign"),
                f"The domain {name} names a signing selector twice.",
                "Name each one once.",
            )


def _check_mta_sts(server: ServerConfig, domains: DomainsConfig) -> Iterator[Problem]:
    # Behaviour P7. Plain HTTP will do: another web server may stand in front.
    if any(each.http_port or each.https_port for each in server.listeners.values()):
        return
    for name, domain in domains.domains.items():
        if domain.mta_sts.mode != "off":
            yield _problem(
                "mta_sts.no_listener",
                ("domains", name, "mta_sts", "mode"),
                f"The rule for encrypted delivery (MTA-STS) of {name} is on, but this server has no web port at which others could fetch it.",
                "Set “https_port” of a listener, best to 443, or “mode” to off.",
            )


def _check_postmaster(domains: DomainsConfig) -> Iterator[Problem]:
    name = domains.postmaster_account
    if name and name not in domains.accounts:
        yield _problem(
            "postmaster.unknown_account",
            ("postmaster_account",),
            f"There is no account “{name}”.",
            "Name one of the accounts, or leave it empty for the first one.",
        )


def _check_transports(domains: DomainsConfig) -> Iterator[Problem]:
    for name, transport in domains.transports.items():
        path = ("transports", name)
        methods = [method for method in _METHODS if getattr(transport, method) is not None]
        if len(methods) > 1:
            yield _problem(
                "transport.methods",
                path,
                f"transport {name}: cannot have multiple methods in a transport ({', '.join(methods)}).",
                "Keep one of them; make a second transport for the other.",
            )
        yield from _check_methods(name, transport)


def _check_methods(name: str, transport: Transport) -> Iterator[Problem]:
    path = ("transports", name)
    for method in ("submissions", "submission", "smtp"):
        relay: SmtpTransport | None = getattr(transport, method)
        if relay is not None:
            yield from _check_relay(name, method, relay)
    if transport.socks is not None:
        yield from _check_socks(name, transport.socks)
    direct = transport.direct
    if direct is not None and direct.disable_ipv4 and direct.disable_ipv6:
        yield _problem(
            "transport.no_family",
            (*path, "direct"),
            f"transport {name}: without IPv4 and without IPv6 nothing can be delivered.",
            "Switch one of the two back on.",
        )


def _check_relay(name: str, method: str, relay: SmtpTransport) -> Iterator[Problem]:
    path = ("transports", name, method)
    try:
        ipaddress.ip_address(relay.host)
    except ValueError:
        try:
            parse_domain(relay.host)
        except AddressError as error:
            yield _problem(
                "transport.host",
                (*path, "host"),
                f"transport {name}: bad host {relay.host}: {error}.",
                "Enter the name of the server, such as smtp.example.net.",
            )
    for setting, flag in (
        ("starttls_insecure_skip_verify", "STARTTLSInsecureSkipVerify"),
        ("no_starttls", "NoSTARTTLS"),
    ):
        if method == "submissions" and getattr(relay, setting):
            yield _problem(
                "transport.tls",
                (*path, setting),
                f"transport {name}: cannot have {flag} with immediate TLS.",
                f"Remove “{setting}”, or use “submission” instead of “submissions”.",
            )
    if relay.no_starttls and relay.starttls_insecure_skip_verify:
        yield _problem(
            "transport.tls",
            (*path, "starttls_insecure_skip_verify"),
            f"transport {name}: without STARTTLS there is no certificate to accept.",
            "Remove one of “no_starttls” and “starttls_insecure_skip_verify”.",
        )
    seen: set[str] = set()
    for index, mechanism in enumerate(relay.auth.mechanisms if relay.auth else ()):
        place = (*path, "auth", "mechanisms", index)
        known = ", ".join(SASL_MECHANISMS)
        if mechanism.upper() not in SASL_MECHANISMS:
            yield _problem(
                "transport.mechanism",
                place,
                f"transport {name}: unknown authentication mechanism {mechanism}.",
                f"There are {known}.",
            )
        elif mechanism.upper() in seen:
            yield _problem(
                "transport.mechanism",
                place,
                f"transport {name}: duplicate authentication mechanism {mechanism}.",
                "Name each one once.",
            )
        seen.add(mechanism.upper())


def _check_socks(name: str, socks: SocksTransport) -> Iterator[Problem]:
    path = ("transports", name, "socks")
    try:
        split_host_port(socks.address)
    except ValueError as error:
        yield _problem(
            "transport.socks_address",
            (*path, "address"),
            f"transport {name}: bad address: {error}.",
            "Enter host and port, such as 127.0.0.1:1080.",
        )
    for index, ip in enumerate(socks.remote_ips):
        try:
            ipaddress.ip_address(ip)
        except ValueError:
            yield _problem(
                "transport.socks_ip",
                (*path, "remote_ips", index),
                f"transport {name}: bad ip {ip}.",
                "Enter an IP address such as 192.0.2.1.",
            )
    try:
        parse_domain(socks.remote_hostname)
    except AddressError as error:
        yield _problem(
            "transport.socks_hostname",
            (*path, "remote_hostname"),
            f"transport {name}: bad hostname {socks.remote_hostname!r}: {error}.",
            "Enter the host name that belongs to the proxy's addresses.",
        )


def _check_all_routes(domains: DomainsConfig) -> Iterator[Problem]:
    yield from _check_routes("global routes", ("routes",), domains.routes, domains)
    for name, domain in domains.domains.items():
        place = ("domains", name, "routes")
        yield from _check_routes(f"routes for domain {name}", place, domain.routes, domains)
    for name, account in domains.accounts.items():
        place = ("accounts", name, "routes")
        yield from _check_routes(f"routes for account {name}", place, account.routes, domains)


def _check_routes(
    what: str, path: tuple[str, ...], routes: list[Route], domains: DomainsConfig
) -> Iterator[Problem]:
    for index, route in enumerate(routes):
        if route.transport not in domains.transports:
            # Behaviour T8, the words of its row.
            yield _problem(
                "route.unknown_transport",
                (*path, index, "transport"),
                f"{what}: route references undefined transport {route.transport}.",
                f"Add [transports.{route.transport}] or name one that exists.",
            )
