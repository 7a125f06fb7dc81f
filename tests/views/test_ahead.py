"""Work done ahead: the next item is made while the last is in use."""

import threading
from collections.abc import Iterator

import pytest

from revision_quality.views.ahead import ahead


def test_items_come_in_order():
    assert list(ahead(iter("abc"))) == ["a", "b", "c"]
    assert list(ahead(iter(()))) == []


def test_the_next_item_is_made_while_one_is_in_use():
    second_is_made = threading.Event()

    def make() -> Iterator[int]:
        yield 1
        second_is_made.set()
        yield 2

    for _ in ahead(make()):
        assert second_is_made.wait(timeout=30)


def test_what_fails_fails_in_its_place():
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        seen.extend(ahead(make()))
    assert seen == [1]
