"""Watches over the scores in the role that materialises, and tells of alarms."""

from collections.abc import Sequence

from revision_quality.alarms.level_watch import LevelWatch
from revision_quality.alarms.watch import AlarmLimits, AlarmWatch, flagged_from
from revision_quality.alarms.webhook import Webhook
from revision_quality.cli.parts import Parts
from revision_quality.cli.stores import Stores, named_model
from revision_quality.cli.together import together
from revision_quality.cli.wikis import http_client
from revision_quality.settings import Settings
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.positions import ViewPositions


async def watch_for_alarms(
    settings: Settings, parts: Parts, stores: Stores, materialisers: Sequence[Materialiser]
) -> None:
    """Watch until cancelled; levels, once the `materialisers` have the labels of past edits."""
    limits = settings.alarms
    views = Database(settings.changes_url)
    levels = {
        named_model(rule): live for rule, live in zip(parts.rules, stores.levels, strict=True)
    }
    watch = AlarmWatch(
        views,
        ViewPositions(views, "alarms"),
        flagged_from(levels),
        AlarmLimits(
            score_shift=limits.score_shift,
            flag_rate=limits.flag_rate,
            no_score_minutes=limits.no_score_minutes,
            coverage=limits.coverage,
            accepted_after_days=limits.accepted_after_days,
        ),
        levels=LevelWatch(
            views,
            levels,
            has_labels=lambda: all(one.has_caught_up for one in materialisers),
            wait=settings.levels.wait,
            days=limits.precision_days,
            least_edits=limits.precision_edits,
        ),
    )
    works = [Materialiser(stores.streams, watch, list(parts.streams)).run, watch.run]
    try:
        async with http_client() as client:
            if limits.webhook is not None:
                works.append(Webhook(views, client, limits.webhook).run)
            await together(works)
    finally:
        await views.close()
