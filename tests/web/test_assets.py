import re

import httpx
import pytest

from revision_quality.web.assets import ASSETS


async def test_a_page_and_its_scripts_name_the_files_of_this_release(
    client: httpx.AsyncClient,
) -> None:
    html = (await client.get("/recent-changes", headers={"Accept": "text/html"})).text
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
    assert {f"{ASSETS}/page.css", f"{ASSETS}/main.js"} <= set(named)
    script = (await client.get(f"{ASSETS}/main.js")).text
    named += [f"{ASSETS}/{name}" for name in re.findall(r'from "\./(.+?)"', script)]
    for address in named:
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("folder", ["/static", "/static/0badc0de"])
async def test_a_file_is_found_by_a_page_of_another_release_and_not_kept(
    client: httpx.AsyncClient, folder: str
) -> None:
    answer = await client.get(f"{folder}/page.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    again = {"If-None-Match": answer.headers["etag"]}
    assert (await client.get(f"{folder}/page.css", headers=again)).status_code == 304


@pytest.mark.parametrize("path", ["/static/nothing.css", f"{ASSETS}/nothing.css", "/static/"])
async def test_other_names_lead_nowhere(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404
