"""No address that an event names is ever fetched: addresses come from the settings alone."""

import httpx
import pytest

from revision_quality.events import streams as names
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.scoring.on_request import AskedWiki, OnRequest
from revision_quality.scoring.scorer import Scorer
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.wiki.client import ActionApi
from revision_quality.wiki.reader import ApiReader
from tests.events.examples import page_change
from tests.scoring.fakes import FakeModel

CONFIGURED = "https://wiki.example/w/api.php"
INSIDE = "http://169.254.169.254/latest/meta-data/"


class NoEdits:
    async def read(self, rev_ids):
        raise AssertionError("the event is at hand")


def hostile(address: str):
    """An event that names an address wherever one or a text fits."""
    return page_change(
        meta={
            "stream": names.PAGE_CHANGE,
            "id": "0b1ad1a5-5d0c-4c1e-9b52-6c0e5a8a1f11",
            "domain": "169.254.169.254",
            "uri": address,
            "dt": "2026-11-23T08:00:00Z",
        },
        comment=address,
        page={"page_id": 5, "page_title": address, "namespace_id": 0, "is_redirect": False},
    )


@pytest.mark.parametrize("address", [INSIDE, "file:///etc/passwd", "//169.254.169.254/x|y\x1fz"])
async def test_only_the_configured_wiki_is_asked(address, tmp_path):
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"query": {"pages": []}})

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client,
        SqliteStreams(tmp_path / "streams.sqlite") as streams,
    ):
        api = ActionApi(CONFIGURED, client)
        reader = ApiReader(api, 50)
        change = hostile(address)
        await Scorer(FakeModel()).score(reader, [change])
        wiki = AskedWiki(NoEdits(), reader)
        await OnRequest(
            streams, ModelRule(model=FakeModel()), {change.wiki_id: wiki}.get
        ).answer_event(change)

    assert asked
    assert {(url.host, url.path) for url in asked} == {("wiki.example", "/w/api.php")}
    assert all("169.254" not in str(url) and "passwd" not in str(url) for url in asked)
