"""What a feature is: a named, documented number."""

from msgspec import Struct


class Feature(Struct, frozen=True):
    """One number that a model reads of a revision.

    `missing` is the value that stands for "not known", None where that cannot happen. `source`
    names the fields of `Revision` that it is computed from: all are known when the edit is saved.
    `monotone` is 1 where a larger value may only raise the risk, -1 where it may only lower it,
    0 where the data decide.
    """

    name: str
    text: str
    unit: str
    source: str
    low: float = 0.0
    high: float | None = None
    missing: float | None = None
    monotone: int = 0
