"""The edits of each tag, in step with the rows whatever happens to these."""

from itertools import permutations

from sqlalchemy import Connection, delete, select, text

from revision_quality.views.change_tags import Entry, entries_of
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.facets import EVERY_WIKI, facets_of
from revision_quality.views.name_key import name_key
from revision_quality.views.schema import VERSION_TABLE
from revision_quality.views.tables import change_tags, changes
from tests.events.examples import at, page_change, prediction, tags_change
from tests.views.examples import open_view, records


async def found(view: ChangesView) -> set[Entry]:
    return await view.read(lambda c: {tuple(row) for row in c.execute(select(change_tags))})


async def of_the_rows(view: ChangesView) -> set[Entry]:
    rows = await view.rows(select(changes).where(changes.c.deleted.is_(False)))
    return {entry for row in rows for entry in entries_of(row)}


async def test_an_edit_is_found_by_each_tag_of_its_wiki_and_of_all(view: ChangesView) -> None:
    await view.apply(records([page_change(), tags_change(10, ["mw-undo", "mobile edit"])]))

    time = int(at(0).timestamp())
    (facets,) = {facets_of(row) for row in await view.rows(select(changes))}
    assert await found(view) == {
        (name_key(wiki_id, tag), time, 10, "my_wiki", facets)
        for wiki_id in ("my_wiki", EVERY_WIKI)
        for tag in ("mw-undo", "mobile edit")
    }


async def test_tags_that_are_taken_away_are_forgotten(view: ChangesView) -> None:
    await view.apply(records([page_change(), tags_change(10, ["a", "b"])]))
    await view.apply(records([tags_change(10, ["b"], second=9)], first=5))

    assert {key for key, *_ in await found(view)} == {name_key("my_wiki", "b"), name_key("", "b")}


async def test_they_are_those_of_the_rows_in_any_order_of_events(new_url) -> None:
    events = [
        page_change(),
        prediction(page_change()),
        tags_change(10, ["a", "b"]),
        tags_change(10, ["b", "c"], second=9),
    ]
    for order in list(permutations(events))[::5]:
        async with open_view(new_url()) as view:
            for offset, event in enumerate(order, start=1):
                await view.apply(records([event], first=offset))
                assert await found(view) == await of_the_rows(view)
            assert len(await found(view)) == 4


async def test_a_deleted_page_and_old_edits_leave_none(view: ChangesView) -> None:
    await view.apply(records([page_change(), tags_change(10, ["a"])]))
    await view.apply(records([page_change("delete", 10, second=50)], first=9))
    assert await found(view) == set()

    other = page_change(rev_id=11, second=60, page=page_of(6))
    await view.apply(records([other, tags_change(11, ["a"])], first=11))
    assert len(await found(view)) == 2
    await view.purge(int(at(61).timestamp()))
    assert await found(view) == set()


def page_of(page_id: int) -> dict[str, object]:
    return {"page_id": page_id, "page_title": "Other", "namespace_id": 0, "is_redirect": False}


async def test_the_edits_of_an_older_schema_are_brought_in(url: str) -> None:
    events = [(page_change(rev_id=n), tags_change(n, ["a"] * (n % 2))) for n in range(10, 20)]
    async with open_view(url) as view:
        await view.apply(records([event for pair in events for event in pair]))
        expected = await found(view)

    def back_to_schema_9(connection: Connection) -> None:
        connection.execute(delete(change_tags))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9'"))

    database = Database(url)
    database.write_now(back_to_schema_9)
    database.close_now()

    async with open_view(url) as view:
        assert len(expected) == 10
        assert await found(view) == expected
