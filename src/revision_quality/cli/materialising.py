"""The role that keeps views in step, and what goes by them: alarms, levels, a wiki's tables."""

from collections.abc import Sequence

from revision_quality.cli.alarming import watch_for_alarms
from revision_quality.cli.level_rules import choosing_of
from revision_quality.cli.parts import Parts
from revision_quality.cli.purging import Purging
from revision_quality.cli.role import Role
from revision_quality.cli.stores import Stores, named_model, score_log
from revision_quality.cli.together import Work, together
from revision_quality.cli.wiki_tables import WikiTables, has_tables
from revision_quality.clock import system_clock
from revision_quality.events import streams as names
from revision_quality.levels import labels_view
from revision_quality.levels.keeper import LevelsKeeper
from revision_quality.scoring.on_request import OnRequest
from revision_quality.settings import Settings
from revision_quality.streams.base import Streams
from revision_quality.streams.event_gate import EventGateSink
from revision_quality.views import cassandra
from revision_quality.views.asked_scores import AskedScores
from revision_quality.views.changes import STREAMS, ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser


def materialisers_of(parts: Parts, stores: Stores) -> list[Materialiser]:
    """Make what brings events into the views of this process, none where that is not its role."""
    view, labels = stores.view, stores.labels
    if view is None or labels is None or Role.MATERIALISE not in parts.roles:
        return []
    made = [
        _materialiser(parts, stores.streams, view),
        # Pages and scores are as good without: many edits at once need not wait for labels.
        Materialiser(
            stores.streams,
            labels,
            [*labels_view.STREAMS, *parts.streams],
            name="labels",
            is_awaited=False,
        ),
    ]
    if stores.scores is not None:
        streams = dict.fromkeys([*cassandra.STREAMS, *parts.streams])
        made.append(Materialiser(stores.streams, stores.scores, list(streams), name="scores"))
    return made


def _materialiser(parts: Parts, streams: Streams, view: ChangesView) -> Materialiser:
    streams_of_view = [name for name in STREAMS if name != names.PREDICTION]
    return Materialiser(streams, view, [*streams_of_view, *parts.streams])


async def materialise(
    settings: Settings,
    parts: Parts,
    stores: Stores,
    materialisers: Sequence[Materialiser],
    purging: Purging,
) -> None:
    """Be in the role until something in it fails, and raise that."""
    works: list[Work] = [materialiser.run for materialiser in materialisers]
    works += [sink.run for sink in await _sinks(settings, parts, stores.streams)]
    works.append(lambda: watch_for_alarms(settings, parts, stores, materialisers))
    works.append(lambda: _choose_levels(settings, parts, stores, materialisers))
    if not parts.is_kept:
        works.append(purging.run)
    if any(map(has_tables, settings.wikis)):
        works.append(lambda: _keep_wiki_tables(settings, parts, stores))
    await together(works)


async def _choose_levels(
    settings: Settings, parts: Parts, stores: Stores, materialisers: Sequence[Materialiser]
) -> None:
    """Choose levels, the first ones as soon as the labels of what is in the streams are known."""
    if stores.view is None:
        return
    while not all(one.has_caught_up for one in materialisers):
        await system_clock.sleep(1)
    models = [named_model(rule) for rule in parts.rules]
    await LevelsKeeper(stores.view.database, models, choosing_of(settings.levels)).run()


async def _keep_wiki_tables(settings: Settings, parts: Parts, stores: Stores) -> None:
    views = Database(settings.changes_url)
    try:
        asked = {
            rule.model.name: AskedScores(
                OnRequest(score_log(stores.streams), rule, parts.wikis.get).answers
            )
            for rule in reversed(parts.rules)
        }
        await WikiTables(stores.streams, parts.rules, asked, views, stores.levels[0]).keep(
            parts.named()
        )
    finally:
        await views.close()


async def _sinks(settings: Settings, parts: Parts, streams: Streams) -> list[EventGateSink]:
    gate, client = settings.event_gate, parts.client
    if gate is None or client is None:
        return []
    published = [*parts.streams, *([names.PREDICTION_ERROR] if gate.errors else [])]
    return [
        EventGateSink(streams, stream, client, gate.url, partition=partition)
        for stream in published
        for partition in range(await streams.partitions(stream))
    ]
