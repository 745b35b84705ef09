"""The logger that HTTP servers get: their own faults stand in the log, what strangers send that is not HTTP does not."""

import logging

from aiohttp.http_exceptions import HttpProcessingError


def http_logger() -> logging.Logger:
    """For aiohttp's runners, which else write a trace for each malformed request."""
    logger = logging.getLogger("gatepost.http")
    if _is_ours not in logger.filters:
        logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
