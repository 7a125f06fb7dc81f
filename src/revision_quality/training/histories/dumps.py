"""MediaWiki XML history dumps, streamed.

Source: www.mediawiki.org, Help:Export, formats 0.3 to 0.11. The mwxml package reads them too, but
takes longer and its memory grows with the number of pages (benchmarks/history_memory.py).
"""

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha1
from itertools import groupby
from pathlib import Path
from typing import IO, Any, cast
from xml.etree import ElementTree

import msgspec

from revision_quality.errors import ModelError
from revision_quality.training.histories.revision import (
    HistoryPage,
    HistoryRevision,
    is_temporary_name,
)

SUFFIXES = (".xml", ".xml.gz", ".xml.bz2", ".xml.xz", ".7z")
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_WIKITEXT = "wikitext"


def read_dump(
    path: Path, wiki_id: str | None, max_text_bytes: int
) -> Iterator[Iterator[HistoryRevision]]:
    """Return the history of each page, oldest revision first, as the dump has them.

    A page's revisions must be taken before the next page's. Checksums are the SHA-1 of the texts;
    texts over `max_text_bytes` are not kept. The suffix tells how the file is packed (SUFFIXES);
    7z needs the package py7zr. `wiki_id` goes before the dump's own `dbname`. Raises ModelError
    for what is no dump, or one without texts.
    """
    for _, history in groupby(_revisions(path, wiki_id, max_text_bytes), lambda one: one.page):
        yield history


def _revisions(path: Path, wiki_id: str | None, max_text_bytes: int) -> Iterator[HistoryRevision]:
    has_revisions = has_texts = False
    try:
        with _open(path) as file:
            for revision in _parse(path, file, wiki_id, max_text_bytes):
                has_revisions = True
                has_texts = has_texts or revision.checksum is not None
                yield revision
    except ElementTree.ParseError as error:
        raise ModelError(f"{path}: not a whole XML dump ({error}).") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise ModelError(f"{path}: cannot be read ({error}).") from error
    if has_revisions and not has_texts:
        raise ModelError(f"{path}: a dump without texts (a stub); take pages-meta-history.")


def _open(path: Path) -> AbstractContextManager[IO[bytes]]:
    if path.suffix == ".7z":
        return _open_7z(path)
    opener = _OPENERS.get(path.suffix)
    return cast("IO[bytes]", opener(path, "rb")) if opener else path.open("rb")


def _open_7z(path: Path) -> AbstractContextManager[IO[bytes]]:
    try:
        from revision_quality.training.histories.seven_zip import open_7z  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{path}: reading 7z needs the package {error.name}: install it with"
            " `pip install 'revision-quality[train]'`, or take the .bz2 dump."
        ) from error
    return open_7z(path)


def _parse(
    path: Path, file: IO[bytes], wiki_id: str | None, max_text_bytes: int
) -> Iterator[HistoryRevision]:
    # Expat since 2.4.1 bounds the expansion of entities.
    events = ElementTree.iterparse(file, events=("start", "end"))  # noqa: S314
    _, root = next(events)
    prefix, found, name = root.tag.rpartition("}")
    if name != "mediawiki":
        raise ModelError(f"{path}: not a MediaWiki XML dump, its first element is <{name}>.")
    prefix += found
    element: ElementTree.Element = root
    page: HistoryPage | None = None
    for event, item in events:
        if event == "start":
            if item.tag == f"{prefix}page":
                element, page = item, None
        elif item.tag == f"{prefix}dbname":
            wiki_id = wiki_id or item.text
        elif item.tag == f"{prefix}revision":
            page = page or _page(path, element, prefix, wiki_id)
            yield _revision(path, item, prefix, page, max_text_bytes)
            element.remove(item)
        elif item.tag == f"{prefix}page":
            # A cleared child would still hang on the root: memory would grow with the pages.
            root.clear()


def _page(
    path: Path, element: ElementTree.Element, prefix: str, wiki_id: str | None
) -> HistoryPage:
    if not wiki_id:
        raise ModelError(f"{path}: the dump does not name its wiki (dbname); give the wiki_id.")
    return HistoryPage(
        wiki_id=wiki_id,
        title=element.findtext(f"{prefix}title", ""),
        namespace_id=_number(element.findtext(f"{prefix}ns")) or 0,
    )


def _revision(
    path: Path, item: ElementTree.Element, prefix: str, page: HistoryPage, max_text_bytes: int
) -> HistoryRevision:
    rev_id, timestamp = item.findtext(f"{prefix}id"), item.findtext(f"{prefix}timestamp")
    try:
        moment = msgspec.convert(timestamp, datetime)
    except msgspec.ValidationError as error:
        raise ModelError(
            f"{path}: revision {rev_id} of {page.title!r} has the timestamp {timestamp!r}."
        ) from error
    user_text, is_anonymous = _contributor(item.find(f"{prefix}contributor"), prefix)
    text = _text(item.find(f"{prefix}text"))
    data = b"" if text is None else text.encode("utf-8", "surrogatepass")
    return HistoryRevision(
        page=page,
        rev_id=_number(rev_id),
        parent_id=_number(item.findtext(f"{prefix}parentid")),
        timestamp=moment,
        user_text=user_text,
        is_anonymous=is_anonymous,
        comment=_comment(item.find(f"{prefix}comment")),
        checksum=None if text is None else sha1(data, usedforsecurity=False).hexdigest(),
        size=len(data),
        is_wikitext=item.findtext(f"{prefix}model", _WIKITEXT) == _WIKITEXT,
        text=text if len(data) <= max_text_bytes else None,
    )


def _contributor(item: ElementTree.Element | None, prefix: str) -> tuple[str | None, bool]:
    """Return the name, None where hidden, and whether it is an address or a temporary account."""
    if item is None or item.get("deleted"):
        return None, False
    address = item.findtext(f"{prefix}ip")
    if address is not None:
        return address, True
    name = item.findtext(f"{prefix}username") or None
    return name, name is not None and is_temporary_name(name)


def _comment(item: ElementTree.Element | None) -> str | None:
    if item is None:
        return ""
    return None if item.get("deleted") else item.text or ""


def _text(item: ElementTree.Element | None) -> str | None:
    """Return the text, None where it is hidden, lost or left out."""
    if item is None or item.get("deleted"):
        return None
    if not item.text and item.get("bytes", "0") != "0":
        return None
    return item.text or ""


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdecimal() else None
