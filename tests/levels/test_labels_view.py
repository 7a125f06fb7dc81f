"""The labels view: the same in any order and batches, and what it tells the changes view."""

import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import permutations
from typing import Any, NamedTuple

import msgspec
import pytest
from sqlalchemy import Connection, select

from revision_quality.events.page_change import PageChange, Revert
from revision_quality.levels.counts import Label
from revision_quality.levels.edit import Edit
from revision_quality.levels.labels_view import LabelsView
from revision_quality.levels.page_rows import MARGIN, read_pages
from revision_quality.levels.tally import parts_of
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.tables import edit_labels, edit_scores, level_counts
from tests.events.examples import (
    at,
    iso,
    page_change,
    prediction,
    revision,
    tags_change,
    verdict,
    visibility_change,
)
from tests.views.examples import Event, records, stored

BEN = {"user_text": "Ben", "user_id": 8, "is_temp": False}
VIC = {"user_text": "192.0.2.7", "is_temp": False}
HOUR = 3600


class Views(NamedTuple):
    changes: ChangesView
    labels: LabelsView

    async def apply(self, events: Iterable[Event], first: int = 1) -> None:
        for view in self:
            await view.apply(records(events, first))

    async def read(self, function: Callable[[Connection], Any]) -> Any:
        return await self.changes.database.read(function)


@asynccontextmanager
async def open_views(url: str) -> AsyncIterator[Views]:
    changes = ChangesView(Database(url))
    try:
        yield Views(changes, LabelsView(changes.database, changes.bell))
    finally:
        await changes.close()


@pytest.fixture
async def views(url: str) -> AsyncIterator[Views]:
    async with open_views(url) as opened:
        yield opened


def edit(
    rev_id: int,
    text: str,
    user: dict[str, Any] = BEN,
    *,
    hour: float = 0,
    page_id: int = 5,
    parent: str | None = None,
    parent_id: int | None = None,
) -> PageChange:
    """An edit that leaves `text`, its parent's being `parent`."""
    before = parent_id or rev_id - 1
    return page_change(
        rev_id=rev_id,
        second=hour * HOUR,
        page={"page_id": page_id, "page_title": f"P{page_id}"},
        revision=revision(rev_id, hour * HOUR, rev_sha1=text, editor=user, rev_parent_id=before),
        prior_state={"revision": {"rev_id": before, "rev_sha1": parent}},
    )


def of(change: PageChange) -> dict[str, Any]:
    """What other events tell of the revision."""
    return {
        "rev_timestamp": iso(change.revision.rev_dt),
        "page_id": change.page.page_id,
        "page_title": change.page.page_title,
        "editor": VIC if change.revision.editor.user_text == VIC["user_text"] else BEN,
    }


BAD, GOOD = edit(11, "bad", VIC, hour=1, parent="good"), edit(12, "good", hour=2, parent="bad")
ODD, SECRET = edit(13, "odd", VIC, hour=4), edit(30, "secret", VIC, hour=7, page_id=7)
SPAM = edit(20, "spam", VIC, hour=3, page_id=6, parent="x")
GONE, BACK = (
    edit(40, "gone", VIC, hour=1, page_id=8),
    edit(41, "back", hour=3, page_id=8, parent="gone"),
)
PAGE = "my_wiki", 8
STORY_OF_GONE: list[Event] = [
    GONE,
    visibility_change(40, text=False, second=9 * HOUR, **of(GONE)),
    page_change("delete", 40, second=2 * HOUR, page={"page_id": 8, "page_title": "P8"}),
    BACK,
]
STORY: list[Event] = [
    *(edit(10, "good"), BAD, GOOD),
    *(prediction(edit(10, "good"), 0.1), prediction(BAD, 0.97), prediction(GOOD, 0.02)),
    prediction(BAD, 0.5, version="2"),
    prediction(BAD, 0.98, second=9 * HOUR),
    *(ODD, tags_change(13, ["mw-reverted"], second=7 * HOUR, **of(ODD))),
    *(SPAM, prediction(SPAM, 0.9), edit(21, "y", hour=5, page_id=6)),
    page_change("delete", 21, second=6 * HOUR, page={"page_id": 6, "page_title": "P6"}),
    *(SECRET, edit(31, "z", hour=8, page_id=7), prediction(SECRET, 0.6)),
    visibility_change(30, text=False, second=9 * HOUR, **of(SECRET)),
    *STORY_OF_GONE,
    verdict(11, "damaging", edited=HOUR),
    verdict(11, "fine", edited=HOUR, second=9 * HOUR),
    verdict(12, "damaging", "A", edited=2 * HOUR),
    verdict(12, "fine", "B", edited=2 * HOUR),
    verdict(13, "fine", "", edited=4 * HOUR),
    verdict(20, "damaging", page_id=6, edited=3 * HOUR),
    verdict(30, "damaging", page_id=7, edited=7 * HOUR),
]


async def contents(views: Views) -> dict[str, Any]:
    """All that the views hold but in which order it was written."""

    there = select(level_counts).where(level_counts.c.number != 0)

    def read(connection: Connection) -> dict[str, Any]:
        return {
            "labels": sorted(map(repr, connection.execute(select(edit_labels)))),
            "scores": sorted(map(repr, connection.execute(select(edit_scores)))),
            "counts": sorted(map(repr, connection.execute(there))),
        }

    return await views.read(read) | {"changes": await stored(views.changes)}


async def counted(views: Views) -> list[tuple[str, Label, int]]:
    """The counted edits of all models: kind of editor, label, bin."""
    rows = await views.read(
        lambda connection: connection.execute(
            select(level_counts.c.cell, level_counts.c.number).order_by(level_counts.c.cell)
        ).all()
    )
    return [
        (kind, Label(label), place)
        for cell, number in rows
        for kind, label, place in [parts_of(cell)] * number
    ]


async def changed(views: Views, rev_id: int) -> Any:
    return next(row for row in await views.changes.since(0, 99) if row.rev_id == rev_id)


async def test_a_change_that_was_undone_says_by_which_revision_and_when(views):
    await views.apply([edit(10, "good"), BAD])
    assert not (await changed(views, 11)).is_reverted
    seq = await views.changes.last_seq()

    await views.apply([GOOD], first=3)

    (row,) = [row for row in await views.changes.since(seq, 9) if row.rev_id == 11]
    assert (row.is_reverted, row.reverted_by) == (True, 12)
    assert row.reverted_dt == at(2 * HOUR).timestamp()


async def test_whoever_follows_wakes_when_an_edit_is_undone(views):
    await views.changes.apply(records([edit(10, "good"), BAD, GOOD]))
    rings = views.changes.bell.rings

    await views.labels.apply(records([edit(10, "good"), BAD, GOOD]))

    assert views.changes.bell.rings == rings + 1


async def test_an_edit_is_undone_by_its_author_or_late_or_by_a_tag_too(views):
    own = [edit(10, "a", VIC), edit(11, "b", VIC, hour=1), edit(12, "a", VIC, hour=2)]
    late = [edit(n, text, hour=90 * n, page_id=6) for n, text in ((20, "a"), (21, "b"), (22, "a"))]
    told = edit(30, "b", VIC, page_id=7)
    tags = tags_change(30, ["mw-reverted"], second=HOUR, **of(told))

    await views.apply([*own, *late, told, tags])

    found = {
        row.rev_id: row.reverted_by for row in await views.changes.since(0, 99) if row.is_reverted
    }
    assert found == {11: 12, 21: 22, 30: None}


async def test_a_text_that_came_back_is_not_reverted(views):
    await views.apply([edit(10, "good"), BAD, GOOD, edit(13, "bad", hour=3)])

    assert [row.rev_id for row in await views.changes.since(0, 99) if row.is_reverted] == [12]


async def test_edits_are_counted_by_model_label_kind_and_score(views):
    await views.apply(STORY[:8])

    assert await counted(views) == [
        ("anonymous", Label.REVERTED, 500),
        ("anonymous", Label.REVERTED, 980),
        ("registered", Label.KEPT, 20),
        ("registered", Label.KEPT, 100),
    ]


async def test_a_verdict_counts_as_the_label(views):
    await views.apply(STORY[:8])
    await views.apply([verdict(11, "fine", edited=HOUR)], first=9)
    await views.apply([verdict(10, "damaging")], first=10)

    assert await counted(views) == [
        ("anonymous", Label.KEPT, 500),
        ("anonymous", Label.KEPT, 980),
        ("registered", Label.KEPT, 20),
        ("registered", Label.REVERTED, 100),
    ]
    assert (await changed(views, 11)).is_reverted
    assert not (await changed(views, 10)).is_reverted


async def test_a_verdict_that_does_not_tell_the_page_is_left_out(views):
    await views.apply(STORY[:8])
    before = await contents(views)
    old = msgspec.structs.replace(verdict(11), page_id=None, rev_dt=None)

    await views.labels.apply(records([old], 9))

    assert await contents(views) == before


async def test_of_a_deleted_page_and_a_hidden_text_nothing_stays(views):
    await views.apply(STORY)

    found = await contents(views)
    assert not any("20," in row or "21," in row for row in found["labels"])
    assert not any("30," in row or "20," in row for row in found["scores"])
    assert ("anonymous", Label.KEPT, 900) not in await counted(views)


async def test_of_a_deleted_page_that_a_text_is_hidden_is_kept_alone(views):
    await views.apply([*STORY_OF_GONE, prediction(GONE, 0.9)])
    await views.apply([verdict(40, "damaging", page_id=8, edited=HOUR)], first=6)

    gone, back = await views.read(lambda connection: list(read_pages(connection, [PAGE]).values()))
    told = {"page_id": 8, "timestamp": int(at(HOUR).timestamp()), "text_hidden": True}
    assert gone == Edit("my_wiki", 40, **told)
    assert back.parent_sha1 is None
    assert (await contents(views))["scores"] == []


async def test_of_a_restored_page_a_hidden_text_is_not_told_as_a_parents_in_any_order(tmp_path):
    told = set()
    for number, order in enumerate(permutations(STORY_OF_GONE)):
        async with open_views(f"sqlite:///{tmp_path}/{number}.sqlite") as views:
            for offset, event in enumerate(order, 1):
                await views.labels.apply(records([event], offset))
            told.add(tuple((await contents(views))["labels"]))

    assert len(told) == 1


@pytest.mark.parametrize("seed", range(12))
async def test_in_any_order_again_and_in_any_batches_it_is_the_same(tmp_path, seed):
    async with open_views(f"sqlite:///{tmp_path}/in_order.sqlite") as views:
        await views.apply(STORY)
        expected = await contents(views)
    chance = random.Random(seed)
    shuffled = [*STORY, *chance.sample(STORY, 6)]
    chance.shuffle(shuffled)
    async with open_views(f"sqlite:///{tmp_path}/shuffled.sqlite") as views:
        for view in chance.sample(list(views), 2):
            at = 0
            while at < len(shuffled):
                size = chance.randint(1, 5)
                await view.apply(records(shuffled[at : at + size], at + 1))
                at += size
        assert await contents(views) == expected


async def test_a_long_page_is_labelled_as_a_short_one(tmp_path):
    """Of a page with more edits than are read at once, those near to a change are read."""
    chance = random.Random(7)
    texts = [chance.choice("abcdef") + str(chance.randint(0, 40)) for _ in range(6 * MARGIN)]
    page: list[Event] = [
        edit(100 + n, text, chance.choice([BEN, VIC]), hour=n) for n, text in enumerate(texts)
    ]
    async with open_views(f"sqlite:///{tmp_path}/whole.sqlite") as views:
        await views.labels.apply(records(page))
        expected = (await contents(views))["labels"]
    assert sum("'" in row for row in expected) == len(page)
    async with open_views(f"sqlite:///{tmp_path}/parts.sqlite") as views:
        for start in _parts(chance.sample(page, len(page)), 40):
            await views.labels.apply(records(start))
        assert (await contents(views))["labels"] == expected


_FIRST, _VANDAL = edit(10, "good"), edit(11, "bad", VIC, hour=1)
_DELETION = page_change("delete", 10, second=HOUR / 2, page={"page_id": 5, "page_title": "P5"})
_NEW = _NAMING = edit(12, "new", hour=2)
_NAMING = msgspec.structs.replace(
    _NAMING,
    revision=msgspec.structs.replace(
        _NAMING.revision, revert=Revert(rev_reverted_oldest_id=11, rev_reverted_newest_id=11)
    ),
)


@pytest.mark.parametrize(
    "batches",
    [
        [[_FIRST, edit(12, "good", hour=2)], [_VANDAL]],
        [[_FIRST, _VANDAL], [edit(12, "good", hour=2)]],
        [[_FIRST, _VANDAL], [_NAMING]],
        [
            [_FIRST, _VANDAL, tags_change(11, ["mw-reverted"], second=3 * HOUR, **of(_VANDAL))],
            [_NEW, tags_change(12, ["mw-undo"], second=3 * HOUR, **of(_NEW))],
        ],
        [[_FIRST, _VANDAL], [edit(13, "new", hour=2, parent="good")]],
        [
            [_FIRST, _VANDAL, visibility_change(11, text=False, second=2 * HOUR, **of(_VANDAL))],
            [edit(12, "new", hour=3, parent="bad")],
        ],
        [[_FIRST, _DELETION], [_VANDAL, edit(12, "good", hour=2)]],
        [[_FIRST, _VANDAL, edit(12, "good", hour=2)], [_DELETION]],
        [[_FIRST, _VANDAL], [_DELETION, edit(12, "bad", hour=2), edit(13, "good", hour=3)]],
        [
            [edit(10, "bad", VIC)],
            [_DELETION, edit(11, "new", hour=1, parent="bad"), edit(12, "bad", hour=2)],
        ],
    ],
    ids=[
        *("late", "again", "named", "tagged", "parent", "hidden"),
        *("deleted", "cut", "grown and cut", "cut to nothing"),
    ],
)
async def test_an_edit_at_the_end_of_a_page_may_bear_on_those_before(tmp_path, batches):
    async with open_views(f"sqlite:///{tmp_path}/at_once.sqlite") as views:
        await views.labels.apply(records([event for batch in batches for event in batch]))
        expected = await contents(views)
    async with open_views(f"sqlite:///{tmp_path}/one_by_one.sqlite") as views:
        for number, batch in enumerate(batches):
            await views.labels.apply(records(batch, 10 * number + 1))
        assert await contents(views) == expected


@pytest.mark.parametrize("seed", range(6))
async def test_edits_that_come_bit_by_bit_are_labelled_as_all_at_once(tmp_path, seed):
    """Edits at the end of a page are labelled without reading it where nothing bears on others."""
    chance = random.Random(seed)
    story = list(_life_of_pages(chance, chance.choice([3, 6, 12])))
    async with open_views(f"sqlite:///{tmp_path}/at_once.sqlite") as views:
        await views.labels.apply(records(chance.sample(story, len(story))))
        expected = await contents(views)
    async with open_views(f"sqlite:///{tmp_path}/bit_by_bit.sqlite") as views:
        at = 0
        while at < len(story):
            size = chance.choice([2, 5, 12])
            await views.labels.apply(records(story[at : at + size], at + 1))
            at += size
        assert await contents(views) == expected


def _life_of_pages(chance: random.Random, texts: int) -> Iterable[Event]:
    """Edits of pages as they come: most in order, few late, hidden, told of or deleted."""
    last, late = dict.fromkeys(range(5, 25), (1, "")), list[Event]()
    for rev_id in range(10, 140):
        page_id, text = chance.choice(list(last)), f"text {chance.randrange(texts)}"
        parent_id, parent = chance.choice(
            [last[page_id], last[page_id], (2, None), (1000 + rev_id, "text 1"), (2, None)]
        )
        made = edit(
            rev_id,
            text,
            chance.choice([BEN, VIC]),
            hour=rev_id / 4,
            page_id=page_id,
            parent=parent,
            parent_id=parent_id,
        )
        last[page_id] = rev_id, text
        events: list[Event] = [made, prediction(made, chance.random())]
        if chance.random() < 0.4:
            tag = chance.choice(["mw-reverted", "mw-undo"])
            events.append(tags_change(rev_id, [tag], second=rev_id * HOUR, **of(made)))
        if chance.random() < 0.1:
            events.append(visibility_change(rev_id, text=False, second=rev_id * HOUR, **of(made)))
        if chance.random() < 0.05:
            page = {"page_id": page_id, "page_title": f"P{page_id}"}
            deleted = (rev_id + chance.choice([-9, 0])) / 4 * HOUR
            events.append(page_change("delete", rev_id, second=deleted, page=page))
        if chance.random() < 0.05:
            says = chance.choice(["damaging", "fine"])
            events.append(verdict(rev_id, says, page_id=page_id, edited=rev_id / 4 * HOUR))
        chance.shuffle(events)
        if chance.random() < 0.2:
            late, events = events, late
        yield from events
    yield from late


def _parts(events: Sequence[Event], size: int) -> list[Sequence[Event]]:
    return [events[start : start + size] for start in range(0, len(events), size)]


async def test_forgotten_edits_stay_counted_and_do_not_come_back(views):
    await views.apply(STORY[:6])
    before = await counted(views)

    assert await views.labels.purge(int(at(HOUR * 9).timestamp()), limit=2) == 2
    assert await views.labels.purge(int(at(HOUR * 9).timestamp())) == 1
    await views.labels.apply(records(STORY[:6], 7))
    await views.labels.apply(records([verdict(11, "fine", edited=HOUR)], 13))

    assert await counted(views) == before
    assert (await contents(views))["labels"] == []


async def test_a_clock_that_was_years_ahead_once_keeps_no_later_edit_out(views):
    await views.apply([BAD, prediction(BAD, 0.97)])
    assert await views.labels.purge(int(at(5 * 365 * 24 * HOUR).timestamp())) == 1

    await views.apply([BAD, ODD, prediction(ODD, 0.6)], first=10)

    assert [label[1] for label in await views.read(_labels)] == [ODD.revision.rev_id]


def _labels(connection: Connection) -> list[Any]:
    return list(connection.execute(select(edit_labels)))


async def test_it_has_a_position_of_its_own(views):
    await views.labels.apply(records([BAD]))

    assert await views.labels.position("mediawiki.page_change.v1") == 1
    assert await views.changes.position("mediawiki.page_change.v1") == 0


async def test_an_unreadable_event_is_left_out_and_the_rest_goes_on(views):
    bad = msgspec.structs.replace(records([BAD])[0], value=b"{")

    await views.labels.apply([bad, *records([edit(10, "good")], 2)])

    assert len((await contents(views))["labels"]) == 1
