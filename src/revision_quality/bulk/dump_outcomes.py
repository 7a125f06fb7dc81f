"""The edits of a dump, judged."""

from collections.abc import AsyncIterator
from pathlib import Path

from revision_quality.bulk.outcome_row import OutcomeRow, outcome_row
from revision_quality.models.base import Prediction
from revision_quality.scoring.backfill import batches, judge
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.scorer import Scorer
from revision_quality.sources.dump import DumpEdit, dump_edits
from revision_quality.wiki.dump import read_head, site_of_dump
from revision_quality.wiki.user_histories import Users


async def dump_outcomes(
    path: Path, wiki_id: str, users: Users | None, scorer: Scorer
) -> AsyncIterator[list[OutcomeRow]]:
    """Return a row for each revision of a dump, in its order, some at a time. Raises DumpError."""
    site = site_of_dump(read_head(path), wiki_id)
    for batch in batches(dump_edits(path, site, users)):
        outcomes = await judge(scorer, batch)
        yield [_row(edit, outcome) for edit, outcome in zip(batch, outcomes, strict=True)]


def _row(edit: DumpEdit, outcome: Prediction | NotScored) -> OutcomeRow:
    change = edit.change
    revision = change.revision
    return outcome_row(
        change.wiki_id, revision.rev_id, change.page.page_id, revision.rev_dt, outcome
    )
