"""A row of the changes view and how each kind of event changes it.

Events of one edit reach a view in any order and more than once: its page_change and its prediction
come from different streams, a hiding may overtake the edit. Each function here takes the row as it
is and returns it as it is after one event, such that the same events give the same row in any
order: facts of the edit are the same in every event that has them, and for the rest the latest by
the event's own time wins. What is hidden or deleted is not kept.
"""

from datetime import datetime

from msgspec.structs import replace

from revision_quality.clock import unix_seconds
from revision_quality.events.page_change import PageChange, PageChangeKind, RevisionEntity
from revision_quality.events.prediction import EditEvent, PredictionChange, PredictionRevision
from revision_quality.events.prediction_error import PredictionError
from revision_quality.events.revision_change import TagsChange, Visibility, VisibilityChange
from revision_quality.views.change import Change, State, UserLevel
from revision_quality.views.edit_fate import EditFate
from revision_quality.views.model_scores import ModelScore
from revision_quality.views.user_level import user_level

REVISION_HIDDEN = "revision_hidden"
_ALL_VISIBLE = Visibility(text=True, user=True, comment=True)
_HIDDEN_MESSAGE = "The text of this revision is or was hidden, so it has no score."

_EDITS = (PageChangeKind.CREATE, PageChangeKind.EDIT, PageChangeKind.MOVE)
_STATE_ORDER = (State.PENDING, State.FAILED, State.NOT_SCORABLE, State.SCORED)


class Row(Change, frozen=True, gc=False):
    """A change and the times (Unix ms) of the facts that may be replaced.

    `facts_dt` is 0 if the facts of the edit come from its own event, else the time of the event
    that told them: a page may have moved since, so the earliest wins. `score_withheld` says that
    the text was hidden once: its score then never comes back.
    """

    facts_dt: int = 0
    visibility_dt: int = 0
    tags_dt: int = 0
    scored_dt: int = 0
    score_withheld: bool = False


def with_edit(row: Row, event: PageChange | EditEvent) -> Row:
    """Return the row with the facts of the edit itself."""
    row = _with_facts(row, event)
    return _with_visibility(row, _visibility(event.revision), 0)


def with_prediction(row: Row, event: PredictionChange) -> Row:
    """Return the row with a score; the latest received wins."""
    row = with_edit(row, event)
    scored = replace(
        row,
        state=State.SCORED,
        reason=None,
        message=None,
        score=event.score,
        model_name=event.predicted_classification.model_name,
        model_version=event.predicted_classification.model_version,
        scored_dt=_milliseconds(event.meta.dt),
    )
    return row if _stays(row, scored) else _masked(scored)


def with_error(row: Row, event: PredictionError) -> Row:
    """Return the row with the reason why there is no score, unless there is one."""
    row = with_edit(row, event)
    failed = replace(
        row,
        state=State(event.error.state),
        reason=event.error.reason,
        message=event.error.message,
        score=None,
        model_name=event.error.model_name,
        model_version=event.error.model_version,
        scored_dt=_milliseconds(event.meta.dt),
    )
    return row if _stays(row, failed) else _masked(failed)


def with_model_score(row: Row, shown: ModelScore) -> Row:
    """Return the row with what another model made of the edit."""
    return replace(
        row,
        state=State(shown.state),
        reason=shown.reason,
        message=shown.message,
        score=shown.score,
        model_name=shown.model_name,
        model_version=shown.model_version,
        scored_dt=shown.scored_dt,
    )


def with_tags(row: Row, event: TagsChange) -> Row:
    """Return the row with its tags; the latest wins."""
    row = _with_told_facts(row, event)
    tags_dt = _milliseconds(event.dt)
    if (tags_dt, event.tags) < (row.tags_dt, row.tags):
        return _masked(row)
    return _masked(replace(row, tags=event.tags, tags_dt=tags_dt))


def with_visibility_change(row: Row, event: VisibilityChange) -> Row:
    """Return the row with hidden parts gone, parts shown again filled in."""
    row = _with_told_facts(row, event)
    return _with_visibility(row, event.visibility, _milliseconds(event.dt))


def with_page_visibility_change(row: Row, event: PageChange) -> Row:
    """Return the row with hidden parts gone: the page_change of kind visibility_change."""
    row = _with_facts(row, event)
    return _with_visibility(row, _visibility(event.revision), _milliseconds(event.dt))


def with_fate(row: Row, fate: EditFate) -> Row:
    """Return the row with what the history of its page says of the edit."""
    if row.deleted:
        return row
    return replace(
        row,
        is_reverted=fate.is_reverted,
        reverted_by=fate.reverted_by,
        reverted_dt=fate.reverted_dt,
    )


def with_deletion(row: Row) -> Row:
    """Return what is left of the row of a deleted page: its key and its time."""
    return Row(
        wiki_id=row.wiki_id, rev_id=row.rev_id, seq=row.seq, timestamp=row.timestamp, deleted=True
    )


def _with_facts(row: Row, event: PageChange | EditEvent) -> Row:
    """Return the row with what an event of the page tells of the edit."""
    revision = event.revision
    is_edit = event.page_change_kind in _EDITS
    editor = revision.editor or (event.performer if is_edit else None)
    user = editor.user_text if editor else row.user
    comment = row.comment if revision.comment is None else revision.comment
    facts_dt = 0 if is_edit else _milliseconds(event.dt)
    if row.page_id and (not row.facts_dt or row.facts_dt < facts_dt):
        if user == row.user and comment == row.comment:
            return row
        return replace(row, user=user, comment=comment)
    prior = event.prior_state.revision if event.prior_state and is_edit else None
    is_move = event.page_change_kind is PageChangeKind.MOVE
    return replace(
        row,
        user=user,
        comment=comment,
        facts_dt=facts_dt,
        timestamp=unix_seconds(revision.rev_dt),
        parent_id=revision.rev_parent_id or 0,
        page_id=event.page.page_id,
        namespace=event.page.namespace_id or 0,
        title=_title(event.page.page_title),
        kind=str(event.page_change_kind if is_edit else PageChangeKind.EDIT),
        user_level=user_level(editor, revision.rev_dt),
        is_temp=bool(editor and editor.is_temp),
        is_bot=bool(editor and editor.is_bot),
        is_minor=bool(revision.is_minor_edit) and not is_move,
        size=revision.rev_size,
        parent_size=prior.rev_size if prior else None,
    )


def _with_told_facts(row: Row, event: TagsChange | VisibilityChange) -> Row:
    """Return the row with what these events tell of an edit that has not come yet."""
    row = replace(
        row,
        user=event.editor.user_text if event.editor else row.user,
        comment=row.comment if event.comment is None else event.comment,
    )
    facts_dt = _milliseconds(event.dt)
    if row.page_id and row.facts_dt <= facts_dt:
        return row
    return replace(
        row,
        facts_dt=facts_dt,
        timestamp=unix_seconds(event.rev_timestamp),
        parent_id=event.rev_parent_id or 0,
        page_id=event.page_id,
        namespace=event.page_namespace,
        title=_title(event.page_title),
        kind=str(PageChangeKind.EDIT),
        user_level=UserLevel.REGISTERED,
        is_temp=False,
        is_bot=False,
        is_minor=False,
        size=None,
        parent_size=None,
    )


def _with_visibility(row: Row, visible: Visibility, visibility_dt: int) -> Row:
    if visibility_dt < row.visibility_dt:
        return _masked(row, withheld=not visible.text)
    same_time = visibility_dt == row.visibility_dt
    if same_time and visible == _ALL_VISIBLE:
        return _masked(row)
    return _masked(
        replace(
            row,
            content_hidden=not visible.text or (same_time and row.content_hidden),
            user_hidden=not visible.user or (same_time and row.user_hidden),
            comment_hidden=not visible.comment or (same_time and row.comment_hidden),
            visibility_dt=visibility_dt,
        ),
        withheld=not visible.text,
    )


def _masked(row: Row, *, withheld: bool = False) -> Row:
    if row.deleted:
        return with_deletion(row)
    if row.user_hidden:
        row = replace(row, user=None)
    if row.comment_hidden:
        row = replace(row, comment=None)
    if row.content_hidden or row.score_withheld or withheld:
        row = replace(
            row,
            score_withheld=True,
            state=State.NOT_SCORABLE,
            reason=REVISION_HIDDEN,
            message=_HIDDEN_MESSAGE,
            scored_dt=0,
            score=None,
            model_name=None,
            model_version=None,
        )
    return row


def _stays(row: Row, new: Row) -> bool:
    """Tell whether the outcome of `row` stays; most rows have none yet, or an older one."""
    if row.state is State.PENDING and new.state is not State.PENDING:
        return False
    if row.state is new.state and row.scored_dt != new.scored_dt:
        return row.scored_dt > new.scored_dt
    return _outcome(row) > _outcome(new)


def _outcome(row: Row) -> tuple[int, int, str, str, float, str]:
    """Return what decides which of two outcomes stays: the greater one."""
    return (
        _STATE_ORDER.index(row.state),
        row.scored_dt,
        row.model_name or "",
        row.model_version or "",
        row.score or 0.0,
        f"{row.reason}{row.message}",
    )


def _visibility(revision: RevisionEntity | PredictionRevision) -> Visibility:
    """Read a revision's flags; a flag that is absent says visible."""
    text = revision.is_content_visible is not False
    user = revision.is_editor_visible is not False
    comment = revision.is_comment_visible is not False
    if text and user and comment:
        return _ALL_VISIBLE
    return Visibility(text=text, user=user, comment=comment)


def _title(page_title: str) -> str:
    return page_title.replace("_", " ")


def _milliseconds(moment: datetime | None) -> int:
    """Return when something was told, above 0 whatever the clock said: the edit came before it."""
    return max(1, int(moment.timestamp() * 1000)) if moment else 0
