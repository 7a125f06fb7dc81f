"""Editors counted by many are the editors counted by one."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revision_quality.bulk.editors import Editors, make_shard, save_counts, shards_of
from revision_quality.errors import StoreError
from revision_quality.wiki.user_histories import UserHistories

START = datetime(2026, 1, 1, tzinfo=UTC)
EDIT = st.tuples(st.sampled_from("ABCDEFGH"), st.integers(0, 5))
FILES = st.lists(st.lists(EDIT, max_size=12), min_size=1, max_size=4)


def counted(path: Path, edits: list[tuple[str, int]]) -> Path:
    with UserHistories() as users:
        for name, hour in edits:
            users.add(name, START + timedelta(hours=hour))
        users.finish()
        save_counts(path, users)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(files=FILES, in_shard=st.integers(1, 60))
def test_merged_counts_are_those_of_one_count(tmp_path_factory, files, in_shard):
    output = tmp_path_factory.mktemp("output")
    (output / "_editors").mkdir()
    counts = [counted(output / f"{n}.parquet", edits) for n, edits in enumerate(files)]
    shards = shards_of(output, "papwiki", counts, in_shard)
    for shard in shards:
        make_shard(shard)

    with ExitStack() as stack:
        merged = stack.enter_context(Editors([shard.path for shard in shards]))
        one = stack.enter_context(UserHistories())
        for name, hour in chain(*files):
            one.add(name, START + timedelta(hours=hour))
        one.finish()
        for name in "ABCDEFGHI":
            for hour in range(6):
                moment = START + timedelta(hours=hour)
                assert merged.look_up(name, moment) == one.look_up(name, moment)


def test_shards_hold_every_key_once(tmp_path):
    counts = counted(tmp_path / "a.parquet", [(str(n), 0) for n in range(100)])

    shards = shards_of(tmp_path, "papwiki", [counts], at_most=9)

    assert len(shards) == 12
    assert (shards[0].lowest, shards[-1].beyond) == (-(2**63), 2**63)
    assert all(a.beyond == b.lowest for a, b in pairwise(shards))


def test_another_set_of_files_has_other_shards(tmp_path):
    a, b = (counted(tmp_path / f"{name}.parquet", [("A", 0)]) for name in "ab")

    assert shards_of(tmp_path, "w", [a])[0].path != shards_of(tmp_path, "w", [a, b])[0].path


def test_a_shard_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StoreError, match="every machine must see the --output folder"):
        Editors([tmp_path / "no.sqlite"])
