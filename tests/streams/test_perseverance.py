from structlog.testing import capture_logs

from revision_quality.errors import StoreError
from revision_quality.streams.base import Consumed, Outgoing
from revision_quality.streams.perseverance import append_in_the_end
from tests.fakes import FakeClock

EVENT = Outgoing("stream", "0b7e2a3c-5f0e-4d4b-9d61-8f2f5cf3b1aa", "key", b"{}")
POSITION = Consumed("group", "stream", 7)


class FullDisk:
    """Streams that cannot be written for the first `failures` times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = []

    async def append(self, events, consumed=()):
        self.calls.append((list(events), list(consumed)))
        if len(self.calls) <= self.failures:
            raise StoreError("disk is full")
        return list(events)


async def append(streams, clock):
    return await append_in_the_end(
        streams, [EVENT], [POSITION], trouble="it fails", relief="it works again", clock=clock
    )


async def test_what_can_be_written_at_once_is_told_to_nobody():
    streams = FullDisk(0)

    with capture_logs() as logs:
        assert await append(streams, FakeClock()) == [EVENT]

    assert (streams.calls, logs) == ([([EVENT], [POSITION])], [])


async def test_what_cannot_is_tried_again_with_growing_pauses_up_to_a_minute():
    streams, clock = FullDisk(8), FakeClock()
    begun = clock.now()

    with capture_logs() as logs:
        assert await append(streams, clock) == [EVENT]

    assert (clock.now() - begun).total_seconds() == 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60
    assert streams.calls == [([EVENT], [POSITION])] * 9
    assert [log["event"] for log in logs] == ["it fails"] * 8 + ["it works again"]
