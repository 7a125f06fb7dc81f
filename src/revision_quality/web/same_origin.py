"""Whether a request comes from a page of this service, or from no page at all."""

from starlette.requests import Request


def is_from_elsewhere(request: Request) -> bool:
    """Tell whether a page of another site sent the request.

    By Sec-Fetch-Site, which browsers set and pages cannot; by Origin where a browser is too old
    for it. A program sends neither.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site.lower() != "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return False
    return origin.lower().partition("://")[2] != request.headers.get("host", "").lower()
