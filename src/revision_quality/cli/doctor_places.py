"""`revq doctor` on the places beside the wikis: disk, port, streams, databases, other services."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from revision_quality.cli.diagnosis import Finding, Section
from revision_quality.cli.listening import listen
from revision_quality.cli.places import kafka_place, open_score_store
from revision_quality.errors import SettingsError, StoreError
from revision_quality.settings import Settings
from revision_quality.streams.sqlite import check_file
from revision_quality.views import schema
from revision_quality.views.database import Database
from revision_quality.web.health import ALIVE_PATH

ROOM_BYTES = 2 * 1000**3
"""What the embedded store of a busy wiki takes in a month: some 1.4 kB an edit, a million edits."""

_SECONDS = 10.0
_RIGHTS = (
    ("CREATE TABLE", "CREATE TABLE revq_doctor_probe (number INTEGER PRIMARY KEY)"),
    ("CREATE INDEX", "CREATE INDEX revq_doctor_probe_number ON revq_doctor_probe (number)"),
    ("INSERT", "INSERT INTO revq_doctor_probe VALUES (1)"),
    ("UPDATE", "UPDATE revq_doctor_probe SET number = 2"),
    ("SELECT", "SELECT number FROM revq_doctor_probe"),
    ("DELETE", "DELETE FROM revq_doctor_probe"),
    ("ALTER TABLE", "ALTER TABLE revq_doctor_probe ADD COLUMN other INTEGER"),
    ("DROP TABLE", "DROP TABLE revq_doctor_probe"),
)


async def places(settings: Settings, client: httpx.AsyncClient) -> AsyncIterator[Section]:
    """Yield a section for each place that the settings name."""
    yield Section("this machine", [disk(settings.data), await port(settings, client)])
    yield await streams_section(settings)
    yield Section("changes view", await view_findings(settings.changes_url))
    if settings.score_store:
        yield Section("score store", [await _score_store(settings)])
    if settings.event_gate:
        yield Section("event_gate", [await event_gate(settings.event_gate.url, client)])
    if settings.event_streams:
        yield Section("event_streams", [await _event_streams(settings, client)])
    if settings.tracing.endpoint:
        yield Section("tracing", [await _answers(settings.tracing.endpoint, client)])


def disk(folder: Path, needed: int = ROOM_BYTES) -> Finding:
    """Look whether the data folder can be written, and whether it has room."""
    what = f"data folder {folder.absolute()}"
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding(what, f"{there} cannot be written: give it to the user of revq")
    free = shutil.disk_usage(there).free
    if free < needed:
        return Finding(
            what,
            f"only {free / 1e9:.1f} GB are free: make room, lower streams.keep_days, or choose"
            " another folder with data_folder",
        )
    return Finding(f"{what}, {free / 1e9:.0f} GB free")


async def port(settings: Settings, client: httpx.AsyncClient) -> Finding:
    """Look whether the port can be had, or is a running revq's."""
    web = settings.web
    what = f"{web.host}, port {web.port}"
    try:
        listen(web.host, web.port).close()
    except SettingsError as error:
        host = f"[{web.host}]" if ":" in web.host else web.host
        try:
            answer = await client.get(f"http://{host}:{web.port}{ALIVE_PATH}", timeout=_SECONDS)
            if answer.json() == {"alive": True}:
                return Finding(f"{what}, a revq serves there")
        except (httpx.HTTPError, ValueError):
            pass
        return Finding(what, str(error))
    return Finding(what)


async def streams_section(settings: Settings) -> Section:
    """Look at the log."""
    if not settings.streams.is_kafka:
        return Section("streams", [streams_file(settings.streams_file)])
    try:
        place = kafka_place(settings)
    except (SettingsError, StoreError) as error:
        return Section("streams", [Finding("Kafka", str(error))])
    return Section("streams", await asyncio.to_thread(_kafka, place.servers, place.client({})))


def streams_file(file: Path) -> Finding:
    """Look whether a streams file, where there is one, can be read by this revq."""
    what = f"SQLite, {file}"
    if not file.exists():
        return Finding(f"{what}, which the first start makes")
    try:
        check_file(file)
    except StoreError as error:
        return Finding(what, str(error))
    return Finding(what)


def _kafka(servers: str, client: dict[str, str | int | float | bool]) -> list[Finding]:
    from confluent_kafka import KafkaException  # noqa: PLC0415 (an extra)
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    try:
        found = AdminClient(client).list_topics(timeout=_SECONDS)
    except KafkaException as error:
        return [
            Finding(
                f"Kafka at {servers}",
                f"{error.args[0].str()}: check the address, streams.options (security.protocol,"
                " sasl.*) and that the brokers' advertised listeners can be reached from here",
            )
        ]
    brokers = ", ".join(f"{one.host}:{one.port}" for one in found.brokers.values())
    return [Finding(f"Kafka at {servers}: brokers {brokers}, {len(found.topics)} topics")]


async def view_findings(url: str) -> list[Finding]:
    """Look whether a database of views can be reached, and whether our user may do what we do."""
    try:
        database = Database(url)
    except StoreError as error:
        return [Finding("database", str(error))]
    what = f"database {database.url!r}"
    if database.is_missing:
        return [Finding(f"{what}, which the first start makes")]
    try:
        await database.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
    except StoreError as error:
        await database.close()
        return [Finding(what, f"{error}: check the address, the user and the password")]
    try:
        await database.read(schema.check)
        refusals = await database.write(_refusals)
        if any(refusal for _, refusal in refusals):
            await database.write(_clean)
    except StoreError as error:
        return [Finding(what, str(error))]
    finally:
        await database.close()
    return [Finding(what), *(Finding(right, refusal) for right, refusal in refusals)]


def _refusals(connection: Connection) -> list[tuple[str, str | None]]:
    """Try each right on a table of our own, up to the first that lacks."""
    found: list[tuple[str, str | None]] = []
    for right, statement in _RIGHTS:
        try:
            connection.execute(text(statement))
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            found.append((right, f"{cause}: grant it to the user of revq"))
            break
        found.append((right, None))
    return found


def _clean(connection: Connection) -> None:
    """Drop the table that a refused right has left."""
    connection.execute(text("DROP TABLE IF EXISTS revq_doctor_probe"))


async def _score_store(settings: Settings) -> Finding:
    try:
        store = await open_score_store(settings)
    except (SettingsError, StoreError) as error:
        return Finding("Cassandra", str(error))
    if store is not None:
        await store.close()
    return Finding("Cassandra: the keyspace can be read and written")


async def event_gate(url: str, client: httpx.AsyncClient) -> Finding:
    """Send an EventGate no events at all: it answers 400, and nothing is published."""
    what = f"EventGate at {url}"
    try:
        answer = await client.post(url, json=[], timeout=_SECONDS)
    except httpx.HTTPError as error:
        return Finding(what, f"{str(error) or type(error).__name__}: check event_gate.url")
    if answer.status_code == 400:
        return Finding(what)
    return Finding(
        what,
        f"answers HTTP {answer.status_code} where an EventGate says 400 to an empty list:"
        " event_gate.url must end in /v1/events",
    )


async def _event_streams(settings: Settings, client: httpx.AsyncClient) -> Finding:
    assert settings.event_streams is not None
    address = settings.event_streams.address
    what = f"EventStreams at {address}"
    try:
        async with client.stream("GET", address, timeout=_SECONDS, follow_redirects=True) as answer:
            kind = answer.headers.get("content-type", "")
            if answer.status_code == 200 and kind.startswith("text/event-stream"):
                return Finding(what)
            return Finding(
                what,
                f"answers HTTP {answer.status_code}, {kind or 'no content type'}: check"
                " event_streams.url and event_streams.streams",
            )
    except httpx.HTTPError as error:
        return Finding(what, f"{str(error) or type(error).__name__}: check event_streams.url")


async def _answers(url: str, client: httpx.AsyncClient) -> Finding:
    try:
        answer = await client.get(url, timeout=_SECONDS)
    except httpx.HTTPError as error:
        return Finding(url, f"{str(error) or type(error).__name__}: check tracing.endpoint")
    return Finding(f"{url} answers HTTP {answer.status_code}")
