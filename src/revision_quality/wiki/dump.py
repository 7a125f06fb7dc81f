"""MediaWiki XML history dumps, streamed.

Source: www.mediawiki.org, Help:Export, formats 0.3 to 0.11. The mwxml package reads them too, but
takes longer and its memory grows with the number of pages (benchmarks/history_memory.py).
"""

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from hashlib import sha1
from itertools import groupby
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import msgspec
from msgspec import Struct

from revision_quality.errors import DumpError
from revision_quality.sites import Site, site_of, wiki_id_of
from revision_quality.wiki.history import (
    WIKITEXT,
    HistoryPage,
    HistoryRevision,
    is_temporary_name,
)

SUFFIXES = (".xml", ".xml.gz", ".xml.bz2", ".xml.xz", ".7z")

_NAME = re.compile(r"(\.xml(-p\d+p\d+)?(\.gz|\.bz2|\.xz)?|\.7z)$")

LOST_AT_ONCE = 100
"""So many texts missing from the start, none of them hidden, and no text among them: a stub."""

_Opener = Callable[[Path, io.FileIO], Any]

_OPENERS: dict[str, _Opener] = {
    ".gz": lambda _, packed: gzip.GzipFile(fileobj=packed),
    ".bz2": lambda _, packed: bz2.BZ2File(packed),
    ".xz": lambda _, packed: lzma.LZMAFile(packed),  # noqa: SIM115 (closed where it is used)
}

Tick = Callable[[int], None]
"""Is told how many bytes of the file, packed as it is, have been read so far."""


def _nothing(_: int) -> None:
    pass


def is_dump_name(name: str) -> bool:
    """Tell a dump by its name: one of SUFFIXES, or one of several files (`.xml-p1p41242.bz2`)."""
    return _NAME.search(name) is not None


class DumpHead(Struct, frozen=True, kw_only=True):
    """What a dump says of its wiki: `base` is the address of the main page; "" where unsaid."""

    wiki_id: str = ""
    name: str = ""
    base: str = ""
    lang: str = ""


def read_dump(
    path: Path,
    wiki_id: str | None,
    max_text_bytes: int | None = None,
    *,
    tick: Tick = _nothing,
) -> Iterator[Iterator[HistoryRevision]]:
    """Return the history of each page, oldest revision first, as the dump has them.

    A page's revisions must be taken before the next page's. Checksums are the SHA-1 of the texts;
    texts over `max_text_bytes` are not kept (None: all are). The suffix tells how the file is
    packed (SUFFIXES); 7z needs the package py7zr. `wiki_id` goes before the dump's own `dbname`.
    Raises DumpError for what is no dump, or one without texts.
    """
    revisions = _revisions(path, wiki_id, max_text_bytes, tick)
    for _, history in groupby(revisions, lambda one: one.page):
        yield history


def read_head(path: Path) -> DumpHead:
    """Return what a dump says of its wiki. Raises DumpError."""
    with _reading(path), _open(path, _nothing) as file:
        head = DumpHead()
        for event, item in _elements(path, file):
            name = _local(item)
            if event == "start":
                if name == "mediawiki":
                    head = DumpHead(lang=item.get("{http://www.w3.org/XML/1998/namespace}lang", ""))
                elif name == "page":
                    break
            elif name == "siteinfo":
                texts = {_local(child): child.text or "" for child in item}
                return DumpHead(
                    wiki_id=texts.get("dbname", ""),
                    name=texts.get("sitename", ""),
                    base=texts.get("base", ""),
                    lang=head.lang,
                )
        return head


def site_of_dump(head: DumpHead, wiki_id: str) -> Site:
    """Return the site of a dump's pages: from the table, or as far as the dump tells."""
    known = site_of(wiki_id)
    if known is not None:
        return known
    parts = urlsplit(head.base)
    alike = site_of(wiki_id_of(head.lang) or "")
    return Site(
        wiki_id=wiki_id,
        name=head.name or wiki_id,
        lang=head.lang or "und",
        dir=alike.dir if alike else "ltr",
        server=f"{parts.scheme}://{parts.netloc}" if parts.netloc else "",
        article_path=parts.path.rpartition("/")[0] + "/$1" if parts.path else "/wiki/$1",
    )


def _revisions(
    path: Path, wiki_id: str | None, max_text_bytes: int | None, tick: Tick
) -> Iterator[HistoryRevision]:
    lost, has_texts = 0, False
    with _reading(path), _open(path, tick) as file:
        for revision in _parse(path, file, wiki_id, max_text_bytes):
            has_texts = has_texts or revision.checksum is not None
            lost += revision.checksum is None and not revision.is_text_hidden
            if lost == LOST_AT_ONCE and not has_texts:
                break
            yield revision
    if lost and not has_texts:
        raise DumpError(f"{path}: a dump without texts (a stub); take pages-meta-history.")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except ElementTree.ParseError as error:
        raise DumpError(f"{path}: not a whole XML dump ({error}).") from error
    except EOFError as error:
        raise DumpError(
            f"{path}: the file breaks off, it is not whole; download or make it again."
        ) from error
    except (OSError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DumpError(f"{path}: cannot be read ({reason}).") from error


@contextmanager
def _open(path: Path, tick: Tick) -> Iterator[IO[bytes]]:
    opener = _open_7z if path.suffix == ".7z" else _OPENERS.get(path.suffix, _as_it_is)
    with _Counted(path, tick) as packed, opener(path, packed) as file:
        yield file


def _as_it_is(_: Path, packed: io.FileIO) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(packed)


class _Counted(io.FileIO):
    """A file that tells how far it has been read."""

    def __init__(self, path: Path, tick: Tick) -> None:
        super().__init__(path)
        self._told = tick

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(-1 if size is None else size)
        self._told(self.tell())
        return data


def _open_7z(path: Path, packed: io.FileIO) -> AbstractContextManager[IO[bytes]]:
    try:
        from revision_quality.wiki.seven_zip import open_7z  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise DumpError(
            f"{path}: reading 7z needs the package {error.name}: install it with"
            " `pip install 'revision-quality[train]'`, or take the .bz2 dump."
        ) from error
    return open_7z(path, packed)


def _elements(path: Path, file: IO[bytes]) -> Iterator[tuple[str, ElementTree.Element]]:
    """Return each element at its start and its end; the first is checked to be a dump's."""
    # Expat since 2.4.1 bounds the expansion of entities.
    events = ElementTree.iterparse(file, events=("start", "end"))  # noqa: S314
    first = next(events)
    if _local(first[1]) != "mediawiki":
        raise DumpError(
            f"{path}: not a MediaWiki XML dump, its first element is <{_local(first[1])}>."
        )
    yield first
    yield from events


def _local(item: ElementTree.Element) -> str:
    return item.tag.rpartition("}")[2]


def _parse(
    path: Path, file: IO[bytes], wiki_id: str | None, max_text_bytes: int | None
) -> Iterator[HistoryRevision]:
    events = _elements(path, file)
    _, root = next(events)
    prefix = root.tag.removesuffix("mediawiki")
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
        raise DumpError(
            f"{path}: the dump does not name its wiki (dbname); give the wiki_id (--wiki-id)."
        )
    return HistoryPage(
        wiki_id=wiki_id,
        title=element.findtext(f"{prefix}title", ""),
        namespace_id=_namespace(element.findtext(f"{prefix}ns")),
        page_id=_number(element.findtext(f"{prefix}id")),
    )


def _revision(
    path: Path,
    item: ElementTree.Element,
    prefix: str,
    page: HistoryPage,
    max_text_bytes: int | None,
) -> HistoryRevision:
    rev_id, timestamp = item.findtext(f"{prefix}id"), item.findtext(f"{prefix}timestamp")
    try:
        moment = msgspec.convert(timestamp, datetime)
    except msgspec.ValidationError as error:
        raise DumpError(
            f"{path}: revision {rev_id} of {page.title!r} has the timestamp {timestamp!r}."
        ) from error
    user_text, user_id, is_anonymous = _contributor(item.find(f"{prefix}contributor"), prefix)
    content = item.find(f"{prefix}text")
    text = _text(content)
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
        content_model=item.findtext(f"{prefix}model", WIKITEXT),
        text=text if max_text_bytes is None or len(data) <= max_text_bytes else None,
        user_id=user_id,
        is_minor=item.find(f"{prefix}minor") is not None,
        is_text_hidden=content is not None and bool(content.get("deleted")),
    )


def _contributor(
    item: ElementTree.Element | None, prefix: str
) -> tuple[str | None, int | None, bool]:
    """Return the name and id, None where hidden, and whether no permanent account made it."""
    if item is None or item.get("deleted"):
        return None, None, False
    address = item.findtext(f"{prefix}ip")
    if address is not None:
        return address, 0, True
    name = item.findtext(f"{prefix}username") or None
    user_id = _number(item.findtext(f"{prefix}id"))
    return name, user_id, name is not None and is_temporary_name(name)


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


def _namespace(value: str | None) -> int:
    try:
        return int(value or 0)
    except ValueError:
        return 0


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdecimal() else None
