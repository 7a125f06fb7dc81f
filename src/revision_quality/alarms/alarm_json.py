"""An alarm as JSON, for the webhook and for the page."""

from msgspec import Struct

from revision_quality.alarms.alarm import Alarm, Kind
from revision_quality.clock import iso


class AlarmJson(Struct, frozen=True, kw_only=True):
    """An alarm; times in ISO 8601, `ended` null while it is on.

    `wiki_id` is empty for all wikis together, model and level where it is about none.
    """

    kind: Kind
    wiki_id: str
    model_name: str
    model_version: str
    level: str
    message: str
    since: str
    ended: str | None


def alarm_json(alarm: Alarm) -> AlarmJson:
    """Return an alarm as it is told."""
    about = alarm.subject
    return AlarmJson(
        kind=about.kind,
        wiki_id=about.wiki_id,
        model_name=about.model_name,
        model_version=about.model_version,
        level=about.level,
        message=alarm.message,
        since=iso(alarm.since / 1000),
        ended=iso(alarm.ended / 1000) if alarm.ended else None,
    )
