"""Two models in the database: only edits that both have scored, only labels that are settled."""

from collections.abc import Sequence

import pytest

from revision_quality.levels.edit import day_of
from revision_quality.levels.labels_view import LabelsView
from revision_quality.levels.side_by_side import LevelledModel, SideBySide, read_side_by_side
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from tests.events.examples import at, page_change, prediction, verdict
from tests.views.examples import Event, records

DAY = 86_400.0
SHOWN, OTHER = (LevelledModel(("revertrisk", version), ()) for version in "12")


def edit(rev_id: int, *versions: str, second: float = 0, wiki_id: str = "my_wiki") -> list[Event]:
    change = page_change(rev_id=rev_id, second=second, wiki_id=wiki_id)
    return [change, *(prediction(change, 0.5, version=version) for version in versions)]


async def compared(url: str, events: Sequence[Event], wiki_id: str | None = None) -> SideBySide:
    view = ChangesView(Database(url), [SHOWN.key, OTHER.key])
    for each in (view, LabelsView(view.database, view.bell)):
        await each.apply(records(events))
    found = await view.read(
        lambda connection: read_side_by_side(connection, SHOWN, OTHER, day_of(at(0)), wiki_id)
    )
    await view.close()
    return found


async def test_what_both_have_scored_is_compared_and_what_is_settled_measured(url):
    both, damaging = edit(10, "1", "2"), edit(11, "1", "2")
    late = edit(12, "1", "2", second=DAY)
    created = page_change("create", 15)
    events = [*both, *damaging, *late, *edit(13, "1"), *edit(14, "2"), created]
    events += [prediction(created, 0.5), prediction(created, 0.5, version="2")]

    found = await compared(url, [*events, verdict(11, "damaging")])

    assert found.agreement.edits == 4
    assert (found.measured.edits, found.measured.reverted) == (2, 1)


@pytest.mark.parametrize(("wiki_id", "edits"), [(None, 3), ("my_wiki", 2), ("other_wiki", 1)])
async def test_edits_of_one_wiki_are_compared_alone(url, wiki_id, edits):
    events = [*edit(10, "1", "2"), *edit(11, "1", "2"), *edit(10, "1", "2", wiki_id="other_wiki")]

    found = await compared(url, events, wiki_id)

    assert (found.agreement.edits, found.measured.edits) == (edits, edits)
