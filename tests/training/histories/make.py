"""Page histories for tests, as XML dumps have them."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from xml.sax.saxutils import escape

START = datetime(2024, 1, 1, tzinfo=UTC)
HIDDEN = "\0hidden"


class Edit(NamedTuple):
    """One revision: `text` may be HIDDEN, and so may `user`; `ip` makes the user an address."""

    text: str
    user: str
    comment: str = ""
    ip: bool = False
    model: str = "wikitext"
    hours: float | None = None
    parent_gap: bool = False


class PageOf(NamedTuple):
    title: str
    edits: Sequence[Edit]
    ns: int = 0


HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <dbname>papwiki</dbname>
    <namespaces><namespace key="0" case="first-letter" /></namespaces>
  </siteinfo>
"""


def dump(pages: Iterable[PageOf], *, head: str = HEAD) -> str:
    """A whole dump; revisions are numbered from 1 in its order, an hour apart."""
    body, number = [], 0
    for page_id, page in enumerate(pages, 1):
        body.append(
            f"  <page>\n    <title>{escape(page.title)}</title>\n    <ns>{page.ns}</ns>\n"
            f"    <id>{page_id}</id>\n"
        )
        for place, edit in enumerate(page.edits):
            number += 1
            parent = 0 if place == 0 else number - 1
            body.append(revision(edit, number, parent + 1000 * edit.parent_gap))
        body.append("  </page>\n")
    return head + "".join(body) + "</mediawiki>\n"


def revision(edit: Edit, number: int, parent: int) -> str:
    at = START + timedelta(hours=number if edit.hours is None else edit.hours)
    return (
        f"    <revision>\n      <id>{number}</id>\n"
        + (f"      <parentid>{parent}</parentid>\n" if parent else "")
        + f"      <timestamp>{at:%Y-%m-%dT%H:%M:%SZ}</timestamp>\n"
        + f"      {_contributor(edit)}\n"
        + (f"      <comment>{escape(edit.comment)}</comment>\n" if edit.comment else "")
        + f"      <model>{edit.model}</model>\n      <format>text/x-wiki</format>\n"
        + f"      {_text(edit.text)}\n"
        + "    </revision>\n"
    )


def _contributor(edit: Edit) -> str:
    if edit.user == HIDDEN:
        return '<contributor deleted="deleted" />'
    if edit.ip:
        return f"<contributor><ip>{edit.user}</ip></contributor>"
    return f"<contributor><username>{escape(edit.user)}</username><id>7</id></contributor>"


def _text(text: str) -> str:
    if text == HIDDEN:
        return '<text bytes="9" deleted="deleted" /><sha1/>'
    sha1 = hashlib.sha1(text.encode()).hexdigest()
    size = len(text.encode())
    if not text:
        return f'<text bytes="0" sha1="{sha1}" /><sha1>{sha1}</sha1>'
    return (
        f'<text bytes="{size}" sha1="{sha1}" xml:space="preserve">{escape(text)}</text>'
        f"<sha1>{sha1}</sha1>"
    )


def story(text: str) -> list[Edit]:
    """A history from "text:User" words; `hidden` and `?` are hidden, `-` is an emptied page."""
    special = {"hidden": HIDDEN, "-": ""}
    edits = []
    for word in text.split():
        content, _, user = word.partition(":")
        edits.append(Edit(special.get(content, content), HIDDEN if user == "?" else user))
    return edits


STORIES = {
    "plain revert": ("good:Ana bad:Vic good:Ben", {2: 1, 3: 0}),
    "nothing reverted": ("a:Ana b:Ben c:Cid", {2: 0, 3: 0}),
    "self-revert": ("good:Ana test:Vic good:Vic", {3: 0}),
    "revert of several": ("good:Ana bad1:Vic bad2:Vic bad3:Eve good:Ben", {2: 1, 3: 1, 4: 1, 5: 0}),
    "revert by one of those reverted": ("good:Ana bad1:Vic bad2:Eve good:Vic", {3: 1, 4: 0}),
    "reverted revert": ("good:Ana bad:Vic good:Ben bad:Vic good:Cid", {4: 1, 5: 0}),
    "came back": ("good:Ana better:Vic good:Ben better:Cid more:Dan", {3: 1, 4: 0, 5: 0}),
    "blanking": ("good:Ana -:Vic good:Ben", {2: 1, 3: 0}),
    "a page emptied for good": ("good:Ana -:Ben", {2: 0}),
    "a move changes nothing": ("good:Ana good:Mover bad:Vic good:Ben", {3: 1, 4: 0}),
    "a move in between": ("good:Ana bad:Vic bad:Mover good:Ben", {2: 1, 4: 0}),
    "hidden text": ("good:Ana hidden:Vic good:Ben", {}),
    "hidden texts are not alike": ("hidden:Ana b:Ben hidden:Cid", {}),
    "hidden editor": ("good:Ana bad:? good:Ben", {3: 0}),
    "reverted by a hidden editor": ("good:Ana bad:Vic good:?", {}),
    "bot": ("good:Ana bad:Vic good:ClueBot new:InterwikiBot more:Ben", {2: 1, 5: 0}),
    "damage by a bot": ("good:Ana bad:Some_bot_2 good:Ben", {3: 0}),
    "page creation": ("good:Ana", {}),
}
"""Each history, and the labels of the edits that count by their number from 1."""
