"""Spans of time as people write them: 30d, 12h."""

import re
from datetime import datetime, timedelta

from revision_quality.errors import SettingsError

_UNITS = {"d": "days", "h": "hours"}


def span_of(text: str) -> timedelta | None:
    """Read days or hours, such as `30d`; None for none. Raises SettingsError."""
    found = re.fullmatch(r"(\d{1,4})([dh])", text.strip())
    if not found:
        raise SettingsError(f"{text!r}: expected a span of days or hours, such as 30d or 12h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) or None


def since_of(text: str, now: datetime) -> datetime:
    """Read a span before `now`, or a day (UTC) such as 2026-01-31. Raises SettingsError."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=now.tzinfo)
    except ValueError:
        pass
    try:
        return now - (span_of(text) or timedelta())
    except SettingsError as error:
        raise SettingsError(
            f"--since {text}: expected a day such as 2026-01-31, or a span such as 30d or 12h"
        ) from error
