"""A piece of the input that one worker scores into one part."""

from pathlib import Path

from msgspec import Struct


class Span(Struct, frozen=True):
    """Streams of a multistream dump, in bytes of the packed file: from `begin`, up to `end`.

    The dump's head is in the bytes before `head_end`; `has_foot` tells that its closing tag is in
    the span.
    """

    head_end: int
    begin: int
    end: int
    has_foot: bool


class Partition(Struct, frozen=True, kw_only=True):
    """`number` counts from 0 over the whole input, and names the part.

    `key` identifies the content, whatever the input's other files. `size` is in bytes, for the bar.
    `span` is set for pages of a dump, `row_group` for Parquet; a dump's `wiki_id` is its own or the
    one given, Parquet's rows have each their own.
    """

    number: int
    key: str
    path: Path
    size: int
    wiki_id: str = ""
    span: Span | None = None
    row_group: int | None = None
