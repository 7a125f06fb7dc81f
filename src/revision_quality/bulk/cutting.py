"""Files into partitions."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from revision_quality.bulk.files import SourceFile, is_parquet
from revision_quality.bulk.multistream import SPAN_BYTES, find_spans, index_of
from revision_quality.bulk.parquet_rows import row_group_sizes
from revision_quality.bulk.partition import Partition
from revision_quality.errors import DumpError
from revision_quality.wiki.dump import read_head

_Numbered = Callable[[int], Partition]


def cut(
    files: Sequence[tuple[Path, SourceFile]],
    wiki_id: str | None = None,
    span_bytes: int = SPAN_BYTES,
) -> list[Partition]:
    """Return the partitions of all files, in their order; `wiki_id` goes before a dump's own.

    A Parquet file's are its row groups; a multistream dump's, where its index lies beside it, are
    pages of at least `span_bytes`; another dump is one. Raises BulkError, DumpError.
    """
    pieces = [
        piece
        for path, source in files
        for piece in (
            _of_parquet(path, source)
            if is_parquet(path)
            else _of_dump(path, source, wiki_id, span_bytes)
        )
    ]
    return [piece(number) for number, piece in enumerate(pieces)]


def _of_parquet(path: Path, source: SourceFile) -> Iterator[_Numbered]:
    for group, size in enumerate(row_group_sizes(path)):
        yield _later(path, source, group, size=size, row_group=group)


def _of_dump(
    path: Path, source: SourceFile, wiki_id: str | None, span_bytes: int
) -> Iterator[_Numbered]:
    named = wiki_id or _wiki_id(path)
    index = index_of(path)
    if index is None:
        yield _later(path, source, 0, size=source.size, wiki_id=named)
        return
    for span in find_spans(index, source.size, span_bytes):
        size = span.end - span.begin
        key = f"{span.begin}-{span.end}"
        yield _later(path, source, key, size=size, wiki_id=named, span=span)


def _later(path: Path, source: SourceFile, piece: object, **fields: object) -> _Numbered:
    text = f"{source.digest} {source.size} {fields.get('wiki_id')} {piece}"
    key = sha256(text.encode()).hexdigest()[:24]
    return lambda number: Partition(number=number, key=key, path=path, **fields)  # type: ignore[arg-type]


def _wiki_id(path: Path) -> str:
    found = read_head(path).wiki_id
    if not found:
        raise DumpError(
            f"{path}: the dump does not name its wiki (dbname); give the wiki_id (--wiki-id)."
        )
    return found
