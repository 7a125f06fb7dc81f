"""Revisions asked for by their ids, in the shape of rows of recent changes."""

from collections.abc import Sequence

from revision_quality.sources.recent_change import RecentChange, read_rows
from revision_quality.wiki.client import ActionApi, Answer, reading

PROPERTIES = ("ids", "timestamp", "flags", "user", "userid", "comment", "size", "sha1")


async def revision_rows(api: ActionApi, rev_ids: Sequence[int], batch: int) -> list[RecentChange]:
    """Read revisions, `batch` in one request; those that the wiki does not have are left out.

    Their `rcid` is 0. Raises WikiError, InvalidEventError.
    """
    rows: list[RecentChange] = []
    for start in range(0, len(rev_ids), batch):
        answers = api.query(
            prop="revisions",
            revids=rev_ids[start : start + batch],
            rvprop=PROPERTIES,
        )
        async for answer in answers:
            with reading(api.api_url, "revisions"):
                rows += read_rows(
                    [
                        row_of(page, revision)
                        for page in answer.get("query", {}).get("pages", [])
                        for revision in page.get("revisions", [])
                    ]
                )
    return rows


def row_of(page: Answer, revision: Answer) -> Answer:
    """Return a revision of a page as a row of recent changes."""
    return {
        **revision,
        "type": "edit" if revision.get("parentid") else "new",
        "rcid": 0,
        "ns": page["ns"],
        "title": page["title"],
        "pageid": page["pageid"],
        "old_revid": revision.get("parentid", 0),
        "newlen": revision.get("size", 0),
    }
