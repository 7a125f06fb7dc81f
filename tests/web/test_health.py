"""What tells those that start and stop processes how a process is."""

import httpx

from revision_quality.web.health import Readiness, WikiLag, health_app


def client(readiness: Readiness) -> httpx.AsyncClient:
    async def ask() -> Readiness:
        return readiness

    transport = httpx.ASGITransport(app=health_app(ask))
    return httpx.AsyncClient(transport=transport, base_url="http://revq")


async def test_who_is_ready_says_what_it_does():
    lag = WikiLag(collecting_seconds=1.5, waiting=3, scoring_seconds=2.0)
    async with client(
        Readiness(ready=True, roles={"score": "working"}, wikis={"my_wiki": lag})
    ) as asking:
        answer = await asking.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "roles": {"score": "working"},
        "problems": [],
        "wikis": {
            "my_wiki": {
                "collecting_seconds": 1.5,
                "waiting": 3,
                "scoring_seconds": 2.0,
                "problem": None,
            }
        },
        "unreachable": {},
    }


async def test_who_is_not_ready_says_why_and_lives():
    async with client(Readiness(ready=False, problems=("the process is ending",))) as asking:
        answer = await asking.get("/readyz")
        alive = await asking.get("/healthz")

    assert (answer.status_code, answer.json()["problems"]) == (503, ["the process is ending"])
    assert (alive.status_code, alive.json()) == (200, {"alive": True})
