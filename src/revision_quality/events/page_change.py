"""page_change: an edit, or what else happens to a page.

Source: the schema `/mediawiki/page/change/1.x` of Wikimedia's event schema repository. Versions
are read by their prefix and fields not named here are ignored, because MediaWiki's releases emit
different minor versions (1.43: 1.2.0, 1.45: 1.3.0, master: 1.11.0).
"""

from enum import StrEnum

from msgspec import Struct, field

from revision_quality.events.decoding import EventDecoder
from revision_quality.events.meta import Meta, Namespace, Number, Timestamp

SCHEMA_PREFIX = "/mediawiki/page/change/1."
SCHEMA = "/mediawiki/page/change/1.2.0"
"""The version that this package writes."""


class PageChangeKind(StrEnum):
    """What happened to the page."""

    CREATE = "create"
    EDIT = "edit"
    MOVE = "move"
    DELETE = "delete"
    UNDELETE = "undelete"
    VISIBILITY_CHANGE = "visibility_change"


class ChangelogKind(StrEnum):
    """What the event does to a table of pages."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class UserEntity(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A user as an event has it. An anonymous editor has no user_id."""

    user_text: str | None = None
    groups: tuple[str, ...] | None = None
    is_temp: bool | None = None
    is_bot: bool | None = None
    is_system: bool | None = None
    user_id: Number | None = None
    edit_count: Number | None = None
    registration_dt: Timestamp | None = None
    user_central_id: Number | None = None
    wiki_id: str | None = None


class RedirectPageLink(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where a redirect leads."""

    page_title: str
    namespace_id: Namespace | None = None
    page_id: Number | None = None
    is_redirect: bool | None = None
    interwiki_prefix: str | None = None


class PageEntity(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A page; `page_title` has its namespace prefix and underscores."""

    page_id: Number
    page_title: str
    namespace_id: Namespace | None = None
    is_redirect: bool | None = None
    namespace_is_content: bool | None = None
    redirect_page_link: RedirectPageLink | None = None
    revision_count: Number | None = None


class PriorPage(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Only what differed before: a move carries no page_id here."""

    page_id: Number | None = None
    page_title: str | None = None
    namespace_id: Namespace | None = None
    is_redirect: bool | None = None
    namespace_is_content: bool | None = None
    revision_count: Number | None = None


class ContentSlot(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One slot's content."""

    slot_role: str
    content_model: str | None = None
    content_sha1: str | None = None
    content_size: Number | None = None
    content_format: str | None = None
    origin_rev_id: Number | None = None


class Revert(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Set on an edit that reverts others."""

    method: str | None = None
    is_exact: bool | None = None
    rev_original_id: Number | None = None
    rev_original_dt: Timestamp | None = None
    rev_reverted_oldest_id: Number | None = None
    rev_reverted_newest_id: Number | None = None


class RevisionFacts(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is told of a revision, of which nothing is certain.

    `rev_parent_id` is 0 for the first revision of a page and absent where unknown; `comment` and
    `editor` are absent where hidden.
    """

    rev_id: Number | None = None
    rev_dt: Timestamp | None = None
    rev_parent_id: Number | None = None
    rev_size: Number | None = None
    rev_sha1: str | None = None
    is_minor_edit: bool | None = None
    comment: str | None = None
    is_content_visible: bool | None = None
    is_editor_visible: bool | None = None
    is_comment_visible: bool | None = None
    editor: UserEntity | None = None


class PriorRevision(RevisionFacts, frozen=True, kw_only=True, omit_defaults=True):
    """The revision before, as `prior_state` holds it: any subset of the fields."""

    content_slots: dict[str, ContentSlot] | None = None
    revert: Revert | None = None


class RevisionEntity(PriorRevision, frozen=True, kw_only=True, omit_defaults=True):
    """A revision, its id and its time known."""

    rev_id: Number
    rev_dt: Timestamp


class PriorState(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was before, as far as it differed."""

    page: PriorPage | None = None
    revision: PriorRevision | None = None


class PageChange(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The event. `comment` is the reason of a move, a deletion or an undeletion."""

    schema: str = field(name="$schema")
    meta: Meta
    dt: Timestamp
    wiki_id: str
    page_change_kind: PageChangeKind
    changelog_kind: ChangelogKind
    page: PageEntity
    revision: RevisionEntity
    performer: UserEntity | None = None
    comment: str | None = None
    created_redirect_page: PageEntity | None = None
    prior_state: PriorState | None = None

    @property
    def is_canary(self) -> bool:
        """Whether it is one of the test events that Wikimedia sends through every stream."""
        return self.meta.domain == "canary"


_decode = EventDecoder(PageChange, "page_change", SCHEMA_PREFIX)


def decode_page_change(raw: bytes) -> PageChange:
    """Read an event. Raises InvalidEventError naming the field and what was expected."""
    return _decode(raw)
