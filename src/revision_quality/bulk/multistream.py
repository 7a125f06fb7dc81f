"""Pages of a bz2 dump that was packed as many streams, found through its index.

Source: meta.wikimedia.org, Data dumps/Dump format, "Multistream dumps": the index has a line
`offset:page_id:title` for each page, the offset being that of the stream of some 100 pages; the
first stream has the head, the last one the closing tag.
"""

import bz2
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby, pairwise
from pathlib import Path
from typing import IO

from revision_quality.bulk.partition import Span
from revision_quality.errors import BulkError

SPAN_BYTES = 64 * 1024 * 1024
"""Of the packed file, at least, for a worker at once: minutes of work, so that little is redone."""

_COPY_BYTES = 1024 * 1024

_FOOT = b"</mediawiki>\n"


def index_of(dump: Path) -> Path | None:
    """Return the index beside a dump, by Wikimedia's names; None where there is none."""
    if "multistream" not in dump.name or dump.suffix != ".bz2":
        return None
    name = dump.name.replace("multistream", "multistream-index", 1).replace(".xml", ".txt", 1)
    index = dump.with_name(name)
    return index if index.is_file() else None


def find_spans(index: Path, size: int, at_least: int = SPAN_BYTES) -> list[Span]:
    """Cut a dump of `size` bytes into spans of `at_least` so many bytes. Raises BulkError."""
    try:
        offsets = [offset for offset, _ in groupby(_offsets(index))]
    except (OSError, EOFError, ValueError) as error:
        raise BulkError(f"{index}: is no index of a multistream dump ({error}).") from error
    if not offsets or offsets[0] <= 0 or offsets[-1] >= size or offsets != sorted(set(offsets)):
        raise BulkError(f"{index}: is not the index of the dump beside it; download both again.")
    cuts = [*_spaced(offsets, at_least), size]
    return [Span(cuts[0], begin, end, end == size) for begin, end in pairwise(cuts)]


@contextmanager
def cut_out(path: Path, span: Span) -> Iterator[Path]:
    """Give a file with the span's pages that is a dump by itself; it goes with the block.

    Raises BulkError.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="revq-span-"))
            piece = Path(folder) / path.name
            with path.open("rb") as whole, piece.open("wb") as file:
                _copy(whole, file, 0, span.head_end)
                _copy(whole, file, span.begin, span.end)
                if not span.has_foot:
                    file.write(bz2.compress(_FOOT))
        except OSError as error:
            raise BulkError(
                f"{path}: cannot be cut into a folder for temporary files, TMPDIR ({error})."
            ) from error
        yield piece


def _offsets(index: Path) -> Iterator[int]:
    with bz2.open(index) if index.suffix == ".bz2" else index.open("rb") as lines:
        for line in lines:
            yield int(line.partition(b":")[0])


def _spaced(offsets: Iterable[int], at_least: int) -> Iterator[int]:
    last: int | None = None
    for offset in offsets:
        if last is None or offset - last >= at_least:
            yield offset
            last = offset


def _copy(source: IO[bytes], target: IO[bytes], begin: int, end: int) -> None:
    source.seek(begin)
    left = end - begin
    while left and (data := source.read(min(left, _COPY_BYTES))):
        target.write(data)
        left -= len(data)
