"""A backup is taken while the store is written, and is whole; a damaged one is not put back."""

import asyncio
import resource
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from revision_quality.cli.backup import MANIFEST, copy_database, write
from revision_quality.cli.lock import locked
from revision_quality.cli.restore import examine, put_back, restore
from revision_quality.errors import SettingsError, StoreError
from revision_quality.events import streams as names
from revision_quality.settings import Settings
from revision_quality.streams.base import Outgoing
from revision_quality.streams.sqlite import SqliteStreams


def store(folder):
    return Settings(data_folder=str(folder))


async def fill(streams, begin, end):
    for number in range(begin, end):
        await streams.append([Outgoing(names.PAGE_CHANGE, f"{number:032x}", "", b"{}")])


async def numbers(folder):
    async with SqliteStreams(folder / "streams.sqlite") as streams:
        return len(await streams.read(names.PAGE_CHANGE, 0, 10_000))


async def test_it_is_taken_while_the_log_is_written_and_put_back_elsewhere(tmp_path):
    data, copy, other = tmp_path / "data", tmp_path / "copy", tmp_path / "other"
    (data / "polling").mkdir(parents=True)
    (data / "polling/enwiki.json").write_text('{"head": null}')
    async with SqliteStreams(data / "streams.sqlite") as streams:
        await fill(streams, 0, 100)
        writing = asyncio.create_task(fill(streams, 100, 200))
        await asyncio.to_thread(write, store(data), copy)
        await writing

    await asyncio.to_thread(restore, copy, None, data=other)

    assert 100 <= await numbers(other) <= 200
    assert (other / "polling/enwiki.json").read_text() == '{"head": null}'
    assert not list(tmp_path.glob("*.new"))


async def test_what_is_not_whole_is_not_put_back(tmp_path):
    data, copy = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    async with SqliteStreams(data / "streams.sqlite") as streams:
        await fill(streams, 0, 3)
    write(store(data), copy)
    with (copy / "streams.sqlite").open("ab") as file:
        file.write(b"x")

    with pytest.raises(StoreError, match=r"streams\.sqlite is missing or damaged"):
        examine(copy)
    (copy / MANIFEST).unlink()
    with pytest.raises(StoreError, match="is no backup of revq"):
        examine(copy)


async def test_nothing_is_overwritten(tmp_path):
    data, copy = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    async with SqliteStreams(data / "streams.sqlite") as streams:
        await fill(streams, 0, 3)
    write(store(data), copy)

    with pytest.raises(SettingsError, match="move the old store away"):
        put_back(store(data), copy, examine(copy))
    with locked(data), pytest.raises(StoreError, match="is in use by another revq"):
        restore(copy, None, data=data)


async def test_what_a_full_disk_left_of_it_is_in_nobodys_way(tmp_path):
    data, copy, other = tmp_path / "data", tmp_path / "copy", tmp_path / "other"
    (data / "polling").mkdir(parents=True)
    (data / "polling/enwiki.json").write_text('{"head": null}')
    async with SqliteStreams(data / "streams.sqlite") as streams:
        await fill(streams, 0, 300)
    write(store(data), copy)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            put_back(store(other), copy, examine(copy))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert not [file for file in other.rglob("*") if file.is_file()]
    put_back(store(other), copy, examine(copy))
    assert await numbers(other) == 300


def test_a_damaged_database_is_no_backup(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "streams.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)

    with pytest.raises(StoreError, match=r"streams\.sqlite"):
        write(store(data), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_backup_of_nothing_is_told(tmp_path):
    with pytest.raises(StoreError, match="holds nothing to back up"):
        write(store(tmp_path / "none"), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_backup_names_no_file_outside_of_it(tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    (tmp_path / "evil").write_text("x")
    (copy / MANIFEST).write_text(
        '{"version": "1", "made": "2026-11-27T00:00:00Z",'
        ' "files": [{"name": "../evil", "size": 1, "sha256": "x"}]}'
    )
    with pytest.raises(StoreError, match="lies outside of the backup"):
        examine(copy)


def test_it_ends_however_often_the_store_is_written_meanwhile(tmp_path):
    file, most, done = tmp_path / "streams.sqlite", 5000, threading.Event()
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE event (value BLOB)")
        database.execute("INSERT INTO event VALUES (zeroblob(20000000))")
    written = 0

    def go_on_writing() -> None:
        nonlocal written
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            while written < most and not done.is_set():
                database.execute("INSERT INTO event VALUES (1)")
                written += 1
                time.sleep(0.001)

    writing = threading.Thread(target=go_on_writing)
    writing.start()
    copy_database(file, tmp_path / "copy.sqlite")
    done.set()
    writing.join()

    assert written < most


def test_a_folder_that_is_not_its_own_stays(tmp_path):
    data, copy, other = tmp_path / "data", tmp_path / "copy", tmp_path / "copy.new"
    (data / "polling").mkdir(parents=True)
    (data / "polling/enwiki.json").write_text('{"head": null}')
    other.mkdir()
    (other / "thesis.txt").write_text("the only copy")

    write(store(data), copy)

    assert (copy / "polling/enwiki.json").exists()
    assert (other / "thesis.txt").read_text() == "the only copy"
