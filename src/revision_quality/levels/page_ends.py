"""Edits at the end of their page that change nothing for those before: most edits do not.

Such a page need not be read. An edit bears on those before it where it has a text that was there
before, or where the wiki says that it reverts or was reverted; and those after it bear on it.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from revision_quality.levels.edit import Edit
from revision_quality.levels.page_rows import Around, Page, read_edits, with_text_of
from revision_quality.views.incoming import Key


def read_ends(
    connection: Connection,
    pages: Mapping[Page, Sequence[Edit]],
    around: Mapping[Page, Around],
    stored: Collection[Key],
) -> dict[Page, list[Edit]]:
    """Return the pages whose edits that change are new, at the end, and change no other.

    Each with the edits by which those are labelled: the one before them, where there is one, and
    themselves. `stored` are the keys of the edits that were there before.
    """
    plain = {
        page: edits
        for page, edits in pages.items()
        if all(_is_plain(edit) and (edit.wiki_id, edit.rev_id) not in stored for edit in edits)
        and (page not in around or around[page].end < min(edit.rev_id for edit in edits))
    }
    before = read_edits(
        connection, [(page[0], around[page].end) for page in plain if page in around]
    )
    found: dict[Page, list[Edit]] = {}
    for page, edits in plain.items():
        if page not in around:
            found[page] = list(edits)
        elif _follow(known := before[page[0], around[page].end], edits):
            found[page] = [known, *edits]
    told = [edit for page in found if page in around for edit in pages[page]]
    for page in with_text_of(connection, around, told):
        del found[page]
    return found


def _is_plain(edit: Edit) -> bool:
    return (
        edit.is_known
        and not edit.text_hidden
        and not edit.undone_first
        and not edit.is_tagged_reverting
    )


def _follow(before: Edit, edits: Sequence[Edit]) -> bool:
    """Tell whether no text but those of `before` and `edits` is among what the edits began with."""
    if not before.is_known:
        return False
    there = {before.rev_id, *(edit.rev_id for edit in edits)}
    return all(edit.parent_sha1 is None or edit.parent_id in there for edit in edits)
