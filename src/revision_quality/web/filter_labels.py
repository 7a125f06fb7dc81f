"""What the values of filters are called in a language of the interface."""

from revision_quality.recent_changes.extension_links import UNSCORED_STATES
from revision_quality.recent_changes.highlights import Highlight
from revision_quality.recent_changes.parameters import Namespace
from revision_quality.web.interface import Interface

_MESSAGES = {"revertrisk": "level", "state": "state", "userExpLevel": "user"}
_GROUPS = {
    "revertrisk": "risk",
    "state": "state",
    "userExpLevel": "users",
    "namespace": "namespaces",
}


def group_label(parameter: str, ui: Interface) -> str:
    """Return the name of a group of filters, as the form has it."""
    return ui.text(_GROUPS[parameter])


def namespace_label(namespace: Namespace, ui: Interface) -> str:
    """Return the name of a namespace, or of a kind of them, where a wiki's own is not known."""
    key = f"ns-{namespace}"
    return ui.text(key) if ui.knows(key) else ui.text("ns", n=f"{namespace}")


def value_label(parameter: str, value: str, ui: Interface) -> str:
    """Return the name of one value of a parameter."""
    if parameter == "namespace":
        return namespace_label(value, ui)
    return ui.text(f"{_MESSAGES[parameter]}-{value}")


def highlight_label(mark: Highlight, ui: Interface) -> str:
    """Return the name of the filter that is highlighted; a tag's is its own."""
    if mark.group == "tagfilter":
        return mark.filter
    if mark.is_of_unscored:
        return ", ".join(ui.text(f"state-{state}") for state in sorted(UNSCORED_STATES))
    if mark.group == "namespace" or mark.group in _MESSAGES:
        return value_label(mark.group, mark.filter, ui)
    return ui.text(mark.filter)
