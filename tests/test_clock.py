"""The machine's clock tells an aware time in UTC."""

from datetime import timedelta

from revision_quality.clock import system_clock


async def test_time_goes_on_while_one_sleeps():
    before = system_clock.now()

    await system_clock.sleep(0.01)

    assert before.utcoffset() == timedelta(0)
    assert system_clock.now() - before >= timedelta(seconds=0.009)
