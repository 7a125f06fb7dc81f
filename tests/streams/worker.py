"""A member of a group in another process: `python -m tests.streams.worker PLACE`.

PLACE is a KafkaPlace as JSON. Every event of `edits` gets one outcome in `scores`, whose id is made
of the event's value: an edit may be there twice. Every seventh event is dealt with in the round
after its own, so that positions stay behind what is done.
"""

import asyncio
import signal
import sys
from uuid import NAMESPACE_OID, uuid5

import msgspec

from revision_quality.errors import StoreError
from revision_quality.scoring.window import Window
from revision_quality.streams.base import Claim, Member, Outgoing, Record, Streams, Work
from revision_quality.streams.kafka.place import KafkaPlace
from revision_quality.streams.kafka.streams import KafkaStreams

GROUP, EDITS, SCORES = "workers", "edits", "scores"
READ = 100
PAUSE = 0.02


def outcome_of(record: Record) -> Outgoing:
    identifier = str(uuid5(NAMESPACE_OID, record.value.decode()))
    return Outgoing(SCORES, identifier, "", record.value)


async def deal(streams: Streams, member: Member, claim: Claim) -> None:
    window, late = Window(1000, claim.position), list[Record]()
    while claim in member.claims:
        try:
            records = await streams.read(EDITS, window.read_up_to, READ, claim.partition.number)
        except StoreError:
            await asyncio.sleep(PAUSE)
            continue
        for record in records:
            window.begin(record.offset)
        now = late + [record for record in records if record.offset % 7]
        late = [record for record in records if not record.offset % 7]
        if not now:
            await asyncio.sleep(PAUSE)
            continue
        if not await publish(member, claim, window, now):
            return


async def publish(member: Member, claim: Claim, window: Window, records: list[Record]) -> bool:
    outcomes = {event.id: event for event in map(outcome_of, records)}
    known = await member.known(SCORES, outcomes)
    events = tuple(event for key, event in outcomes.items() if key not in known)
    offsets = [record.offset for record in records]
    work = Work(claim, events, window.position_after(offsets))
    while True:
        try:
            is_done = await member.publish(work)
        except StoreError as error:
            print("trouble:", error, file=sys.stderr, flush=True)
            await asyncio.sleep(PAUSE * 10)
        else:
            window.finish(offsets)
            return is_done


async def work(place: KafkaPlace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with KafkaStreams(place) as streams:
        member = await streams.join(GROUP, [EDITS], [SCORES])
        lanes: dict[Claim, asyncio.Task[None]] = {}
        while not stop.is_set():
            changes = member.changes()
            for claim in member.claims:
                if claim not in lanes:
                    lanes[claim] = asyncio.create_task(deal(streams, member, claim))
            print(sorted(claim.partition.number for claim in member.claims), flush=True)
            await member.wait(changes, 0.2)
        for lane in lanes.values():
            lane.cancel()
        for result in await asyncio.gather(*lanes.values(), return_exceptions=True):
            if isinstance(result, Exception):
                raise result


if __name__ == "__main__":
    asyncio.run(work(msgspec.json.decode(sys.argv[1], type=KafkaPlace)))
