"""The filters as the form of the page: groups of options, and what is chosen."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from revision_quality.recent_changes import highlights
from revision_quality.recent_changes.filters import (
    HIGHLIGHTED,
    STATES,
    USER_LEVELS,
    Filters,
    without,
)
from revision_quality.recent_changes.highlights import Highlight
from revision_quality.recent_changes.parameters import NAMESPACE_KINDS, Namespace, in_order
from revision_quality.recent_changes.wiki_levels import LEVELS, WikiLevels
from revision_quality.sites import Site
from revision_quality.web.filter_labels import highlight_label, namespace_label
from revision_quality.web.interface import Interface
from revision_quality.web.level_card import describe

MAX_WIKIS_LISTED = 30

_HIDDEN = (
    ("hidebots", "hide_bots"),
    ("hidehumans", "hide_humans"),
    ("hideminor", "hide_minor"),
    ("hidemajor", "hide_major"),
    ("hidenewpages", "hide_new_pages"),
    ("hidepageedits", "hide_page_edits"),
    ("hidereverted", "hide_reverted"),
    ("hideunreverted", "hide_unreverted"),
)

_NAMESPACES = tuple(range(16))
"""MediaWiki's own (Help:Namespaces)."""

_DAYS = (None, 1 / 24, 0.25, 1.0, 7.0, 30.0)
_LIMITS = (50, 100, 250, 500)


class Option(Struct, frozen=True):
    """A box to tick, or a line of a menu; `is_name` where the label comes from a wiki."""

    value: str
    label: str
    description: str = ""
    is_chosen: bool = False
    lang: str = ""
    dir: str = ""
    is_name: bool = False


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
    marks: tuple[Option, ...]
    since: str


def form_of(
    filters: Filters,
    levels: WikiLevels,
    wikis: Mapping[str, int],
    sites: Mapping[str, Site],
    ui: Interface,
) -> FilterForm:
    """Return the form; `wikis` has the number of edits by wiki_id, `sites` the known of them."""
    listed = sorted(wikis, key=lambda wiki_id: (-wikis[wiki_id], wiki_id))[:MAX_WIKIS_LISTED]
    groups = {
        "levels": _risk_group(filters, levels, ui),
        "states": _state_group(filters, ui),
        "users": _user_group(filters, ui),
        "wikis": _wiki_group(filters, sorted(listed), sites, ui),
        "namespaces": _namespace_group(filters, _one_site(filters, wikis, sites), ui),
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
            Option(name, ui.text(name), is_chosen=getattr(filters, field))
            for name, field in _HIDDEN
        ),
        days=_days(filters, ui),
        limits=_limits(filters),
        chosen=tuple(_chosen(filters, groups, ui)),
        marks=tuple(_marks(ui)),
        since=dict(item.split("=") for item in filters.query.split("&") if item).get("from", ""),
    )


def _state_group(filters: Filters, ui: Interface) -> Group:
    options = (
        Option(value, ui.text(f"state-{value}"), is_chosen=value in filters.states)
        for value in STATES
    )
    return Group("state", ui.text("state"), tuple(options))


def _risk_group(filters: Filters, levels: WikiLevels, ui: Interface) -> Group:
    wiki_id = next(iter(filters.wikis)) if len(filters.wikis) == 1 else ""
    measured = {level.name: level for level in levels.of(wiki_id)}
    options = (
        Option(
            name,
            ui.text(f"level-{name}"),
            describe(measured[name], ui) if name in measured else ui.text("not-for-wiki"),
            name in filters.levels,
        )
        for name in reversed(LEVELS)
    )
    return Group("revertrisk", ui.text("risk"), tuple(options))


def _user_group(filters: Filters, ui: Interface) -> Group:
    options = (
        Option(value, ui.text(f"user-{value}"), ui.text(f"user-{value}-is"), value in filters.users)
        for value in USER_LEVELS
    )
    return Group("userExpLevel", ui.text("users"), tuple(options))


def _wiki_group(
    filters: Filters, listed: Iterable[str], sites: Mapping[str, Site], ui: Interface
) -> Group:
    options = []
    for wiki_id in listed:
        site = sites.get(wiki_id)
        label = site.name if site else wiki_id
        lang, direction = (site.lang, site.dir) if site else ("", "")
        chosen = wiki_id in filters.wikis
        options.append(
            Option(wiki_id, label, wiki_id if site else "", chosen, lang, direction, is_name=True)
        )
    return Group("wiki", ui.text("wiki"), tuple(options))


def _namespace_group(filters: Filters, site: Site | None, ui: Interface) -> Group:
    own = site.namespaces if site else {}
    usual: tuple[Namespace, ...] = (*NAMESPACE_KINDS, *_NAMESPACES)
    names = {one: namespace_label(one, ui) for one in usual}
    names.update((number, name) for number, name in own.items() if number > 0 and name)
    names |= {one: namespace_label(one, ui) for one in filters.namespaces - set(names)}
    options = (
        Option(
            str(one),
            names[one],
            is_chosen=one in filters.namespaces,
            lang=site.lang if site and one in own else "",
            dir=site.dir if site and one in own else "",
            is_name=one in own,
        )
        for one in in_order(names)
    )
    return Group("namespace", ui.text("namespaces"), tuple(options))


def _one_site(filters: Filters, wikis: Mapping[str, int], sites: Mapping[str, Site]) -> Site | None:
    shown = filters.wikis or frozenset(wikis)
    return sites.get(next(iter(shown))) if len(shown) == 1 else None


def _days(filters: Filters, ui: Interface) -> tuple[Option, ...]:
    choices = dict.fromkeys((*_DAYS, filters.days))
    return tuple(
        Option("" if days is None else f"{days!r}", _span(days, ui), is_chosen=days == filters.days)
        for days in choices
    )


def _span(days: float | None, ui: Interface) -> str:
    if days is None:
        return ui.text("days-")
    number, unit = (days * 24, "hour") if days < 1 else (days, "day")
    number = round(number, 2)
    return ui.text(f"days-{unit}") if number == 1 else ui.text(f"days-{unit}s", n=number)


def _limits(filters: Filters) -> tuple[Option, ...]:
    limits = sorted({*_LIMITS, filters.limit})
    return tuple(Option(str(n), str(n), is_chosen=n == filters.limit) for n in limits)


def _marks(ui: Interface) -> Iterable[Option]:
    for group, name in highlights.names(HIGHLIGHTED):
        mark = Highlight(group, name, "")
        yield Option(mark.name, highlight_label(mark, ui))


def _chosen(filters: Filters, groups: Mapping[str, Group], ui: Interface) -> Iterable[Chosen]:
    for field, group in groups.items():
        for option in group.options:
            if option.is_chosen:
                is_number = field == "namespaces" and option.value not in NAMESPACE_KINDS
                value = int(option.value) if is_number else option.value
                legend = group.legend
                if field == "namespaces" and filters.invert:
                    legend = ui.text("not-in-namespace")
                yield Chosen(legend, option.label, without(filters, field, value).query)
    for wiki_id in sorted(filters.wikis - {option.value for option in groups["wikis"].options}):
        yield Chosen(ui.text("wiki"), wiki_id, without(filters, "wikis", wiki_id).query)
    for name, field in _HIDDEN:
        is_of_order = field == "hide_reverted" and filters.is_queue
        if getattr(filters, field) and not is_of_order:
            yield Chosen(ui.text("hidden"), ui.text(name), without(filters, field).query)
    if filters.tags:
        legend = ui.text("without-tags" if filters.invert_tags else "tags")
        for tag in sorted(filters.tags):
            yield Chosen(legend, tag, without(filters, "tags", tag).query)
    for mark in filters.highlights:
        label = f"{highlight_label(mark, ui)} ({ui.text(mark.colour)})"
        yield Chosen(ui.text("highlights"), label, without(filters, "highlights", mark).query)
    if filters.since is not None:
        moment = ui.full_time(filters.since)
        yield Chosen(ui.text("since"), moment, without(filters, "since").query)
    if filters.days is not None:
        span = _span(filters.days, ui)
        yield Chosen(ui.text("time"), span, without(filters, "days").query)


def conflict_text(filters: Filters, ui: Interface) -> str | None:
    """Return why no edit can hold, None where some can."""
    if not filters.conflict:
        return None
    names = (ui.text(f"state-{state}") for state in STATES if state in filters.states)
    return ui.text(f"conflict-{filters.conflict}", states=ui.listed(names))
