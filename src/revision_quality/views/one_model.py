"""Keeps the scores of further models out of a view that shows one score of each edit."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from revision_quality.streams.base import Record
from revision_quality.views.materialiser import View


class _Model(Struct, frozen=True):
    model_name: str = ""
    model_version: str = ""


class _Outcome(Struct, frozen=True):
    predicted_classification: _Model | None = None
    error: _Model | None = None


_decoder = msgspec.json.Decoder(_Outcome)


class OneModel:
    """Passes on all events but the outcomes of models for which `is_other(name, version)` holds.

    What another deployment or an earlier model has scored is shown; only who is known to be
    another model is left out.
    """

    def __init__(self, view: View, is_other: Callable[[str, str], bool]) -> None:
        self._view = view
        self._is_other = is_other

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` is in the view."""
        return await self._view.position(stream, partition)

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the view, and their streams' positions, in one transaction."""
        return await self._view.apply([record for record in records if self._is_shown(record)])

    def _is_shown(self, record: Record) -> bool:
        try:
            outcome = _decoder.decode(record.value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return True
        model = outcome.predicted_classification or outcome.error
        return model is None or not self._is_other(model.model_name, model.model_version)
