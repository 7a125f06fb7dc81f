"""Wikis with counted edits, written into the database as the labels view does."""

from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from revision_quality.clock import Clock
from revision_quality.levels.counts import KINDS
from revision_quality.levels.edit import Edit
from revision_quality.levels.keeper import Choosing
from revision_quality.levels.scores import NamedModel, Score, note_models
from revision_quality.levels.tally import Tally, add_counts
from revision_quality.levels.target import DEFAULT_TARGETS, parse_target

MODEL = NamedModel("revertrisk", "1")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TARGETS = {name: parse_target(text) for name, text in DEFAULT_TARGETS.items()}
RULES = Choosing(targets=lambda _: TARGETS)
SETTLED = NOW - timedelta(days=3)
"""A moment of the last day of which every label is settled."""


class StillClock(Clock):
    """Stands still, unless told otherwise."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def count_edits(
    connection: Connection,
    wiki_id: str,
    *,
    days: int = 56,
    a_day: int = 60,
    seed: int = 1,
    last: datetime = SETTLED,
    model: NamedModel = MODEL,
) -> None:
    """Count edits of a calibrated model, `a_day` on each of the `days` up to `last`."""
    note_models(connection, [model])
    random, tally = np.random.default_rng(seed), Tally()
    for day in range(days):
        at = int((last - timedelta(days=day)).timestamp())
        for number, score in enumerate(random.beta(0.25, 1.5, a_day)):
            edit = Edit(
                wiki_id=wiki_id,
                rev_id=day * a_day + number,
                timestamp=at,
                kind=KINDS[int(random.integers(0, 5))],
                is_counted=True,
                label=int(random.random() < score),
            )
            tally.replace(None, {}, edit, {model.number: Score(model.number, float(score), 0)})
    add_counts(connection, tally)
