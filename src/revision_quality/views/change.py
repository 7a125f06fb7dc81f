"""One row of the changes view: an edit, its state and its score."""

from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    """What became of an edit; every edit has one."""

    PENDING = "pending"
    SCORED = "scored"
    NOT_SCORABLE = "not_scorable"
    FAILED = "failed"


class UserLevel(StrEnum):
    """The editor's experience at the time of the edit, MediaWiki's `userExpLevel`.

    REGISTERED is an account whose edit count or age is unknown. Limits in `views.user_level`.
    """

    UNREGISTERED = "unregistered"
    NEWCOMER = "newcomer"
    LEARNER = "learner"
    EXPERIENCED = "experienced"
    REGISTERED = "registered"


class Change(Struct, frozen=True, omit_defaults=False, gc=False):
    """An edit as people read it.

    `title` has its namespace prefix, with spaces. `timestamp` is the edit's, in Unix seconds.
    `user` and `comment` are None where hidden (`user_hidden`, `comment_hidden`); `content_hidden`
    says that the text is. `parent_id` is 0 for a new page. `kind` is the page_change_kind: edit,
    create or move. `size` and `parent_size` are in bytes, None where unknown. `reason` is a code
    and `message` a sentence, set where the state is not_scorable or failed. `score` is
    P(reverted), 0 to 1, set where the state is scored. `verdicts` is how many patrollers have given
    a verdict, `verdict` the latest one (`events.verdict.Verdict`). `is_reverted` says that somebody
    undid the edit, its author included; `reverted_by` is the revision that did, None where it is
    not known, and `reverted_dt` when, in Unix seconds. `seq` grows with every write to any row.
    `deleted` marks the row of a page that is gone: of the other fields only the key, `seq` and
    `timestamp` are then set.
    """

    wiki_id: str
    rev_id: int
    seq: int
    timestamp: int = 0
    parent_id: int = 0
    page_id: int = 0
    namespace: int = 0
    title: str = ""
    kind: str = "edit"
    user: str | None = None
    user_level: UserLevel = UserLevel.REGISTERED
    is_temp: bool = False
    is_bot: bool = False
    is_minor: bool = False
    comment: str | None = None
    tags: tuple[str, ...] = ()
    size: int | None = None
    parent_size: int | None = None
    content_hidden: bool = False
    user_hidden: bool = False
    comment_hidden: bool = False
    deleted: bool = False
    state: State = State.PENDING
    reason: str | None = None
    message: str | None = None
    score: float | None = None
    model_name: str | None = None
    model_version: str | None = None
    verdicts: int = 0
    verdict: str | None = None
    is_reverted: bool = False
    reverted_by: int | None = None
    reverted_dt: int | None = None

    @property
    def is_new_page(self) -> bool:
        """Whether the edit made the page."""
        return self.kind == "create"
