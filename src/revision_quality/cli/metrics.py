"""The metrics of a process: their names, and where their values are."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial

from revision_quality import __version__
from revision_quality.cli.readiness import Watcher
from revision_quality.cli.role import in_order
from revision_quality.cli.running import Running
from revision_quality.cli.wiki_health import STATES, WikiBook
from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.scoring.group import ScoringGroup
from revision_quality.tally import Tally, Timings
from revision_quality.views.change import State
from revision_quality.views.materialiser import Materialiser
from revision_quality.web.metrics import Described, Sample

_MODEL = ("model", "version")

INFO = Described("revq_build_info", "gauge", ("version",), "1; the version that runs.")
READY = Described("revq_ready", "gauge", (), "1 where the process can do what it is for.")
ROLE = Described(
    "revq_role_info",
    "gauge",
    ("role", "state"),
    "1; what each role of the process does: working, catching up, or standby.",
)
EVENTS_IN = Described(
    "revq_events_in",
    "counter",
    ("source", "kind"),
    "Events appended to the streams, by what brought them and by page_change_kind.",
)
EVENTS_REPEATED = Described(
    "revq_events_repeated",
    "counter",
    ("source",),
    "Events that a source brought although they were in the streams already.",
)
SKIPPED = Described(
    "revq_events_skipped",
    "counter",
    (*_MODEL, "reason"),
    "Events that ask for no score: not_an_edit, not_wanted by the model's block, repeated,"
    " unreadable.",
)
OUTCOMES = Described(
    "revq_outcomes",
    "counter",
    ("wiki", *_MODEL, "state", "reason"),
    "Outcomes published: scored, not_scorable and failed, the latter two by reason.",
)
FLAGGED = Described(
    "revq_flagged",
    "counter",
    ("wiki", *_MODEL, "level"),
    "Scored edits that a level holds for; over revq_outcomes of state scored it is the flag rate.",
)
RETRIES = Described(
    "revq_retries",
    "counter",
    ("wiki", *_MODEL, "reason"),
    "Edits that will be tried again: revision_missing (yet), wiki_unavailable, model_unavailable,"
    " streams_unavailable.",
)
DEAD_LETTERS = Described(
    "revq_dead_letters", "counter", _MODEL, "Events that cannot be read, put aside."
)
PUBLISH_LAG = Described(
    "revq_publish_lag_seconds",
    "histogram",
    ("wiki", *_MODEL),
    "From an edit to the publication of its outcome.",
)
MODEL_SECONDS = Described(
    "revq_model_seconds", "histogram", _MODEL, "What the model takes for a batch of revisions."
)
WAITING = Described(
    "revq_waiting",
    "gauge",
    ("wiki", *_MODEL),
    "Edits in memory that wait for their score.",
)
OLDEST = Described(
    "revq_waiting_oldest_seconds",
    "gauge",
    ("wiki", *_MODEL),
    "Age of the oldest edit in memory that waits for its score.",
)
LEFT = Described(
    "revq_left_in_stream",
    "gauge",
    ("wiki", *_MODEL),
    "Partitions that hold more edits of a wiki than are kept in memory.",
)
UNREAD = Described(
    "revq_unread_offsets",
    "gauge",
    (*_MODEL, "stream"),
    "How far the model's group is behind the end of a stream, in offsets: not committed yet.",
)
FETCHES = Described(
    "revq_fetch_requests",
    "counter",
    ("wiki", "outcome"),
    "Requests to a wiki's API: answered, unavailable, refused, not_a_wiki, cancelled.",
)
FETCH_SECONDS = Described(
    "revq_fetch_seconds", "histogram", ("wiki",), "What a request to a wiki's API takes."
)
FETCH_RETRIES = Described(
    "revq_fetch_retries", "counter", ("wiki",), "Requests to a wiki's API that are repetitions."
)
CACHE = Described(
    "revq_contents_asked",
    "counter",
    ("wiki", "answer"),
    "Contents of revisions looked for in memory: hit or miss.",
)
REQUESTED = Described(
    "revq_scores_requested",
    "counter",
    (*_MODEL, "answer"),
    "Scores that somebody asked for: stored, made, or missing (the wiki has no such revision).",
)
COLLECTING = Described(
    "revq_collecting_lag_seconds",
    "gauge",
    ("wiki",),
    "Age of the newest moment up to which all edits of a wiki are collected.",
)
WIKI_STATE = Described(
    "revq_wiki_state",
    "gauge",
    ("wiki", "state"),
    "1 for the state that a wiki is in: healthy, behind, failing or paused.",
)
UNREACHABLE = Described(
    "revq_wikis_unreachable", "gauge", (), "Configured wikis that have not said who they are."
)
PAUSED = Described("revq_paused", "gauge", ("what", "name"), "1 for a paused wiki or model.")
APPLIED = Described(
    "revq_view_events", "counter", ("view", "stream"), "Events brought into a view."
)
VIEW_LAG = Described(
    "revq_view_lag_seconds",
    "histogram",
    ("view", "wiki"),
    "From the append of an event to its place in a view.",
)
VIEW_BEHIND = Described(
    "revq_view_behind_offsets",
    "gauge",
    ("view", "stream"),
    "How far a view is behind the end of a stream, in offsets; 0 is caught up.",
)
VIEW_RETRIES = Described(
    "revq_view_retries", "counter", ("view",), "Times that a view could not be written."
)
CHANGES = Described(
    "revq_changes",
    "gauge",
    ("wiki", "state"),
    "Edits in the changes view: pending, scored, not_scorable, failed.",
)
COVERAGE = Described(
    "revq_coverage_ratio",
    "gauge",
    ("wiki",),
    "Of the edits in the changes view that can have a score, the share that has one.",
)
ALARM = Described(
    "revq_alarm",
    "gauge",
    ("kind", "wiki"),
    "1 for an alarm of docs/alarms.md that is on; wiki is empty for all wikis together.",
)
REQUESTS = Described(
    "revq_http_requests",
    "counter",
    ("route", "status"),
    "Requests over HTTP by the template of their route (none, where none answers) and class of"
    " status, such as 2xx.",
)
REQUEST_SECONDS = Described(
    "revq_http_request_seconds",
    "histogram",
    ("route",),
    "From a request over HTTP to the begin of its answer.",
)
LIMITED = Described(
    "revq_requests_limited", "counter", (), "Requests refused because their client sends too many."
)

METRICS = tuple(one for one in list(vars().values()) if isinstance(one, Described))
"""All, in the order of the flow."""


class Meter:
    """Reads what the parts of a process count."""

    def __init__(self, running: Running, watcher: Watcher, wikis: WikiBook) -> None:
        self._running = running
        self._watcher = watcher
        self._wikis = wikis

    async def gather(self) -> list[Sample]:
        """Return all samples; a store that does not answer leaves out what it alone knows."""
        running = self._running
        found = [*await self._of_process(), *self._of_collecting()]
        for group in running.groups:
            found += _of_group(group, running.now())
            found += await _if_known(partial(_unread, running, group))
        for materialiser in running.materialisers:
            found += _of_view(materialiser)
            found += await _if_known(partial(_behind, materialiser))
        found += await _if_known(self._of_changes)
        found += await _if_known(self._of_alarms)
        for asked in running.asked:
            model = (asked.model.name, asked.model.version)
            found += _tally(REQUESTED, asked.asked, before=model)
        return found

    async def _of_process(self) -> list[Sample]:
        readiness = await self._watcher.readiness()
        gate, requests = self._running.gate, self._running.requests
        return [
            Sample(INFO, 1, (__version__,)),
            Sample(READY, readiness.ready),
            *(
                Sample(ROLE, 1, (str(role), readiness.roles[str(role)]))
                for role in in_order(self._running.roles)
            ),
            Sample(UNREACHABLE, len(readiness.unreachable)),
            *(Sample(PAUSED, 1, ("wiki", name)) for name in sorted(gate.wikis)),
            *(Sample(PAUSED, 1, ("model", name)) for name in sorted(gate.models)),
            Sample(LIMITED, self._running.limited()),
            *_tally(REQUESTS, requests.answered),
            *_timings(REQUEST_SECONDS, requests.seconds),
        ]

    def _of_collecting(self) -> Iterator[Sample]:
        collector = self._running.collector
        yield from _tally(EVENTS_IN, collector.events)
        yield from _tally(EVENTS_REPEATED, collector.repeated)
        for tally in self._running.posted:
            yield from _tally(EVENTS_IN, tally, before=("event_gate",))
        for wiki_id, fetching in self._running.watched.fetching().items():
            wiki = (wiki_id,)
            yield from _tally(FETCHES, fetching.api.requests, before=wiki)
            yield from _timings(FETCH_SECONDS, fetching.api.seconds, before=wiki)
            yield Sample(FETCH_RETRIES, fetching.api.retries, wiki)
            yield Sample(CACHE, fetching.kept.hits, (wiki_id, "hit"))
            yield Sample(CACHE, fetching.kept.misses, (wiki_id, "miss"))
        for wiki_id, health in self._wikis.look().items():
            if health.lag.collecting_seconds is not None:
                yield Sample(COLLECTING, health.lag.collecting_seconds, (wiki_id,))
            for state in STATES:
                yield Sample(WIKI_STATE, health.state == state, (wiki_id, state))

    async def _of_alarms(self) -> list[Sample]:
        subjects = [alarm.subject for alarm in await self._running.alarms()]
        labels = sorted({(str(about.kind), about.wiki_id) for about in subjects})
        return [Sample(ALARM, 1, one) for one in labels]

    async def _of_changes(self) -> list[Sample]:
        view = self._running.view
        # The view has whatever wikis its events named: the labels stay bounded.
        bounded = Tally()
        for key, number in (await view.counts() if view else {}).items():
            bounded.add(*key, number=number)
        told = {(wiki_id, state): number for (wiki_id, state), number in bounded.items()}
        found = [Sample(CHANGES, number, key) for key, number in told.items()]
        for wiki_id, share in coverage(told).items():
            found.append(Sample(COVERAGE, share, (wiki_id,)))
        return found


def coverage(counts: Mapping[tuple[str, str], int]) -> dict[str, float]:
    """Return by wiki_id the share of scored edits among those that can have a score."""
    found: dict[str, float] = {}
    for wiki_id in sorted({wiki_id for wiki_id, _ in counts}):
        scored = counts.get((wiki_id, State.SCORED), 0)
        rest = sum(counts.get((wiki_id, state), 0) for state in (State.PENDING, State.FAILED))
        if scored + rest:
            found[wiki_id] = scored / (scored + rest)
    return found


def _of_group(group: ScoringGroup, now: float) -> Iterator[Sample]:
    tally, model = group.tally, (group.rule.model.name, group.rule.model.version)
    yield from _tally(SKIPPED, tally.skipped, before=model)
    yield Sample(DEAD_LETTERS, tally.dead_letters.total, model)
    yield from _timings(MODEL_SECONDS, tally.work, before=model)
    for (wiki_id, state, reason), number in tally.outcomes.items():
        yield Sample(OUTCOMES, number, (wiki_id, *model, state, reason))
    for metric, counted in ((FLAGGED, tally.flagged), (RETRIES, tally.retries)):
        for (wiki_id, what), number in counted.items():
            yield Sample(metric, number, (wiki_id, *model, what))
    for (wiki_id,), spread in tally.lag.items():
        yield Sample(PUBLISH_LAG, spread, (wiki_id, *model))
    for wiki_id, waiting in group.waiting.items():
        yield Sample(WAITING, waiting.number, (wiki_id, *model))
        age = 0.0 if waiting.oldest is None else max(0.0, now - waiting.oldest)
        yield Sample(OLDEST, age, (wiki_id, *model))
    for wiki_id, partitions in group.left_aside.items():
        yield Sample(LEFT, partitions, (wiki_id, *model))


async def _unread(running: Running, group: ScoringGroup) -> list[Sample]:
    model = (group.rule.model.name, group.rule.model.version)
    behind = await unread(running, group)
    return [Sample(UNREAD, number, (*model, stream)) for stream, number in behind.items()]


async def unread(running: Running, group: ScoringGroup) -> dict[str, int]:
    """Return how far a group is behind the ends of the streams that it reads, in offsets.

    Raises StoreError.
    """
    found: dict[str, int] = {}
    for stream in (names.PAGE_CHANGE, names.RETRY):
        left = 0
        for number in range(await running.streams.partitions(stream)):
            end = await running.streams.end(stream, number)
            left += max(0, end - await running.streams.position(group.rule.group, stream, number))
        found[stream] = left
    return found


def _of_view(materialiser: Materialiser) -> Iterator[Sample]:
    view = (materialiser.name,)
    yield from _tally(APPLIED, materialiser.applied, before=view)
    yield from _timings(VIEW_LAG, materialiser.lag, before=view)
    yield Sample(VIEW_RETRIES, materialiser.retries, view)


async def _behind(materialiser: Materialiser) -> list[Sample]:
    behind = await materialiser.behind()
    return [
        Sample(VIEW_BEHIND, number, (materialiser.name, stream))
        for stream, number in behind.items()
    ]


async def _if_known(ask: Callable[[], Awaitable[list[Sample]]]) -> list[Sample]:
    try:
        return await ask()
    except StoreError:
        return []


def _tally(metric: Described, tally: Tally, before: tuple[str, ...] = ()) -> Iterator[Sample]:
    for labels, number in tally.items():
        yield Sample(metric, number, (*before, *labels))


def _timings(metric: Described, timings: Timings, before: tuple[str, ...] = ()) -> Iterator[Sample]:
    for labels, spread in timings.items():
        yield Sample(metric, spread, (*before, *labels))
