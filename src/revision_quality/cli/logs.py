"""Structured logs on standard error."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import stamina
import structlog

from revision_quality.redaction import redacted
from revision_quality.settings import Logs

_log = structlog.get_logger()

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class _LibraryHandler(logging.Handler):
    """Writes what libraries log as our own logs are written."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.log(record.levelno, self.format(record), logger=record.name)


def set_up_logs(logs: Logs | None = None) -> None:
    """Write warnings of libraries and all of ours to standard error, a line each.

    A line is text for a terminal, JSON for all else, or as the settings say; passwords do not come
    through. Single attempts of a request are not told: what counts is whether the last one failed.

    The stream is looked up at every line, so that a progress bar can stand below the lines.
    """
    logs = logs or Logs()
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    root.handlers = [_LibraryHandler()]
    stamina.instrumentation.set_on_retry_hooks([])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            _redact,
            *_written(logs),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[logs.level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _written(logs: Logs) -> list[Any]:
    if logs.format == "text" or (logs.format == "auto" and sys.stderr.isatty()):
        return [
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%SZ", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _redact(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = redacted(value)
        elif isinstance(value, BaseException):
            line[key] = redacted(str(value))
    return line
