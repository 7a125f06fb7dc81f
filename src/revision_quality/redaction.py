"""Secrets kept out of what people read: logs, errors, the status page, `revq doctor`."""

import re

HIDDEN = "***"

_IN_URL = re.compile(r"([a-z][a-z0-9+.-]*://[^\s/:@?#'\"]*):[^\s@?#'\"]*@", re.IGNORECASE)
"""The password of `scheme://user:password@host`; it may hold slashes that should be encoded."""

_NAMED = re.compile(
    r"((?:password|passwd|secret|token|api[_-]?key|access[_-]?key|jaas\.config)"
    r"[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s&,;'\"]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(Bearer\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return a text with the passwords in its addresses and named values hidden."""
    text = _IN_URL.sub(rf"\1:{HIDDEN}@", text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    return _BEARER.sub(rf"\1{HIDDEN}", text)
