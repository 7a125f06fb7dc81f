"""What a reader asks of Recent Changes, read from a query string and written back to one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from revision_quality.recent_changes import extension_links
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.highlights import (
    COLOURS,
    MAX_HIGHLIGHTS,
    Highlight,
    is_highlight,
    parts_of,
    read_highlight,
)
from revision_quality.recent_changes.not_here import strange, strange_highlight
from revision_quality.recent_changes.older_links import is_set, newer_fields
from revision_quality.recent_changes.parameters import (
    NAMESPACE_KINDS,
    Choice,
    Days,
    Flag,
    Integer,
    Namespace,
    Namespaces,
    Notice,
    One,
    Parameter,
    Position,
    Since,
    Tags,
    Words,
    in_order,
    kind_of,
)
from revision_quality.recent_changes.ranking import ORDERS
from revision_quality.recent_changes.wiki_levels import LEVELS
from revision_quality.sites import WIKI_ID
from revision_quality.views.change import State, UserLevel

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

HIGHLIGHTED = {"levels": LEVELS, "states": STATES, "users": USER_LEVELS}
"""What highlights know by the field of Filters."""

EXPERIENCES = frozenset(USER_LEVELS[2:])
"""Together they are all who are registered."""


def is_everybody(users: frozenset[str]) -> bool:
    """Tell whether some of `USER_LEVELS` leave nobody out."""
    unregistered, registered = USER_LEVELS[:2]
    return unregistered in users and (registered in users or users >= EXPERIENCES)


class Filters(Struct, frozen=True, kw_only=True):
    """The filters of one page of changes: OR inside a group, AND between groups.

    An empty group does not restrict; a group with everything selected, or with both of two
    opposites hidden, is made empty; but page edits and page creations are no opposites: MediaWiki
    has other changes besides. `since` is the time of the oldest edit wanted, in Unix
    seconds. `order` is one of `ranking.ORDERS`; one by risk leaves out what is reverted already.
    `is_grouped` and `highlights` say how rows look. `before` is where the page begins (None: at
    its top), `limit` its number of rows, 1 to 500.
    """

    wikis: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    namespaces: frozenset[Namespace] = frozenset()
    invert: bool = False
    users: frozenset[str] = frozenset()
    hide_bots: bool = False
    hide_humans: bool = False
    hide_minor: bool = False
    hide_major: bool = False
    hide_new_pages: bool = False
    hide_page_edits: bool = False
    hide_reverted: bool = False
    hide_unreverted: bool = False
    tags: frozenset[str] = frozenset()
    invert_tags: bool = False
    since: int | None = None
    days: float | None = None
    order: str = ORDERS[0]
    is_grouped: bool = False
    highlights: tuple[Highlight, ...] = ()
    limit: int = DEFAULT_LIMIT
    before: Cursor | None = None

    def __post_init__(self) -> None:
        for field, everything in (("levels", LEVELS), ("states", STATES)):
            if getattr(self, field) >= set(everything):
                force_setattr(self, field, frozenset())
        if is_everybody(self.users):
            force_setattr(self, "users", frozenset())
        for field, opposite in _OPPOSITES:
            if getattr(self, field) and getattr(self, opposite):
                force_setattr(self, field, False)
                force_setattr(self, opposite, False)
        if not self.invert and self.namespaces >= set(NAMESPACE_KINDS):
            force_setattr(self, "namespaces", frozenset())
        if not self.namespaces:
            force_setattr(self, "invert", False)
        if not self.tags:
            force_setattr(self, "invert_tags", False)
        if self.is_queue and not self.hide_unreverted:
            force_setattr(self, "hide_reverted", True)

    @property
    def query(self) -> str:
        """The shortest query string that reads back as these filters, "" for none."""
        texts = [(p.name, p.write(getattr(self, p.field))) for p in PARAMETERS]
        texts += [(quote(mark.name), mark.colour) for mark in self.highlights]
        return "&".join(f"{name}={quote(text, safe=';.|')}" for name, text in texts if text)

    @property
    def is_queue(self) -> bool:
        """Whether the order is by risk."""
        return self.order != ORDERS[0]

    @property
    def conflict(self) -> str:
        """Why no edit can hold, "" where some can.

        `states`: a level is asked of edits that have no score; `kinds`: edits of pages and new
        pages are hidden, and nothing else is here; `minor`: new pages are asked for that are
        minor edits, which MediaWiki does not know; `namespaces`: all of them are excluded.
        """
        if self.levels and self.states and State.SCORED.value not in self.states:
            return "states"
        if self.hide_page_edits and (self.hide_new_pages or self.hide_major):
            return "kinds" if self.hide_new_pages else "minor"
        return "namespaces" if self.invert and self.namespaces >= set(NAMESPACE_KINDS) else ""


_OPPOSITES = (
    ("hide_bots", "hide_humans"),
    ("hide_minor", "hide_major"),
    ("hide_reverted", "hide_unreverted"),
)

_ONE_LEVEL = frozenset(("likelybad", "verylikelybad"))
_LIKELY_REVERTED = dict.fromkeys(("revertrisk", "all"), tuple(sorted(_ONE_LEVEL)))

PARAMETERS: tuple[Parameter, ...] = (
    Words("wiki", "wikis", WIKI_ID, "wiki ids (database names) such as enwiki"),
    Choice("revertrisk", "levels", LEVELS),
    Choice("state", "states", STATES),
    Namespaces("namespace", "namespaces"),
    Flag("invert", "invert"),
    Choice("userExpLevel", "users", USER_LEVELS),
    Flag("hidebots", "hide_bots"),
    Flag("hidehumans", "hide_humans"),
    Flag("hideminor", "hide_minor"),
    Flag("hidemajor", "hide_major"),
    Flag("hidenewpages", "hide_new_pages"),
    Flag("hidepageedits", "hide_page_edits"),
    Flag("hidereverted", "hide_reverted"),
    Flag("hideunreverted", "hide_unreverted"),
    Tags("tagfilter", "tags"),
    Flag("inverttags", "invert_tags"),
    Since("from", "since"),
    Days("days", "days", MAX_DAYS),
    One("order", "order", ORDERS),
    Flag("enhanced", "is_grouped"),
    Integer("limit", "limit", DEFAULT_LIMIT, 1, MAX_LIMIT),
    Position("before", "before"),
)
"""The parameters of Special:RecentChanges that hold here, with their names and values there
(ChangesListSpecialPage), and our own: `wiki`, `revertrisk`, `state`, `before`, and of edits that
somebody undid `hidereverted` and `hideunreverted`, named as its `hidepatrolled`."""

_ALIASES: tuple[Parameter, ...] = (
    Choice("revertrisklanguageagnostic", "levels", (), _LIKELY_REVERTED),
    Choice("damaging", "levels", LEVELS),
)
"""The ORES extension's own names of its levels: one of the risk, four of damage."""


def parse_filters(pairs: Iterable[tuple[str, str]]) -> tuple[Filters, tuple[Notice, ...]]:
    """Read the name and value pairs of a query string; never fails.

    A parameter may come several times, as an HTML form sends it. The first `MAX_NOTICES` of those
    that are unknown, or that a known one does not take, are told.
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
    of_extension, refused = extension_links.fields_of(given)
    for field, chosen in of_extension.items():
        fields[field] = fields.get(field, frozenset()) | chosen
    notices += refused
    fields |= newer_fields(given, fields)
    if is_set(given, "associated"):
        fields["namespaces"] = _with_associated(fields.get("namespaces", frozenset()))
    if given.get("mark", [""])[-1]:
        given[given["mark"][-1]] = given.get("colour", [""])
    fields["highlights"] = _highlights(given, notices)
    notices += _remarks(fields)
    known = {parameter.name for parameter in PARAMETERS + _ALIASES}
    notices += strange(given, known | {extension_links.NAME})
    return Filters(**fields), tuple(notices[:MAX_NOTICES])


def _with_associated(namespaces: frozenset[Namespace]) -> frozenset[Namespace]:
    """Return namespaces with the talk pages of those of subjects, and the other way about."""
    if not namespaces.isdisjoint(NAMESPACE_KINDS):
        namespaces |= set(NAMESPACE_KINDS)
    return namespaces | {one ^ 1 for one in namespaces if isinstance(one, int) and one >= 0}


def _highlights(given: Mapping[str, list[str]], notices: list[Notice]) -> tuple[Highlight, ...]:
    marks: dict[str, Highlight] = {}
    for name in filter(is_highlight, given):
        value = given[name][-1].strip()
        mark = read_highlight(name, value, HIGHLIGHTED)
        if mark is not None and len(marks) < MAX_HIGHLIGHTS:
            marks[mark.name] = mark
        elif value in COLOURS:
            notices += strange_highlight(name, *parts_of(name))
        elif value:
            notices.append(Notice(name[:64], value[:64], ", ".join(COLOURS)))
    return tuple(sorted(marks.values()))


def _remarks(fields: Mapping[str, Any]) -> Iterator[Notice]:
    """Tell what is selected without effect."""
    users = fields.get("users", frozenset())
    namespaces = fields.get("namespaces", frozenset())
    for name, covers in (
        ("revertrisk", fields.get("levels", frozenset()) >= set(LEVELS)),
        ("state", fields.get("states", frozenset()) >= set(STATES)),
        ("userExpLevel", is_everybody(users)),
        ("namespace", not fields.get("invert") and namespaces >= set(NAMESPACE_KINDS)),
    ):
        if covers:
            yield Notice(name, kind="covers-all")
    for field, opposite in _OPPOSITES:
        if fields.get(field) and fields.get(opposite):
            one, other = (name.replace("_", "") for name in (field, opposite))
            yield Notice(one, allowed=other, kind="opposites")
    whole = UserLevel.REGISTERED.value
    for part in USER_LEVELS[2:]:
        if whole in users and part in users:
            yield Notice("userExpLevel", part, whole, kind="subset")
    for number in in_order(namespaces):
        if isinstance(number, int) and kind_of(number) in namespaces:
            yield Notice("namespace", str(number), kind_of(number), kind="subset")
    levels = fields.get("levels", frozenset())
    bad = [level for level in LEVELS[1:] if level in levels]
    # All of them are told above; the ORES extension's one level is two of ours.
    for part in [] if levels >= set(LEVELS) or levels == _ONE_LEVEL else bad[1:]:
        yield Notice("revertrisk", part, bad[0], kind="subset")


def without(filters: Filters, field: str, value: object = None) -> Filters:
    """Return the filters with one value of a group, or a whole field, taken away."""
    current = getattr(filters, field)
    if isinstance(current, frozenset):
        return replace(filters, **{field: current - {value}}, before=None)
    if isinstance(current, tuple):
        left = tuple(one for one in current if one != value)
        return replace(filters, **{field: left}, before=None)
    nothing = None if field in ("days", "since") else False
    return replace(filters, **{field: nothing}, before=None)
