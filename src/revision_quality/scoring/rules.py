"""Which events ask for a score, and which edits can have none, told from the event alone."""

from revision_quality.events.page_change import PageChange, PageChangeKind
from revision_quality.events.prediction_error import Outcome
from revision_quality.scoring.not_scored import NotScored


def _never(reason: str, message: str) -> NotScored:
    return NotScored(Outcome.NOT_SCORABLE, reason, message)


PAGE_CREATION = _never("page_creation", "A new page has no earlier revision to return to.")
PAGE_MOVE = _never("page_move", "A page move does not change the text.")
REVISION_HIDDEN = _never("revision_hidden", "The text of this revision is hidden.")

_EDITS = (PageChangeKind.CREATE, PageChangeKind.EDIT, PageChangeKind.MOVE)


def is_edit(change: PageChange) -> bool:
    """Tell whether an event is about a new revision; only these have a state."""
    return change.page_change_kind in _EDITS and not change.is_canary


def not_scorable(change: PageChange) -> NotScored | None:
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
        return _never("not_wikitext", f"The page is {model}, not wikitext.")
    return None


def _content_model(change: PageChange) -> str | None:
    slots = change.revision.content_slots
    return slots["main"].content_model if slots and "main" in slots else None
