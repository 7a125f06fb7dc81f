"""Verdicts in the changes view: counted beside their edit, gone with it, the same in any order."""

from itertools import permutations

from revision_quality.events.page_change import PageChange
from revision_quality.views.changes import ChangesView
from revision_quality.views.verdicts import GivenVerdicts
from tests.events.examples import page_change, prediction, verdict
from tests.views.examples import change_after, changes_after, records, rows_after


async def said(view: ChangesView, rev_id: int = 10) -> list[tuple[str, str]]:
    found = await GivenVerdicts(view).of_edit("my_wiki", rev_id)
    return [(one.author, one.verdict) for one in found]


async def test_a_change_tells_how_many_have_judged_it_and_what_the_latest_says(view):
    row = await change_after(
        view, page_change(), verdict(says="fine"), verdict(by="", says="damaging", second=90)
    )

    assert (row.verdicts, row.verdict) == (2, "damaging")
    assert await said(view) == [("Patroller", "fine"), ("", "damaging")]


async def test_of_an_author_the_latest_verdict_counts(view):
    first = verdict(says="false_positive")
    second = verdict(says="damaging", second=90, replaces=first.meta.id)

    row = await change_after(view, page_change(), second, first)

    assert (row.verdicts, row.verdict) == (1, "damaging")


async def test_any_order_gives_the_same_rows(view):
    edit = page_change()
    events = [
        edit,
        prediction(edit),
        verdict(says="fine"),
        verdict(says="false_positive", second=70),
        verdict(by="Other", says="damaging", second=65),
    ]
    expected = await rows_after(view, [[event] for event in events])

    for order in permutations(events):
        assert await rows_after(view, [order[:2], order[2:]]) == expected
    assert (expected[0]["verdicts"], expected[0]["verdict"]) == (2, "false_positive")


async def test_a_verdict_comes_to_readers_as_a_write_of_its_row(view):
    await view.apply(records([page_change(), page_change(rev_id=11)]))
    before = await view.last_seq()

    await view.apply(records([verdict(11)], 3))
    await view.apply(records([verdict(11)], 4))

    assert [row.rev_id for row in await view.since(before, 10)] == [11]
    assert await view.last_seq() == before + 1


async def test_a_verdict_without_its_edit_makes_no_row(view):
    assert await changes_after(view, verdict()) == []


def deletion() -> PageChange:
    return page_change("delete", second=80)


async def test_verdicts_go_with_their_page_and_do_not_come_back(view):
    for order in permutations([page_change(), verdict(comment="a secret"), deletion()]):
        row = await change_after(view, *order)

        assert (row.deleted, row.verdicts, row.verdict) == (True, 0, None)
        assert await said(view) == []


async def test_verdicts_are_dropped_with_their_edits(view):
    edit = page_change()
    await change_after(view, edit, verdict())

    await view.purge(int(edit.revision.rev_dt.timestamp()) + 1)

    assert await said(view) == []


async def test_the_newest_verdicts_of_a_wiki_come_first(view):
    await changes_after(view, page_change(), verdict(second=1), verdict(by="B", second=2))
    given = GivenVerdicts(view)

    assert [one.author for one in await given.newest("my_wiki", 9)] == ["B", "Patroller"]
    assert [one.author for one in await given.newest(None, 1)] == ["B"]
    assert await given.newest("other_wiki", 9) == []
