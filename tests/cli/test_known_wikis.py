"""What the roles know of the wikis follows the settings."""

import httpx
import pytest
from structlog.testing import capture_logs

from revision_quality.cli.known_wikis import KnownWikis
from revision_quality.cli.wikis import Wikis
from revision_quality.oauth_block import OAuthBlock
from revision_quality.settings import Settings, Wiki
from tests.cli.test_reload import ONE, siteinfo

LOGIN = OAuthBlock(client_id="x", client_secret="16 signs at least")


async def test_nobody_logs_in_to_a_wiki_whose_block_oauth_is_gone(tmp_path):
    settings = Settings(wikis=(Wiki(api=ONE, oauth=LOGIN),), data_folder=str(tmp_path))
    async with httpx.AsyncClient(transport=httpx.MockTransport(siteinfo)) as client:
        wikis = Wikis(settings.wikis, client, tmp_path)
        known = KnownWikis(settings, wikis, client, client)
        await wikis.connect()
        assert list(known.consumers) == ["onewiki"]

        wikis.change([Wiki(api=ONE)])
        assert list(known.consumers) == []
        assert list(known.asked) == ["onewiki"]

        wikis.change([Wiki(api=ONE, oauth=LOGIN)])
        assert list(known.consumers) == ["onewiki"]
        wikis.change([])
        assert list(known.consumers) == list(known.asked) == []
        await wikis.close()


@pytest.mark.parametrize(("given", "told"), [(None, ["Middle/Earth"]), ("Asia/Tokyo", [])])
async def test_a_time_zone_of_a_wiki_that_is_not_known_here_is_told(tmp_path, given, told):
    def of_middle_earth(request: httpx.Request) -> httpx.Response:
        answer = siteinfo(request).json()
        answer["query"]["general"]["timezone"] = "Middle/Earth"
        return httpx.Response(200, json=answer)

    settings = Settings(wikis=(Wiki(api=ONE, time_zone=given),), data_folder=str(tmp_path))
    async with httpx.AsyncClient(transport=httpx.MockTransport(of_middle_earth)) as client:
        wikis = Wikis(settings.wikis, client, tmp_path)
        KnownWikis(settings, wikis, client, client)
        with capture_logs() as logs:
            await wikis.connect()
        await wikis.close()

    assert [log["time_zone"] for log in logs] == told
    assert all(log["api"] == ONE and "time_zone" in log["event"] for log in logs)
