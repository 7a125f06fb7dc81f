"""Which events ask for a score, and which edits can have none, told from the event alone."""

from msgspec import Struct

from revision_quality.events.page_change import PageChange, PageChangeKind


class NotScorable(Struct, frozen=True):
    """Why no model will ever score an edit: `reason` is a code, `message` a sentence."""

    reason: str
    message: str


PAGE_CREATION = NotScorable("page_creation", "A new page has no earlier revision to return to.")
PAGE_MOVE = NotScorable("page_move", "A page move does not change the text.")
REVISION_HIDDEN = NotScorable("revision_hidden", "The text of this revision is hidden.")

_EDITS = (PageChangeKind.CREATE, PageChangeKind.EDIT, PageChangeKind.MOVE)


def is_edit(change: PageChange) -> bool:
    """Tell whether an event is about a new revision; only these have a state."""
    return change.page_change_kind in _EDITS and not change.is_canary


def not_scorable(change: PageChange) -> NotScorable | None:
    """Return why the edit of an event can have no score, None if the texts must tell."""
    if change.page_change_kind is PageChangeKind.MOVE:
        return PAGE_MOVE
    revision = change.revision
    if change.page_change_kind is PageChangeKind.CREATE or revision.rev_parent_id == 0:
        return PAGE_CREATION
    if revision.is_content_visible is False:
        return REVISION_HIDDEN
    model = _content_model(change)
    if model is not None and model != "wikitext":
        return NotScorable("not_wikitext", f"The page is {model}, not wikitext.")
    return None


def _content_model(change: PageChange) -> str | None:
    slots = change.revision.content_slots
    return slots["main"].content_model if slots and "main" in slots else None
