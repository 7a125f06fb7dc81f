"""A stop ends in time even where what it waits for does not answer."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.service import Service
from tests.servers.databases import RealServer, server
from tests.servers.wikis import serving_wikis

STOP_SECONDS = 2.0


@contextmanager
def frozen(database: RealServer) -> Iterator[None]:
    """Take the processor from a database: its connections stay open and say nothing."""
    pid = int((database.folder / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.database
def test_a_database_that_does_not_answer_keeps_no_process(tmp_path):
    with server("mariadb", syncs=False) as mariadb, serving_wikis(["awiki"], 10, 10.0) as wikis:
        settings = tmp_path / "revq.toml"
        settings.write_text(
            f'stop_seconds = {STOP_SECONDS}\ndata_folder = "data"\n[web]\nport = 0\n'
            f'[[wikis]]\napi = "{wikis}/awiki/api.php"\n'
            f'[changes_view]\nurl = "{mariadb.new_url()}"\n'
        )
        with Service("run", settings) as service:
            service.until(lambda: service.get("/readyz").is_success)
            with frozen(mariadb):
                time.sleep(STOP_SECONDS)
                status = service.stop()

            assert status == 0
            assert "something does not end" in service.log
