"""Metrics as Prometheus scrapes them, read at the moment of the scrape."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal

from msgspec import Struct
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revision_quality.tally import Labels, Spread
from revision_quality.web.operation import Content, Operation, Reply

METRICS_PATH = "/metrics"


class Described(Struct, frozen=True):
    """A metric: counters have no `_total` in `name`, it is added where they are told."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    text: str


class Sample(Struct, frozen=True):
    """A value of a metric; a histogram's is a Spread."""

    metric: Described
    value: float | Spread
    labels: Labels = ()


Gather = Callable[[], Awaitable[Sequence[Sample]]]


class Metrics:
    """Answers `/metrics` with what `gather` finds, and with the process's memory and files."""

    def __init__(self, gather: Gather) -> None:
        self._gather = gather

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return [Route(METRICS_PATH, self.scrape)]

    async def scrape(self, request: Request) -> Response:
        """Answer in the format that the scraper asks for."""
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_Gathered(await self._gather()))
        return Response(encode(registry), headers={"Content-Type": media_type})


class _Gathered:
    """What a registry collects: samples that are there already."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = samples

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for sample in self._samples:
            metric = sample.metric
            if metric.name not in families:
                families[metric.name] = _FAMILIES[metric.kind](metric)
            _add(families[metric.name], sample)
        return families.values()


_FAMILIES: dict[str, Callable[[Described], Metric]] = {
    "counter": lambda one: CounterMetricFamily(one.name, one.text, labels=one.labels),
    "gauge": lambda one: GaugeMetricFamily(one.name, one.text, labels=one.labels),
    "histogram": lambda one: HistogramMetricFamily(one.name, one.text, labels=one.labels),
}


def _add(family: Metric, sample: Sample) -> None:
    value = sample.value
    if isinstance(family, HistogramMetricFamily) and isinstance(value, Spread):
        buckets = [(_bound(bound), count) for bound, count in value.cumulative()]
        family.add_metric(sample.labels, buckets, value.total)
    elif isinstance(family, CounterMetricFamily | GaugeMetricFamily) and not isinstance(
        value, Spread
    ):
        family.add_metric(sample.labels, value)


def _bound(value: float) -> str:
    return "+Inf" if value == float("inf") else str(value)


METRICS = Operation(
    id="metrics",
    method="GET",
    path=METRICS_PATH,
    tag="Operation",
    summary="Tell what Prometheus asks for",
    replies={200: Reply("Metrics.", Content(media_type="text/plain"))},
)
OPERATIONS = (METRICS,)
