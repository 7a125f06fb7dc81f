"""A dump's revisions become the events that polling would have brought, with their texts."""

from datetime import timedelta
from hashlib import sha1
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revision_quality.errors import DumpError
from revision_quality.events.page_change import PageChangeKind, decode_page_change
from revision_quality.sites import site_of
from revision_quality.sources.dump import DumpEdit, DumpReader, count_users, dump_edits
from revision_quality.sources.recent_change import base36_sha1
from revision_quality.wiki.dump import DumpHead, read_head, site_of_dump
from revision_quality.wiki.reader import Unreadable
from revision_quality.wiki.revision import Revision
from revision_quality.wiki.user_histories import UserHistories
from tests.training.histories.make import HEAD, HIDDEN, START, Edit, PageOf, dump, story

SITE = site_of("papwiki")


def written(tmp_path: Path, *pages: PageOf) -> Path:
    path = tmp_path / "dump.xml"
    path.write_text(dump(pages))
    return path


def edits(tmp_path: Path, *pages: PageOf, users: UserHistories | None = None) -> list[DumpEdit]:
    assert SITE is not None
    return list(dump_edits(written(tmp_path, *pages), SITE, users))


async def read(found: list[DumpEdit]) -> list[Revision | Unreadable]:
    return await DumpReader(found).read([edit.change for edit in found])


async def reasons(found: list[DumpEdit]) -> list[str]:
    return [one.reason if isinstance(one, Unreadable) else one.text for one in await read(found)]


def test_an_edit_is_the_event_that_polling_brings(tmp_path):
    page = PageOf("Talk:A b", [Edit("é", "Ana"), Edit("later", "192.0.2.7", "why", ip=True)], ns=1)

    first, second = edits(tmp_path, page)

    change = second.change
    assert decode_page_change(msgspec.json.encode(change)) == change
    assert (change.wiki_id, change.page_change_kind) == ("papwiki", PageChangeKind.EDIT)
    assert (change.page.page_title, change.page.namespace_id) == ("Talk:A_b", 1)
    assert (change.revision.rev_id, change.revision.rev_parent_id) == (2, 1)
    assert change.dt == change.revision.rev_dt == START + timedelta(hours=2)
    assert (change.revision.rev_size, change.prior_state.revision.rev_size) == (5, 2)
    assert change.revision.rev_sha1 == base36_sha1(sha1(b"later").hexdigest())
    assert change.revision.comment == "why"
    assert (change.performer.user_text, change.performer.user_id) == ("192.0.2.7", None)
    assert change.meta.uri == "https://pap.wikipedia.org/wiki/Talk:A_b"
    assert first.change.page_change_kind is PageChangeKind.CREATE
    assert (first.change.performer.user_id, first.change.performer.groups) == (7, ("*", "user"))


def test_the_same_edit_has_the_same_id_in_every_dump(tmp_path):
    first, other = PageOf("A", story("a:Ana b:Ben")), PageOf("B", story("c:Cid"))

    (_, edit), longer = edits(tmp_path, first), edits(tmp_path, first, other)

    assert longer[1].change == edit.change
    assert len({one.change.meta.id for one in longer}) == 3


async def test_each_edit_is_read_with_its_own_text_and_its_parents(tmp_path):
    page = PageOf("A", story("one:Ana two:Ben three:Cid"))

    _, second, third = await read(edits(tmp_path, page))

    assert isinstance(third, Revision)
    assert isinstance(second, Revision)
    assert (second.parent.text, second.text) == ("one", "two")
    assert (third.parent.text, third.text, third.parent.user_text) == ("two", "three", "Ben")
    assert third.parent.rev_dt == START + timedelta(hours=2)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (story("a:Ana hidden:Ben c:Cid d:Dan"),
         ["parent_revision_missing", "revision_hidden", "parent_revision_hidden", "d"]),
        ([Edit("a", "Ana"), Edit("x", "Ben", model="javascript"), Edit("c", "Cid")],
         ["parent_revision_missing", "not_wikitext", "not_wikitext"]),
        ([Edit("a", "Ana"), Edit("b", "Ben", parent_gap=True)],
         ["parent_revision_missing", "parent_revision_missing"]),
        (story("a:Ana -:Ben c:?"), ["parent_revision_missing", "", "c"]),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_says_why(page, expected, tmp_path):
    assert await reasons(edits(tmp_path, PageOf("A", page))) == expected


async def test_a_lost_text_is_not_a_hidden_one(tmp_path):
    path = written(tmp_path, PageOf("A", story("a:Ana bbb:Ben c:Cid")))
    path.write_text(path.read_text().replace(">bbb</text>", "></text>"))
    assert SITE is not None

    found = list(dump_edits(path, SITE))

    assert (await reasons(found))[1:] == ["revision_missing", "parent_revision_missing"]
    assert found[1].change.revision.is_content_visible
    assert found[1].change.revision.rev_size is None


def test_what_is_hidden_is_not_in_the_event(tmp_path):
    found = edits(tmp_path, PageOf("A", [Edit("a", "Ana"), Edit(HIDDEN, HIDDEN)]))

    revision = found[1].change.revision
    assert (revision.is_content_visible, revision.is_editor_visible) == (False, False)
    assert (revision.editor, found[1].change.performer, revision.rev_sha1) == (None, None, None)


def test_only_accounts_have_a_past(tmp_path):
    page = PageOf(
        "A",
        [*story("a:Ana b:Ana c:Ana"), Edit("d", "192.0.2.7", ip=True), Edit("e", "~2026-12-3")],
    )
    path = written(tmp_path, page)
    with UserHistories() as users:
        count_users(path, "papwiki", users)
        found = edits(tmp_path, page, users=users)

    editors: list[Any] = [edit.change.performer for edit in found]
    assert [editor.edit_count for editor in editors] == [0, 1, 2, None, None]
    assert editors[2].registration_dt == START + timedelta(hours=1)
    assert [editor.registration_dt for editor in editors[3:]] == [None, None]
    assert [editor.is_temp for editor in editors] == [False] * 4 + [True]


def test_without_counting_nobody_has_a_past(tmp_path):
    found = edits(tmp_path, PageOf("A", story("a:Ana b:Ana")))

    assert [edit.change.performer.edit_count for edit in found] == [None, None]


def test_a_revision_without_an_id_cannot_be_told(tmp_path):
    path = written(tmp_path, PageOf("A", story("a:Ana")))
    path.write_text(path.read_text().replace("      <id>1</id>\n", ""))
    assert SITE is not None

    with pytest.raises(DumpError, match=r"'A' has a revision of .* without its id"):
        list(dump_edits(path, SITE))


TEXTS = st.sampled_from(["", "a", "b", "<&ä", HIDDEN])
NAMES = st.sampled_from(["Ana", "Ben", HIDDEN, "~2026-1-2"])
EDITS = st.tuples(TEXTS, NAMES).map(lambda both: Edit(*both))
HISTORIES = st.lists(st.lists(EDITS, min_size=1, max_size=6), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(HISTORIES)
def test_every_revision_comes_out_once_with_its_number(tmp_path, histories):
    pages = [PageOf(f"Page {n}", history) for n, history in enumerate(histories)]

    found = edits(tmp_path, *pages)

    total = sum(map(len, histories))
    assert [edit.number for edit in found] == list(range(1, total + 1))
    assert [edit.change.revision.rev_id for edit in found] == list(range(1, total + 1))
    assert all(len(edit.contents) <= 2 for edit in found)


@pytest.mark.parametrize(
    ("base", "lang", "page", "direction"),
    [
        ("https://wiki.example/wiki/Main_Page", "en", "https://wiki.example/wiki/A_b", "ltr"),
        ("http://w.example/w/index.php/Start", "he", "http://w.example/w/index.php/A_b", "rtl"),
        ("https://w.example/Main", "x-none", "https://w.example/A_b", "ltr"),
    ],
)
def test_a_dump_tells_where_its_pages_are(base, lang, page, direction):
    site = site_of_dump(DumpHead(wiki_id="w", name="W", base=base, lang=lang), "w")

    assert (site.page_url("A b"), site.dir, site.name) == (page, direction, "W")


def test_a_known_wiki_is_the_one_in_the_table():
    assert site_of_dump(DumpHead(base="http://elsewhere/x"), "papwiki") == SITE


def test_the_head_is_read_without_the_pages(tmp_path):
    path = written(tmp_path, PageOf("A", story("a:Ana")))
    path.write_text(path.read_text()[: len(HEAD) + 40])

    assert read_head(path) == DumpHead(wiki_id="papwiki", name="Wikipedia")
