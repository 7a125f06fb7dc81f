"""Opens what the settings name by URL: the streams, the views, and who alone may work on them."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from msgspec.structs import replace

from revision_quality.cli.lease import FileLease, Free, GroupLease, Lease, lease_of_database
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import SettingsError, StoreError
from revision_quality.scoring.model_rule import ModelKey
from revision_quality.settings import Settings
from revision_quality.streams.base import Streams
from revision_quality.streams.kafka.place import KafkaPlace, parse_kafka_url
from revision_quality.streams.opening import open_streams
from revision_quality.views.cassandra import CassandraScores
from revision_quality.views.cassandra_session import read_place
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database

COLLECTORS = "revision_quality.collectors.v1"
"""A topic without events: whose partition it is collects."""


def make_folder(folder: Path) -> None:
    """Make the data folder, if it is not there. Raises StoreError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"data folder {folder} cannot be made ({error.strerror}):"
            " choose another with --data or data_folder"
        ) from error


def kafka_place(settings: Settings) -> KafkaPlace:
    """Return the cluster that `streams.url` names. Raises SettingsError."""
    streams = settings.streams
    return parse_kafka_url(
        streams.url or "", keep_days=streams.keep_days, options=dict(streams.options)
    )


def check_places(settings: Settings) -> None:
    """Raise SettingsError or StoreError for a place that cannot be meant."""
    if settings.streams.is_kafka:
        kafka_place(settings)
    if settings.score_store:
        read_place(settings.score_store.url)
    if any(wiki.oauth for wiki in settings.wikis) and not find_spec("cryptography"):
        raise SettingsError(
            "wikis.oauth: its library is not installed: run pip install 'revision-quality[oauth]'"
        )


def open_log(settings: Settings, clock: Clock = system_clock) -> Streams:
    """Open the streams. Raises SettingsError, StoreError."""
    streams = settings.streams
    file = settings.data if streams.is_kafka else settings.streams_file
    return open_streams(
        streams.url, file, keep_days=streams.keep_days, options=streams.options, clock=clock
    )


def open_view(settings: Settings, models: Sequence[ModelKey] = ()) -> ChangesView:
    """Open the changes view, of several models. Raises StoreError."""
    return ChangesView(Database(settings.changes_url), models)


async def open_score_store(settings: Settings) -> CassandraScores | None:
    """Open the score store, None where the settings name none. Raises StoreError."""
    if settings.score_store is None:
        return None
    place = read_place(settings.score_store.url)
    return await CassandraScores.open(place, settings.score_store.keep_days)


def collect_leases(settings: Settings) -> list[Lease]:
    """Return what a collector must hold: the positions in the wikis, and the streams."""
    leases: list[Lease] = [FileLease(settings.data / "collect.lock")]
    if settings.streams.is_kafka:
        place = replace(kafka_place(settings), partitions=1)
        leases.append(GroupLease(lambda: _one_partition(place), "collect", COLLECTORS))
    else:
        leases.append(FileLease(_beside(settings, "collect")))
    return leases


def score_leases(settings: Settings) -> list[Lease]:
    """Return what a scorer must hold; Kafka's consumer groups share the work themselves."""
    return [Free()] if settings.streams.is_kafka else [FileLease(_beside(settings, "score"))]


def materialise_leases(settings: Settings) -> list[Lease]:
    """Return what a materialiser must hold: the changes view."""
    return [lease_of_database(settings.changes_url, "revq materialise")]


def _beside(settings: Settings, role: str) -> Path:
    file = settings.streams_file
    return file.with_name(f"{file.name}.{role}.lock")


def _one_partition(place: KafkaPlace) -> Streams:
    from revision_quality.streams.kafka.streams import KafkaStreams  # noqa: PLC0415 (an extra)

    return KafkaStreams(place)
