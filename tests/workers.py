"""How pytest-xdist parts the tests: by file, and two groups of those that start many processes.

A group's tests run one after another in one worker: they would starve each other.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    **dict.fromkeys(("bulk", "cli"), "verbs"),
    **dict.fromkeys(("faults", "flink", "streams"), "servers"),
}
"""The group of a folder. The large ones, these, are given out first."""


class Groups(LoadScopeScheduling):
    """Gives a worker all tests of a group, one after another."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        _, folder, *_ = file.split("/")
        return GROUPS.get(folder, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    return Groups(config, log)
