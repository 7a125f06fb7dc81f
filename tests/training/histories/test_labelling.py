"""Histories become labelled edits: those that count, with their label, past and weight."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from revision_quality.errors import ModelError
from revision_quality.training.histories import (
    Choice,
    labelled_edits_of_dump,
    write_labelled_edits,
)
from revision_quality.training.labelled import LabelledEdit, read_labelled_edits
from tests.training.histories.make import HIDDEN, START, STORIES, Edit, PageOf, dump, story

ALL = Choice(kept_per_reverted=1000)
REVERTED = PageOf("Reverted", story("good:Zoe bad:Yan good:Xia"))


def edits(tmp_path: Path, *pages: PageOf, choice: Choice = ALL) -> list[LabelledEdit]:
    path = tmp_path / "dump.xml"
    path.write_text(dump(pages))
    return list(labelled_edits_of_dump(path, choice=choice))


def labels(found: list[LabelledEdit], title: str = "A") -> dict[int | None, int]:
    return {edit.revision.rev_id: edit.label for edit in found if edit.revision.page.title == title}


@pytest.mark.parametrize("name", STORIES)
def test_every_case_of_a_history_gets_its_label(name, tmp_path):
    text, expected = STORIES[name]

    assert labels(edits(tmp_path, PageOf("A", story(text)), REVERTED)) == expected


def test_an_edit_has_all_that_was_known_at_it(tmp_path):
    page = PageOf(
        "Rio & Grande",
        [
            Edit("one", "Ana"),
            Edit("two", "Ben", "second"),
            Edit("junk", "192.0.2.7", "hi", ip=True),
            Edit("two", "Ben", "undo"),
        ],
    )
    other = PageOf("Older", [Edit("x", "Ben", hours=-5), Edit("y", "Ben", hours=100)])

    second, junk, undo = (
        edit for edit in edits(tmp_path, page, other) if edit.revision.page.title != "Older"
    )

    revision = second.revision
    assert (second.label, second.weight) == (0, 1.0)
    assert (revision.wiki_id, revision.rev_id, revision.comment) == ("papwiki", 2, "second")
    assert (revision.text, revision.parent.text) == ("two", "one")
    assert (revision.parent.rev_id, revision.parent.user_text) == (1, "Ana")
    assert revision.parent.rev_dt == START + timedelta(hours=1)
    assert revision.rev_dt == START + timedelta(hours=2)
    assert revision.page.first_edit_dt == START + timedelta(hours=1)
    assert (revision.page.title, revision.page.namespace_id) == ("Rio & Grande", 0)
    assert revision.user.edit_count == 1
    assert revision.user.registration_dt == START - timedelta(hours=5)
    assert (junk.label, junk.revision.user.user_id, junk.revision.user.edit_count) == (1, 0, None)
    assert undo.revision.user.edit_count == 2


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (Edit("b" * 1001, "Ben"), "too long"),
        (Edit("{}", "Ben", model="json"), "another content model"),
        (Edit("b", "Ben", hours=-50), "older than its parent"),
        (Edit("b", "Ben", parent_gap=True), "its parent is not the revision before"),
        (Edit("b", "Listed"), "a bot by the list"),
        (Edit("b", HIDDEN), "hidden editor"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_what_does_not_count_is_left_out(edit, why, tmp_path):
    choice = replace(ALL, bots=frozenset({"Listed"}), max_text_bytes=1000)
    history = [Edit("a", "Ana"), edit]

    assert labels(edits(tmp_path, PageOf("A", history), REVERTED, choice=choice)) == {}


def test_namespaces_are_chosen(tmp_path):
    talk = PageOf("Talk:A", story("a:Ana b:Ben"), ns=1)

    assert labels(edits(tmp_path, talk, REVERTED), "Talk:A") == {}
    every = replace(ALL, namespaces=None)
    assert labels(edits(tmp_path, talk, REVERTED, choice=every), "Talk:A") == {2: 0}


@pytest.mark.parametrize(
    ("name", "is_bot"),
    [
        ("ClueBot NG", True), ("Xqbot", True), ("Luckas-bot", True), ("bot_2", True),
        ("SIEBOT", True), ("Botany", False), ("Bottomley", False), ("Ana", False),
    ],
)  # fmt: skip
def test_bots_are_known_by_their_names(name, is_bot, tmp_path):
    history = [Edit("a", "Ana"), Edit("b", name)]

    found = labels(edits(tmp_path, PageOf("A", history), REVERTED))

    assert (found == {}) == is_bot


def quiet_pages(count: int) -> list[PageOf]:
    return [PageOf(f"Page {n}", story("a:Ana b:Ben c:Cid d:Dan")) for n in range(count)]


def test_a_sample_of_the_kept_is_weighted_to_the_natural_rate(tmp_path):
    pages = [*quiet_pages(400), *[replace_title(REVERTED, f"R{n}") for n in range(50)]]

    found = edits(tmp_path, *pages, choice=Choice())

    kept = [edit for edit in found if not edit.label]
    assert sum(edit.label for edit in found) == 50
    assert all(edit.weight == 1 for edit in found if edit.label)
    assert 150 <= len(kept) <= 250
    assert sum(edit.weight for edit in kept) == pytest.approx(400 * 3 + 50, rel=0.2)


def replace_title(page: PageOf, title: str) -> PageOf:
    return page._replace(title=title)


def test_the_same_seed_draws_the_same_and_another_draws_others(tmp_path):
    pages = [*quiet_pages(60), *[replace_title(REVERTED, f"R{n}") for n in range(5)]]

    first = edits(tmp_path, *pages, choice=Choice(seed=1))

    assert edits(tmp_path, *pages, choice=Choice(seed=1)) == first
    assert edits(tmp_path, *pages, choice=Choice(seed=2)) != first


def test_a_dump_without_a_revert_teaches_nothing(tmp_path):
    with pytest.raises(ModelError, match="none of its 6 edits that count was reverted"):
        edits(tmp_path, *quiet_pages(2))


@pytest.mark.parametrize("name", ["edits.jsonl", "edits.jsonl.xz"])
def test_what_is_written_is_read_back_the_same(name, tmp_path):
    page = PageOf(
        "A",
        [Edit("ä\n\u2028", "Ana"), Edit("junk", "192.0.2.7", ip=True), Edit("ä\n\u2028", "Ben")],
    )
    found = edits(tmp_path, page, REVERTED)

    assert write_labelled_edits(tmp_path / name, found) == len(found) == 4

    assert list(read_labelled_edits(tmp_path / name)) == found


def test_a_file_that_breaks_off_is_not_there(tmp_path):
    def breaking():
        yield from edits(tmp_path, REVERTED)
        raise ModelError("no more")

    with pytest.raises(ModelError, match="no more"):
        write_labelled_edits(tmp_path / "edits.jsonl", breaking())

    assert sorted(path.name for path in tmp_path.iterdir()) == ["dump.xml"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"edits\.jsonl: cannot be written"):
        write_labelled_edits(tmp_path / "no" / "edits.jsonl", [])
