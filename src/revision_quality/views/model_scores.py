"""What models that are not shown have made of edits, so that another one can be shown at once."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy import ColumnElement, Connection, delete, select

from revision_quality.clock import unix_seconds
from revision_quality.events.meta import event_id
from revision_quality.events.prediction import PredictionChange
from revision_quality.events.prediction_error import PredictionError
from revision_quality.scoring.model_rule import ModelKey
from revision_quality.views import bulk
from revision_quality.views.change import Change, State
from revision_quality.views.score_store import outcome_of_error, outcome_of_prediction
from revision_quality.views.tables import model_scores

_KEYS_AT_ONCE = 500
_STATES = (State.PENDING, State.FAILED, State.NOT_SCORABLE, State.SCORED)

Key = tuple[str, int]


class ModelScore(Struct, frozen=True, gc=False):
    """What a model version made of an edit, in the order of the table's columns.

    `timestamp` is the edit's, Unix seconds; the rest is as in `views.score_store.ModelOutcome`.
    """

    wiki_id: str
    rev_id: int
    model: str
    model_name: str
    model_version: str
    timestamp: int
    state: str
    reason: str | None
    message: str | None
    score: float | None
    scored_dt: int

    @property
    def edit(self) -> Key:
        """The edit."""
        return self.wiki_id, self.rev_id


def key_of(model: ModelKey) -> str:
    """Return what stands for a model version in the table."""
    return event_id("model", *model)


def of_event(event: PredictionChange | PredictionError) -> ModelScore:
    """Read an outcome out of its event."""
    if isinstance(event, PredictionChange):
        found = outcome_of_prediction(event)
    else:
        found = outcome_of_error(event)
    return ModelScore(
        wiki_id=event.wiki_id,
        rev_id=event.revision.rev_id,
        model=key_of((found.model_name, found.model_version)),
        model_name=found.model_name,
        model_version=found.model_version,
        timestamp=unix_seconds(event.revision.rev_dt),
        state=str.__str__(found.state),
        reason=found.reason,
        message=found.message,
        score=found.score,
        scored_dt=found.scored_dt,
    )


def of_change(change: Change, scored_dt: int) -> ModelScore:
    """Return what is shown of an edit as a score that is kept beside."""
    model = (change.model_name or "", change.model_version or "")
    return ModelScore(
        wiki_id=change.wiki_id,
        rev_id=change.rev_id,
        model=key_of(model),
        model_name=model[0],
        model_version=model[1],
        timestamp=change.timestamp,
        state=str.__str__(change.state),
        reason=change.reason,
        message=change.message,
        score=change.score,
        scored_dt=scored_dt,
    )


def take(connection: Connection, new: Sequence[ModelScore]) -> None:
    """Store outcomes; of two of one model on one edit the better stays, as in the changes view."""
    if not new:
        return
    known = {(one.edit, one.model): one for one in _of_edits(connection, {o.edit for o in new})}
    changed: dict[tuple[Key, str], ModelScore] = {}
    for one in new:
        place = (one.edit, one.model)
        if place not in known or _worth(known[place]) < _worth(one):
            known[place] = changed[place] = one
    write(connection, list(changed.values()))


def write(connection: Connection, scores: Sequence[ModelScore]) -> None:
    """Write outcomes in place of those of the same model and edit."""
    bulk.write(connection, model_scores, [astuple(one) for one in scores])


def page(connection: Connection, model: ModelKey, after: Key, limit: int) -> list[ModelScore]:
    """Read the next `limit` outcomes of a model version behind an edit, in their order."""
    columns = model_scores.c
    behind = (columns.wiki_id > after[0]) | (
        (columns.wiki_id == after[0]) & (columns.rev_id > after[1])
    )
    statement = (
        select(model_scores)
        .where(columns.model == key_of(model), behind)
        .order_by(columns.wiki_id, columns.rev_id)
        .limit(limit)
    )
    return [ModelScore(*row) for row in connection.execute(statement)]


def remove(connection: Connection, model: ModelKey, edits: Iterable[Key]) -> None:
    """Delete the outcomes of a model version on some edits."""
    for condition in _conditions(edits):
        connection.execute(
            delete(model_scores).where(condition, model_scores.c.model == key_of(model))
        )


def forget(connection: Connection, edits: Iterable[Key]) -> None:
    """Delete all that is known of some edits."""
    for condition in _conditions(edits):
        connection.execute(delete(model_scores).where(condition))


def purge(connection: Connection, before: int) -> None:
    """Delete outcomes of edits older than `before`, Unix seconds."""
    connection.execute(delete(model_scores).where(model_scores.c.timestamp < before))


def _of_edits(connection: Connection, edits: Iterable[Key]) -> Iterator[ModelScore]:
    for condition in _conditions(edits):
        for row in connection.execute(select(model_scores).where(condition)):
            yield ModelScore(*row)


def _conditions(edits: Iterable[Key]) -> Iterator[ColumnElement[bool]]:
    """Name edits wiki by wiki: MariaDB looks up lists of pairs slowly."""
    columns = model_scores.c
    for wiki_id, found in groupby(sorted(edits), key=itemgetter(0)):
        rev_ids = (rev_id for _, rev_id in found)
        while part := list(islice(rev_ids, _KEYS_AT_ONCE)):
            yield (columns.wiki_id == wiki_id) & columns.rev_id.in_(part)


def _worth(one: ModelScore) -> tuple[int, int]:
    return _STATES.index(State(one.state)), one.scored_dt
