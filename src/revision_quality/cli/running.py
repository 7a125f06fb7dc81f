"""The parts of a running process, as those see them that tell how it is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from revision_quality.alarms.alarm import Alarm
from revision_quality.cli.role import Role
from revision_quality.clock import Clock, system_clock
from revision_quality.pauses import Gate
from revision_quality.scoring.group import ScoringGroup
from revision_quality.scoring.on_request import OnRequest
from revision_quality.sources.collector import Collector
from revision_quality.sources.polling import PollingSource
from revision_quality.streams.base import Streams
from revision_quality.tally import Tally
from revision_quality.views.changes import ChangesView
from revision_quality.views.materialiser import Materialiser
from revision_quality.web.requests_counted import Requests
from revision_quality.wiki.client import ActionApi
from revision_quality.wiki.contents import Contents


class Fetching(Struct, frozen=True):
    """How a wiki is asked for revisions, and what is kept of its answers."""

    api: ActionApi
    kept: Contents


class Watched(Struct, frozen=True):
    """The wikis: those that are polled, by wiki_id, and those that have not answered, by api."""

    polling: Mapping[str, PollingSource] = {}
    unreachable: Callable[[], Mapping[str, str]] = dict
    fetching: Callable[[], Mapping[str, Fetching]] = dict


async def no_alarms() -> Sequence[Alarm]:
    """Return none, where nobody keeps them."""
    return ()


class Running(Struct, frozen=True, kw_only=True):
    """The parts. `view` is None where no role needs it; `posted` counts what others sent us."""

    streams: Streams
    view: ChangesView | None
    roles: frozenset[Role]
    collector: Collector
    groups: Sequence[ScoringGroup]
    materialisers: Sequence[Materialiser]
    watched: Watched
    gate: Gate
    asked: Sequence[OnRequest] = ()
    posted: Sequence[Tally] = ()
    limited: Callable[[], int] = lambda: 0
    unpurged: Callable[[], str | None] = lambda: None
    """Why nothing old is dropped, None where it is."""
    requests: Requests = field(default_factory=Requests)
    alarms: Callable[[], Awaitable[Sequence[Alarm]]] = no_alarms
    """Those that are on. May raise StoreError."""
    clock: Clock = system_clock
    begun: datetime

    def now(self) -> float:
        """Return the time, Unix seconds."""
        return self.clock.now().timestamp()
