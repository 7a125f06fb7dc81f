"""Do alarms come when they should, and only then? Real edits in their order, planted drifts.

    python benchmarks/alarms.py DATA --scores alarms.npz
    python benchmarks/alarms.py DATA --scores alarms.npz --half 2

DATA is a folder of labelled edits (docs/model.md has the fields). Every edit is scored by the
shipped model, as it is and as a broken parser would bring it (without its text); that takes some
ten minutes and is kept in the file `--scores`, if one is named. `--half` takes every other wiki by
name: 1 those that the settings of `revision_quality.alarms` were chosen on, 2 the rest.
"""

import argparse
import pickle
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from revision_quality.alarms.alarm import Board
from revision_quality.alarms.drift import Series
from revision_quality.events.page_change import UserEntity
from revision_quality.models.base import Prediction
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.training.labelled import read_labelled_edits
from revision_quality.training.sources import training_files
from revision_quality.views.change import UserLevel
from revision_quality.views.user_level import user_level
from revision_quality.wiki.revision import Revision

SOON = 200
"""Edits within which a drift must be told."""

APART = 1000
"""Edits between two places at which drifts are planted."""

MANY = 20
"""Editors of the edits after a place from which on they are many."""

STRANGERS = [UserLevel.UNREGISTERED.value, UserLevel.NEWCOMER.value]

Floats = npt.NDArray[np.float64]


class Scored(NamedTuple):
    """Edits as arrays, in the order of time."""

    wikis: npt.NDArray[np.str_]
    times: npt.NDArray[np.float64]
    users: npt.NDArray[np.str_]
    kinds: npt.NDArray[np.str_]
    scores: npt.NDArray[np.float64]
    broken: npt.NDArray[np.float64]


def score(data: Path) -> Scored:
    """Score each edit as it is, and as a parser that finds no text would have it."""
    model = RevertRisk.load()
    rows: list[tuple[Any, ...]] = []
    for path in training_files(data):
        edits = read_labelled_edits(path)
        while some := list(islice(edits, 50)):
            revisions = [one.revision for one in some]
            whole = _scores(model, revisions)
            broken = _scores(model, [replace(one, text="") for one in revisions])
            rows += [
                (r.wiki_id, r.rev_dt.timestamp(), r.user.user_text or "", _kind(r), s, b)
                for r, s, b in zip(revisions, whole, broken, strict=True)
            ]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    order = np.argsort(columns[1], kind="stable")
    return Scored(*(column[order] for column in columns))


def _kind(revision: Revision) -> str:
    """Return the level of the editor of a labelled edit; an account's id is not told there."""
    user = revision.user
    if user.is_anonymous:
        return UserLevel.UNREGISTERED
    entity = UserEntity(
        user_text=user.user_text,
        user_id=1,
        edit_count=user.edit_count,
        registration_dt=user.registration_dt,
    )
    return user_level(entity, revision.rev_dt)


def _scores(model: RevertRisk, revisions: list[Revision]) -> list[float]:
    """Return the scores, nan for an edit that has none."""
    found = model.score(revisions)
    return [one.score if isinstance(one, Prediction) else float("nan") for one in found]


def _shifted(scores: Floats, by: float) -> Floats:
    """Return the scores with `by` added to their log odds."""
    odds = np.log(np.clip(scores, 1e-6, 1 - 1e-6) / (1 - np.clip(scores, 1e-6, 1 - 1e-6)))
    return np.asarray(1 / (1 + np.exp(-(odds + by))))


DRIFTS: dict[str, Callable[[Scored], Floats]] = {
    "scores shifted by 2": lambda edits: _shifted(edits.scores, 2.0),
    "scores shifted by 3": lambda edits: _shifted(edits.scores, 3.0),
    "parser broken": lambda edits: edits.broken,
    "all flagged": lambda edits: np.full(len(edits.scores), 0.97),
}


class Wait(NamedTuple):
    """After how many edits a drift was told, None if it was not; and of how many editors.

    `regulars` are those of them who are no strangers (`alarms.unlikeness`).
    """

    edits: int | None
    editors: int
    regulars: int


class Replay:
    """Edits in their order, seen by the series of their wiki and by that of all wikis."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self.series: dict[str, Series] = {}
        self.board = Board()

    def sees(self, edits: Scored, scores: Floats, first: int = 0) -> Iterator[tuple[int, str]]:
        """Yield each alarm that is raised, and at which edit."""
        columns = (edits.wikis, edits.users, edits.kinds, scores)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for number, (wiki_id, user, kind, score) in enumerate(rows, start=first):
            distance, found = self._series_of(wiki_id).add(score, user, kind, self._threshold)
            findings = [*found, *self._series_of("").take(distance)]
            for alarm in self.board.look(findings, number):
                if not alarm.ended:
                    yield number, alarm.message

    def _series_of(self, wiki_id: str) -> Series:
        if wiki_id not in self.series:
            self.series[wiki_id] = Series((wiki_id, "model", "1"))
        return self.series[wiki_id]

    def fork(self) -> Any:
        """Return one that knows the same."""
        return pickle.loads(pickle.dumps(self))


def _only(edits: Scored, mask: Any) -> Scored:
    return Scored(*(column[mask] for column in edits))


def measure(edits: Scored, threshold: float) -> None:
    """Print the alarms of the ordinary replay, and how soon planted drifts were told."""
    years = (edits.times[-1] - edits.times[0]) / 86_400 / 365.25
    print(f"{len(edits.scores):,} edits of {len(set(edits.wikis))} wikis, {years:.1f} years")
    replay, waits = Replay(threshold), _no_waits()
    raised = []
    for start in range(0, len(edits.scores), APART):
        part = _only(edits, slice(start, start + APART))
        raised += list(replay.sees(part, part.scores, start))
        after = _only(edits, slice(start + APART, start + APART + SOON))
        if len(after.scores) < SOON or "" not in replay.series or replay.board.active:
            continue
        _plant(replay, after, waits)
    _tell_ordinary(edits, raised)
    print(f"a drift of all wikis, planted every {APART:,} edits:")
    _tell(waits)
    waits = _no_waits()
    for wiki_id in sorted(set(edits.wikis.tolist())):
        _plant_in_wiki(_only(edits, edits.wikis == wiki_id), threshold, waits)
    print("a drift of one wiki, planted after each 200 of its edits from the 1,000th on:")
    _tell(waits)


def _no_waits() -> dict[str, list[Wait]]:
    return {name: [] for name in DRIFTS}


def _plant(replay: Replay, after: Scored, waits: dict[str, list[Wait]]) -> None:
    """Note how soon each drift is told, if it comes now."""
    editors = set(zip(after.wikis.tolist(), after.users.tolist(), strict=True))
    regular = ~np.isin(after.kinds, STRANGERS)
    regulars = set(zip(after.wikis[regular].tolist(), after.users[regular].tolist(), strict=True))
    for name, drift in DRIFTS.items():
        found = next(replay.fork().sees(after, drift(after)), None)
        told = found[0] + 1 if found else None
        waits[name].append(Wait(told, len(editors), len(regulars)))


def _plant_in_wiki(edits: Scored, threshold: float, waits: dict[str, list[Wait]]) -> None:
    replay = Replay(threshold)
    for start in range(0, len(edits.scores) - 2 * SOON, SOON):
        part = _only(edits, slice(start, start + SOON))
        list(replay.sees(part, part.scores))
        if start < 1000 or replay.board.active:
            continue
        _plant(replay, _only(edits, slice(start + SOON, start + 2 * SOON)), waits)


def _tell_ordinary(edits: Scored, raised: list[tuple[int, str]]) -> None:
    months = edits.times.astype("datetime64[s]").astype("datetime64[M]").astype(str).tolist()
    of_wikis = set(zip(edits.wikis.tolist(), months, strict=True))
    loud = {months[number] for number, _ in raised}
    print(
        f"ordinary edits: {len(raised)} alarms, in {len(loud)} of {len(set(months))} months with"
        f" edits ({len(of_wikis):,} of single wikis)"
    )
    for number, message in raised:
        print(f"  {months[number]}, edit {number:,}: {message}")


def _tell(waits: dict[str, list[Wait]]) -> None:
    for name, found in waits.items():
        for what, some in (
            ("all", found),
            (f"of {MANY} editors or more", [wait for wait in found if wait.editors >= MANY]),
        ):
            told = [wait.edits for wait in some if wait.edits is not None]
            median = np.median(told) if told else float("nan")
            within = f"{len(told)} of {len(some)} told within {SOON} edits"
            print(f"  {name}, {what}: {within}, median {median:.0f} edits")
        missed = [wait for wait in some if wait.edits is None]
        if missed:
            regulars = sorted(wait.regulars for wait in missed)
            print(f"    regulars where {len(missed)} of these are missed: {regulars}")


def main() -> None:
    """Read the command line, score or load, measure."""
    parser = argparse.ArgumentParser(description="Do alarms come when they should?")
    parser.add_argument("data", type=Path)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--half", type=int, choices=(1, 2))
    given = parser.parse_args()
    if given.scores and given.scores.exists():
        with np.load(given.scores) as stored:
            edits = Scored(*(stored[name] for name in Scored._fields))
    else:
        edits = score(given.data)
        if given.scores:
            np.savez(given.scores, **edits._asdict())
    levels = {level.name: level.threshold for level in RevertRisk.load().levels}
    is_scored = np.isfinite(edits.scores) & np.isfinite(edits.broken)
    if given.half:
        is_scored &= np.isin(edits.wikis, np.unique(edits.wikis)[given.half - 1 :: 2])
    measure(_only(edits, is_scored), levels["likelybad"])


if __name__ == "__main__":
    main()
