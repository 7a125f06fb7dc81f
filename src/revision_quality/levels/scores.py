"""The scores of each edit by every model and version, and the number that stands for one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

from msgspec import Struct
from sqlalchemy import Connection, insert, select

from revision_quality.views import bulk
from revision_quality.views.incoming import Key
from revision_quality.views.tables import edit_scores, scored_models


class NamedModel(Struct, frozen=True):
    """A model and its version."""

    name: str
    version: str

    @property
    def number(self) -> int:
        """The number that stands for it in tables, the same everywhere, in 64 bits."""
        return _number_of(self.name, self.version)


@lru_cache
def _number_of(name: str, version: str) -> int:
    told = f"{name}\0{version}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(told, digest_size=8).digest(), signed=True)


class Score(Struct, frozen=True, gc=False):
    """A score of an edit by a model's number; `scored_dt` is Unix ms."""

    model: int
    score: float
    scored_dt: int


EditScores = Mapping[int, Score]
"""The scores of one edit by the model's number."""


def latest(known: EditScores, more: Sequence[Score]) -> dict[int, Score]:
    """Return the scores with further ones; of one model the latest received wins."""
    if not known and len(more) == 1:
        return {more[0].model: more[0]}
    found = dict(known)
    for score in more:
        other = found.get(score.model)
        if other is None or (other.scored_dt, other.score) < (score.scored_dt, score.score):
            found[score.model] = score
    return found


def read_scores(connection: Connection, keys: Iterable[Key]) -> dict[Key, dict[int, Score]]:
    """Read the scores of edits."""
    found: defaultdict[Key, dict[int, Score]] = defaultdict(dict)
    for wiki_id, rev_id, model, score, scored_dt in bulk.read(connection, edit_scores, keys):
        found[wiki_id, rev_id][model] = Score(model, score, scored_dt)
    return found


def write_scores(
    connection: Connection, scores: Mapping[Key, EditScores], stored: Collection[Key]
) -> None:
    """Write the scores of edits, in the order of the keys, in place of those that they had.

    No scores delete them; `stored` are the edits that have any.
    """
    added, changed = list[bulk.Values](), list[bulk.Values]()
    for key, of_edit in scores.items():
        rows = changed if key in stored else added
        rows += [(*key, each.model, each.score, each.scored_dt) for each in of_edit.values()]
    bulk.add(connection, edit_scores, added)
    bulk.write(connection, edit_scores, changed)
    bulk.delete_keys(connection, edit_scores, (key for key, left in scores.items() if not left))


def note_models(connection: Connection, models: Iterable[NamedModel]) -> None:
    """Note which models the numbers stand for."""
    known = set(connection.execute(select(scored_models.c.model)).scalars())
    new = [
        {"model": model.number, "name": model.name, "version": model.version}
        for model in models
        if model.number not in known
    ]
    if new:
        connection.execute(insert(scored_models), new)
