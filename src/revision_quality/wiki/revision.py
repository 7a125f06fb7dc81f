"""What a model is given: one revision with its parent, page and user, as known at the edit."""

from datetime import datetime

from msgspec import Struct


class User(Struct, frozen=True, kw_only=True):
    """The editor, as known at the time of the edit.

    `user_text` is None where it is hidden. `user_id` is 0 for an anonymous editor, None where
    unknown. `groups` are the effective groups with the implicit ones (`*`, `user`) left in as the
    wiki says them, None where unknown; so are `edit_count` and `registration_dt`.
    """

    user_text: str | None = None
    user_id: int | None = None
    is_temp: bool = False
    is_bot: bool = False
    groups: tuple[str, ...] | None = None
    edit_count: int | None = None
    registration_dt: datetime | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether no account made the edit; a temporary account is not anonymous."""
        return self.user_id == 0


class Page(Struct, frozen=True, kw_only=True):
    """The page: `title` with its namespace prefix, spaces or underscores as the wiki gave it."""

    page_id: int | None = None
    title: str = ""
    namespace_id: int = 0
    first_edit_dt: datetime | None = None


class Parent(Struct, frozen=True, kw_only=True):
    """The revision before: its wikitext and what is known of it."""

    text: str
    rev_id: int | None = None
    rev_dt: datetime | None = None
    comment: str | None = None
    user_text: str | None = None


class Revision(Struct, frozen=True, kw_only=True):
    """One edit: the wikitext after it, the parent before it, who, when, why.

    `comment` is the edit summary, "" where empty and None where hidden. Times are aware, in UTC.
    """

    wiki_id: str
    rev_id: int | None
    rev_dt: datetime
    page: Page
    parent: Parent
    user: User
    text: str
    comment: str | None = ""
    is_minor: bool = False
