"""Small state in a file: the old or the new, never half of it."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from revision_quality.errors import StoreError
from revision_quality.state_file import StateFile


class Position(Struct, frozen=True):
    number: int
    name: str = ""


def store(path: Path) -> StateFile[Position]:
    return StateFile(path, Position)


def test_what_was_saved_last_is_loaded(tmp_path):
    path = tmp_path / "new folder/my_wiki.json"
    assert store(path).load() is None

    store(path).save(Position(1))
    store(path).save(Position(2, "ä"))

    assert store(path).load() == Position(2, "ä")
    assert list(path.parent.iterdir()) == [path]


def test_a_crash_while_saving_leaves_the_old_state(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    store(path).save(Position(1))

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        store(path).save(Position(2))

    assert store(path).load() == Position(1)
    monkeypatch.undo()
    store(path).save(Position(3))
    assert store(path).load() == Position(3)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"number": "one"}', b'{"name": "\xff"}'])
def test_a_broken_file_is_named_with_what_to_do(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_bytes(content)

    with pytest.raises(StoreError, match=r"state\.json cannot be read: .*; remove it to begin"):
        store(path).load()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40))
def test_any_file_is_loaded_or_a_store_error(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_bytes(content)

    with pytest.raises(StoreError):
        store(path).load()


def test_a_place_that_cannot_be_written_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match=r"state file .*state\.json cannot be written"):
        store(tmp_path / "file/state.json").save(Position(1))
    with pytest.raises(StoreError, match="cannot be read"):
        store(tmp_path).load()
