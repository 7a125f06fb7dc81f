"""A request to a wiki ends with its answer or with one sentence, whatever the wiki does."""

import asyncio
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.errors import (
    NotAWikiError,
    WikiError,
    WikiRefusedError,
    WikiUnavailableError,
)
from revision_quality.wiki import client
from revision_quality.wiki.client import MAX_ANSWER_BYTES, USER_AGENT
from tests.events.examples import at
from tests.fakes import FakeClock
from tests.wiki.fake import URL, FakeApi, fixture, kept, response

GOOD = {"batchcomplete": True}
ERRORS = fixture("errors")
JSON = {"content-type": "application/json; charset=utf-8"}


async def test_a_request_says_what_it_wants_and_who_asks():
    wiki = FakeApi(GOOD)

    answer = await wiki.api().get(
        action="query", list=["a", "b"], limit=5, on=True, off=False, none=None
    )

    assert answer == GOOD
    (request,) = wiki.requests
    assert request.method == "GET"
    assert request.headers["user-agent"] == USER_AGENT
    assert "authorization" not in request.headers
    assert wiki.asked == [
        {
            "format": "json",
            "formatversion": "2",
            "maxlag": "5",
            "action": "query",
            "list": "a|b",
            "limit": "5",
            "on": "1",
        }
    ]


@pytest.mark.parametrize(
    ("values", "written"),
    [(["a", "b"], "a|b"), (["a|b", "c"], "\x1fa|b\x1fc"), ([7], "7"), ([], "")],
)
async def test_values_that_hold_the_separator_get_another(values, written):
    wiki = FakeApi(GOOD)

    await wiki.api().get(titles=values)

    assert wiki.asked[0]["titles"] == written


@pytest.mark.parametrize(
    ("names", "method"),
    [
        (["Alice"] * 50, "GET"),
        (["A long name of a user"] * 200, "POST"),
        (["Имя участника"] * 30, "POST"),
    ],
)
async def test_long_parameters_go_by_post(names, method):
    wiki = FakeApi(GOOD)

    await wiki.api().get(action="query", ususers=names)

    assert wiki.requests[0].method == method
    assert wiki.asked[0]["ususers"] == "|".join(names)
    assert len(str(wiki.requests[0].url)) < 4000


@pytest.mark.parametrize(
    "elsewhere", ["https://other.example", "http://wiki.example", "https://wiki.example:8443"]
)
async def test_an_access_token_is_sent_to_the_wiki_and_to_nobody_else(elsewhere):
    moved = httpx.Response(301, headers={"location": f"{elsewhere}/api.php"})
    wiki = FakeApi(moved, GOOD)
    api = wiki.api(access_token="secret")

    await api.get(action="query")
    await api.get(action="query")

    assert [request.headers.get("authorization") for request in wiki.requests] == [
        "Bearer secret",
        None,
        None,
    ]


async def test_an_access_token_goes_along_from_http_to_https():
    moved = httpx.Response(301, headers={"location": URL})
    wiki = FakeApi(moved, GOOD)
    api = wiki.api(url=URL.replace("https", "http"), access_token="secret")

    await api.get(action="query")
    await api.get(action="query")

    sent = [request.headers.get("authorization") for request in wiki.requests]
    assert sent == ["Bearer secret"] * 3


async def test_a_wiki_that_moved_is_asked_at_its_new_address():
    new = "https://wiki.example/new/api.php"
    wiki = FakeApi(httpx.Response(301, headers={"location": f"{new}?action=query"}), GOOD)
    api = wiki.api()

    await api.get(action="query")
    await api.get(action="query", titles="x" * 3000)

    assert api.api_url == new
    assert [str(request.url.copy_with(query=None)) for request in wiki.requests] == [URL, new, new]
    assert wiki.requests[-1].method == "POST"


async def test_a_wiki_that_was_elsewhere_for_a_while_is_asked_at_its_own_address_again():
    mirror = "https://mirror.example/api.php"
    away = httpx.Response(302, headers={"location": mirror})
    wiki = FakeApi(away, GOOD, httpx.Response(503), GOOD)
    api = wiki.api()

    await api.get(action="query")
    await api.get(action="query")

    asked = [str(request.url.copy_with(query=None)) for request in wiki.requests]
    assert asked == [URL, mirror, mirror, URL]


async def test_a_redirect_to_no_api_is_not_remembered():
    login = httpx.Response(302, headers={"location": "https://wiki.example/login"})
    page = response(ERRORS["page_instead_of_api"])
    wiki = FakeApi(login, page, GOOD)
    api = wiki.api()

    with pytest.raises(NotAWikiError):
        await api.get(action="query")

    assert api.api_url == URL


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(500),
        httpx.Response(503, text="<html>"),
        httpx.Response(429),
        response(ERRORS["broken_settings"]),
        response(ERRORS["maxlag"]),
        response(ERRORS["exception"]),
        httpx.Response(200, headers=JSON, text='{"query": {"pages"'),
        httpx.Response(200, headers=JSON, text=""),
        httpx.Response(200, headers=JSON, content=b'{"a": "\xff"}'),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        httpx.Response(302, headers={"location": URL}),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_failure_that_may_pass_is_tried_again_up_to_four_times(failure):
    wiki = FakeApi(failure)

    with pytest.raises(WikiUnavailableError, match=r"https://wiki\.example/w/api\.php"):
        await wiki.api().get(action="query")

    assert len(wiki.requests) >= 4

    once = FakeApi(failure, GOOD)
    assert await once.api().get(action="query") == GOOD


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (httpx.Response(503), "answers HTTP 503"),
        (response(ERRORS["maxlag"]), "answers maxlag: Waiting for a database server: 30 seconds"),
        (httpx.ConnectError("refused"), "cannot be reached: refused"),
        (httpx.ConnectError(""), "cannot be reached: ConnectError"),
        (httpx.ReadTimeout("slow"), "does not answer in time"),
        (httpx.Response(200, headers=JSON, text='{"que'), "sent a broken answer"),
    ],
)
async def test_a_failure_is_told_in_one_sentence(failure, text):
    with pytest.raises(WikiUnavailableError, match=text):
        await FakeApi(failure).api().get(action="query")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (response(ERRORS["page_instead_of_api"]), "but with text/html; charset=UTF-8: give the ad"),
        (response(ERRORS["help_page"]), "does not answer as a MediaWiki API"),
        (httpx.Response(200, content=b"hello"), "but with no content type"),
        (httpx.Response(404), "answers HTTP 404: give the address of the wiki's api.php"),
        (httpx.Response(403), "answers HTTP 403"),
        (httpx.Response(200, json=[]), "answers JSON, but not as a MediaWiki API"),
        (httpx.Response(200, text="null"), "answers JSON, but not as a MediaWiki API"),
        (httpx.Response(200, json="query"), "answers JSON, but not as a MediaWiki API"),
    ],
)
async def test_what_is_no_api_is_told_at_once(answer, text):
    wiki = FakeApi(answer)

    with pytest.raises(NotAWikiError, match=text):
        await wiki.api().get(action="query")

    assert len(wiki.requests) == 1


async def test_an_api_that_answered_before_is_only_away():
    maintenance = response(ERRORS["page_instead_of_api"])
    wiki = FakeApi(GOOD, maintenance)
    api = wiki.api()
    await api.get(action="query")

    with pytest.raises(WikiUnavailableError, match="does not answer as a MediaWiki API"):
        await api.get(action="query")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("unknown_action", "badvalue"),
        ("patrolled_without_right", "permissiondenied"),
        ("bad_continue", "badcontinue"),
        ("too_many_values", "toomanyvalues"),
        ("private", "readapidenied"),
    ],
)
async def test_what_the_wiki_refuses_is_not_asked_again(name, code):
    wiki = FakeApi(response(ERRORS[name]))

    with pytest.raises(WikiRefusedError, match=f"answers {code}: ") as caught:
        await wiki.api().get(action="query")

    assert caught.value.code == code
    assert len(wiki.requests) == 1


async def test_a_warning_is_no_error():
    answer = await FakeApi(response(ERRORS["unknown_property"])).api().get(action="query")

    assert "recentchanges" in answer["query"]


@pytest.mark.parametrize("error", ["text", None, 5, [], {}])
async def test_an_error_of_any_shape_is_refused(error):
    with pytest.raises(WikiRefusedError, match="answers unknown"):
        await FakeApi({"error": error}).api().get(action="query")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        (format_datetime(at(20), usegmt=True), 20),
        (format_datetime(at(-20), usegmt=True), 0),
        ("86400", 3600),
        ("9" * 500, 3600),
        (format_datetime(at(86_400), usegmt=True), 3600),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("Mon, 23 Nov 2026 08:00:20 -0000", None),
    ],
)
async def test_the_wiki_says_how_long_to_wait(value, seconds):
    busy = httpx.Response(429, headers={"retry-after": value})

    with pytest.raises(WikiUnavailableError) as caught:
        await FakeApi(busy).api(FakeClock()).get(action="query")

    assert caught.value.retry_after == seconds


async def test_who_asks_to_wait_long_is_not_asked_again_at_once():
    wiki = FakeApi(httpx.Response(503, headers={"retry-after": "31"}))

    with pytest.raises(WikiUnavailableError) as caught:
        await wiki.api().get(action="query")

    assert (len(wiki.requests), caught.value.retry_after) == (1, 31)


async def test_an_answer_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(client, "MAX_ANSWER_BYTES", 1000)
    wiki = FakeApi(httpx.Response(200, headers=JSON, content=b" " * 1001))

    with pytest.raises(WikiUnavailableError, match="sent more than 1000 bytes in one answer"):
        await wiki.api().get(action="query")
    assert MAX_ANSWER_BYTES > 8 * 2**20


async def test_a_query_is_continued_to_its_end():
    pages = fixture("revisions_truncated")
    wiki = FakeApi(handler=kept([response(page) for page in pages]))

    answers = [
        answer async for answer in wiki.api().query(prop="revisions", revids=[19, 20, 21, 22, 23])
    ]

    assert [answer["query"] for answer in answers] == [page["body"]["query"] for page in pages]
    assert "rvcontinue" not in wiki.asked[0]
    assert (wiki.asked[1]["rvcontinue"], wiki.asked[1]["continue"]) == ("23", "||")
    assert wiki.asked[1]["revids"] == "19|20|21|22|23"


async def test_at_most_so_many_requests_are_under_way():
    now, most = 0, 0

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return httpx.Response(200, json=GOOD)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    api = client.ActionApi(URL, http, slots=2)
    await asyncio.gather(*(api.get(action="query") for _ in range(10)))

    assert most == 2


@given(st.binary(max_size=60), st.sampled_from(["application/json", "text/html", ""]))
async def test_any_answer_is_an_object_or_a_wiki_error(body, content_type):
    wiki = FakeApi(httpx.Response(200, headers={"content-type": content_type}, content=body))
    try:
        answer = await wiki.api().get(action="query")
    except WikiError as error:
        assert "wiki.example" in str(error)  # noqa: PT017 (an object is as good an answer)
    else:
        assert isinstance(answer, dict)
