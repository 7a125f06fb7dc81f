"""`revq replay`, as it is typed."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revision_quality.cli.main import app
from revision_quality.errors import SettingsError
from revision_quality.events import streams as names
from revision_quality.events.page_change import decode_page_change
from revision_quality.sources.base import outgoing
from revision_quality.streams.sqlite import SqliteStreams
from tests.events.examples import page_change


@pytest.fixture
def data(tmp_path: Path) -> Path:
    async def fill() -> None:
        async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
            changes = [page_change(rev_id=number) for number in (5, 6)]
            await streams.append([outgoing(change) for change in changes])

    asyncio.run(fill())
    return tmp_path


def retries(data: Path) -> list[int]:
    async def read() -> list[int]:
        async with SqliteStreams(data / "streams.sqlite") as streams:
            records = await streams.read(names.RETRY, 0, 100)
            return [decode_page_change(record.value).revision.rev_id for record in records]

    return asyncio.run(read())


def test_a_span_goes_to_the_stream_of_retries(data):
    command = ["replay", "--data", str(data), "--stream", names.PAGE_CHANGE]

    done = CliRunner().invoke(app, [*command, "--from", "2020-01-01"])
    nothing = CliRunner().invoke(app, [*command, "--to", "2020-01-01"])

    assert done.output == "2 edits go through scoring again.\n"
    assert nothing.output == "0 edits go through scoring again.\n"
    assert retries(data) == [5, 6]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--stream", "mediawiki.job"], "holds no edits to replay: choose one of"),
        (["--from", "yesterday"], "--from is no time: 'yesterday'; give 2026"),
        (["--to", "soon"], "--to is no time"),
        (["--data", "/nowhere"], "there are no streams in /nowhere/streams.sqlite"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(options, told):
    done = CliRunner().invoke(app, ["replay", *options])

    assert isinstance(done.exception, SettingsError)
    assert told in str(done.exception)
