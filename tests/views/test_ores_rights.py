"""A user with the rights that are asked for can do everything, and what is missing is named."""

import contextlib

import pytest
from sqlalchemy import make_url

from revision_quality.views.database import Database
from revision_quality.views.ores_rights import check_rights, grants
from revision_quality.views.ores_upkeep import OresUpkeep
from tests.events.examples import MODEL, page_change, prediction, visibility_change
from tests.servers.databases import RealServer
from tests.views.examples import records
from tests.views.ores_house import House
from tests.views.test_ores_upkeep import Known

RIGHTS = [
    ("SELECT", "ores_model"),
    ("SELECT", "ores_classification"),
    ("SELECT", "recentchanges"),
    ("SELECT", "revision"),
    ("SELECT", "archive"),
    ("INSERT", "ores_model"),
    ("UPDATE", "ores_model"),
    ("INSERT", "ores_classification"),
    ("DELETE", "ores_classification"),
]


@pytest.fixture(
    params=[
        pytest.param("mariadb", marks=pytest.mark.database),
        pytest.param("postgresql", marks=pytest.mark.database),
    ]
)
def server(request: pytest.FixtureRequest) -> RealServer:
    running: RealServer = request.getfixturevalue(request.param)
    return running


@contextlib.contextmanager
def wiki_with_a_user(server: RealServer, name: str):
    """A wiki's database and the same for a user without any rights."""
    house = House(server.new_url())
    house.make()
    server.run(f"CREATE USER {name}")
    user = House(make_url(house.url).set(username=name).render_as_string(hide_password=False))
    if server.kind == "mariadb":
        # Without any right on the database a user cannot even choose it.
        house.sql(f"GRANT SHOW VIEW ON `{user.database.url.database}`.* TO {name}")
    yield house, user
    user.database.close_now()
    house.database.close_now()


def given(user: House) -> list[str]:
    dialect = user.database.url.get_dialect()()
    return grants(user.database.url, dialect, user.tables)


async def test_the_rights_are_enough_for_all_that_is_done(server):
    with wiki_with_a_user(server, "enough") as (house, user):
        before = await check_rights(user.database, user.tables)
        for statement in given(user):
            house.sql(statement)
        after = await check_rights(user.database, user.tables)

        house.edit(10)
        view = user.view()
        await view.apply(records([prediction(page_change())]))
        await view.apply(records([page_change("delete"), visibility_change(10, text=False)]))
        upkeep = OresUpkeep(view, {MODEL: Known()})
        for _ in range(4):
            await upkeep.step()
        await view.make_current(view.models[0])

    assert [(right.name, right.table) for right in after] == RIGHTS
    assert all(right.refusal and "denied" in right.refusal for right in before)
    assert [right for right in after if right.refusal] == []


@pytest.mark.parametrize("lacking", ["DELETE", "UPDATE"])
async def test_a_right_that_is_lacking_is_named_and_nothing_was_changed(server, lacking):
    with wiki_with_a_user(server, f"lacks_{lacking.lower()}") as (house, user):
        for statement in given(user):
            house.sql(statement.replace(f", {lacking}", ""))
        told = await check_rights(user.database, user.tables)

        assert house.rows() == house.current() == []
    assert [right.name for right in told if right.refusal] == [lacking]


@pytest.mark.database
async def test_postgresql_needs_the_sequences_too(postgresql):
    with wiki_with_a_user(postgresql, "lacks_sequence") as (house, user):
        for statement in given(user):
            if "oresc_id_seq" not in statement:
                house.sql(statement)
        told = await check_rights(user.database, user.tables)

    [lacking] = [right for right in told if right.refusal]
    assert (lacking.name, lacking.table) == ("INSERT", "ores_classification")
    assert lacking.refusal == "no USAGE of the sequence public.ores_classification_oresc_id_seq"


async def test_tables_that_are_not_there_are_told(url):
    database = Database(url)
    told = await check_rights(database, House(url).tables)
    await database.close()

    assert len(told) == len(RIGHTS)
    assert all("ores_" in str(right.refusal) for right in told[:2])


def test_sqlite_has_no_rights_to_give():
    url = make_url("sqlite:///wiki.sqlite")

    assert grants(url, url.get_dialect()(), House("sqlite://").tables) == []
