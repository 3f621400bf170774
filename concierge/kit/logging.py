"""Structured logs; values that look like secrets never reach a line."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from concierge.kit.settings import Settings

SECRET_NAME = re.compile(r"password|secret|token|authorization|api_key|cookie", re.IGNORECASE)
SECRET_VALUE = re.compile(
    r"\b(?:sk|rk|whsec)_[A-Za-z0-9_-]{12,}={0,2}|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|\$argon2[^\s'\"]+"
)
HIDDEN = "[hidden]"


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if SECRET_NAME.search(name):
            event[name] = HIDDEN
        elif isinstance(value, str):
            event[name] = SECRET_VALUE.sub(HIDDEN, value)
    return event


def configure_logging(settings: Settings) -> None:
    # The console's own formatter of exceptions would print every local variable, passwords included.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
        structlog.processors.JSONRenderer() if settings.log_json else console,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_level(settings)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        # Not cached: whoever configures logging again, or swaps standard error, is followed at once.
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(_level(settings), logging.WARNING), stream=sys.stderr, format="%(message)s")


def _level(settings: Settings) -> int:
    return logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
