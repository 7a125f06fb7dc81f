"""A row of list=recentchanges, and the events that it stands for.

Source: www.mediawiki.org, API:RecentChanges, formatversion 2.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from revision_quality.errors import InvalidEventError
from revision_quality.events import page_change as wire
from revision_quality.events import revision_change
from revision_quality.events import streams as names
from revision_quality.events.meta import Meta, Namespace, Number, Timestamp, event_id
from revision_quality.events.page_change import (
    ChangelogKind,
    PageChange,
    PageChangeKind,
    PageEntity,
    PriorPage,
    PriorRevision,
    PriorState,
    RevisionEntity,
    UserEntity,
)
from revision_quality.events.revision_change import (
    RevisionPerformer,
    TagsChange,
    Visibility,
    VisibilityChange,
)
from revision_quality.sites import Site

PROPERTIES = (
    "ids", "title", "timestamp", "user", "userid", "flags", "comment", "sizes", "sha1", "tags",
    "loginfo", "redirect",
)  # fmt: skip

TYPES = ("edit", "new", "log")

_log = structlog.get_logger()


class RecentChange(Struct, frozen=True, kw_only=True):
    """One row as the API has it.

    A hidden user, comment or sha1 has its flag set and is absent, but not for an account that may
    see it: the flag decides.
    """

    type: str
    rcid: Number
    timestamp: Timestamp
    ns: Namespace = 0
    title: str = ""
    pageid: Number = 0
    revid: Number = 0
    old_revid: Number = 0
    user: str | None = None
    userid: Number | None = None
    anon: bool = False
    temp: bool = False
    bot: bool = False
    minor: bool = False
    redirect: bool = False
    oldlen: Number = 0
    newlen: Number = 0
    comment: str | None = None
    sha1: str | None = None
    tags: tuple[str, ...] = ()
    userhidden: bool = False
    commenthidden: bool = False
    sha1hidden: bool = False
    logtype: str | None = None
    logaction: str | None = None
    logparams: Any = None

    @property
    def position(self) -> str:
        """The `rccontinue` value that begins with this row."""
        return f"{self.timestamp:%Y%m%d%H%M%S}|{self.rcid}"

    @property
    def is_edit(self) -> bool:
        """Whether the row is an edit or a new page."""
        return self.type in ("edit", "new") and self.revid > 0

    @property
    def is_any_part_hidden(self) -> bool:
        """Whether text, user or comment are hidden."""
        return self.userhidden or self.commenthidden or self.sha1hidden

    @property
    def hidden_rev_ids(self) -> tuple[int, ...]:
        """The revisions whose visibility a log row says was changed."""
        if (self.logtype, self.logaction) != ("delete", "revision") or not self.logparams:
            return ()
        try:
            deletion = msgspec.convert(self.logparams, _RevisionDeletion, strict=False)
        except msgspec.ValidationError:
            return ()
        return deletion.ids if deletion.type == "revision" else ()


class _RevisionDeletion(Struct, frozen=True):
    ids: tuple[Number, ...] = ()
    type: str = ""


class _Move(Struct, frozen=True):
    target_ns: int
    target_title: str


def read_rows(rows: object) -> list[RecentChange]:
    """Read the rows of an answer, leaving out one that cannot be read.

    Raises InvalidEventError for what are no such rows at all.
    """
    if not isinstance(rows, list):
        raise InvalidEventError(f"the recent changes are no list but {type(rows).__name__}")
    found: list[RecentChange] = []
    problem = ""
    for row in rows:
        try:
            found.append(_masked(msgspec.convert(row, RecentChange)))
        except msgspec.ValidationError as error:
            problem = str(error)
            _log.warning("unreadable recent change left out", error=problem)
    if rows and not found:
        raise InvalidEventError(f"the recent changes cannot be read: {problem}")
    return found


def _masked(row: RecentChange) -> RecentChange:
    if not row.is_any_part_hidden:
        return row
    return msgspec.structs.replace(
        row,
        user=None if row.userhidden else row.user,
        userid=None if row.userhidden else row.userid,
        comment=None if row.commenthidden else row.comment,
        sha1=None if row.sha1hidden else row.sha1,
    )


def page_change(
    row: RecentChange, site: Site, users: Mapping[str, UserEntity], received: datetime
) -> PageChange | None:
    """Return the page_change event of a row, None if the row is another kind of log entry."""
    kind = _kind(row)
    if kind is None:
        return None
    editor = _editor(row, users)
    title, namespace = _target(row, kind)
    return PageChange(
        schema=wire.SCHEMA,
        meta=_meta(names.PAGE_CHANGE, site, title, received, "page_change", row.rcid),
        dt=row.timestamp,
        wiki_id=site.wiki_id,
        page_change_kind=kind,
        changelog_kind=_CHANGELOG[kind],
        page=PageEntity(
            page_id=row.pageid,
            page_title=title.replace(" ", "_"),
            namespace_id=namespace,
            is_redirect=row.redirect if row.is_edit else None,
        ),
        performer=editor,
        comment=None if row.is_edit else row.comment,
        revision=_revision(row, kind, editor),
        prior_state=_prior_state(row, kind),
    )


def tags_change(
    row: RecentChange, site: Site, received: datetime, known: tuple[str, ...] | None = None
) -> TagsChange | None:
    """Return the event that carries a row's tags, None if it is no edit or they are as `known`.

    `known` are the tags that were told before, None for an edit that is new: its tags are told
    once, whenever they are read, while a later change is an event of its own.
    """
    if not row.is_edit or row.tags == (known or ()):
        return None
    identity = () if known is None else (received,)
    return TagsChange(
        schema=revision_change.TAGS_SCHEMA,
        meta=_meta(
            names.TAGS_CHANGE,
            site,
            row.title,
            received,
            "tags",
            row.revid,
            *sorted(row.tags),
            *identity,
        ),
        **_of_revision(row, site, received),
        tags=row.tags,
    )


def visibility_change(row: RecentChange, site: Site, received: datetime) -> VisibilityChange:
    """Return the event that says which parts of an edit are visible."""
    visibility = Visibility(
        text=not row.sha1hidden, user=not row.userhidden, comment=not row.commenthidden
    )
    return VisibilityChange(
        schema=revision_change.VISIBILITY_SCHEMA,
        meta=_meta(
            names.VISIBILITY_CHANGE, site, row.title, received, "visibility", row.revid, received
        ),
        **_of_revision(row, site, received),
        visibility=visibility,
    )


def _of_revision(row: RecentChange, site: Site, received: datetime) -> dict[str, Any]:
    """Return the fields that all events of a change to a revision have."""
    return {
        "dt": received,
        "database": site.wiki_id,
        "page_id": row.pageid,
        "page_title": row.title.replace(" ", "_"),
        "page_namespace": row.ns,
        "rev_id": row.revid,
        "rev_timestamp": row.timestamp,
        "rev_parent_id": row.old_revid or None,
        "comment": row.comment,
        "editor": _revision_editor(row),
    }


_LOG_KINDS = {
    ("move", "move"): PageChangeKind.MOVE,
    ("move", "move_redir"): PageChangeKind.MOVE,
    ("delete", "delete"): PageChangeKind.DELETE,
    ("delete", "delete_redir"): PageChangeKind.DELETE,
    ("delete", "delete_redir2"): PageChangeKind.DELETE,
    ("suppress", "delete"): PageChangeKind.DELETE,
    ("delete", "restore"): PageChangeKind.UNDELETE,
}

_CHANGELOG = {
    PageChangeKind.CREATE: ChangelogKind.INSERT,
    PageChangeKind.EDIT: ChangelogKind.UPDATE,
    PageChangeKind.MOVE: ChangelogKind.UPDATE,
    PageChangeKind.DELETE: ChangelogKind.DELETE,
    PageChangeKind.UNDELETE: ChangelogKind.INSERT,
}


def _kind(row: RecentChange) -> PageChangeKind | None:
    if row.is_edit:
        return PageChangeKind.CREATE if row.type == "new" else PageChangeKind.EDIT
    kind = _LOG_KINDS.get((row.logtype or "", row.logaction or ""))
    if kind is PageChangeKind.MOVE and not row.revid:
        return None
    return kind


def _target(row: RecentChange, kind: PageChangeKind) -> tuple[str, int]:
    if kind is PageChangeKind.MOVE and row.logparams:
        try:
            move = msgspec.convert(row.logparams, _Move)
        except msgspec.ValidationError:
            return row.title, row.ns
        return move.target_title, move.target_ns
    return row.title, row.ns


def _revision(row: RecentChange, kind: PageChangeKind, editor: UserEntity | None) -> RevisionEntity:
    parent_id = {PageChangeKind.CREATE: 0, PageChangeKind.EDIT: row.old_revid}.get(kind)
    return RevisionEntity(
        rev_id=row.revid,
        rev_dt=row.timestamp,
        rev_parent_id=parent_id,
        rev_size=row.newlen if row.is_edit else None,
        rev_sha1=base36_sha1(row.sha1) if row.sha1 else None,
        is_minor_edit=row.minor,
        comment=row.comment,
        is_content_visible=not row.sha1hidden,
        is_editor_visible=not row.userhidden,
        is_comment_visible=not row.commenthidden,
        editor=editor,
    )


def _prior_state(row: RecentChange, kind: PageChangeKind) -> PriorState | None:
    if kind is PageChangeKind.EDIT:
        return PriorState(revision=PriorRevision(rev_id=row.old_revid, rev_size=row.oldlen))
    if kind is PageChangeKind.MOVE:
        return PriorState(page=PriorPage(page_title=row.title.replace(" ", "_")))
    return None


def _editor(row: RecentChange, users: Mapping[str, UserEntity]) -> UserEntity | None:
    if row.user is None:
        return None
    known = users.get(row.user)
    if known is not None and row.userid:
        return msgspec.structs.replace(known, is_bot=row.bot or known.is_bot)
    is_account = bool(row.userid)
    return UserEntity(
        user_text=row.user,
        user_id=row.userid or None,
        groups=("*", "user") if is_account else ("*",),
        is_temp=row.temp,
        is_bot=row.bot,
        is_system=False,
    )


def _revision_editor(row: RecentChange) -> RevisionPerformer | None:
    if row.user is None:
        return None
    return RevisionPerformer(user_text=row.user, user_id=row.userid or None, user_is_bot=row.bot)


def _meta(stream: str, site: Site, title: str, received: datetime, *identity: object) -> Meta:
    return Meta(
        stream=stream,
        id=event_id(site.wiki_id, *identity),
        domain=site.server.partition("://")[2],
        uri=site.page_url(title),
        dt=received,
    )


def base36_sha1(hexadecimal: str) -> str | None:
    """Write a SHA-1 as MediaWiki's tables and events have it: base 36, 31 digits."""
    if not re.fullmatch("[0-9a-f]{40}", hexadecimal):
        return None
    number, digits = int(hexadecimal, 16), ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits.rjust(31, "0")
