"""Structured logs on standard error."""

import logging
import sys

import stamina
import structlog

_log = structlog.get_logger()


class _LibraryHandler(logging.Handler):
    """Writes what libraries log as our own logs are written."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.log(record.levelno, self.format(record), logger=record.name)


def set_up_logs() -> None:
    """Write warnings of libraries and all of ours to standard error, a line each.

    Single attempts of a request are not told: what counts is whether the last one failed.

    The stream is looked up at every line, so that a progress bar can stand below the lines.
    """
    logging.basicConfig(level=logging.WARNING, handlers=[_LibraryHandler()])
    stamina.instrumentation.set_on_retry_hooks([])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%SZ", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
