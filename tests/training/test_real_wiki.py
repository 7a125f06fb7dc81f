"""A real wiki teaches the same by its API as by its dump, however that is packed."""

import asyncio
import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import httpx
import py7zr
import pytest
from msgspec.structs import replace

from revision_quality.training.histories import Choice, labelled_edits_of_dump
from revision_quality.training.labelled import LabelledEdit
from revision_quality.training.wiki_histories import labelled_edits_of_wiki
from revision_quality.wiki.client import ActionApi
from revision_quality.wiki.revision import User
from tests.e2e.service import refusal, revq
from tests.servers.mediawiki import ADMIN, BOT, RealWiki

pytestmark = pytest.mark.mediawiki

PAGES = 22
ALL = Choice(kept_per_reverted=1000)


@pytest.fixture(scope="module")
def wiki(start_wiki: Callable[..., RealWiki]) -> RealWiki:
    """Pages with every fate: damage undone, a self-revert, a revert war, a bot, hidden parts."""
    wiki = start_wiki("taught_wiki")
    person = wiki.create_user("Reader")
    for number in range(PAGES):
        title = f"Lesson {number}"
        wiki.edit(title, "A town on a river.", user=ADMIN)
        damage = wiki.edit(title, f"JUNK {number}!!!")
        wiki.undo(title, damage, user=ADMIN)
        wiki.edit(title, f"A town on a river, with {number} bridges.", "bridges", user=person)
    wiki.edit("Lesson 0", "test", user=person)
    wiki.edit("Lesson 0", "A town on a river, with 0 bridges.", user=person)
    kept = wiki.edit("Lesson 1", "A better text.", user=person)
    wiki.undo("Lesson 1", kept, user=ADMIN)
    wiki.edit("Lesson 1", "A better text.", user=BOT)
    hidden = wiki.edit("Lesson 2", "secret")
    wiki.edit("Lesson 2", "public <b>&amp;</b> ä", user=ADMIN, minor=True)
    wiki.hide_revision(hidden, user=True)
    wiki.protect("Lesson 3")
    wiki.edit("Lesson 3", "after a protection", user=ADMIN)
    wiki.edit("Talk:Lesson 4", "hello", user=person)
    wiki.edit("Talk:Lesson 4", "hello again", user=person)
    return wiki


@pytest.fixture(scope="module")
def taught(wiki: RealWiki) -> list[LabelledEdit]:
    async def read() -> list[LabelledEdit]:
        async with httpx.AsyncClient(timeout=60) as client:
            api = ActionApi(wiki.api_url, client)
            edits = labelled_edits_of_wiki(api, wiki.wiki_id, choice=ALL)
            return [edit async for edit in edits]

    return asyncio.run(read())


def _pack_7z(path: Path, data: bytes) -> None:
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.writestr(data, "dump.xml")


PACKERS: dict[str, Callable[[Path, bytes], object]] = {
    "xml": lambda path, data: path.write_bytes(data),
    "xml.bz2": lambda path, data: path.write_bytes(bz2.compress(data)),
    "xml.gz": lambda path, data: path.write_bytes(gzip.compress(data)),
    "xml.7z": _pack_7z,
}


def by_id(edits: list[LabelledEdit]) -> list[LabelledEdit]:
    """Put edits in order, without what the API alone can tell of the editor."""
    plain = [
        LabelledEdit(replace(edit.revision, user=_plain(edit)), edit.label, edit.weight)
        for edit in edits
    ]
    return sorted(plain, key=lambda edit: edit.revision.rev_id or 0)


def _plain(edit: LabelledEdit) -> User:
    return replace(edit.revision.user, edit_count=None, registration_dt=None)


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_dump_teaches_the_same_as_the_api(wiki, taught, suffix, tmp_path):
    path = tmp_path / f"dump.{suffix}"
    PACKERS[suffix](path, wiki.dump())

    from_dump = list(labelled_edits_of_dump(path, choice=ALL))

    assert by_id(from_dump) == by_id(taught)
    assert sum(edit.label for edit in taught) == PAGES + 1
    assert len(taught) == PAGES * 3 + len(("test undone", "Admin's undo", "after a protection"))


def test_the_edit_counts_of_both_ways_agree(wiki, taught, tmp_path):
    """Nothing was deleted and nobody was there before, so MediaWiki has counted the same."""
    path = tmp_path / "dump.xml"
    path.write_bytes(wiki.dump())
    counts = {
        edit.revision.rev_id: edit.revision.user.edit_count
        for edit in labelled_edits_of_dump(path, choice=ALL)
        if edit.revision.user.user_text == "Reader"
    }

    assert len(counts) > PAGES
    assert counts == {
        edit.revision.rev_id: edit.revision.user.edit_count
        for edit in taught
        if edit.revision.user.user_text == "Reader"
    }


def test_a_model_is_trained_both_ways(wiki, tmp_path):
    (tmp_path / "dump.xml.bz2").write_bytes(bz2.compress(wiki.dump()))

    by_api = revq("train", wiki.api_url, "--out", "api.npz", cwd=tmp_path)
    since = revq("train", wiki.api_url, "--since", "2020-01-01", "--out", "s.npz", cwd=tmp_path)
    by_dump = revq("train", "dump.xml.bz2", "--out", "dump.npz", cwd=tmp_path)

    for done in (by_api, since, by_dump):
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{PAGES + 1} of them reverted" in done.stdout
    assert "| taught_wiki |" in (tmp_path / "api.md").read_text()
    assert "| taught_wiki |" in (tmp_path / "dump.md").read_text()
    assert (tmp_path / "api.npz").read_bytes() == (tmp_path / "s.npz").read_bytes()


def test_a_wiki_without_edits_since_teaches_nothing(wiki, tmp_path):
    said = refusal("train", wiki.api_url, "--since", "2099-01-01", cwd=tmp_path)

    assert said == (
        f"{wiki.api_url}: none of the 0 edits that count was reverted, so there is nothing to"
        " learn; read more of the wiki."
    )


def test_too_few_reverts_are_told(wiki, tmp_path):
    said = refusal("train", wiki.api_url, "--edits", 12, cwd=tmp_path)

    assert "labelled edits were reverted, and training needs at least 20" in said
