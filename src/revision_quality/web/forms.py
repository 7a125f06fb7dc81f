"""A form that a page of ours sends."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from revision_quality.web.bodies import UnreadBodyError, read_body

_MAX_BYTES = 8000


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, the last of a name. Raises HTTPException."""
    try:
        body = await read_body(request, _MAX_BYTES)
    except UnreadBodyError as error:
        raise HTTPException(error.status, headers={"Connection": "close"}) from error
    return dict(parse_qsl(body.decode(errors="replace"), errors="replace"))
