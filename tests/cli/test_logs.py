"""A line a happening: JSON for machines, text where a person looks, no secret in either."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from revision_quality.cli.logs import set_up_logs
from revision_quality.settings import Logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers, logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers = handlers
    logging.root.setLevel(level)


def test_a_line_is_json_with_the_ids_that_are_bound(capsys):
    set_up_logs()
    with bound_contextvars(request_id="r-1"):
        structlog.get_logger().warning("it is down", wiki_id="enwiki", event_id="e-1")

    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "it is down",
        "level": "warning",
        "request_id": "r-1",
        "event_id": "e-1",
        "wiki_id": "enwiki",
    }


def test_passwords_do_not_come_through_from_us_or_from_libraries(capsys):
    set_up_logs()
    url = "mariadb://revq:hunter2@db/revq"
    structlog.get_logger().error(f"cannot reach {url}", error=ValueError(url), place=url)
    logging.getLogger("some.library").warning("retrying %s", url)

    told = capsys.readouterr().err
    assert "hunter2" not in told
    assert told.count("mariadb://revq:***@db/revq") == 4


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_traceback_keeps_no_password_either(capsys, kind):
    set_up_logs(Logs(format=kind))
    try:
        int("mariadb://revq:hunter2@db/revq")
    except ValueError:
        structlog.get_logger().exception("it failed")

    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "hunter2" not in told


def test_the_settings_choose_text_and_the_level(capsys):
    set_up_logs(Logs(format="text", level="warning"))
    structlog.get_logger().info("not told")
    structlog.get_logger().warning("told", wiki_id="enwiki")

    told = capsys.readouterr().err
    assert "not told" not in told
    assert "told" in told
    assert "wiki_id=enwiki" in told
