"""The audit of what is pinned says whether it could have found anything."""

import pytest
from scripts.audit import KNOWN, PINNED, audit

HOLE = {"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}
KNOWN_HOLE = {"name": "jinja2", "version": "2.10", "vulns": [HOLE]}
SKIPPED = {"name": "jinja2", "skip_reason": "not found"}
SOUND = {"name": "anyio", "version": "4.16.0", "vulns": []}


class Services:
    """Advisory services by name: what they say of KNOWN and of what is pinned."""

    def __init__(self, **said):
        self.said = said
        self.asked = []

    def ask(self, service, arguments):
        of_known, of_pinned = self.said.get(service, ([], []))
        is_pinned = str(PINNED) in arguments
        if not is_pinned:
            with open(arguments[-1]) as file:
                assert file.read().strip() == KNOWN
        self.asked.append((service, is_pinned))
        return of_pinned if is_pinned else of_known


@pytest.mark.parametrize(
    ("of_known", "of_pinned", "status", "told"),
    [
        ([KNOWN_HOLE], [SOUND], 0, "1 pinned packages: no known hole (pypi)"),
        ([KNOWN_HOLE], [SOUND, KNOWN_HOLE], 1, "jinja2 2.10: PYSEC-2019-217, mended in 2.10.1"),
        ([KNOWN_HOLE], [SOUND, SKIPPED], 1, "jinja2: not audited: not found"),
        ([KNOWN_HOLE], [], 1, "pypi does not answer any more"),
    ],
)
def test_a_hole_fails_the_audit(capsys, of_known, of_pinned, status, told):
    services = Services(pypi=(of_known, of_pinned))

    assert audit(services.ask) == status
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("of_known", [[], [SKIPPED], [SOUND]])
def test_where_nobody_knows_a_known_hole_nothing_is_audited_and_that_is_said(capsys, of_known):
    services = Services(pypi=(of_known, [SOUND]), osv=(of_known, [SOUND]))

    assert audit(services.ask) == 0
    assert capsys.readouterr().out.startswith("NOTHING WAS AUDITED")
    assert ("pypi", True) not in services.asked
    assert ("osv", True) not in services.asked


def test_the_second_service_is_asked_where_the_first_knows_nothing(capsys):
    services = Services(pypi=([SKIPPED], [SOUND]), osv=([KNOWN_HOLE], [KNOWN_HOLE]))

    assert audit(services.ask) == 1
    assert services.asked == [("pypi", False), ("osv", False), ("osv", True)]
