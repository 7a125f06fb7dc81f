"""Histories in several files, as Wikimedia publishes them, and as Parquet."""

import bz2
import random
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.training.histories.make import HEAD, HIDDEN, Edit, PageOf, dump
from tests.wiki.test_revision_data import DATA

FOOT = "</mediawiki>\n"
_WORDS = ("river", "town", "house", "stone", "water", "people", "lake", "idiot", "!!!!", "north")
_USERS = ("Ana", "Ben", "Vic", "Cid", "~2026-1-2", HIDDEN)


def histories(pages: int, edits: int = 20) -> list[PageOf]:
    """The same pages at every call: texts grow and are cut; few users edit many of the pages."""
    choice = random.Random(7)
    found = []
    for number in range(pages):
        text, history = "A town.", []
        for _ in range(edits):
            more = f"{text} {' '.join(choice.choices(_WORDS, k=5))}"
            text = more if choice.random() < 0.8 else text[: len(text) // 2]
            shown = HIDDEN if choice.random() < 0.03 else text
            history.append(Edit(shown, choice.choice(_USERS)))
        found.append(PageOf(f"Page {number}", history))
    return found


def pages_of(whole: str) -> list[str]:
    """The pages of a dump, as they stand in it."""
    body = whole.removeprefix(HEAD).removesuffix(FOOT)
    return [f"{page}  </page>\n" for page in body.split("  </page>\n")[:-1]]


def in_files(whole: str, folder: Path, number: int) -> list[Path]:
    """Spread a dump's pages over several files, named as Wikimedia names them."""
    folder.mkdir(exist_ok=True)
    pages = pages_of(whole)
    paths = [folder / f"papwiki-pages-meta-history1.xml-p{n}p{n}.bz2" for n in range(number)]
    for place, path in enumerate(paths):
        path.write_bytes(bz2.compress((HEAD + "".join(pages[place::number]) + FOOT).encode()))
    return paths


def multistream(whole: str, folder: Path, pages_in_stream: int) -> Path:
    """Pack a dump as many streams, with its index beside it."""
    folder.mkdir(exist_ok=True)
    path = folder / "papwiki-pages-meta-history-multistream.xml.bz2"
    pages, data, index = pages_of(whole), bz2.compress(HEAD.encode()), []
    for begin in range(0, len(pages), pages_in_stream):
        some = pages[begin : begin + pages_in_stream]
        index += [f"{len(data)}:{begin + n + 1}:Page: {n}\n" for n in range(len(some))]
        data += bz2.compress("".join(some).encode())
    path.write_bytes(data + bz2.compress(FOOT.encode()))
    name = "papwiki-pages-meta-history-multistream-index.txt.bz2"
    (folder / name).write_bytes(bz2.compress("".join(index).encode()))
    return path


def two_files(folder: Path) -> list[Path]:
    """A small input."""
    return in_files(dump(histories(4, edits=6)), folder, 2)


def break_off(path: Path) -> None:
    """Leave out the end of a dump; its head, and the packing, are whole."""
    path.write_bytes(bz2.compress(bz2.decompress(path.read_bytes())[:-200]))


def revision_data(number: int, **fields: Any) -> dict[str, Any]:
    """One revision_data object, each with another text."""
    return deepcopy(DATA) | {"id": number, "text": "after " * (number % 50 + 1)} | fields


def parquet(rows: Sequence[dict[str, Any]], path: Path, row_group: int) -> Path:
    """Write rows as they are, struct columns and all."""
    pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=row_group)
    return path


def scores(output: Path) -> dict[int, float | None]:
    """The score of each revision in the parts."""
    rows = rows_in(output)
    found = {row["rev_id"]: row["score"] for row in rows}
    assert len(found) == len(rows)
    return found


def rows_in(output: Path) -> list[dict[str, Any]]:
    """All rows of the parts, in their order."""
    return [
        row for path in sorted(output.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
