"""Which model is shown and which are beside it is noticed, at little cost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from revision_quality.cli.model_state import ModelState, ModelStates
from revision_quality.settings import Settings
from revision_quality.views import shown_model
from revision_quality.views.database import Database
from revision_quality.views.schema import bring_up_to_date

MODEL = ("mine", "2")


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what databases are asked meanwhile."""
    found: list[str] = []

    def note(connection, cursor, statement, *_) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("exists", [False, True], ids=["no tables yet", "tables"])
async def test_a_model_that_is_promoted_is_noticed(tmp_path, exists):
    settings = Settings(data_folder=str(tmp_path))
    states, others = ModelStates(settings, makes=exists), Database(settings.changes_url)
    known = await states.read()
    assert known == ModelState()
    with statements() as asked:
        changed = asyncio.create_task(states.changed(known))
        await asyncio.sleep(1.5)
        assert not changed.done()
        if exists:
            assert asked
            assert all("max(" in one for one in asked if "SELECT" in one), "the numbers alone"

    await others.write(bring_up_to_date)
    await others.write(lambda connection: shown_model.add_shown(connection, MODEL, 1, 1.0))
    await asyncio.wait_for(changed, 30)
    found = await states.read()

    assert found.shown == MODEL
    assert found.number != known.number
    await states.close()
    await others.close()
