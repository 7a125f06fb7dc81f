"""Scoring in bulk, from partitions to parts: what is there already is left as it is."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from revision_quality.bulk.editors import FOLDER, counts_path, shards_of
from revision_quality.bulk.editors import tidy as remove_editors
from revision_quality.bulk.engine import Engine
from revision_quality.bulk.partition import Partition
from revision_quality.bulk.parts import Parts
from revision_quality.bulk.whole_file import make_folder
from revision_quality.bulk.work import (
    CountEditors,
    Done,
    Failed,
    MergeEditors,
    ModelFile,
    Result,
    ScorePartition,
)
from revision_quality.errors import BulkError

COUNTING = "editors counted"
MERGING = "counts merged"
SCORING = "edits scored"


class Stage(Struct, frozen=True):
    """How far a stage is: partitions, and bytes of input (shards, when merging); edits so far."""

    name: str
    done: int
    total: int
    bytes_done: int
    bytes_total: int
    edits: int


Tell = Callable[[Stage], None]

Task = TypeVar("Task")


Editors = Mapping[str, tuple[Path, ...]]
"""Where each wiki's editors are counted: the shards, in the order of their keys."""


class Bulk:
    """Scores partitions into the folder `output`; on every machine it must be the same folder."""

    def __init__(self, output: Path, engine: Engine, tell: Tell) -> None:
        self._output = output
        self._engine = engine
        self._tell = tell
        self._parts = Parts(output)

    def count_editors(self, partitions: Sequence[Partition]) -> Editors:
        """Count each wiki's editors over all dumps of it. Raises BulkError, StoreError."""
        make_folder(self._output / FOLDER)
        paths = {one.number: counts_path(self._output, one) for one in partitions}
        missing = [one for one in partitions if not paths[one.number].exists()]
        sizes = [one.size for one in missing]
        _refuse(self._do(COUNTING, missing, CountEditors(self._output), sizes))
        wikis: dict[str, list[Path]] = {}
        for one in partitions:
            wikis.setdefault(one.wiki_id, []).append(paths[one.number])
        shards = {
            wiki_id: shards_of(self._output, wiki_id, counts) for wiki_id, counts in wikis.items()
        }
        unmade = [one for some in shards.values() for one in some if not one.path.exists()]
        _refuse(self._do(MERGING, unmade, MergeEditors(), [1] * len(unmade)))
        return {wiki_id: tuple(one.path for one in some) for wiki_id, some in shards.items()}

    def score(
        self, partitions: Sequence[Partition], model: ModelFile, editors: Editors
    ) -> list[Result]:
        """Score what has no part yet; return what became of it. Raises BulkError.

        Of wikis that are not in `editors` the editors' pasts are unknown.
        """
        missing = self._parts.missing(partitions)
        work = ScorePartition(self._output, model, dict(editors))
        results = self._do(SCORING, missing, work, [one.size for one in missing])
        if not any(isinstance(result, Failed) for result in results):
            self._check_all_there(partitions)
            self._parts.tidy()
            remove_editors(self._output)
        return results

    def _do(
        self,
        name: str,
        tasks: Sequence[Task],
        work: Callable[[Task], Result],
        sizes: Sequence[int],
    ) -> list[Result]:
        told = Stage(name, 0, len(tasks), 0, sum(sizes), 0)
        return list(self._told(told, self._engine.map(tasks, work)))

    def _told(self, told: Stage, results: Iterable[Result]) -> Iterator[Result]:
        if told.total:
            self._tell(told)
        for result in results:
            told = _further(told, result)
            self._tell(told)
            yield result

    def _check_all_there(self, partitions: Iterable[Partition]) -> None:
        lost = self._parts.missing(partitions)
        if lost:
            raise BulkError(
                f"{self._output}: {len(lost)} parts were written elsewhere; the folder must be one"
                " that every machine of the cluster shares."
            )


def _further(told: Stage, result: Result) -> Stage:
    edits = sum(result.edits.values()) if isinstance(result, Done) else 0
    return replace(
        told,
        done=told.done + 1,
        bytes_done=told.bytes_done + result.size,
        edits=told.edits + edits,
    )


def _refuse(results: Iterable[Result]) -> None:
    """Raise BulkError if the editors cannot be counted: scores would be others without them."""
    failures = [result.message for result in results if isinstance(result, Failed)]
    if failures:
        raise BulkError(
            f"{failures[0]} The editors cannot be counted without it ({len(failures)} failed);"
            " run again then, what is counted is kept."
        )
