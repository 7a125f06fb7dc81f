"""One of a model's workers, in another process: `python -m tests.faults.scorer PLACE [VERSION]`.

PLACE is a KafkaPlace as JSON, VERSION that of the model. Scores until SIGTERM, every text at hand.
"""

import asyncio
import signal
import sys

import msgspec

from revision_quality.scoring.group import ScoringGroup
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.streams import KafkaStreams
from tests.scoring.fakes import FakeModel, FakeReader


async def work(place: KafkaPlace, version: str = FakeModel.version) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    reader = FakeReader()
    async with KafkaStreams(place) as streams:
        rule = ModelRule(model=FakeModel(version=version))
        group = ScoringGroup(streams, rule, lambda wiki_id: reader)
        running = asyncio.create_task(group.run())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, stopped):
            task.cancel()
        for ended in await asyncio.gather(running, stopped, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


if __name__ == "__main__":
    asyncio.run(work(msgspec.json.decode(sys.argv[1], type=KafkaPlace), *sys.argv[2:]))
