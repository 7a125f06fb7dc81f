"""`python -m revision_quality.flink`: score the streams of Kafka as a Flink job."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from revision_quality.cli.rules import open_rules
from revision_quality.cli.wikis import http_client
from revision_quality.errors import RevisionQualityError, SettingsError
from revision_quality.events import streams as names
from revision_quality.flink.wiki_queue import PATIENCE
from revision_quality.scoring.group import STREAMS
from revision_quality.settings import Settings, check_settings, load_settings
from revision_quality.streams.kafka.place import KafkaPlace, parse_kafka_url
from revision_quality.streams.kafka.streams import KafkaStreams


def score(
    config: Annotated[Path, typer.Argument(help="Settings file, whose streams are in Kafka.")],
    *,
    connector: Annotated[
        Path | None, typer.Option(help="Jar of Flink's Kafka SQL connector.")
    ] = None,
    checkpoints: Annotated[
        str | None, typer.Option(help="Folder or URL that checkpoints are kept in.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(help="Checkpoint or savepoint to go on from.")
    ] = None,
    interval: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two checkpoints.")
    ] = 10.0,
    parallelism: Annotated[int | None, typer.Option(min=1, help="Parallel workers.")] = None,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds that a wiki may be silent before its edits fail.")
    ] = PATIENCE,
    kafka: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE of Kafka's Java clients; again for more.")
    ] = None,
) -> None:
    """Score every edit of the Kafka streams in a Flink job, here or where `flink run` says."""
    if connector is not None and not connector.is_file():
        raise SettingsError(f"--connector: there is no file {connector}")
    settings = load_settings(config)
    check_settings(settings)
    if not settings.streams.is_kafka:
        raise SettingsError(f"{config}: streams.url: a Flink job needs streams in Kafka")
    properties = dict(map(_property, kafka or ()))
    try:
        from revision_quality.flink.job import JobOptions, run_job  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "apache-flink is not installed: run 'pip install revision-quality[flink]' in an"
            " environment of its own (docs/other-stream-processors.md)"
        ) from error
    options = JobOptions(
        connector=connector,
        checkpoints=checkpoints,
        resume=resume,
        interval=interval,
        parallelism=parallelism,
        patience=patience,
        properties=properties,
    )
    place = _place(settings)
    outcomes = asyncio.run(_prepare(settings, place))
    run_job(settings, place, options, edits=STREAMS, outcomes=outcomes)


def _property(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise SettingsError(f"--kafka: {text!r} is not KEY=VALUE, such as acks=all")
    return key, value


def _place(settings: Settings) -> KafkaPlace:
    streams = settings.streams
    return parse_kafka_url(
        streams.url or "", keep_days=streams.keep_days, options=dict(streams.options)
    )


async def _prepare(settings: Settings, place: KafkaPlace) -> list[str]:
    """Check the models, make the topics that are missing; return the streams of outcomes."""
    async with http_client() as client:
        scores = [rule.stream for rule in open_rules(settings.blocks, client)]
    outcomes = list(dict.fromkeys([*scores, names.PREDICTION_ERROR, names.DEAD_LETTER]))
    async with KafkaStreams(place) as streams:
        for stream in (*STREAMS, *outcomes):
            await streams.partitions(stream)
    return outcomes


def main() -> None:
    """Run the job; end with 1 and one sentence where it cannot do what was asked."""
    try:
        typer.run(score)
    except RevisionQualityError as error:
        sentence = Text.assemble(("revision_quality.flink:", "bold red"), f" {error}")
        Console(stderr=True, soft_wrap=True).print(sentence)
        sys.exit(1)


if __name__ == "__main__":
    main()
