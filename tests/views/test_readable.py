"""An event that cannot be read is left out and told; those behind it are not."""

from structlog.testing import capture_logs

from revision_quality.errors import InvalidEventError
from revision_quality.streams.base import Record
from revision_quality.views.readable import readable


def record(offset: int, value: bytes) -> Record:
    return Record(stream="a", partition=0, offset=offset, received=0, value=value)


def number(found: Record) -> int | None:
    if found.value == b"?":
        raise InvalidEventError("it is no number")
    return int(found.value) if found.value else None


def test_what_cannot_be_read_is_left_out_and_told() -> None:
    events = [record(1, b"10"), record(2, b"?"), record(3, b""), record(4, b"0")]
    with capture_logs() as logs:
        assert readable(events, number, "the table") == [10, 0]
    assert [(log["event"], log["offset"], log["error"]) for log in logs] == [
        ("unreadable event left out of the table", 2, "it is no number")
    ]
