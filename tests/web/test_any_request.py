"""Whatever is asked, and however wrongly, is answered: no server error, no hang.

Requests are made by schemathesis from the API's own document, right and wrong ones, and sent over
HTTP to a real server.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import BaseSchema, Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from revision_quality.events.stream_config import stream_configs
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.views.database import Database
from revision_quality.web import (
    event_operations,
    lift_wing_operations,
    openapi,
    ores,
    page_operations,
    scores,
)
from revision_quality.web.api import Extra
from revision_quality.web.event_gate import EventGate, event_gate_routes
from revision_quality.web.operation import Operation
from tests.events.examples import page_change
from tests.recent_changes.examples import change as row
from tests.web.api_house import LIFT_WING, api_house
from tests.web.conftest import WritableView, _serve

OPERATIONS = [
    *(one for one in page_operations.OPERATIONS if not one.path.endswith("/events")),
    *scores.OPERATIONS,
    *lift_wing_operations.OPERATIONS,
    *ores.OPERATIONS,
    *openapi.OPERATIONS,
    *event_operations.EVENT_GATE,
]
"""All but the streams of events, which have no end."""

KNOWN = {"name": LIFT_WING, "wiki_id": "enwiki", "model": ores.MODEL}
SECONDS = 60


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in a thread of its own, all protocols on."""
    started: Future[tuple[str, asyncio.Event, asyncio.AbstractEventLoop]] = Future()
    folder = tmp_path_factory.mktemp("any_request")

    async def run() -> None:
        view = WritableView(Database(f"sqlite:///{folder}/views.sqlite"))
        async with SqliteStreams(folder / "gate.sqlite") as streams:
            gate = event_gate_routes(EventGate(streams, stream_configs()))
            extra = [Extra(gate, event_operations.EVENT_GATE)]
            async with api_house(folder, view, extra=extra) as house, _serve(house.app) as url:
                house.has(page_change("create", 1), page_change(rev_id=12345))
                await view.write(row(5), row(6, deleted=True))
                stop = asyncio.Event()
                started.set_result((url, stop, asyncio.get_running_loop()))
                await stop.wait()
        await view.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    url, stop, loop = started.result(120)
    yield url
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)


@pytest.fixture(scope="module")
def api(address: str) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{address}/openapi.json")


def can_be_wrong(operation: Operation) -> bool:
    """Whether a request can break its schema: any text is a name, or a form."""
    parameters = [one for one in operation.parameters if one.place == "query" or one.kind is int]
    has_kind_of_body = operation.body is not None and operation.body.kinds != (str,)
    return bool(parameters) or has_kind_of_body


def is_foreseen(answer: Response) -> bool:
    """Whether it is EventGate's 500: no event is accepted, and it may be no fault of theirs."""
    return answer.status_code == 500 and isinstance(answer.json()["error"], list)


@pytest.mark.parametrize(
    ("operation", "mode"),
    [
        *((one, GenerationMode.POSITIVE) for one in OPERATIONS),
        *((one, GenerationMode.NEGATIVE) for one in OPERATIONS if can_be_wrong(one)),
    ],
    ids=lambda value: value.id if isinstance(value, Operation) else value.value,
)
def test_it_is_answered(api: BaseSchema, operation: Operation, mode: GenerationMode) -> None:
    cases = api[operation.template][operation.method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=60 if operation.body else 20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.booleans())
    def is_answered(case: Case, named: bool) -> None:
        if named:
            case.path_parameters |= {
                name: known for name, known in KNOWN.items() if name in case.path_parameters
            }
        answer = case.call(timeout=SECONDS)
        checks = [
            response_schema_conformance,
            *([] if is_foreseen(answer) else [not_a_server_error]),
        ]
        case.validate_response(answer, checks=checks)

    is_answered()
