"""What the page shows of a change: a row of texts and addresses, ready for a template."""

import math
from urllib.parse import quote

from msgspec import Struct

from revision_quality.recent_changes.comment import Part, parts_of
from revision_quality.recent_changes.highlights import Highlight
from revision_quality.recent_changes.wiki_levels import LEVELS, WikiLevels
from revision_quality.sites import Site
from revision_quality.views.change import Change, State

PATH = "/recent-changes"
"""Of the page here; below it a change has its own, `/wiki_id/rev_id`."""

BOLD_FROM = 500
"""Changes of so many bytes are bold: MediaWiki's $wgRCChangedSizeThreshold."""

UNCLEAR = "unclear"

_FLOAT_ERROR = 1e-9
"""So that 0.29, which times 100 is 28.999999999999996, is shown as 0.29."""


class User(Struct, frozen=True):
    """The editor with the addresses of what belongs to them; None where the wiki is unknown."""

    name: str
    url: str | None
    talk_url: str | None
    contributions_url: str | None


class Risk(Struct, frozen=True):
    """The risk of being reverted, or the state instead.

    `kind` is the level's name, `unclear`, or the state's value; it names the style and the message.
    `score` is two decimals, rounded towards 0 so that a number never looks like the next level's,
    "" without a score; `reason` is the code of why there is none, `message` the English sentence.
    """

    kind: str
    score: str = ""
    reason: str = ""
    message: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """A change as a line of the page; texts are plain, None where hidden or unknown.

    `flags` are MediaWiki's letters before the title: N a new page, m a minor edit, b by a bot.
    `actions` are addresses on the wiki by the name of what is done there: open, hist, undo,
    rollback. `detail_url` is our own page of the change. `rank` is its place in the order of the
    page (`ranking`), in seconds.
    """

    key: str
    lang: str
    dir: str
    wiki: str | None
    timestamp: int
    title: str
    title_url: str | None
    diff_url: str | None
    history_url: str | None
    detail_url: str
    actions: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    size_change: int | None
    size: int | None
    user: User | None
    is_user_hidden: bool
    is_temp: bool
    comment: tuple[Part, ...]
    is_comment_hidden: bool
    is_content_hidden: bool
    tags: tuple[str, ...]
    risk: Risk
    is_new_page: bool
    is_reverted: bool = False
    page_id: int = 0
    rank: int = 0
    marks: tuple[Highlight, ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether the change of size is shown in bold."""
        return self.size_change is not None and abs(self.size_change) >= BOLD_FROM


def key_of(wiki_id: str, rev_id: int) -> str:
    """Return the name of a change's row: `wiki_id:rev_id`."""
    return f"{wiki_id}:{rev_id}"


def row_of(
    change: Change, site: Site | None, levels: WikiLevels, *, with_wiki: bool = False
) -> Row:
    """Return what to show of a change; without a site there are no links.

    `with_wiki` names the wiki, as a page of several needs.
    """
    title = change.title
    user = None if change.user_hidden else change.user
    comment = None if change.comment_hidden else change.comment
    return Row(
        key=key_of(change.wiki_id, change.rev_id),
        lang=site.lang if site else "",
        dir=site.dir if site else "auto",
        wiki=change.wiki_id if with_wiki else None,
        timestamp=change.timestamp,
        title=title,
        title_url=_web(site.page_url(title)) if site and title else None,
        diff_url=_diff_url(change, site),
        history_url=_web(site.history_url(title)) if site and title else None,
        detail_url=f"{PATH}/{quote(change.wiki_id, safe='')}/{change.rev_id}",
        actions=_actions(change, site, user),
        flags=_flags(change),
        size_change=_size_change(change),
        size=change.size,
        user=_user(user, site),
        is_user_hidden=change.user_hidden,
        is_temp=change.is_temp,
        comment=parts_of(comment, title, site if _is_web(site) else None) if comment else (),
        is_comment_hidden=change.comment_hidden,
        is_content_hidden=change.content_hidden,
        tags=change.tags,
        risk=_risk(change, levels),
        is_new_page=change.is_new_page,
        is_reverted=change.is_reverted,
        page_id=change.page_id,
        rank=change.timestamp,
    )


def _diff_url(change: Change, site: Site | None) -> str | None:
    if site is None or change.content_hidden or change.is_new_page:
        return None
    return _web(site.diff_url(change.rev_id, change.parent_id or None))


def _flags(change: Change) -> tuple[str, ...]:
    flags = (("N", change.is_new_page), ("m", change.is_minor), ("b", change.is_bot))
    return tuple(letter for letter, is_set in flags if is_set)


def _actions(change: Change, site: Site | None, user: str | None) -> tuple[tuple[str, str], ...]:
    """Return what can be done on the wiki; MediaWiki itself asks before it undoes or rolls back."""
    if site is None or not _is_web(site) or not change.title:
        return ()
    actions = [("hist", site.history_url(change.title))]
    if change.content_hidden:
        return tuple(actions)
    actions.insert(0, ("open", site.diff_url(change.rev_id, _parent(change))))
    if not change.is_new_page:
        actions.append(("undo", site.undo_url(change.title, change.rev_id, change.parent_id)))
        if user:
            actions.append(("rollback", site.rollback_url(change.title, user)))
    return tuple(actions)


def _parent(change: Change) -> int | None:
    return 0 if change.is_new_page else change.parent_id or None


def _size_change(change: Change) -> int | None:
    if change.size is None:
        return None
    if change.is_new_page:
        return change.size
    return None if change.parent_size is None else change.size - change.parent_size


def _user(name: str | None, site: Site | None) -> User | None:
    if name is None:
        return None
    if site is None or not _is_web(site):
        return User(name, None, None, None)
    return User(name, site.user_url(name), site.user_talk_url(name), site.contributions_url(name))


def _risk(change: Change, levels: WikiLevels) -> Risk:
    if change.state is not State.SCORED or change.score is None:
        return Risk(change.state.value, reason=change.reason or "", message=change.message or "")
    score = f"{math.floor(change.score * 100 + _FLOAT_ERROR) / 100:.2f}"
    level = levels.level_of(change.wiki_id, change.score)
    return Risk(level.name if level and level.name in LEVELS else UNCLEAR, score)


def _web(url: str) -> str | None:
    """Return an address that a browser may follow; a wiki's siteinfo could hold any scheme."""
    return url if url.startswith(("https://", "http://", "//")) else None


def _is_web(site: Site | None) -> bool:
    return site is not None and _web(site.server) is not None
