"""What a scraper reads, in both of its formats."""

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse
from starlette.applications import Starlette

from revision_quality.tally import Timings
from revision_quality.web.metrics import Described, Metrics, Sample

EDITS = Described("revq_edits", "counter", ("wiki",), "Edits.")
WAITING = Described("revq_waiting", "gauge", (), "Waiting.")
LAG = Described("revq_lag_seconds", "histogram", ("wiki",), "Lag.")
OPEN = "application/openmetrics-text; version=1.0.0"


async def scrape(accept=""):
    timings = Timings((1.0, 5.0))
    timings.observe(2.0)

    async def gather():
        ((_, spread),) = timings.items()
        return [
            Sample(EDITS, 3, ('a "quoted"\nwiki',)),
            Sample(EDITS, 4, ("b",)),
            Sample(WAITING, 2.5),
            Sample(LAG, spread, ("b",)),
        ]

    transport = httpx.ASGITransport(app=Starlette(routes=Metrics(gather).routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://revq") as asking:
        return await asking.get("/metrics", headers={"Accept": accept})


def samples(families):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


async def test_every_kind_of_metric_is_told():
    answer = await scrape()
    found = samples(parse(answer.text))

    assert answer.headers["content-type"].startswith("text/plain")
    assert found["revq_edits_total", ("wiki", 'a "quoted"\nwiki')] == 3
    assert found["revq_edits_total", ("wiki", "b")] == 4
    assert found["revq_waiting",] == 2.5
    assert found["revq_lag_seconds_bucket", ("le", "1.0"), ("wiki", "b")] == 0
    assert found["revq_lag_seconds_bucket", ("le", "5.0"), ("wiki", "b")] == 1
    assert found["revq_lag_seconds_count", ("wiki", "b")] == 1
    assert found["revq_lag_seconds_sum", ("wiki", "b")] == 2.0
    assert found["process_open_fds",] > 0


async def test_a_scraper_may_ask_for_openmetrics():
    answer = await scrape(OPEN)

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert samples(parse_open(answer.text))["revq_edits_total", ("wiki", "b")] == 4
