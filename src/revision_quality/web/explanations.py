"""Why a model scored a revision as it did, for models that can tell."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from revision_quality.errors import InvalidEventError, WikiError
from revision_quality.models.base import Model
from revision_quality.models.reasons import Reason
from revision_quality.scoring.on_request import AskedWiki
from revision_quality.wiki.revision import Revision


@runtime_checkable
class ExplainingModel(Protocol):
    """A model that tells what moved a score most."""

    def explain(self, revision: Revision) -> Sequence[Reason]:
        """Return the strongest reasons first; may take some hundredths of a second."""
        ...


class Explanations(Struct, frozen=True):
    """Reads a revision again and asks the model about it."""

    model: Model
    wiki_of: Callable[[str], AskedWiki | None]

    async def of(self, wiki_id: str, rev_id: int) -> tuple[Reason, ...] | None:
        """Return the reasons, None where neither the model nor the wiki can tell.

        Raises WikiError if the wiki does not answer.
        """
        model, wiki = self.model, self.wiki_of(wiki_id)
        if wiki is None or not isinstance(model, ExplainingModel):
            return None
        try:
            changes = await wiki.edits.read([rev_id])
        except InvalidEventError as error:
            raise WikiError(f"{wiki_id} tells of its revisions what cannot be read.") from error
        if rev_id not in changes:
            return None
        [revision] = await wiki.revisions.read([changes[rev_id]])
        if not isinstance(revision, Revision):
            return None
        return tuple(await asyncio.to_thread(model.explain, revision))
