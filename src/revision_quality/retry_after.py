"""How long a server asks to wait."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 3600.0
"""Nobody is waited for longer, whatever the header says."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After in seconds: a number or a date (RFC 9110, section 10.2.3); None if unset."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text[:9]), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), LONGEST)
