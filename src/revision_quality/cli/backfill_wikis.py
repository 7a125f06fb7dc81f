"""`revq backfill --since`: the past edits of the configured wikis, read from their APIs."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime

import httpx
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeft

from revision_quality.cli.model_state import ModelStates
from revision_quality.cli.places import make_folder, open_log
from revision_quality.cli.rules import open_rules
from revision_quality.cli.wikis import first_contact, http_client, open_api
from revision_quality.clock import system_clock
from revision_quality.errors import SettingsError
from revision_quality.events.page_change import PageChange
from revision_quality.scoring.replay import retry_of
from revision_quality.settings import Settings, Wiki
from revision_quality.sources.base import SourceEvent, outgoing
from revision_quality.sources.history import History, HistoryState
from revision_quality.state_file import StateFile
from revision_quality.streams.base import Outgoing, Streams
from revision_quality.streams.perseverance import append_in_the_end

_REFRESH_SECONDS = 0.5


class _Filling:
    """Appends a wiki's edits to the streams; those that are there may go through scoring again."""

    def __init__(self, streams: Streams, history: History, run: str | None) -> None:
        self._streams = streams
        self.history = history
        self._run = run and f"{run} {history.state.begun.isoformat()}"
        self.added = 0

    async def run(self) -> None:
        """Append all. Raises WikiError."""
        await self.history.run(self._emit)

    async def _emit(self, events: Sequence[SourceEvent]) -> None:
        changes = [event for event in events if isinstance(event, PageChange)]
        written = {event.id for event in await self._append([outgoing(each) for each in changes])}
        self.added += len(written)
        if self._run is not None:
            known = [change for change in changes if change.meta.id not in written]
            await self._append([retry_of(change, self._run) for change in known])

    async def _append(self, events: Sequence[Outgoing]) -> list[Outgoing]:
        return await append_in_the_end(
            self._streams,
            events,
            trouble="past edits cannot be stored, trying again",
            relief="past edits are stored again",
            clock=system_clock,
        )


async def backfill_wikis(
    settings: Settings, text: str, since: datetime, *, model: str | None, wiki_id: str | None
) -> list[str]:
    """Put the edits since a moment into the streams; return what came of each wiki.

    `text` is how the moment was written: the same text goes on where it was ended. `model` has
    edits that are there already go through scoring again. Raises SettingsError, WikiError.
    """
    make_folder(settings.data)
    streams = open_log(settings)
    try:
        async with http_client() as client:
            if model is not None:
                await _check_model(settings, model, client)
            fillings: dict[str, _Filling] = {}
            for wiki in settings.wikis:
                found = await _filling(settings, streams, wiki, client, (text, since, model))
                if wiki_id in (None, found[0]):
                    fillings[found[0]] = found[1]
            if not fillings:
                raise SettingsError(f"no configured wiki is {wiki_id}: give one of them")
            await _fill(fillings)
    finally:
        await streams.close()
    return [
        f"{name}: {one.history.edits:,} edits read, {one.added:,} of them new."
        for name, one in fillings.items()
    ]


async def _filling(
    settings: Settings,
    streams: Streams,
    wiki: Wiki,
    client: httpx.AsyncClient,
    asked: tuple[str, datetime, str | None],
) -> tuple[str, _Filling]:
    text, since, model = asked
    # One request at a time: `revq run` has the wiki's slots.
    api = open_api(replace(wiki, slots=1), client)
    info = await first_contact(api)
    key = "\n".join((wiki.api, text, model or ""))
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    store = StateFile(settings.data / "backfill" / f"{name}.json", HistoryState)
    history = History(api, info, store, since)
    run = None if model is None else f"backfill {text} {model}"
    return info.site.wiki_id, _Filling(streams, history, run)


async def _check_model(settings: Settings, model: str, client: httpx.AsyncClient) -> None:
    states = ModelStates(settings, makes=False)
    try:
        state = await states.read()
    finally:
        await states.close()
    keys = [rule.key for rule in open_rules(state.blocks(settings), client)]
    if not any(model in (*key, "@".join(key)) for key in keys):
        known = ", ".join("@".join(key) for key in keys)
        raise SettingsError(f"--model {model}: no such model; there are {known}")


async def _fill(fillings: dict[str, _Filling]) -> None:
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeLeft(),
        console=Console(stderr=True),
    )
    tasks = {name: bars.add_task(name, total=one.history.total) for name, one in fillings.items()}
    with bars:
        showing = asyncio.create_task(_show(bars, tasks, fillings))
        try:
            async with asyncio.TaskGroup() as group:
                for one in fillings.values():
                    group.create_task(one.run())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        finally:
            showing.cancel()
            _update(bars, tasks, fillings)


async def _show(bars: Progress, tasks: dict[str, TaskID], fillings: dict[str, _Filling]) -> None:
    while True:
        _update(bars, tasks, fillings)
        await asyncio.sleep(_REFRESH_SECONDS)


def _update(bars: Progress, tasks: dict[str, TaskID], fillings: dict[str, _Filling]) -> None:
    for name, one in fillings.items():
        description = f"{name}, {one.history.edits:,} edits"
        bars.update(tasks[name], completed=one.history.done, description=description)
