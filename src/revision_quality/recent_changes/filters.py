"""What a reader asks of Recent Changes, read from a query string and written back to one."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.parameters import (
    Choice,
    Days,
    Flag,
    Integer,
    Notice,
    Numbers,
    Parameter,
    Position,
    Words,
)
from revision_quality.views.change import State, UserLevel

LEVELS = ("likelygood", "maybebad", "likelybad", "verylikelybad")
"""Names of the levels from the least risk to the greatest, as the ORES extension has them."""

STATES = tuple(state.value for state in State)

USER_LEVELS = tuple(
    level.value
    for level in (
        UserLevel.UNREGISTERED,
        UserLevel.REGISTERED,
        UserLevel.NEWCOMER,
        UserLevel.LEARNER,
        UserLevel.EXPERIENCED,
    )
)

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_DAYS = 36525.0
MAX_NOTICES = 10

_EVERYBODY = {UserLevel.UNREGISTERED.value, UserLevel.REGISTERED.value}


class Filters(Struct, frozen=True, kw_only=True):
    """The filters of one page of changes: OR inside a group, AND between groups.

    An empty group does not restrict; a group with everything selected, or with both of two
    opposites hidden, is made empty. `before` is where the page begins (None: at the newest),
    `limit` its number of rows, 1 to 500.
    """

    wikis: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    namespaces: frozenset[int] = frozenset()
    invert: bool = False
    users: frozenset[str] = frozenset()
    hide_bots: bool = False
    hide_humans: bool = False
    hide_minor: bool = False
    hide_major: bool = False
    hide_new_pages: bool = False
    hide_page_edits: bool = False
    days: float | None = None
    limit: int = DEFAULT_LIMIT
    before: Cursor | None = None

    def __post_init__(self) -> None:
        for field, everything in (("levels", LEVELS), ("states", STATES)):
            if getattr(self, field) >= set(everything):
                force_setattr(self, field, frozenset())
        if self.users >= _EVERYBODY:
            force_setattr(self, "users", frozenset())
        for field, opposite in _OPPOSITES:
            if getattr(self, field) and getattr(self, opposite):
                force_setattr(self, field, False)
                force_setattr(self, opposite, False)
        if not self.namespaces:
            force_setattr(self, "invert", False)

    @property
    def query(self) -> str:
        """The shortest query string that reads back as these filters, "" for none."""
        texts = ((p.name, p.write(getattr(self, p.field))) for p in PARAMETERS)
        return "&".join(f"{name}={quote(text, safe=';.')}" for name, text in texts if text)

    @property
    def has_conflict(self) -> bool:
        """Whether no edit can hold: a level is asked of edits that have no score."""
        return bool(self.levels and self.states and State.SCORED.value not in self.states)


_OPPOSITES = (
    ("hide_bots", "hide_humans"),
    ("hide_minor", "hide_major"),
    ("hide_new_pages", "hide_page_edits"),
)

_LIKELY_REVERTED = {"revertrisk": ("likelybad", "verylikelybad")}

PARAMETERS: tuple[Parameter, ...] = (
    Words("wiki", "wikis", r"[\w-]{1,64}", "wiki ids (database names) such as enwiki"),
    Choice("revertrisk", "levels", LEVELS),
    Choice("state", "states", STATES),
    Numbers("namespace", "namespaces", "namespace numbers such as 0 or 0;1"),
    Flag("invert", "invert"),
    Choice("userExpLevel", "users", USER_LEVELS),
    Flag("hidebots", "hide_bots"),
    Flag("hidehumans", "hide_humans"),
    Flag("hideminor", "hide_minor"),
    Flag("hidemajor", "hide_major"),
    Flag("hidenewpages", "hide_new_pages"),
    Flag("hidepageedits", "hide_page_edits"),
    Days("days", "days", MAX_DAYS),
    Integer("limit", "limit", DEFAULT_LIMIT, 1, MAX_LIMIT),
    Position("before", "before"),
)
"""The parameters of Special:RecentChanges that hold here, with their names and values there
(ChangesListSpecialPage), and our own: `wiki`, `revertrisk`, `state`, `before`."""

_ALIASES: tuple[Parameter, ...] = (
    Choice("revertrisklanguageagnostic", "levels", (), _LIKELY_REVERTED),
)
"""The ORES extension's own name of its one level of the risk of being reverted."""


def parse_filters(pairs: Iterable[tuple[str, str]]) -> tuple[Filters, tuple[Notice, ...]]:
    """Read the name and value pairs of a query string; never fails.

    A parameter may come several times, as an HTML form sends it. Unknown parameters are passed
    over in silence, as MediaWiki does; of values that a known one does not take, the first
    `MAX_NOTICES` are told.
    """
    given: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        given[name].append(value)
    fields: dict[str, Any] = {}
    notices: list[Notice] = []
    for parameter in PARAMETERS + _ALIASES:
        if parameter.name in given:
            value, refused = parameter.read(given[parameter.name])
            earlier = fields.get(parameter.field)
            fields[parameter.field] = earlier | value if earlier else value
            notices += refused
    return Filters(**fields), tuple(notices[:MAX_NOTICES])


def without(filters: Filters, field: str, value: object = None) -> Filters:
    """Return the filters with one value of a group, or a whole field, taken away."""
    current = getattr(filters, field)
    if isinstance(current, frozenset):
        return replace(filters, **{field: current - {value}}, before=None)
    return replace(filters, **{field: None if field == "days" else False}, before=None)
