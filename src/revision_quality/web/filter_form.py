"""The filters as the form of the page: groups of options, and what is chosen."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from revision_quality.recent_changes.filters import LEVELS, STATES, USER_LEVELS, Filters, without
from revision_quality.recent_changes.level_card import describe
from revision_quality.recent_changes.presentation import LEVEL_NAMES, STATE_NAMES
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.sites import Site

MAX_WIKIS_LISTED = 30

_USER_NAMES = {
    "unregistered": ("Unregistered", "Editors without an account, and temporary accounts"),
    "registered": ("Registered", "All who have an account"),
    "newcomer": ("Newcomers", "Fewer than 10 edits or 4 days of activity"),
    "learner": ("Learners", "Between newcomers and experienced users"),
    "experienced": ("Experienced users", "At least 500 edits and 30 days of activity"),
}

_HIDDEN = (
    ("hidebots", "hide_bots", "Bots"),
    ("hidehumans", "hide_humans", "Humans"),
    ("hideminor", "hide_minor", "Minor edits"),
    ("hidemajor", "hide_major", "Non-minor edits"),
    ("hidenewpages", "hide_new_pages", "Page creations"),
    ("hidepageedits", "hide_page_edits", "Page edits"),
)

_SUBJECTS = {0: "(Main)", 2: "User", 4: "Project", 6: "File", 8: "MediaWiki", 10: "Template"}
_SUBJECTS |= {12: "Help", 14: "Category"}
_TALKS = {
    number + 1: "Talk" if number == 0 else f"{name} talk" for number, name in _SUBJECTS.items()
}
_NAMESPACES = dict(sorted({**_SUBJECTS, **_TALKS}.items()))
"""MediaWiki's canonical namespaces (Help:Namespaces)."""

_DAYS = (
    (None, "any time"),
    (1 / 24, "last hour"),
    (0.25, "last 6 hours"),
    (1.0, "last day"),
    (7.0, "last 7 days"),
    (30.0, "last 30 days"),
)
_LIMITS = (50, 100, 250, 500)


class Option(Struct, frozen=True):
    """A box to tick, or a line of a menu."""

    value: str
    label: str
    description: str = ""
    is_chosen: bool = False
    lang: str = ""
    dir: str = ""


class Group(Struct, frozen=True):
    """The options of one parameter."""

    name: str
    legend: str
    options: tuple[Option, ...]


class Chosen(Struct, frozen=True):
    """A filter in force, and the query string without it."""

    group: str
    label: str
    query: str


class FilterForm(Struct, frozen=True, kw_only=True):
    """All that the form shows.

    `other_wikis` are those chosen that the list of wikis, when cut to the largest, leaves out.
    """

    risk: Group
    state: Group
    users: Group
    namespaces: Group
    invert: bool
    wikis: Group
    are_wikis_cut: bool
    other_wikis: str
    hidden: tuple[Option, ...]
    days: tuple[Option, ...]
    limits: tuple[Option, ...]
    chosen: tuple[Chosen, ...]


def form_of(
    filters: Filters, levels: WikiLevels, wikis: Mapping[str, int], sites: Mapping[str, Site]
) -> FilterForm:
    """Return the form; `wikis` has the number of edits by wiki_id, `sites` the known of them."""
    listed = sorted(wikis, key=lambda wiki_id: (-wikis[wiki_id], wiki_id))[:MAX_WIKIS_LISTED]
    groups = {
        "levels": _risk_group(filters, levels),
        "states": _group("state", "State", STATES, STATE_NAMES_BY_VALUE, filters.states),
        "users": _user_group(filters),
        "wikis": _wiki_group(filters, sorted(listed), sites),
        "namespaces": _namespace_group(filters, _one_site(filters, wikis, sites)),
    }
    return FilterForm(
        risk=groups["levels"],
        state=groups["states"],
        users=groups["users"],
        wikis=groups["wikis"],
        namespaces=groups["namespaces"],
        invert=filters.invert,
        are_wikis_cut=len(wikis) > len(listed),
        other_wikis=";".join(sorted(filters.wikis - set(listed))),
        hidden=tuple(
            Option(name, label, is_chosen=getattr(filters, field)) for name, field, label in _HIDDEN
        ),
        days=_days(filters),
        limits=_limits(filters),
        chosen=tuple(_chosen(filters, groups)),
    )


STATE_NAMES_BY_VALUE = {state.value: name for state, name in STATE_NAMES.items()}


def _group(
    name: str, legend: str, values: Sequence[str], labels: Mapping[str, str], chosen: frozenset[str]
) -> Group:
    options = (Option(value, labels[value], is_chosen=value in chosen) for value in values)
    return Group(name, legend, tuple(options))


def _risk_group(filters: Filters, levels: WikiLevels) -> Group:
    wiki_id = next(iter(filters.wikis)) if len(filters.wikis) == 1 else ""
    measured = {level.name: level for level in levels.of(wiki_id)}
    options = (
        Option(
            name,
            LEVEL_NAMES[name],
            describe(measured[name]) if name in measured else "Not available for this wiki",
            name in filters.levels,
        )
        for name in reversed(LEVELS)
    )
    return Group("revertrisk", "Risk of being reverted", tuple(options))


def _user_group(filters: Filters) -> Group:
    options = (Option(value, *_USER_NAMES[value], value in filters.users) for value in USER_LEVELS)
    return Group("userExpLevel", "User experience", tuple(options))


def _wiki_group(filters: Filters, listed: Iterable[str], sites: Mapping[str, Site]) -> Group:
    options = []
    for wiki_id in listed:
        site = sites.get(wiki_id)
        label = site.name if site else wiki_id
        lang, direction = (site.lang, site.dir) if site else ("", "")
        chosen = wiki_id in filters.wikis
        options.append(Option(wiki_id, label, wiki_id if site else "", chosen, lang, direction))
    return Group("wiki", "Wiki", tuple(options))


def _namespace_group(filters: Filters, site: Site | None) -> Group:
    own = site.namespaces if site else {}
    names = _NAMESPACES | {number: name for number, name in own.items() if number > 0 and name}
    names |= {number: f"Namespace {number}" for number in filters.namespaces - set(names)}
    options = (
        Option(
            str(number),
            names[number],
            is_chosen=number in filters.namespaces,
            lang=site.lang if site and number in own else "",
            dir=site.dir if site and number in own else "",
        )
        for number in sorted(names)
    )
    return Group("namespace", "Namespaces", tuple(options))


def _one_site(filters: Filters, wikis: Mapping[str, int], sites: Mapping[str, Site]) -> Site | None:
    shown = filters.wikis or frozenset(wikis)
    return sites.get(next(iter(shown))) if len(shown) == 1 else None


def _days(filters: Filters) -> tuple[Option, ...]:
    choices = dict(_DAYS)
    if filters.days not in choices:
        choices[filters.days] = f"last {filters.days:g} days"
    return tuple(
        Option("" if days is None else f"{days!r}", label, is_chosen=days == filters.days)
        for days, label in choices.items()
    )


def _limits(filters: Filters) -> tuple[Option, ...]:
    limits = sorted({*_LIMITS, filters.limit})
    return tuple(Option(str(n), str(n), is_chosen=n == filters.limit) for n in limits)


def _chosen(filters: Filters, groups: Mapping[str, Group]) -> Iterable[Chosen]:
    for field, group in groups.items():
        for option in group.options:
            if option.is_chosen:
                value = int(option.value) if field == "namespaces" else option.value
                legend = group.legend
                if field == "namespaces" and filters.invert:
                    legend = "Not in namespace"
                yield Chosen(legend, option.label, without(filters, field, value).query)
    for wiki_id in sorted(filters.wikis - {option.value for option in groups["wikis"].options}):
        yield Chosen("Wiki", wiki_id, without(filters, "wikis", wiki_id).query)
    for _, field, label in _HIDDEN:
        if getattr(filters, field):
            yield Chosen("Hidden", label.lower(), without(filters, field).query)
    if filters.days is not None:
        label = next(option.label for option in _days(filters) if option.is_chosen)
        yield Chosen("Time", label, without(filters, "days").query)


def conflict_text(filters: Filters) -> str | None:
    """Return why no edit can hold, None where some can."""
    if not filters.has_conflict:
        return None
    names = " or ".join(
        STATE_NAMES_BY_VALUE[state].lower() for state in STATES if state in filters.states
    )
    return f"Edits in the state “{names}” have no level of risk, so nothing can match both filters."
