"""A view that shows one score of each edit is not told of the other models' scores."""

import msgspec

from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import PredictionChange
from revision_quality.events.prediction_error import PredictionError
from revision_quality.streams.base import Record
from revision_quality.views.one_model import OneModel
from tests.events.examples import page_change, prediction, prediction_error

EDIT = page_change()
OTHER = ("shadow", "1")


class Told:
    """A view that remembers what it was told."""

    def __init__(self) -> None:
        self.offsets: list[int] = []

    async def position(self, stream: str, partition: int = 0) -> int:
        return len(stream) + partition

    async def apply(self, records: list[Record]) -> int:
        self.offsets += [record.offset for record in records]
        return len(records)


def records(*events: PageChange | PredictionChange | PredictionError | bytes) -> list[Record]:
    values = [item if isinstance(item, bytes) else msgspec.json.encode(item) for item in events]
    return [Record("s", offset, 0, value) for offset, value in enumerate(values, start=1)]


def by_shadow(event: PredictionChange | PredictionError) -> bytes:
    name = event.predicted_classification if isinstance(event, PredictionChange) else event.error
    return msgspec.json.encode(event).replace(name.model_name.encode(), b"shadow")


async def test_only_outcomes_of_other_models_are_left_out():
    told = Told()
    view = OneModel(told, lambda name, version: name == "shadow")
    error = prediction_error(EDIT, "not_wikitext")
    events = records(
        EDIT, prediction(EDIT), by_shadow(prediction(EDIT)), error, by_shadow(error), b"{"
    )

    assert await view.apply(events) == 4
    assert told.offsets == [1, 2, 4, 6]
    assert await view.position("four", 3) == 7
