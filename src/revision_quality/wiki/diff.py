"""What an edit changed: the rows of MediaWiki's diff table, as the wiki or a text comparison gives.

The HTML is the wiki's own word and must be cleaned before anybody sees it
(`recent_changes.diff_html`).
"""

import asyncio
from typing import Any, Protocol

from revision_quality.errors import WikiRefusedError, WikiUnavailableError
from revision_quality.wiki.client import ActionApi, reading

PATIENCE_SECONDS = 20.0
"""For a diff with its retries: a reader waits for it."""

_NOT_SHOWN = frozenset(
    ("nosuchrevid", "missingcontent", "missingtitle", "missingrev", "permissiondenied")
)
"""What ApiComparePages answers for revisions that are gone or hidden."""


class DiffReader(Protocol):
    """Compares a revision with the one before it."""

    async def read(self, rev_id: int, parent_id: int | None) -> str | None:
        """Return the rows of the diff table; None where the wiki does not show the revisions.

        `parent_id` is 0 for the first revision of a page, None where it is unknown. Raises
        WikiError.
        """
        ...


class CompareReader:
    """Asks a wiki's `action=compare` (MediaWiki 1.32 and newer)."""

    def __init__(self, api: ActionApi) -> None:
        self._api = api

    async def read(self, rev_id: int, parent_id: int | None) -> str | None:
        """Return the rows, as DiffReader has it."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._api.get(
                    action="compare", prop="diff", **_compared(rev_id, parent_id)
                )
        except WikiRefusedError as error:
            if error.code in _NOT_SHOWN:
                return None
            raise
        except TimeoutError as error:
            raise WikiUnavailableError(
                f"{self._api.api_url} has sent no diff in {PATIENCE_SECONDS:.0f} seconds"
            ) from error
        with reading(self._api.api_url, "comparisons"):
            return str(answer["compare"]["body"])


def _compared(rev_id: int, parent_id: int | None) -> dict[str, Any]:
    if parent_id is None:
        return {"fromrev": rev_id, "torelative": "prev"}
    if parent_id == 0:
        # Beside nothing, everything is new.
        empty = {"fromslots": "main", "fromtext-main": "", "fromcontentmodel-main": "wikitext"}
        return {**empty, "torev": rev_id}
    return {"fromrev": parent_id, "torev": rev_id}
