"""ORES's own tables show exactly the scores of a wiki's recent changes."""

import os
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.streams.base import Outgoing, Record
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.ores_facts import STREAMS
from revision_quality.views.ores_place import wiki_database
from revision_quality.views.ores_policy import OresModel, OresPolicy
from revision_quality.views.positions import ViewPositions
from tests.events.examples import (
    ALICE,
    MODEL,
    VERSION,
    page_change,
    prediction,
    raw_change,
    revision,
    visibility_change,
)
from tests.views.examples import open_view, records
from tests.views.ores_house import RISK, TARGET, House, MemoryPositions

EDIT = page_change(rev_id=10)


@pytest.fixture
def house(url: str) -> Iterator[House]:
    made = House(url)
    made.make()
    yield made
    made.database.close_now()


STORED = [
    (0.0, 0.0, 0),
    (0.0004, 0.0, 0),
    (0.25, 0.25, 0),
    (0.8306, 0.831, 1),
    (0.9994, 0.999, 1),
    (0.9999, 0.999, 1),
    (1.0, 0.999, 1),
]


async def test_a_score_is_class_1_with_three_decimals_and_0_999_at_most(house):
    for rev_id in range(len(STORED)):
        house.edit(10 + rev_id)
    edits = [page_change(rev_id=10 + number) for number in range(len(STORED))]
    scored = zip(edits, STORED, strict=True)

    await house.view().apply(records([prediction(edit, row[0]) for edit, row in scored]))

    assert house.rows() == [
        (10 + number, RISK, VERSION, 1, stored, predicted)
        for number, (_, stored, predicted) in enumerate(STORED)
    ]
    assert house.current() == [(RISK, VERSION)]


async def test_the_filter_shows_what_reaches_its_threshold(house):
    scores = {11: 0.2, 12: 0.83, 13: 0.99}
    for rev_id in scores:
        house.edit(rev_id)
    house.edit(14)
    events = [prediction(page_change(rev_id=each), score) for each, score in scores.items()]

    await house.view().apply(records(events))

    assert house.shown(0.83) == [12, 13]
    assert house.shown() == [11, 12, 13]


@pytest.mark.parametrize(
    ("row", "policy", "is_kept"),
    [
        ({}, OresPolicy(), True),
        ({"source": "mw.new"}, OresPolicy(), True),
        ({"source": "mw.log"}, OresPolicy(), False),
        ({"bot": 1}, OresPolicy(), False),
        ({"bot": 1}, OresPolicy(excludes_bots=False), True),
        ({"patrolled": 2}, OresPolicy(), True),
        ({"patrolled": 2}, OresPolicy(excludes_autopatrolled=True), False),
        ({"patrolled": 1}, OresPolicy(excludes_autopatrolled=True), True),
        ({"namespace": 4}, OresPolicy(), True),
        ({"namespace": 4}, OresPolicy(namespaces=(0, 14)), False),
        ({"namespace": 14}, OresPolicy(namespaces=(0, 14)), True),
        ({"hidden": 1}, OresPolicy(), False),
        ({"hidden": 2}, OresPolicy(), True),
    ],
)
async def test_recent_changes_say_which_edits_are_the_policys(house, row, policy, is_kept):
    house.edit(10, **row)

    await house.view(policy=policy).apply(records([prediction(EDIT)]))

    assert [each[0] for each in house.rows()] == [10] * is_kept


@pytest.mark.parametrize(
    ("seconds", "fields", "is_kept"),
    [
        (5, {}, True),
        (599, {}, True),
        (600, {}, False),
        (5, {"revision": revision(10, editor=ALICE | {"is_bot": True})}, False),
        (5, {"page": {"page_id": 5, "page_title": "Talk:P", "namespace_id": 1}}, False),
    ],
)
async def test_an_edit_that_is_not_in_recent_changes_yet_is_taken_by_its_event(
    house, seconds, fields, is_kept
):
    house.edit(10, source=None)
    await house.clock.sleep(seconds)
    view = house.view(policy=OresPolicy(namespaces=(0,)))

    await view.apply(records([prediction(page_change(rev_id=10, **fields))]))

    assert len(house.rows()) == is_kept


async def test_an_edit_that_recent_changes_also_list_by_its_category_is_one(house):
    house.edit(10)
    house.list_change(10, "mw.categorize")

    await house.view().apply(records([prediction(EDIT)]))

    assert len(house.rows()) == 1


async def test_the_first_score_of_a_version_stays_and_repeats_change_nothing(house):
    house.edit(10)
    view = house.view()

    written = [
        await view.apply(records([prediction(EDIT, score)], first))
        for first, score in enumerate([0.25, 0.25, 0.75], start=1)
    ]

    assert written == [1, 0, 0]
    assert [row[4] for row in house.rows()] == [0.25]


async def test_a_batch_may_tell_an_edit_twice(house):
    house.edit(10)

    assert await house.view().apply(records([prediction(EDIT), prediction(EDIT)])) == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_hidden_text_has_no_score_in_whatever_order_it_is_told(house, order):
    events = [prediction(EDIT), visibility_change(10, text=False), prediction(EDIT, second=9)]
    house.edit(10)
    view = house.view()
    for number, which in enumerate(order):
        if which == 1:
            house.sql("UPDATE {p}revision SET rev_deleted = 1 WHERE rev_id = 10")
        await view.apply(records([events[which]], number + 1))

    assert house.rows() == []


async def test_hiding_only_the_comment_leaves_the_score(house):
    house.edit(10)
    events = [prediction(EDIT), visibility_change(10, comment=False)]

    await house.view().apply(records(events))

    assert len(house.rows()) == 1


@pytest.mark.parametrize(
    ("namespace", "told", "title"), [(0, "A:b c", "A:b_c"), (4, "Project:A:b", "A:b")]
)
async def test_a_deleted_page_leaves_by_its_event_and_late_scores_do_not_bring_it_back(
    house, namespace, told, title
):
    page = {"page_id": 5, "page_title": told, "namespace_id": namespace}
    edits = [page_change(rev_id=rev_id, page=page) for rev_id in (10, 11)]
    house.edit(10, namespace=namespace)
    house.edit(11, namespace=namespace)
    house.edit(12)
    view = house.view()
    other = prediction(page_change(rev_id=12))
    await view.apply(records([*(prediction(edit) for edit in edits), other]))
    house.delete_page([10, 11], 5, title, namespace)

    removed = await view.apply(records([page_change("delete", rev_id=11, page=page)]))
    await view.apply(records([prediction(edits[0])], 9))

    assert removed == 2
    assert [row[0] for row in house.rows()] == [12]


async def test_an_earlier_page_of_the_same_title_is_another(house):
    house.edit(10)
    view = house.view()
    await view.apply(records([prediction(EDIT)]))
    house.delete_page([10], 4, "Some_page")

    assert await view.apply(records([page_change("delete", rev_id=10)])) == 0


async def test_the_rows_of_other_models_are_left_alone(house):
    for values in ("(1, 'damaging', '0.5.1', 1)", "(2, 'articlequality', '1', 1)"):
        columns = "(oresm_id, oresm_name, oresm_version, oresm_is_current)"
        house.sql(f"INSERT INTO {{p}}ores_model {columns} VALUES {values}")
    for model in (1, 2):
        columns = "(oresc_rev, oresc_model, oresc_class, oresc_probability, oresc_is_predicted)"
        house.sql(f"INSERT INTO {{p}}ores_classification {columns} VALUES (10, {model}, 1, 0.5, 1)")
    if "postgresql" in house.url:
        house.sql("SELECT setval('ores_model_oresm_id_seq', 2)")
    before = house.rows()
    house.edit(10, hidden=1)
    view = house.view()

    await view.apply(records([prediction(EDIT), visibility_change(10, text=False)]))
    await view.purge(0, 10, 100)

    assert house.rows() == before
    assert sorted(house.current()) == [
        ("articlequality", "1"),
        ("damaging", "0.5.1"),
        (RISK, VERSION),
    ]


async def test_one_score_may_be_shown_under_two_names(house):
    house.edit(10)
    view = house.view(TARGET, OresModel("damaging", MODEL, VERSION))

    await view.apply(records([prediction(EDIT, 0.9)]))

    assert house.shown(0.8) == house.shown(0.8, "damaging") == [10]


async def test_other_wikis_other_models_and_other_versions_have_no_rows(house):
    house.edit(10)
    event = prediction(EDIT)
    named = replace(event.predicted_classification, model_name="another")
    events = [
        replace(event, wiki_id="other_wiki"),
        replace(event, predicted_classification=named),
        prediction(EDIT, version="0"),
    ]

    assert await house.view().apply(records(events)) == 0

    assert house.rows() == []


async def test_what_cannot_be_read_is_left_out_and_the_position_moves_on(house):
    house.edit(10)
    view = house.view()
    broken = Record(names.PREDICTION, 1, 0, b'{"wiki_id": "my_wiki"}')

    await view.apply([broken, Record(names.PAGE_CHANGE, 5, 0, b"{", 3)])
    await view.apply(records([prediction(EDIT)], 2))

    assert len(house.rows()) == 1
    assert await view.position(names.PREDICTION) == 2
    assert await view.position(names.PAGE_CHANGE, 3) == 5
    assert await view.position(names.PAGE_CHANGE) == 0


async def test_a_canary_is_no_deletion(house):
    house.edit(10)
    view = house.view()
    await view.apply(records([prediction(EDIT)]))
    house.delete_page([10], 5, "Some_page")
    meta = raw_change()["meta"] | {"domain": "canary"}

    assert await view.apply(records([page_change("delete", rev_id=10, meta=meta)])) == 0


async def test_a_revision_beyond_the_column_is_left_out(house):
    house.edit(10)
    house.edit(2**32, source=None)
    beyond = prediction(page_change(rev_id=2**32))

    await house.view().apply(records([beyond, prediction(EDIT)]))

    assert [row[0] for row in house.rows()] == [10]


async def test_tables_may_have_a_prefix(new_url: Callable[[], str]):
    house = House(new_url(), prefix="mw_")
    house.make()
    house.edit(10)

    await house.view().apply(records([prediction(EDIT, 0.9)]))

    assert house.shown(0.5) == [10]
    house.database.close_now()


@pytest.mark.database
async def test_tables_may_be_in_mediawikis_schema(postgresql):
    house = House(postgresql.new_url(), schema="mediawiki")
    house.make()
    house.edit(10)

    await house.view().apply(records([prediction(EDIT, 0.9)]))

    assert house.shown(0.5) == [10]
    house.database.close_now()


async def test_a_materialiser_keeps_the_tables_in_step_and_repeats_what_a_crash_left_open(
    tmp_path: Path,
):
    house = House(f"sqlite:///{tmp_path}/wiki.sqlite")
    house.make()
    edits = [page_change(rev_id=rev_id) for rev_id in range(10, 15)]
    for edit in edits:
        house.edit(edit.revision.rev_id)
    events = [*(prediction(edit) for edit in edits), visibility_change(12, text=False)]
    async with SqliteStreams(tmp_path / "s.sqlite") as streams:
        await streams.append(
            Outgoing(record.stream, str(UUID(int=record.offset)), "", record.value)
            for record in records(events)
        )
        for _ in range(2):
            house.positions = MemoryPositions()
            house.sql("UPDATE {p}revision SET rev_deleted = 1 WHERE rev_id = 12")
            materialiser = Materialiser(streams, house.view(), STREAMS)
            assert [await materialiser.step() for _ in range(2)] == [6, 0]
            assert [row[0] for row in house.rows()] == [10, 11, 13, 14]
    house.database.close_now()

    assert house.positions.offsets == {
        (names.PREDICTION, 0): 5,
        (names.VISIBILITY_CHANGE, 0): 6,
    }


async def test_positions_are_in_the_database_of_the_views(url: str):
    async with open_view(url) as changes:
        one = ViewPositions(changes._database, "ores_tables:my_wiki")
        other = ViewPositions(changes._database, "ores_tables:other_wiki")
        long = "s" * 249
        assert await one.get("s", 0) == 0

        await one.put([Record("s", 3, 0, b""), Record("s", 7, 0, b"", 1), Record(long, 9, 0, b"")])
        await one.put([Record("s", 2, 0, b"")])

        places = [("s", 0), ("s", 1), ("s", 2), (long, 0), (f"{long}x", 0)]
        assert [await one.get(*place) for place in places] == [3, 7, 0, 9, 0]
        assert await other.get("s", 0) == 0


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path):
    database = wiki_database(f"sqlite:///{tmp_path}/no wiki.sqlite")

    with pytest.raises(StoreError, match="unable to open"):
        await database.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
    await database.close()

    assert os.listdir(tmp_path) == []
