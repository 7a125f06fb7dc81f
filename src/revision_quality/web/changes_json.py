"""The rows of a page as JSON."""

from collections.abc import Iterator

from msgspec import Struct

from revision_quality.clock import iso
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.parameters import Notice
from revision_quality.recent_changes.presentation import key_of, row_of
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.change import Change
from revision_quality.web.filter_form import conflict_text
from revision_quality.web.interface import Interface
from revision_quality.web.page import Page, Sites

_IN_CONFLICT = {
    "states": "state",
    "kinds": "hidenewpages",
    "minor": "hidemajor",
    "namespaces": "invert",
}
"""The parameter that excludes what another asks for, by the kind of conflict."""


class Links(Struct, frozen=True, omit_defaults=True):
    """Addresses on the wiki; absent where there is nothing to show."""

    page: str | None = None
    diff: str | None = None
    history: str | None = None
    user: str | None = None
    talk: str | None = None
    contributions: str | None = None


class ChangeJson(Struct, frozen=True, kw_only=True):
    """A change; times in ISO 8601, what is hidden or unknown null. `level` as in the filter.

    `verdicts` is how many patrollers have given a verdict, `verdict` the latest one.
    `reverted_by` is the revision that undid it.
    """

    key: str
    wiki_id: str
    rev_id: int
    parent_id: int
    page_id: int
    namespace: int
    title: str
    timestamp: str
    kind: str
    user: str | None
    user_level: str
    is_temp: bool
    is_bot: bool
    is_minor: bool
    comment: str | None
    tags: tuple[str, ...]
    size: int | None
    parent_size: int | None
    content_hidden: bool
    user_hidden: bool
    comment_hidden: bool
    state: str
    reason: str | None
    message: str | None
    score: float | None
    level: str | None
    model_name: str | None
    model_version: str | None
    verdicts: int
    verdict: str | None
    is_reverted: bool
    reverted_by: int | None
    reverted_dt: str | None
    links: Links


class Continue(Struct, frozen=True):
    """The parameter to add for the next page."""

    before: str


class WarningJson(Struct, frozen=True):
    """A value that was not taken, or a filter with which no edit can hold."""

    parameter: str
    value: str
    allowed: str
    message: str


class ChangesJson(Struct, frozen=True, rename={"continue_": "continue"}):
    """A page: its rows newest first, where it goes on (null at the end), what was not taken.

    `query` is the shortest query string of the same filters.
    """

    changes: list[ChangeJson]
    continue_: Continue | None
    warnings: list[WarningJson]
    query: str


def changes_json(page: Page, sites: Sites, levels: WikiLevels) -> ChangesJson:
    """Return a page as JSON's structure."""
    return ChangesJson(
        [change_json(change, sites, levels) for change in page.changes],
        Continue(str(page.older)) if page.older else None,
        [*_conflict(page.filters), *map(_warning, page.notices)],
        page.filters.query,
    )


def _warning(notice: Notice) -> WarningJson:
    return WarningJson(notice.parameter, notice.value, notice.allowed, notice.text)


def _conflict(filters: Filters) -> Iterator[WarningJson]:
    """Yield why no edit can hold."""
    text = conflict_text(filters, Interface())
    if text is not None:
        yield WarningJson(_IN_CONFLICT[filters.conflict], "", "", text)


def change_json(change: Change, sites: Sites, levels: WikiLevels) -> ChangeJson:
    """Return a change as JSON's structure."""
    row = row_of(change, sites(change.wiki_id), levels)
    user = row.user
    level = None if change.score is None else levels.level_of(change.wiki_id, change.score)
    return ChangeJson(
        key=key_of(change.wiki_id, change.rev_id),
        wiki_id=change.wiki_id,
        rev_id=change.rev_id,
        parent_id=change.parent_id,
        page_id=change.page_id,
        namespace=change.namespace,
        title=change.title,
        timestamp=iso(change.timestamp),
        kind=change.kind,
        user=user.name if user else None,
        user_level=change.user_level.value,
        is_temp=change.is_temp,
        is_bot=change.is_bot,
        is_minor=change.is_minor,
        comment=None if change.comment_hidden else change.comment,
        tags=change.tags,
        size=change.size,
        parent_size=change.parent_size,
        content_hidden=change.content_hidden,
        user_hidden=change.user_hidden,
        comment_hidden=change.comment_hidden,
        state=change.state.value,
        reason=change.reason,
        message=change.message,
        score=change.score,
        level=level.name if level else None,
        model_name=change.model_name,
        model_version=change.model_version,
        verdicts=change.verdicts,
        verdict=change.verdict,
        is_reverted=change.is_reverted,
        reverted_by=change.reverted_by,
        reverted_dt=None if change.reverted_dt is None else iso(change.reverted_dt),
        links=Links(
            row.title_url,
            row.diff_url,
            row.history_url,
            user.url if user else None,
            user.talk_url if user else None,
            user.contributions_url if user else None,
        ),
    )
