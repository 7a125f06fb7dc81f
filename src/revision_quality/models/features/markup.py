"""Parts of a wikitext, found in one pass, and anew only where an edit changed the text.

The grammar is the one that MediaWiki's preprocessor and mwparserfromhell agree on: comments and
the content of raw tags such as <nowiki> hold no parts; templates, links and references nest; an
opening without its end counts as text. Deliberate differences from mwparserfromhell are listed
in docs/model.md.
"""

import re
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from revision_quality.models.features.change import Region

PARTS = (
    "references",
    "wikilinks",
    "categories",
    "media",
    "interwiki",
    "headings",
    "templates",
    "external_links",
    "tags",
    "tables",
)
REFERENCE, LINK, CATEGORY, MEDIA, INTERWIKI, HEADING, TEMPLATE, URL, TAG, TABLE = range(len(PARTS))

_RAW = (
    "categorytree|chem|ce|gallery|graph|hiero|imagemap|inputbox|math|nowiki|pre|score|section|"
    "source|syntaxhighlight|templatedata|timeline"
)
_LANGUAGE = r"(?:[a-z]{2,3}(?:-[a-z-]{2,12})?|simple)"
_LABEL = r"\|[^\[\]{}<>\n/]*+"
# Every alternative starts with a literal, so that `re` skips plain text quickly. The first two are
# cases of the general link below. Groups, none of them first in its alternative, tell most tokens.
_TOKEN = re.compile(
    rf"\[\[[^\[\]{{}}<>|\n:]++(?:{_LABEL})?(\]\])"
    rf"|\[\[{_LANGUAGE}:[^\[\]{{}}<>|\n./]++(?:{_LABEL})?(\]\])"
    r"|<!--"
    r"|</?[a-zA-Z][a-zA-Z0-9]*(?:[\s/][^<>\n]*)?>"
    r"|\[\[(?![|\]])([^\[\]{}<>|\n]*+(?:\{\{[^\[\]{}<>\n]*+\}\}[^\[\]{}<>|\n]*+)*+)(?=\||\]\])"
    rf"(?:{_LABEL}(?=\]\]))?(\]\])?"
    r"|\]\]"
    r"|\{\{[^\[\]{}<>\n/]*+(\}\})(?!\})"
    r"|\{\{+"
    r"|\{\|"
    r"|\}\}+"
    r"|\n(=)"
    r"|/(/)[^\s\[\]<>\"|{}]+"
)
_PLAIN_LINK, _LANGUAGE_LINK, _TARGET, _LINK_END, _TEMPLATE, _HEADING, _URL = range(1, 8)
_INTERWIKI_LINK = bytes((LINK, INTERWIKI))
_SCHEME = re.compile(
    r"(?:(?<![a-z0-9])(?:https?|ftps?|ircs?|gopher|telnet|nntp|mms|git|svn|ssh|sftp):|\[)\Z",
    re.IGNORECASE,
)
_TABLE_LEAD = re.compile(r"(?:\n|\A)[ \t:]{0,20}\Z")
_RAW_OPEN = re.compile(rf"<({_RAW})(?:\s[^<>\n]*)?(?<!/)>\Z", re.IGNORECASE)
_RAW_CLOSE = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in _RAW.split("|")}
_REFERENCE_OPEN = re.compile(r"<ref[\s/>]", re.IGNORECASE)
_REFERENCE_CLOSE = re.compile(r"</ref\s*>", re.IGNORECASE)
_MEDIA = re.compile(
    r"\.(?:jpe?g|png|svg|gif|tiff?|og[gvax]|webm|webp|pdf|djvu|midi?|wav|mp3|flac|xcf|stl)\s*\Z",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?-->")
_INTERWIKI = re.compile(rf"\s*{_LANGUAGE}\s*\Z")


class Counts(NamedTuple):
    """How many of each part a wikitext has.

    `wikilinks` counts all links; `categories`, `media` and `interwiki` those of them that are
    told by their shape, without the wiki's namespace names: interwiki by a language code before
    the colon, media by a file's extension after it, categories what else has a prefix.
    """

    references: int
    wikilinks: int
    categories: int
    media: int
    interwiki: int
    headings: int
    templates: int
    external_links: int
    tags: int
    tables: int


class Parsed(NamedTuple):
    """The parts of a text in the order of their ends, as numbers into PARTS.

    `borders` are the positions where nothing is open, in order, and `before[i]` is how many parts
    end ahead of `borders[i]`. What follows a border does not depend on what is ahead of it.
    """

    kinds: bytes
    borders: list[int]
    before: list[int]

    def counts(self) -> Counts:
        """Count the parts of each kind."""
        return count(self.kinds)


def count(kinds: bytes) -> Counts:
    """Count the parts of each kind."""
    return Counts(*map(kinds.count, range(len(PARTS))))


def kind_of_link(target: str) -> int:
    """Tell CATEGORY, MEDIA, INTERWIKI or LINK by the shape of a link's target."""
    prefix, colon, rest = target.partition(":")
    if not colon or not rest or not prefix or prefix.isspace():
        return LINK
    if "." in rest and _MEDIA.search(rest):
        return MEDIA
    return INTERWIKI if _INTERWIKI.match(prefix) else CATEGORY


class _Scanner:
    """One pass over `text` from a position where nothing is open.

    `kinds` grows by each part that ends; `borders` and `before` are those of Parsed. `is_sure`
    turns False where a comment or a raw tag lacks its end: a later text could then change what was
    found ahead of it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.kinds = bytearray()
        self.borders = [0]
        self.before = [0]
        self.is_sure = True
        self._open: list[tuple[str, int]] = []
        self._depth = {"[": 0, "{": 0, "<": 0}
        self._endless: set[str] = set()

    def scan(self, start: int, stop: int) -> int:
        """Take the tokens from `start` up to the first from `stop` on at which nothing is open.

        Returns where that is, -1 at the end of the text. Going on from there is as if there had
        been no stop.
        """
        still_open, kinds, take = self._open, self.kinds, self.kinds.append
        resume = start
        while resume != -1:
            position, resume = resume, -1
            for match in _TOKEN.finditer(self.text, position):
                at = match.start()
                if not still_open:
                    if at >= stop:
                        return at
                    if self.is_sure:
                        self.borders.append(at)
                        self.before.append(len(kinds))
                found = match.lastindex
                if found is None:
                    resume = self._take(match[0], at, match.end())
                    if resume != -1:
                        break
                elif found == _PLAIN_LINK:
                    take(LINK)
                elif found == _TEMPLATE:
                    take(TEMPLATE)
                else:
                    self._take_told(match, found, at)
        return -1

    def _take_told(self, match: re.Match[str], group: int, start: int) -> None:
        """Take a token that its group tells."""
        if group == _HEADING:
            self.take_heading(start + 1)
        elif group == _LANGUAGE_LINK:
            self.kinds += _INTERWIKI_LINK
        elif group == _URL:
            if _SCHEME.search(self.text, max(start - 9, 0), start):
                self.kinds.append(URL)
        else:
            self._take_link(match[_TARGET], group == _LINK_END)

    def _take(self, mark: str, start: int, end: int) -> int:
        """Take a token without a group; return where to go on, -1 for the next one."""
        first = mark[0]
        if first == "<":
            return self._take_tag(mark, end)
        if first == "]":
            if self._unwind_to("["):
                self._end_link(self._pop())
        elif first == "}":
            self._close_braces(len(mark))
        elif mark == "{|":
            if _TABLE_LEAD.search(self.text, max(start - 21, 0), start):
                self.kinds.append(TABLE)
        else:
            self._push("{", len(mark))
        return -1

    def _push(self, symbol: str, value: int) -> None:
        self._open.append((symbol, value))
        self._depth[symbol] += 1

    def _pop(self) -> int:
        symbol, value = self._open.pop()
        self._depth[symbol] -= 1
        return value

    def _unwind_to(self, symbol: str) -> bool:
        """Give up what was opened after the last `symbol`; False where none is open."""
        if not self._depth[symbol]:
            return False
        while self._open[-1][0] != symbol:
            self._pop()
        return True

    def _take_link(self, target: str, is_whole: bool) -> None:
        """Take the opening of a link and its target, or the whole link."""
        if "|" in target and is_whole:
            target = target[: target.index("|")]
        kind = LINK
        if ":" in target:
            if "://" in target:
                self.kinds.append(URL)
                return
            kind = kind_of_link(target)
        if "{" in target:
            self.kinds.extend([TEMPLATE] * target.count("{{"))
        if is_whole:
            self._end_link(kind)
        else:
            self._push("[", kind)

    def _end_link(self, kind: int) -> None:
        self.kinds.append(LINK)
        if kind != LINK:
            self.kinds.append(kind)

    def _close_braces(self, closing: int) -> None:
        while closing >= 2 and self._unwind_to("{"):
            opening = self._pop()
            used = 3 if opening >= 3 and closing >= 3 else 2
            if used == 2:
                self.kinds.append(TEMPLATE)
            opening -= used
            closing -= used
            if opening >= 2:
                self._push("{", opening)

    def take_heading(self, start: int) -> None:
        """Count the heading whose line starts at `start`, if it is one; nothing spans it."""
        end = self.text.find("\n", start)
        line = self.text[start : end if end != -1 else None]
        if "<!--" in line:
            line = _COMMENT.sub("", line)
        line = line.rstrip()
        if len(line) > 2 and line.endswith("="):
            self.kinds.append(HEADING)
            while self._open:
                self._pop()

    def _take_tag(self, mark: str, end: int) -> int:
        if mark == "<!--":
            return self._end_of(mark, "-->", end)
        if mark[1] == "/":
            if _REFERENCE_CLOSE.match(mark) and self._unwind_to("<"):
                self._pop()
                self.kinds.append(REFERENCE)
        elif mark[1] in "rR" and _REFERENCE_OPEN.match(mark):
            if mark.endswith("/>"):
                self.kinds.append(REFERENCE)
            else:
                self._push("<", 0)
        else:
            self.kinds.append(TAG)
            raw = _RAW_OPEN.match(mark)
            if raw:
                name = raw[1].lower()
                return self._end_of(name, _RAW_CLOSE[name], end)
        return -1

    def _end_of(self, name: str, closing: str | re.Pattern[str], start: int) -> int:
        """Return where the passage ends that a comment or raw tag opens, -1 where it never does."""
        if name in self._endless:
            return -1
        if isinstance(closing, str):
            found = self.text.find(closing, start)
            if found != -1:
                return found + len(closing)
        else:
            match = closing.search(self.text, start)
            if match:
                return match.end()
        self._endless.add(name)
        self.is_sure = False
        return -1


def parse(text: str) -> Parsed:
    """Find all parts of `text`; linear in its length."""
    scanner = _Scanner(text)
    if text.startswith("="):
        scanner.take_heading(0)
    scanner.scan(0, len(text))
    return Parsed(bytes(scanner.kinds), scanner.borders, scanner.before)


def reparse(parsed: Parsed, parent: str, text: str, region: Region) -> bytes:
    """Find the parts of `text` from those of its `parent`, scanning little more than the region.

    The scan starts at the last border ahead of the region's line, because what is found there
    depends at most on the rest of its own line, and stops at the first border of both texts after
    the region's last line. Gives what `parse(text).kinds` gives.
    """
    line_break = parent.rfind("\n", 0, region.start)
    first = max(bisect_right(parsed.borders, line_break) - 1, 0)
    growth = region.text_end - region.parent_end
    scanner = _Scanner(text)
    kept = parsed.kinds[: parsed.before[first]]
    if parsed.borders[first] == 0 and text.startswith("="):
        scanner.take_heading(0)
    line_end = text.find("\n", region.text_end)
    position = scanner.scan(parsed.borders[first], line_end if line_end != -1 else len(text))
    while position != -1:
        at = position - growth
        same = bisect_left(parsed.borders, at)
        if same < len(parsed.borders) and parsed.borders[same] == at:
            return kept + bytes(scanner.kinds) + parsed.kinds[parsed.before[same] :]
        position = scanner.scan(position, position + 1)
    return kept + bytes(scanner.kinds)
