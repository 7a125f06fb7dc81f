"""Drops old events and rows."""

import asyncio
from datetime import timedelta

import structlog

from revision_quality.cli.stores import Stores
from revision_quality.clock import system_clock
from revision_quality.errors import StoreError
from revision_quality.settings import Settings
from revision_quality.streams.sqlite import SqliteStreams

_EVERY_SECONDS, _SHORT_PAUSE = 60.0, 0.1

_log = structlog.get_logger()


async def purge(settings: Settings, stores: Stores) -> None:
    """Drop what is older than the settings say, a little at a time; Kafka does so by itself."""
    streams, view, labels = stores.streams, stores.view, stores.labels
    while True:
        now = system_clock.now()
        events_before = now - timedelta(days=settings.streams.keep_days)
        rows_before = now - timedelta(days=settings.changes_view.keep_days)
        purged = 0
        try:
            if isinstance(streams, SqliteStreams):
                purged += await streams.purge(int(events_before.timestamp() * 1000))
            if view is not None and labels is not None:
                purged += await view.purge(int(rows_before.timestamp()))
                purged += await labels.purge(int(rows_before.timestamp()))
        except StoreError as error:
            _log.error("old events and rows cannot be dropped, trying again", error=str(error))
            purged = 0
        await asyncio.sleep(_SHORT_PAUSE if purged else _EVERY_SECONDS)
