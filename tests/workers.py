"""How pytest-xdist parts the tests: by file, and two groups of those that start many processes.

A group's tests run one after another in one worker: they would starve each other. What takes
longest is given out first, so that at the end no worker is left alone with it.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    **dict.fromkeys(("bulk", "cli"), "verbs"),
    **dict.fromkeys(("faults", "flink", "streams"), "servers"),
}
"""The group of a folder."""

LONGEST = ("servers", "verbs", "e2e", "views", "training", "web")
"""Groups and folders by what their longest file takes; all others after them."""


class Groups(LoadScopeScheduling):
    """Gives a worker all tests of a group, one after another."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        return GROUPS.get(_folder(file), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    # Else those of most tests come first, which are not those that take longest.
    config.option.loadscopereorder = False
    return Groups(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    folder = _folder(nodeid)
    name = GROUPS.get(folder, folder)
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def _folder(nodeid: str) -> str:
    return nodeid.split("/")[1]
