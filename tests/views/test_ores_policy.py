"""Which models a block of the settings names."""

import pytest

from revision_quality.errors import SettingsError
from revision_quality.ores_tables_block import OresTablesBlock
from revision_quality.views.ores_policy import OresModel, models_of
from tests.views.ores_house import RISK

VERSIONS = {"revertrisk": "2", "other": "v" * 33}


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ({}, [OresModel(RISK, "revertrisk", "2")]),
        ({"damaging": "revertrisk"}, [OresModel("damaging", "revertrisk", "2")]),
        (
            {RISK: "revertrisk", "reverted": "revertrisk"},
            [OresModel(RISK, "revertrisk", "2"), OresModel("reverted", "revertrisk", "2")],
        ),
    ],
)
def test_the_first_model_is_shown_unless_others_are_named(models, expected):
    assert models_of(OresTablesBlock(database="sqlite://", models=models), VERSIONS) == expected


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ({"goodfaith": "revertrisk"}, "models.goodfaith: the extension shows no such risk"),
        ({"Damaging": "revertrisk"}, "models.Damaging: the extension shows no such risk"),
        ({RISK: "absent"}, "there is no model 'absent'; known are revertrisk, other"),
        ({RISK: "other"}, "has more than 32 characters"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_sentence(models, told):
    with pytest.raises(SettingsError, match=told):
        models_of(OresTablesBlock(database="sqlite://", models=models), VERSIONS)
