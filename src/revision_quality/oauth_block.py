"""The block `[wikis.oauth]`: a wiki whose patrollers log in here to roll back and undo."""

from typing import Annotated

from msgspec import Meta, Struct


class OAuthBlock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the wiki's extension OAuth gave this service as a confidential OAuth 2 client.

    `client_secret` also is what the cookies of those who have logged in are encrypted with, so all
    processes that serve have the same one. `callback_url` is the one given to the wiki; without it
    `/oauth/<wiki_id>/callback` at the address by which the page is asked for.
    """

    client_id: Annotated[str, Meta(min_length=1)]
    client_secret: Annotated[str, Meta(min_length=16)]
    callback_url: Annotated[str, Meta(pattern="^https?://[^/]")] | None = None
