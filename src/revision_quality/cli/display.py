"""What the terminal shows while a service runs."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from revision_quality.cli.service import Service
from revision_quality.views.change import State

_REFRESH_SECONDS = 0.5


class Bar(Struct, frozen=True):
    """One progress bar: `done` of `total`, counted in edits or measured in the wiki's time."""

    name: str
    done: float
    total: float


Bars = Callable[[], Sequence[Bar]]
"""Tells which bars there are; one that is missing is finished."""


async def show(service: Service, bars: Bars, console: Console, *, counted: bool) -> None:
    """Show bars and the numbers of edits by state, until cancelled."""
    amount = MofNCompleteColumn() if counted else TaskProgressColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=console, refresh_per_second=4) as progress:
        numbers = progress.add_task("", total=None, visible=False)
        tasks: dict[str, TaskID] = {}
        try:
            while True:
                _update(progress, tasks, bars())
                progress.update(numbers, description=await _numbers(service), visible=True)
                await asyncio.sleep(_REFRESH_SECONDS)
        finally:
            _update(progress, tasks, bars())


def _update(progress: Progress, tasks: dict[str, TaskID], bars: Sequence[Bar]) -> None:
    for bar in bars:
        if bar.name not in tasks:
            tasks[bar.name] = progress.add_task(bar.name, total=bar.total)
        progress.update(tasks[bar.name], completed=bar.done, total=bar.total)
    for name in tasks.keys() - {bar.name for bar in bars}:
        progress.remove_task(tasks.pop(name))


async def _numbers(service: Service) -> str:
    counts = await service.view.counts()
    by_state = dict.fromkeys(State, 0)
    for (_, state), number in counts.items():
        by_state[State(state)] += number
    text = ", ".join(
        f"{number:,} {state.replace('_', ' ')}" for state, number in by_state.items() if number
    )
    down = "; ".join(service.processor.failures.values())
    return (text or "no edits yet") + (f" [red]{down}[/red]" if down else "")
