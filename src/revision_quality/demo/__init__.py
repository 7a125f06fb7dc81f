"""A sample of real edits that ships with the package, for the demo and the tests."""

import lzma
from collections.abc import Iterator
from importlib import resources
from typing import Any

import msgspec
from msgspec import Struct


class SampleEdit(Struct, frozen=True):
    """One real edit.

    `event` is a page_change event of kind edit; `text` and `parent_text` are the wikitext after
    and before; `label` is 1 where a later edit reverted it, else 0.
    """

    event: dict[str, Any]
    parent_text: str
    text: str
    label: int


def sample_edits() -> Iterator[SampleEdit]:
    """Yield the sample's edits, oldest first."""
    decoder = msgspec.json.Decoder(SampleEdit)
    sample = resources.files(__package__).joinpath("sample.jsonl.xz")
    with sample.open("rb") as packed, lzma.open(packed) as lines:
        for line in lines:
            yield decoder.decode(line)
