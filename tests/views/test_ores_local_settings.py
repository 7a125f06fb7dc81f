"""The lines for LocalSettings.php."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from revision_quality.levels.level import Level
from revision_quality.views.ores_local_settings import local_settings
from revision_quality.views.ores_policy import OresModel
from tests.views.ores_house import RISK

SHOW = (
    "$models = [ 'damaging', 'other', 'revertrisklanguageagnostic' ];"
    "foreach ( $wgHooks['ORESCheckModels'] as $hook ) { $hook( null, $models ); }"
    "echo json_encode( [ $wgOresModels, $wgOresModelVersions['models'],"
    " $wgOresFiltersThresholds, $models ] );"
)


def level(name: str, threshold: float) -> Level:
    return Level(
        name=name, threshold=threshold, precision=0.9, recall=0.1, flag_rate=0.01, target=""
    )


def as_php_reads(lines: str) -> Any:
    if shutil.which("php") is None:
        pytest.skip("PHP is not installed: run 'python3 -m scripts.mediawiki install' as root")
    done = subprocess.run(["php", "-r", lines + SHOW], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


LIKELY = level("likelybad", 0.83149)


@pytest.mark.parametrize(
    ("levels", "bound"),
    [
        ([level("maybebad", 0.5), LIKELY, level("verylikelybad", 0.95)], {"min": 0.831, "max": 1}),
        ([level("maybebad", 0.5), level("verylikelybad", 0.95)], {"min": 0.95, "max": 1}),
        ([level("maybebad", 0.5)], {"min": 0.5, "max": 1}),
        ([level("likelybad", 1.0)], {"min": 0.999, "max": 1}),
        ([level("likelygood", 0.1)], False),
        ([], False),
    ],
)
def test_the_filter_of_revert_risk_has_one_threshold(levels, bound):
    model = OresModel(RISK, "revertrisk", "it's \\ 2")

    models, versions, thresholds, fetched = as_php_reads(
        local_settings([model], {"revertrisk": levels})
    )

    assert models == {
        RISK: {"enabled": True},
        "damaging": {"enabled": False},
        "goodfaith": {"enabled": False},
    }
    assert versions == {RISK: {"version": "it's \\ 2"}}
    assert thresholds == {RISK: {"revertrisk": bound}}
    assert fetched == ["damaging", "other"]


def test_the_filters_of_an_older_release_have_four():
    model = OresModel("damaging", "revertrisk", "2")
    levels = [level("likelygood", 0.3), LIKELY, level("verylikelybad", 0.95)]

    models, _, thresholds, fetched = as_php_reads(local_settings([model], {"revertrisk": levels}))

    assert models == {"damaging": {"enabled": True}, "goodfaith": {"enabled": False}}
    assert thresholds["damaging"] == {
        "likelygood": {"min": 0, "max": 0.3},
        "maybebad": False,
        "likelybad": {"min": 0.831, "max": 1},
        "verylikelybad": {"min": 0.95, "max": 1},
    }
    assert fetched == ["other", RISK]
