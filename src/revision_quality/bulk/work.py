"""What a worker does with one task; all of it can be sent to another machine."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from revision_quality.bulk.dump_outcomes import dump_outcomes
from revision_quality.bulk.editors import Editors, Shard, counts_path, make_shard, save_counts
from revision_quality.bulk.multistream import cut_out
from revision_quality.bulk.outcome_row import OutcomeRow
from revision_quality.bulk.parquet_outcomes import parquet_outcomes
from revision_quality.bulk.partition import Partition
from revision_quality.bulk.parts import Parts
from revision_quality.errors import BulkError, RevisionQualityError
from revision_quality.models.artifact import load
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.scorer import Scorer
from revision_quality.sources.dump import count_users
from revision_quality.wiki.user_histories import UserHistories, Users


class ModelFile(Struct, frozen=True):
    """A model on its way to the workers: its file's content, and a name for messages."""

    data: bytes
    name: str


class Done(Struct, frozen=True):
    """A task is done: `size` is its input's, in bytes; `edits` by state, where it scored some."""

    size: int
    edits: dict[str, int] = {}


class Failed(Struct, frozen=True):
    """A task that cannot be done with this input or output; the others go on."""

    size: int
    message: str


Result = Done | Failed


class CountEditors(Struct, frozen=True):
    """Counts who edits in a partition of a dump, into the output's folder."""

    output: Path

    def __call__(self, partition: Partition) -> Result:
        """Do one partition."""
        try:
            with _one_dump(partition) as path, UserHistories() as users:
                count_users(path, partition.wiki_id, users)
                save_counts(counts_path(self.output, partition), users)
        except RevisionQualityError as error:
            return Failed(partition.size, str(error))
        return Done(partition.size)


class MergeEditors(Struct, frozen=True):
    """Makes a shard of the editors."""

    def __call__(self, shard: Shard) -> Result:
        """Do one shard."""
        try:
            make_shard(shard)
        except RevisionQualityError as error:
            return Failed(1, str(error))
        return Done(1)


class ScorePartition(Struct, frozen=True):
    """Scores a partition into its part. `editors` has each wiki's shards, if they are counted."""

    output: Path
    model: ModelFile
    editors: dict[str, tuple[Path, ...]]

    def __call__(self, partition: Partition) -> Result:
        """Do one partition."""
        try:
            with _one_dump(partition) as path:
                edits = asyncio.run(self._score(partition, path))
        except RevisionQualityError as error:
            return Failed(partition.size, str(error))
        return Done(partition.size, edits)

    async def _score(self, partition: Partition, path: Path) -> dict[str, int]:
        model = _loaded(self.model.data, self.model.name)
        edits: Counter[str] = Counter()
        with (
            self._users(partition) as users,
            Parts(self.output).writing(partition.number, model.name, model.version) as write,
        ):
            async for rows in _outcomes(partition, path, users, Scorer(model)):
                write(rows)
                edits.update(row.state for row in rows)
        return dict(edits)

    @contextmanager
    def _users(self, partition: Partition) -> Iterator[Users | None]:
        shards = self.editors.get(partition.wiki_id)
        with Editors(shards) if shards else nullcontext() as users:
            yield users


def _outcomes(
    partition: Partition, path: Path, users: Users | None, scorer: Scorer
) -> AsyncIterator[list[OutcomeRow]]:
    if partition.row_group is not None:
        return parquet_outcomes(path, partition.row_group, scorer)
    return dump_outcomes(path, partition.wiki_id, users, scorer)


@contextmanager
def _one_dump(partition: Partition) -> Iterator[Path]:
    """Give the file that has nothing but the partition's pages, if it is of a dump."""
    if partition.span is None:
        yield partition.path
        return
    with cut_out(partition.path, partition.span) as path:
        try:
            yield path
        except RevisionQualityError as error:
            # The piece is nobody's to look for.
            raise BulkError(str(error).replace(str(path), str(partition.path))) from error


@lru_cache(maxsize=1)
def _loaded(data: bytes, name: str) -> RevertRisk:
    return RevertRisk(load(data, name))
