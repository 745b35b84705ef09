"""What all HTTP servers here share: how they run, and their logger, in which their own faults stand and what strangers send
that is not HTTP does not.
"""

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

SHUTDOWN_TIMEOUT_S = 2.0
KEEPALIVE_S = 75.0


def make_runner(app: web.Application) -> web.AppRunner:
    """For a Unix socket (`web.SockSite`) or, by its `server` after `setup()`, for `runtime.listeners`."""
    return web.AppRunner(
        app,
        access_log=None,
        logger=http_logger(),
        auto_decompress=False,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        keepalive_timeout=KEEPALIVE_S,
    )


def http_logger() -> logging.Logger:
    """For aiohttp's runners, which else write a trace for each malformed request."""
    logger = logging.getLogger("gatepost.http")
    if _is_ours not in logger.filters:
        logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
