"""What the pages load, at addresses that change with it: a browser asks for each once."""

from hashlib import sha256
from importlib import resources

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_PACKAGE, _FOLDER = __package__ or "", "static"


def _version() -> str:
    files = sorted(
        resources.files(_PACKAGE).joinpath(_FOLDER).iterdir(), key=lambda file: file.name
    )
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:8]


VERSION = _version()
"""Of all files together, so that a script never meets one of another release."""

ASSETS = f"/static/{VERSION}"
"""Where the pages find the files; they name one another relatively."""


def asset_files() -> Mount:
    """Return the route of the files, below `/static` too.

    A page of another release may ask this process for its version: it gets the file that is here,
    and asks again the next time.
    """
    return Mount("/static", _Assets(packages=[(_PACKAGE, _FOLDER)]), name="static")


class _Assets(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file, whatever version is before its name."""
        version, _, name = path.rpartition("/")
        answer = await super().get_response(name, scope)
        kept = "public, max-age=31536000, immutable" if version == VERSION else "no-cache"
        answer.headers["Cache-Control"] = kept
        return answer
