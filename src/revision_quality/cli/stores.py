"""What the roles of a process keep open: streams, views, levels, scores."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from msgspec import Struct

from revision_quality.cli.parts import Parts
from revision_quality.cli.places import open_log, open_score_store, open_view
from revision_quality.cli.role import Role
from revision_quality.levels.labels_view import LabelsView
from revision_quality.levels.scores import NamedModel
from revision_quality.recent_changes.live_levels import LiveLevels
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.on_request import ScoreLog
from revision_quality.settings import Settings
from revision_quality.streams.base import Streams
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.streams.unindexed import Unindexed
from revision_quality.views.cassandra import CassandraScores
from revision_quality.views.changes import ChangesView


class Stores(Struct, frozen=True, kw_only=True):
    """What is open; views are None where no role of the process needs them."""

    streams: Streams
    view: ChangesView | None
    labels: LabelsView | None
    levels: Sequence[LiveLevels]
    """Of each rule's model, where there is a view."""
    scores: CassandraScores | None


async def open_stores(settings: Settings, parts: Parts, stack: AsyncExitStack) -> Stores:
    """Open them; `stack` closes them. Raises StoreError, SettingsError."""
    streams = open_log(settings)
    stack.push_async_callback(streams.close)
    if not parts.roles & {Role.MATERIALISE, Role.SERVE}:
        return Stores(streams=streams, view=None, labels=None, levels=(), scores=None)
    view = await asyncio.to_thread(open_view, settings, [rule.key for rule in parts.rules])
    labels = LabelsView(view.database, view.bell, wait=settings.levels.wait)
    stack.push_async_callback(view.close)
    levels = [LiveLevels(view.database, named_model(rule), rule.levels) for rule in parts.rules]
    for each in levels:
        await each.refresh()
    scores = await open_score_store(settings)
    if scores is not None:
        stack.push_async_callback(scores.close)
    return Stores(streams=streams, view=view, labels=labels, levels=levels, scores=scores)


def named_model(rule: ModelRule) -> NamedModel:
    """Return a rule's model as levels know it."""
    return NamedModel(rule.model.name, rule.model.version)


def score_log(streams: Streams) -> ScoreLog:
    """Return the streams as a log in which scores are looked up, or for ever unknown."""
    return streams if isinstance(streams, SqliteStreams) else Unindexed(streams)
