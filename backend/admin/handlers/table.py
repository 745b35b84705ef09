"""Which handler answers which route."""

from backend.admin.call import Handler
from backend.admin.handlers import (
    accounts,
    activity,
    aliases,
    config,
    connect,
    delivery,
    dkim,
    dns,
    domains,
    flows,
    forms,
    history,
    holds,
    overview,
    queue,
    server,
    session,
    status,
    streams,
    tester,
    tls,
    tls_reports,
)


def all_handlers() -> dict[str, Handler]:
    """By the route's name."""
    handlers: dict[str, Handler] = {}
    for module in (
        session,
        status,
        overview,
        forms,
        flows,
        domains,
        dns,
        dkim,
        accounts,
        aliases,
        connect,
        delivery,
        tester,
        tls,
        tls_reports,
        queue,
        history,
        holds,
        activity,
        streams,
        config,
        server,
    ):
        handlers |= module.HANDLERS
    return handlers
