"""The machine's clock tells an aware time in UTC; any time of an event can be shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from revision_quality.clock import system_clock, unix_seconds


async def test_time_goes_on_while_one_sleeps():
    before = system_clock.now()

    await system_clock.sleep(0.01)

    assert before.utcoffset() == timedelta(0)
    assert system_clock.now() - before >= timedelta(seconds=0.009)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-23T09:00:00+01:00", "2026-11-23"),
        ("1969-12-31T23:00:00Z", "1969-12-31"),
        ("9999-12-31T23:59:59-10:00", "9999-12-30"),
        ("0001-01-01T00:00:00+10:00", "0001-01-02"),
    ],
)
def test_the_time_of_an_event_can_be_shown_everywhere(text, shown):
    seconds = unix_seconds(datetime.fromisoformat(text))

    assert datetime.fromtimestamp(seconds, UTC).isoformat().startswith(shown)
    for hours in (-23, 23):
        datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours)))
