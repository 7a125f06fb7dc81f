"""A run tells how far it is, and believes no worker that its part is there."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from revision_quality.bulk.cutting import cut
from revision_quality.bulk.files import identify
from revision_quality.bulk.run import COUNTING, MERGING, SCORING, Bulk, Stage
from revision_quality.bulk.work import Done, Failed, ModelFile
from revision_quality.errors import BulkError
from revision_quality.models.revert_risk import read_model_file
from tests.bulk.make import histories, multistream, rows_in, two_files
from tests.training.histories.make import dump


class Here:
    """Does the work in this process."""

    def map(self, tasks: Iterable[Any], work: Callable[[Any], Any]) -> Iterator[Any]:
        return map(work, tasks)


class Elsewhere:
    """Writes to a disk that nobody else sees."""

    def map(self, tasks: Iterable[Any], work: Callable[[Any], Any]) -> Iterator[Any]:
        return (Done(task.size, {"scored": 1}) for task in tasks)


@pytest.fixture
def partitions(tmp_path):
    return cut([(path, identify(path)) for path in two_files(tmp_path / "dumps")])


@pytest.fixture
def model():
    return ModelFile(*read_model_file())


def test_it_tells_how_far_each_stage_is(tmp_path, partitions, model):
    told: list[Stage] = []
    bulk = Bulk(tmp_path / "out", Here(), told.append)

    editors = bulk.count_editors(partitions)
    bulk.score(partitions, model, editors)

    size = sum(one.size for one in partitions)
    assert [(one.name, one.done, one.total) for one in told] == [
        *((COUNTING, n, 2) for n in range(3)),
        *((MERGING, n, 1) for n in range(2)),
        *((SCORING, n, 2) for n in range(3)),
    ]
    assert [one.edits for one in told[-3:]] == [0, 12, 24]
    assert (told[-1].bytes_done, told[-1].bytes_total) == (size, size)


def test_what_is_counted_is_not_counted_again(tmp_path, partitions):
    told: list[Stage] = []
    first = Bulk(tmp_path / "out", Here(), lambda _: None).count_editors(partitions)

    assert Bulk(tmp_path / "out", Here(), told.append).count_editors(partitions) == first
    assert told == []


def test_a_folder_that_is_not_shared_is_told(tmp_path, partitions, model):
    bulk = Bulk(tmp_path / "out", Elsewhere(), lambda _: None)

    with pytest.raises(BulkError, match="2 parts were written elsewhere; the folder must be one"):
        bulk.score(partitions, model, {})


def test_a_multistream_dump_that_is_gone_holds_up_no_other(tmp_path, model):
    gone = multistream(dump(histories(2, edits=2)), tmp_path / "gone", 1)
    paths = [gone, *two_files(tmp_path / "dumps")]
    partitions = cut([(path, identify(path)) for path in paths])
    gone.unlink()
    (tmp_path / "out").mkdir()

    results = Bulk(tmp_path / "out", Here(), lambda _: None).score(partitions, model, {})

    assert [type(result) for result in results] == [Failed, Done, Done]
    assert isinstance(results[0], Failed)
    assert f"{gone}: cannot be cut" in results[0].message


def test_each_wiki_has_its_own_editors(tmp_path, model):
    paths = two_files(tmp_path / "dumps")
    (first,) = cut([(paths[0], identify(paths[0]))])
    (other,) = cut([(paths[0], identify(paths[0]))], wiki_id="otherwiki")
    numbered = [first, replace(other, number=1)]
    bulk = Bulk(tmp_path / "out", Here(), lambda _: None)

    editors = bulk.count_editors(numbered)
    bulk.score(numbered, model, editors)

    assert set(editors) == {"papwiki", "otherwiki"}
    rows = rows_in(tmp_path / "out")
    by_wiki = {
        wiki_id: [row["score"] for row in rows if row["wiki_id"] == wiki_id] for wiki_id in editors
    }
    assert by_wiki["papwiki"] == by_wiki["otherwiki"]
    assert len(by_wiki["papwiki"]) == 12
