"""A dump is scored into the streams: each edit once, whatever ends it in between."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from revision_quality.events import streams as names
from revision_quality.events.page_change import decode_page_change
from revision_quality.events.prediction import decode_prediction
from revision_quality.events.prediction_error import decode_prediction_error
from revision_quality.models.base import Prediction, Unscored
from revision_quality.scoring import backfill as module
from revision_quality.scoring.backfill import Backfill
from revision_quality.sites import site_of
from revision_quality.sources.dump import DumpEdit, dump_edits
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.changes import STREAMS, ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser
from tests.fakes import FakeClock
from tests.scoring.fakes import FakeModel
from tests.training.histories.make import PageOf, dump, story

PAGES = [PageOf(f"Page {n}", story("good:Zoe bad:Yan hidden:Xia")) for n in range(4)]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(module, "EDITS_AT_ONCE", 5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dump.xml"
    path.write_text(dump(PAGES))
    return path


def edits(path: Path) -> Iterator[DumpEdit]:
    site = site_of("papwiki")
    assert site is not None
    return dump_edits(path, site)


async def fill(
    streams: SqliteStreams,
    found: Iterable[DumpEdit],
    model: FakeModel | None = None,
    name: str = "dump",
) -> Counter[str]:
    filling = Backfill(streams, model or FakeModel(), name, FakeClock())
    await filling.run(found)
    return +filling.done


async def test_each_edit_is_there_with_its_outcome(tmp_path, path):
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        done = await fill(streams, edits(path))
        changes = await streams.read(names.PAGE_CHANGE, 0, 100)
        scores = await streams.read(names.PREDICTION, 0, 100)
        errors = await streams.read(names.PREDICTION_ERROR, 0, 100)

    assert done == {"scored": 4, "not_scorable": 8}
    assert [decode_page_change(one.value).revision.rev_id for one in changes] == [*range(1, 13)]
    assert all(decode_page_change(one.value).meta.dt for one in changes)
    assert [decode_prediction(one.value).revision.rev_id for one in scores] == [2, 5, 8, 11]
    reasons = Counter(decode_prediction_error(one.value).error.reason for one in errors)
    assert reasons == {"page_creation": 4, "revision_hidden": 4}


async def test_a_view_of_the_streams_has_every_edit(tmp_path, path):
    view = ChangesView(Database(f"sqlite:///{tmp_path / 'changes.sqlite'}"))
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        await fill(streams, edits(path))
        role = Materialiser(streams, view, STREAMS)
        while await role.step():
            pass
    counts = await view.counts()
    await view.close()

    assert counts == {("papwiki", "scored"): 4, ("papwiki", "not_scorable"): 8}


async def test_it_goes_on_where_it_was_ended(tmp_path, path):
    model = FakeModel()

    def breaking() -> Iterator[DumpEdit]:
        for edit in edits(path):
            if edit.number == 8:
                raise KeyboardInterrupt
            yield edit

    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        with pytest.raises(KeyboardInterrupt):
            await fill(streams, breaking(), model)
        rest = await fill(streams, edits(path), model)
        again = await fill(streams, edits(path), model)

    assert rest.total() == 12 - 5
    assert again == {}
    assert sorted(model.asked) == [2, 5, 8, 11]


async def test_under_another_name_it_scores_nothing_twice(tmp_path, path):
    model = FakeModel()
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        await fill(streams, edits(path), model)
        again = await fill(streams, edits(path), model, "the dump elsewhere")
        end = await streams.end(names.PAGE_CHANGE)
        records = await streams.read(names.PAGE_CHANGE, 0, 100)

    assert again == {"known": 12}
    assert sorted(model.asked) == [2, 5, 8, 11]
    assert len(records) == 12
    assert end == records[-1].offset


async def test_streams_that_were_made_anew_are_filled_anew(tmp_path, path):
    for name in ("broken.sqlite", "new.sqlite"):
        async with SqliteStreams(tmp_path / name) as streams:
            assert (await fill(streams, edits(path))).total() == 12


async def test_an_edit_that_the_model_fails_on_is_there_as_failed(tmp_path, path):
    def rule(revisions):
        return [
            Unscored("too_long", "It is.") if one.rev_id == 5 else Prediction(0.5)
            for one in revisions
        ]

    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        done = await fill(streams, edits(path), model=FakeModel(rule))

    assert done == {"scored": 3, "not_scorable": 8, "failed": 1}


def test_long_texts_make_small_batches(path, monkeypatch):
    monkeypatch.setattr(module, "CHARACTERS_AT_ONCE", 1)

    sizes = [len(batch) for batch in module.batches(edits(path))]

    assert max(sizes) <= 2
    assert sum(sizes) == 12
