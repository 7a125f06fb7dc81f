"""The edits of a page are looked up by page, whatever a server believes of its tables."""

import pytest

from revision_quality.levels import page_ends, page_rows
from revision_quality.views import bulk
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.tables import changes
from tests.servers.databases import RealServer

PAGE = ("enwiki", 7)


@pytest.mark.database
@pytest.mark.parametrize(
    ("sql", "key", "index"),
    [
        (page_rows._around_sql, (*PAGE, 10, 20), "edit_labels_page_texts"),
        (page_rows._near_sql, (*PAGE, 10, 20), "edit_labels_page_texts"),
        (page_ends._ends_sql, PAGE, "edit_labels_page_texts"),
        (page_ends._bearing_sql, (*PAGE, 10, "text", 20), "edit_labels_page_texts"),
        (
            lambda dialect: bulk._select_sql(changes, dialect, ("wiki_id", "page_id"), None),
            PAGE,
            "changes_page_time",
        ),
    ],
)
async def test_mariadb_looks_pages_up_though_it_believes_that_there_are_no_edits(
    mariadb: RealServer, sql, key, index
) -> None:
    """Without statistics it would read all edits of the wiki for each page."""
    database = Database(mariadb.new_url())
    ChangesView(database)

    plan = await database.write(
        lambda connection: bulk.fetched(
            connection,
            f"EXPLAIN {sql(connection.dialect)}",
            bulk.arguments_of([key], connection.dialect),
        )
    )
    await database.close()

    used = {row[5] for row in plan if row[2] == "c"}
    assert used == {index}
