"""A patroller logs in to a wiki by OAuth 2, rolls back here, and nobody else does in their name."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response

from revision_quality.oauth_block import OAuthBlock
from revision_quality.sites import Site
from revision_quality.web.app import create_app
from revision_quality.web.consumer import Consumer
from revision_quality.web.logins import Logins
from tests.recent_changes.examples import LEVELS, SITES, change
from tests.servers.oauth import CLIENT_ID, CLIENT_SECRET, OAuthWiki
from tests.web.conftest import WritableView
from tests.web.test_details import FakeDiffs, closer

WIKI = "http://wiki.example"
HERE = "http://revq.example"
CALLBACK = f"{HERE}/oauth/enwiki/callback"
SITE = Site(wiki_id="enwiki", name="English", lang="en", dir="ltr", server=WIKI)


class Api:
    """An Action API that knows what a rollback and an undo ask; keeps what was done."""

    def __init__(self) -> None:
        self.done: list[dict[str, str]] = []
        self.refusal = ""

    async def __call__(self, user: str | None, asked: dict[str, str]) -> Response:
        if user is None:
            return JSONResponse({"error": {"code": "assertuserfailed", "info": "Log in."}})
        if asked.get("meta") == "userinfo":
            return JSONResponse({"query": {"userinfo": {"id": 3, "name": user}}})
        if asked.get("meta") == "tokens":
            kind = asked["type"]
            return JSONResponse({"query": {"tokens": {f"{kind}token": f"{kind}+\\"}}})
        if self.refusal:
            said = {"es": "No <b>ahora</b>."}.get(asked["errorlang"], "Not <b>now</b>.")
            return JSONResponse({"errors": [{"code": self.refusal, "text": said}]})
        spoken = ("format", "formatversion", "errorformat", "errorlang")
        self.done.append({k: v for k, v in asked.items() if k not in spoken})
        if asked["action"] == "rollback":
            return JSONResponse({"rollback": {"revid": 77}})
        return JSONResponse({"edit": {"result": "Success", "newrevid": 78}})


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def wiki(api: Api) -> OAuthWiki:
    return OAuthWiki(api, "Pat <Roller>", CALLBACK)


@pytest.fixture
def app(view: WritableView, wiki: OAuthWiki) -> Starlette:
    asking = httpx.AsyncClient(transport=httpx.ASGITransport(wiki.app))
    block = OAuthBlock(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    logins = Logins({"enwiki": Consumer(block, SITE, f"{WIKI}/w/api.php", asking)})
    sites = {**SITES, "enwiki": SITE}
    return create_app(view, sites.get, LEVELS, closer=closer(FakeDiffs()), logins=logins)


@pytest_asyncio.fixture(loop_scope="session")
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def logged_in(
    client: httpx.AsyncClient, wiki: OAuthWiki, api: Api
) -> tuple[httpx.AsyncClient, Api]:
    await log_in(client, wiki)
    return client, api


async def consent(client: httpx.AsyncClient, wiki: OAuthWiki) -> str:
    """Begin a login and consent on the wiki; return the address that leads back."""
    begun = await client.get("/oauth/enwiki/login?back=hidebots%3D1")
    assert begun.status_code == 303
    assert begun.headers["location"].startswith(f"{WIKI}/w/rest.php/oauth2/authorize?")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(wiki.app)) as browser:
        answer = await browser.get(begun.headers["location"])
    return answer.headers["location"]


async def log_in(client: httpx.AsyncClient, wiki: OAuthWiki) -> httpx.Response:
    return await client.get(await consent(client, wiki))


async def form_of(client: httpx.AsyncClient, act: str = "rollback") -> dict[str, str]:
    html = (await client.get("/recent-changes/enwiki/5")).text
    assert f'action="/recent-changes/enwiki/5/{act}"' in html
    csrf = html.partition('name="csrf" value="')[2].partition('"')[0]
    assert len(csrf) == 32
    return {"csrf": csrf, "confirmed": "1"}


async def send(client: httpx.AsyncClient, act: str, form: dict[str, str], **headers: str):
    headers = {"Sec-Fetch-Site": "same-origin", "Accept": "application/json"} | headers
    return await client.post(f"/recent-changes/enwiki/5/{act}", data=form, headers=headers)


async def test_logged_in_one_rolls_back_in_ones_own_name(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki, api: Api
) -> None:
    await view.write(change(5, parent_id=4))
    before = (await client.get("/recent-changes")).text
    assert 'href="/oauth/enwiki/login?back="' in before
    assert "act-rollback" in (await client.get("/recent-changes/enwiki/5")).text

    back = await log_in(client, wiki)
    assert (back.status_code, back.headers["location"]) == (303, "/recent-changes?hidebots=1")
    assert "<bdi>Pat &lt;Roller&gt;</bdi>" in (await client.get("/recent-changes")).text

    answer = await send(client, "rollback", await form_of(client))
    assert (answer.status_code, answer.json()) == (200, {"rev_id": 77, "problem": ""})
    undone = await send(client, "undo", await form_of(client, "undo"))
    assert undone.json()["rev_id"] == 78
    rolled_back, edited = api.done
    assert rolled_back == {
        "action": "rollback",
        "pageid": "7",
        "user": "Alice",
        "token": "rollback+\\",
    }
    assert edited == {
        "action": "edit",
        "pageid": "7",
        "undo": "5",
        "undoafter": "4",
        "nocreate": "1",
        "token": "csrf+\\",
    }


async def test_the_tokens_are_in_a_cookie_that_only_the_server_reads(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki
) -> None:
    await view.write(change(5))
    back = await log_in(client, wiki)

    (kept,) = [c for c in back.headers.get_list("set-cookie") if c.startswith("revq_login_")]
    name, _, rest = kept.partition("=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(rest.split("; "))
    assert len(kept) < 4096
    (token,) = wiki.valid
    for page in ("/recent-changes", "/recent-changes/enwiki/5"):
        html = (await client.get(page)).text
        assert token not in html
        assert rest.partition(";")[0] not in html
    client.cookies.set(name, client.cookies[name][:-9] + "AAAAAAAAA", domain="revq.example")
    assert "Pat" not in (await client.get("/recent-changes")).text


async def test_over_https_the_cookies_are_secure(app: Starlette, wiki: OAuthWiki) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://revq.example") as client:
        begun = await client.get("/oauth/enwiki/login")
    assert "; Secure" in begun.headers["set-cookie"]
    assert "redirect_uri=https%3A%2F%2Frevq.example%2F" in begun.headers["location"]


async def test_no_other_site_acts_in_ones_name(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki, api: Api
) -> None:
    await view.write(change(5))
    await log_in(client, wiki)
    own = await form_of(client)
    for changed, site in (
        ({"csrf": ""}, "same-origin"),
        ({"csrf": "0" * 32}, "same-origin"),
        ({"csrf": "é"}, "same-origin"),
        ({}, "cross-site"),
        ({}, "same-site"),
    ):
        headers = {"Sec-Fetch-Site": site}
        assert (await send(client, "rollback", own | changed, **headers)).status_code == 403
        out = await client.post("/oauth/enwiki/logout", data=own | changed, headers=headers)
        assert out.status_code == 403
    assert api.done == []


async def test_who_has_not_logged_in_acts_on_the_wiki_alone(
    client: httpx.AsyncClient, view: WritableView, api: Api
) -> None:
    await view.write(change(5))
    answer = await send(client, "rollback?uselang=es", {"confirmed": "1"})
    assert answer.status_code == 401
    assert answer.json()["problem"] == "La sesión ha terminado; inicia sesión de nuevo."
    assert api.done == []


async def test_without_script_a_page_asks_to_confirm(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki, api: Api
) -> None:
    await view.write(change(5, title="<b>Page</b>"))
    await log_in(client, wiki)
    form = await form_of(client)
    asked = await send(client, "rollback", {"csrf": form["csrf"]}, Accept="text/html")
    assert "Roll back the latest edits by \u2068Alice\u2069 to \u2068&lt;b&gt;Page" in asked.text
    assert api.done == []
    done = await send(client, "rollback", form, Accept="text/html")
    assert "Rolled back." in done.text
    assert len(api.done) == 1


async def test_what_the_wiki_refuses_is_told(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki, api: Api
) -> None:
    await view.write(change(5))
    await log_in(client, wiki)
    api.refusal = "alreadyrolled"
    answer = await send(client, "rollback", await form_of(client))
    assert answer.status_code == 409
    assert "alreadyrolled: Not <b>now</b>." in answer.json()["problem"]
    page = await send(client, "rollback", await form_of(client), Accept="text/html")
    assert "Not &lt;b&gt;now&lt;/b&gt;." in page.text
    form = await form_of(client)
    spanish = await send(client, "rollback?uselang=es", form, Accept="text/html")
    assert "alreadyrolled: No &lt;b&gt;ahora&lt;/b&gt;." in spanish.text
    assert 'lang="en"' not in spanish.text


async def test_an_old_token_is_renewed_and_one_taken_back_ends_the_login(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki, api: Api
) -> None:
    await view.write(change(5))
    wiki.lives = 10
    await log_in(client, wiki)
    first = set(wiki.valid)
    wiki.lives = 14_400
    assert (await send(client, "rollback", await form_of(client))).status_code == 200
    assert len(wiki.valid - first) == 1
    wiki.valid -= first
    assert (await send(client, "rollback", await form_of(client))).status_code == 200

    wiki.valid.clear()
    ended = await send(client, "rollback", await form_of(client))
    assert ended.status_code == 401
    assert ended.json()["problem"] == "Your login has ended; log in again."
    assert "Pat" not in (await client.get("/recent-changes")).text
    assert len(api.done) == 2


async def test_two_tabs_that_act_at_once_renew_together(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki, api: Api
) -> None:
    await view.write(change(5))
    wiki.lives = 10
    await log_in(client, wiki)
    wiki.lives = 14_400
    form, cookies = await form_of(client), dict(client.cookies)
    answers = await asyncio.gather(*(send(client, "rollback", form) for _ in range(3)))
    client.cookies.update(cookies)
    answers.append(await send(client, "rollback", form))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len(api.done) == 4
    assert "Pat" in (await client.get("/recent-changes")).text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("readonly", (409, "readonly: No <b>ahora</b>.")),
        ("ratelimited", (409, "ratelimited: No <b>ahora</b>.")),
        ("blocked", (409, "blocked: No <b>ahora</b>.")),
        (
            "internal_api_error_DBQueryError",
            (502, "No llegó respuesta: mira en el historial de la página si está hecho."),
        ),
    ],
)
async def test_what_the_wiki_cannot_do_now_is_told_in_the_readers_language(
    logged_in: tuple[httpx.AsyncClient, Api], view: WritableView, code: str, told: tuple[int, str]
) -> None:
    client, api = logged_in
    await view.write(change(5))
    api.refusal = code
    form = await form_of(client)
    answer = await send(client, "rollback?uselang=es", form)
    assert (answer.status_code, answer.json()["problem"]) == told
    page = await send(client, "rollback?uselang=es", form, Accept="text/html")
    assert ("El wiki no lo ha hecho" in page.text) == (answer.status_code == 409)


async def test_what_can_be_done_is_told_without_asking_the_wiki(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki
) -> None:
    await view.write(change(5, parent_id=4))
    await log_in(client, wiki)
    told = (await client.get("/recent-changes/enwiki/5?only=actions")).text
    whole = (await client.get("/recent-changes/enwiki/5")).text
    actions = told.partition('<div class="actions"')[2].partition(">")[2].partition("</div>")[0]
    assert 'action="/recent-changes/enwiki/5/rollback"' in actions
    assert actions in whole
    assert "diff-part" not in told
    assert (await client.get("/recent-changes/enwiki/6?only=actions")).status_code == 404


async def test_a_page_that_stays_open_acts_and_logs_out_after_its_token_was_renewed(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki, api: Api
) -> None:
    await view.write(change(5))
    wiki.lives = 10
    await log_in(client, wiki)
    form = await form_of(client)
    wiki.lives = 14_400
    assert [(await send(client, "rollback", form)).status_code for _ in range(2)] == [200, 200]
    headers = {"Sec-Fetch-Site": "same-origin"}
    out = await client.post("/oauth/enwiki/logout", data=form, headers=headers)
    assert out.status_code == 303
    await log_in(client, wiki)
    assert (await send(client, "rollback", form)).status_code == 403


async def test_a_login_that_nobody_here_began_is_refused(
    client: httpx.AsyncClient, wiki: OAuthWiki
) -> None:
    address = await consent(client, wiki)
    client.cookies.clear()
    assert (await client.get(address)).status_code == 400
    await consent(client, wiki)
    wrong = await client.get(f"{urlsplit(address).path}?code=1&state=of-another")
    assert wrong.status_code == 400
    assert (await client.get("/oauth/hewiki/login")).status_code == 404


async def test_who_does_not_consent_comes_back_as_nobody(
    client: httpx.AsyncClient, wiki: OAuthWiki
) -> None:
    wiki.refuses = True
    back = await log_in(client, wiki)
    assert (back.status_code, back.headers["location"]) == (303, "/recent-changes?hidebots=1")
    assert not [name for name in client.cookies if name.startswith("revq_login")]


async def test_logging_out_forgets(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki
) -> None:
    await view.write(change(5))
    await log_in(client, wiki)
    form = await form_of(client)
    out = await client.post(
        "/oauth/enwiki/logout", data=form, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert out.status_code == 303
    assert "Pat" not in (await client.get("/recent-changes")).text
    assert (await send(client, "rollback", form)).status_code == 401


@pytest.mark.parametrize(
    "row", [change(5, deleted=True), change(5, user=None), change(5, kind="create", parent_id=0)]
)
async def test_what_cannot_be_rolled_back_is_not_found(
    client: httpx.AsyncClient, view: WritableView, wiki: OAuthWiki, api: Api, row
) -> None:
    await view.write(change(5))
    await log_in(client, wiki)
    form = await form_of(client)
    await view.write(row)
    assert (await send(client, "rollback", form)).status_code == 404
    assert api.done == []
