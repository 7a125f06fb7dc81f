"""What a patroller does on a wiki, in their own name: rollback and undo by the Action API."""

import httpx
from msgspec import Struct

from revision_quality.wiki.client import ActionApi, reading

_LOGGED_IN = {"assert": "user"}


class PageName(Struct, frozen=True):
    """A page by its number, which a move leaves as it is; by its title where that is not known."""

    title: str
    page_id: int = 0

    @property
    def asked(self) -> dict[str, str | int]:
        """The parameter of the API."""
        return {"pageid": self.page_id} if self.page_id else {"title": self.title}


class Patroller:
    """Acts with a user's OAuth 2 access token; the wiki checks what the user may do.

    Every method raises WikiError; WikiRefusedError has MediaWiki's code, such as `alreadyrolled`,
    and says why in the language `lang`. Nothing is tried twice.
    """

    def __init__(
        self, api_url: str, client: httpx.AsyncClient, access_token: str, lang: str = "en"
    ) -> None:
        self._spoken = {"errorformat": "plaintext", "errorlang": lang}
        self._api = ActionApi(api_url, client, slots=1, attempts=1, access_token=access_token)

    async def name(self) -> str:
        """Return the user's name."""
        answer = await self._api.get(action="query", meta="userinfo", **_LOGGED_IN)
        with reading(self._api.api_url, "users"):
            return str(answer["query"]["userinfo"]["name"])

    async def rollback(self, page: PageName, user: str) -> int:
        """Take back the latest edits of a page, all by `user`; return the new revision's id."""
        token = await self._token("rollback")
        answer = await self._api.post(
            action="rollback", **page.asked, user=user, token=token, **self._spoken
        )
        with reading(self._api.api_url, "rollbacks"):
            return int(answer["rollback"]["revid"])

    async def undo(self, page: PageName, rev_id: int, parent_id: int) -> int:
        """Take back one edit of a page; return the new revision's id, 0 if nothing changed."""
        answer = await self._api.post(
            action="edit",
            **page.asked,
            undo=rev_id,
            undoafter=parent_id or None,
            nocreate=True,
            token=await self._token("csrf"),
            **self._spoken,
        )
        with reading(self._api.api_url, "edits"):
            return int(answer["edit"].get("newrevid", 0))

    async def _token(self, kind: str) -> str:
        answer = await self._api.get(
            action="query", meta="tokens", type=kind, **_LOGGED_IN, **self._spoken
        )
        with reading(self._api.api_url, "tokens"):
            return str(answer["query"]["tokens"][f"{kind}token"])
