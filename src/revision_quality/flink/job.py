"""The job: Kafka, scoring, Kafka, and the checkpoints that say how far it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from pyflink.common import Configuration, Time
from pyflink.datastream import AsyncDataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from revision_quality.flink import tables
from revision_quality.flink.function import OUTCOME_ROW, ScoreEdits
from revision_quality.flink.wiki_queue import PATIENCE
from revision_quality.settings import Settings
from revision_quality.streams.kafka.place import KafkaPlace

NAME = "revision_quality"

BUNDLE, BUNDLE_MS = 1000, 100
"""Events that Flink hands to Python together, and after how long it does so with fewer."""

_NO_TIMEOUT = Time.seconds(0)
"""Flink would start a thread for every event to time it; WikiQueue has its own patience."""

_TOLERATED = 4
"""Checkpoints that may fail one after another, as with Wikimedia's own enrichment jobs."""


class JobOptions(Struct, frozen=True, kw_only=True):
    """How the job is run.

    `connector` is the jar of Flink's Kafka SQL connector, where the cluster does not have it.
    `checkpoints` is a folder or a URL of Flink's file systems, `resume` one checkpoint or savepoint
    in it; what is None is as the cluster has it. `interval` is seconds between two checkpoints,
    `properties` are of Kafka's Java clients.
    """

    connector: Path | None = None
    checkpoints: str | None = None
    resume: str | None = None
    interval: float = 10.0
    parallelism: int | None = None
    group: str = tables.GROUP
    patience: float = PATIENCE
    properties: Mapping[str, str] = {}


def run_job(
    settings: Settings,
    place: KafkaPlace,
    options: JobOptions,
    *,
    edits: Sequence[str],
    outcomes: Sequence[str],
) -> None:
    """Run the job between the streams `edits` and `outcomes` until it ends.

    Runs on this machine, or on the cluster that `flink run` submits it to.
    """
    environment = StreamExecutionEnvironment.get_execution_environment(_configuration(options))
    table_environment = StreamTableEnvironment.create(environment)
    statement = tables.edits_table(
        place.servers, map(place.topic, edits), options.group, options.properties
    )
    table_environment.execute_sql(statement)
    table_environment.execute_sql(
        tables.outcomes_table(place.servers, map(place.topic, outcomes), options.properties)
    )
    scored = AsyncDataStream.unordered_wait(
        table_environment.to_data_stream(table_environment.from_path(tables.EDITS)),
        ScoreEdits(settings, place.prefix, options.patience),
        _NO_TIMEOUT,
        BUNDLE,
        OUTCOME_ROW,
    )
    statements = table_environment.create_statement_set()
    statements.add_insert(tables.OUTCOMES, table_environment.from_data_stream(scored))
    statements.attach_as_datastream()
    environment.execute(NAME)


def _configuration(options: JobOptions) -> Any:
    values = {
        "execution.checkpointing.interval": f"{round(options.interval * 1000)} ms",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.tolerable-failed-checkpoints": str(_TOLERATED),
        "restart-strategy.type": "exponential-delay",
        "python.fn-execution.bundle.size": str(BUNDLE),
        "python.fn-execution.bundle.time": str(BUNDLE_MS),
    }
    if options.checkpoints is not None:
        values["execution.checkpointing.storage"] = "filesystem"
        values["execution.checkpointing.dir"] = _url(options.checkpoints)
    if options.resume is not None:
        values["execution.state-recovery.path"] = _url(options.resume)
    if options.connector is not None:
        values["pipeline.jars"] = options.connector.absolute().as_uri()
    if options.parallelism is not None:
        values["parallelism.default"] = str(options.parallelism)
    configuration = Configuration()
    for key, value in values.items():
        configuration.set_string(key, value)
    return configuration


def _url(place: str) -> str:
    return place if "://" in place else Path(place).absolute().as_uri()
