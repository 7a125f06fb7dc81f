"""What the page shows of a change: a row of texts and addresses, ready for a template."""

import math
from datetime import UTC, datetime

from msgspec import Struct

from revision_quality.recent_changes.comment import Part, parts_of
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.sites import Site
from revision_quality.views.change import Change, State

BOLD_FROM = 500
"""Changes of so many bytes are bold: MediaWiki's $wgRCChangedSizeThreshold."""

STATE_NAMES = {
    State.PENDING: "Not scored yet",
    State.SCORED: "Scored",
    State.NOT_SCORABLE: "Not scorable",
    State.FAILED: "Scoring failed",
}

LEVEL_NAMES = {
    "likelygood": "Very likely good",
    "maybebad": "May be reverted",
    "likelybad": "Likely to be reverted",
    "verylikelybad": "Very likely to be reverted",
}
"""By the names that the ORES extension gives levels."""

SHORT_LEVEL_NAMES = {
    "likelygood": "Good",
    "maybebad": "Maybe",
    "likelybad": "Likely",
    "verylikelybad": "Very likely",
}

UNCLEAR = "Unclear"

_FLOAT_ERROR = 1e-9
"""So that 0.29, which times 100 is 28.999999999999996, is shown as 0.29."""


class Flag(Struct, frozen=True):
    """A letter before the title and what it means, in MediaWiki's words."""

    letter: str
    meaning: str


_NEW_PAGE = Flag("N", "This edit created a new page")
_MINOR = Flag("m", "This is a minor edit")
_BOT = Flag("b", "This edit was performed by a bot")


class User(Struct, frozen=True):
    """The editor with the addresses of what belongs to them; None where the wiki is unknown."""

    name: str
    url: str | None
    talk_url: str | None
    contributions_url: str | None


class Risk(Struct, frozen=True):
    """The risk of being reverted, or the state instead.

    `kind` is the level's name, `unclear`, or the state's value; it names the style. `score` is
    two decimals, rounded towards 0 so that a number never looks like the next level's, "" without
    a score. `label` is short, `description` says it in full, `reason` why there is no score.
    """

    kind: str
    label: str
    description: str
    score: str = ""
    reason: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """A change as a line of the page; texts are plain, None where hidden or unknown."""

    key: str
    position: str
    lang: str
    dir: str
    wiki: str | None
    timestamp: int
    title: str
    title_url: str | None
    diff_url: str | None
    history_url: str | None
    flags: tuple[Flag, ...]
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

    @property
    def moment(self) -> datetime:
        """The time of the edit, in UTC."""
        return datetime.fromtimestamp(self.timestamp, UTC)

    @property
    def is_large(self) -> bool:
        """Whether the change of size is shown in bold."""
        return self.size_change is not None and abs(self.size_change) >= BOLD_FROM


def key_of(change: Change) -> str:
    """Return the name of a change's row: `wiki_id:rev_id`."""
    return f"{change.wiki_id}:{change.rev_id}"


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
        key=key_of(change),
        position=str(Cursor.of(change)),
        lang=site.lang if site else "",
        dir=site.dir if site else "auto",
        wiki=change.wiki_id if with_wiki else None,
        timestamp=change.timestamp,
        title=title,
        title_url=_web(site.page_url(title)) if site and title else None,
        diff_url=_diff_url(change, site),
        history_url=_web(site.history_url(title)) if site and title else None,
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
    )


def _diff_url(change: Change, site: Site | None) -> str | None:
    if site is None or change.content_hidden or change.is_new_page:
        return None
    return _web(site.diff_url(change.rev_id, change.parent_id or None))


def _flags(change: Change) -> tuple[Flag, ...]:
    flags = (
        (_NEW_PAGE, change.is_new_page),
        (_MINOR, change.is_minor),
        (_BOT, change.is_bot),
    )
    return tuple(flag for flag, is_set in flags if is_set)


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
        name = STATE_NAMES[change.state]
        reason = change.message or (change.reason or "").replace("_", " ")
        return Risk(change.state.value, name, name, reason=reason)
    score = f"{math.floor(change.score * 100 + _FLOAT_ERROR) / 100:.2f}"
    level = levels.level_of(change.wiki_id, change.score)
    if level is None:
        return Risk("unclear", UNCLEAR, "Between good and bad", score)
    label = SHORT_LEVEL_NAMES.get(level.name, level.name)
    return Risk(level.name, label, LEVEL_NAMES.get(level.name, level.name), score)


def _web(url: str) -> str | None:
    """Return an address that a browser may follow; a wiki's siteinfo could hold any scheme."""
    return url if url.startswith(("https://", "http://", "//")) else None


def _is_web(site: Site | None) -> bool:
    return site is not None and _web(site.server) is not None
