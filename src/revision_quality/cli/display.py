"""What the terminal shows while a service runs."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct
from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from revision_quality.cli.service import Service
from revision_quality.errors import StoreError
from revision_quality.views.change import State

_REFRESH_SECONDS = 0.5


class Bar(Struct, frozen=True):
    """One progress bar: `done` of `total`, counted in edits or measured in the wiki's time."""

    name: str
    done: float
    total: float


Bars = Callable[[], Sequence[Bar]]
"""Tells which bars there are; one that is missing is finished."""


async def show_until(
    end: Awaitable[None], service: Service, bars: Bars, console: Console, *, counted: bool
) -> None:
    """Show bars and the numbers of edits by state until `end`; nothing if there is no terminal."""
    if not console.is_terminal:
        await end
        return
    showing = asyncio.create_task(_show(service, bars, console, counted=counted))
    try:
        await end
    finally:
        showing.cancel()
        await asyncio.wait([showing])


async def _show(service: Service, bars: Bars, console: Console, *, counted: bool) -> None:
    amount = MofNCompleteColumn() if counted else TaskProgressColumn()
    progress = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), amount, TimeRemainingColumn()
    )
    tasks: dict[str, TaskID] = {}
    with Live(console=console, redirect_stderr=sys.stderr.isatty()) as live:
        while True:
            _update(progress, tasks, bars())
            live.update(Group(await _numbers(service), progress))
            await asyncio.sleep(_REFRESH_SECONDS)


def _update(progress: Progress, tasks: dict[str, TaskID], bars: Sequence[Bar]) -> None:
    for bar in bars:
        if bar.name not in tasks:
            tasks[bar.name] = progress.add_task(bar.name, total=bar.total)
        progress.update(tasks[bar.name], completed=bar.done, total=bar.total)
    for name in tasks.keys() - {bar.name for bar in bars}:
        progress.remove_task(tasks.pop(name))


async def _numbers(service: Service) -> Text:
    try:
        counts = await service.view.counts() if service.view else {}
    except StoreError as error:
        return Text(str(error), style="red")
    by_state = dict.fromkeys(State, 0)
    for (_, state), number in counts.items():
        by_state[State(state)] += number
    parts = (
        f"{number:,} {state.replace('_', ' ')}" for state, number in by_state.items() if number
    )
    text = Text(f"Edits: {', '.join(parts) or 'none yet'}")
    for processor in service.processors:
        for wiki_id, failure in processor.failures.items():
            text.append(f"\n{wiki_id}: {failure}", style="red")
    return text
