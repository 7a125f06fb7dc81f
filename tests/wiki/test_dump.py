"""XML dumps are read as they come, packed or not; what is no dump is said so."""

import bz2
import gzip
import lzma
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import py7zr
import pytest

from revision_quality.errors import DumpError
from revision_quality.wiki.dump import read_dump
from revision_quality.wiki.history import HistoryRevision
from tests.training.histories.make import HEAD, HIDDEN, START, Edit, PageOf, dump, revision, story

PAGES = [
    PageOf(
        "Willemstad", [*story("one:Ana two:Ben"), Edit("<b>&amp; ö", "192.0.2.7", "why?", ip=True)]
    ),
    PageOf("Talk:Willemstad", [Edit("hi", "~2026-12-3")], ns=1),
]


def read(path: Path, wiki_id: str | None = None, most: int = 1000) -> list[list[HistoryRevision]]:
    return [list(history) for history in read_dump(path, wiki_id, most)]


def pack_7z(path: Path, data: bytes) -> None:
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.writestr(data, "dump.xml")


PACKERS: dict[str, Callable[[Path, bytes], object]] = {
    ".xml": lambda path, data: path.write_bytes(data),
    ".xml.gz": lambda path, data: path.write_bytes(gzip.compress(data)),
    ".xml.bz2": lambda path, data: path.write_bytes(
        bz2.compress(data[:500]) + bz2.compress(data[500:])
    ),
    ".xml.xz": lambda path, data: path.write_bytes(lzma.compress(data)),
    ".xml.7z": pack_7z,
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_every_packing_gives_the_same_histories(suffix, tmp_path):
    path = tmp_path / f"dump{suffix}"
    PACKERS[suffix](path, dump(PAGES).encode())

    article, talk = read(path)

    assert [one.rev_id for one in article] == [1, 2, 3]
    assert [one.parent_id for one in article] == [None, 1, 2]
    assert article[2].text == "<b>&amp; ö"
    assert article[2].size == 11
    assert article[2].timestamp == START + timedelta(hours=3)
    assert [one.is_anonymous for one in article] == [False, False, True]
    assert [one.comment for one in article] == ["", "", "why?"]
    assert (article[0].page.wiki_id, article[0].page.title) == ("papwiki", "Willemstad")
    assert (talk[0].page.namespace_id, talk[0].is_anonymous) == (1, True)


def test_same_text_same_checksum(tmp_path):
    path = tmp_path / "dump.xml"
    path.write_text(dump([PageOf("A", story("a:Ana b:Ben a:Cid"))]))

    first, second, third = (one.checksum for one in read(path)[0])

    assert first == third != second


def test_what_is_hidden_or_lost_is_told_from_what_is_empty(tmp_path):
    lost = (
        revision(Edit("xyz", "Ana"), 9, 8)
        .replace(">xyz</text>", " />")
        .replace('xml:space="preserve" />', "/>")
    )
    edits = [Edit("", "Ana"), Edit(HIDDEN, "Ben"), Edit("a", HIDDEN)]
    text = dump([PageOf("A", edits)]).replace("  </page>", lost + "  </page>")
    path = tmp_path / "dump.xml"
    path.write_text(text)

    empty, hidden, unnamed, gone = read(path)[0]

    assert (empty.text, empty.size) == ("", 0)
    assert empty.checksum
    assert (hidden.text, hidden.checksum) == (None, None)
    assert (unnamed.text, unnamed.user_text, unnamed.is_anonymous) == ("a", None, False)
    assert (gone.text, gone.checksum) == (None, None)


def test_a_long_text_is_not_kept_but_known_again(tmp_path):
    path = tmp_path / "dump.xml"
    path.write_text(dump([PageOf("A", [Edit("x" * 1001, "Ana"), Edit("x" * 1001, "Ben")])]))

    first, second = read(path)[0]

    assert (first.text, first.size) == (None, 1001)
    assert first.checksum == second.checksum


def test_a_deleted_comment_is_not_an_empty_one(tmp_path):
    path = tmp_path / "dump.xml"
    text = dump([PageOf("A", [Edit("a", "Ana", "secret")])])
    path.write_text(text.replace("<comment>secret</comment>", '<comment deleted="deleted" />'))

    assert read(path)[0][0].comment is None


def test_an_old_dump_without_the_wikis_name_needs_it(tmp_path):
    path = tmp_path / "old.xml"
    head = HEAD.replace("<dbname>papwiki</dbname>", "").replace(
        ' xmlns="http://www.mediawiki.org/xml/export-0.11/"', ""
    )
    path.write_text(dump([PageOf("A", story("a:Ana"))], head=head))

    with pytest.raises(DumpError, match=r"old\.xml: the dump does not name its wiki"):
        read(path)
    assert read(path, "my_wiki")[0][0].page.wiki_id == "my_wiki"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.xml", b"", "not a whole XML dump"),
        ("a.xml", b"hello", "not a whole XML dump"),
        ("a.xml", b"<html><body/></html>", "its first element is <html>"),
        ("a.xml", dump(PAGES).encode()[:-200], "not a whole XML dump"),
        ("a.xml.bz2", b"BZh9 no", "cannot be read"),
        ("a.xml.bz2", bz2.compress(dump(PAGES).encode())[:-20], "breaks off"),
        ("a.xml.gz", gzip.compress(dump(PAGES).encode())[:-20], "breaks off"),
        ("a.xml.gz", gzip.compress(b"")[:10] + b"\xff" * 20, "cannot be read"),
        ("a.xml.xz", b"no xz at all", "cannot be read"),
        ("a.xml.7z", b"7z no", "cannot be unpacked"),
        ("a.xml", dump(PAGES).replace("2024-01-01T02", "noon").encode(), "has the timestamp 'noon"),
    ],
)
def test_what_is_no_dump_is_one_sentence_with_the_file(name, data, sentence, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(DumpError, match=rf"{name}: .*{sentence}|{sentence}"):
        read(path)


def test_a_file_that_is_not_there(tmp_path):
    for name in ("no.xml", "no.xml.bz2", "no.xml.7z"):
        with pytest.raises(DumpError, match=name):
            read(tmp_path / name)


def test_a_stub_says_which_dump_to_take(tmp_path):
    path = tmp_path / "stub.xml"
    text = dump([PageOf("A", story("aaa:Ana"))])
    path.write_text(text.replace(' xml:space="preserve">aaa</text>', " />"))

    with pytest.raises(DumpError, match="take pages-meta-history"):
        read(path)


def test_a_reader_may_stop_early(tmp_path):
    for suffix, pack in PACKERS.items():
        path = tmp_path / f"dump{suffix}"
        pack(path, dump([PageOf(f"P{n}", story("a:Ana b:Ben")) for n in range(3000)]).encode())
        pages = read_dump(path, None, 1000)
        assert len(list(next(pages))) == 2
        pages.close()


def test_memory_does_not_grow_with_the_dump(tmp_path):
    def peak(pages: int, revisions: int) -> int:
        path = tmp_path / f"{pages}x{revisions}.xml"
        edits = [Edit("word " * 200 + str(n), f"User {n % 9}") for n in range(revisions)]
        with path.open("w") as file:
            file.write(dump([PageOf(f"Page {n}", edits) for n in range(pages)]))
        del edits
        tracemalloc.start()
        for history in read_dump(path, None, 200_000):
            for _ in history:
                pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    small = peak(5, 20)

    assert peak(50, 20) < small * 1.5
    assert peak(5, 200) < small * 1.5
    assert peak(2000, 1) < small * 1.5
