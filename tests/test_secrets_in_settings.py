"""A settings file names its secrets and does not hold them."""

import pytest

from revision_quality.errors import SettingsError
from revision_quality.secrets_in_settings import with_secrets
from revision_quality.settings import load_settings

ENVIRONMENT = {"PASSWORD": "p@ss/word:1"}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            {"changes_view": {"url": "mariadb://revq:${PASSWORD}@db/revq"}},
            {"changes_view": {"url": "mariadb://revq:p%40ss%2Fword%3A1@db/revq"}},
        ),
        ({"streams": {"url": "${PASSWORD}"}}, {"streams": {"url": "p@ss/word:1"}}),
        (
            {"streams": {"options": {"sasl.password": "${PASSWORD}", "retries": 3}}},
            {"streams": {"options": {"sasl.password": "p@ss/word:1", "retries": 3}}},
        ),
        (
            {"wikis": [{"ores_tables": {"database": "mysql://u:${PASSWORD}@h/d"}}]},
            {"wikis": [{"ores_tables": {"database": "mysql://u:p%40ss%2Fword%3A1@h/d"}}]},
        ),
        ({"model": {"match": {"title": "/^${PASSWORD}$/"}}},) * 2,
    ],
)
def test_addresses_and_options_get_their_secrets(values, found):
    assert with_secrets(values, ENVIRONMENT) == found


def test_a_secret_may_lie_in_a_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("s3cret\n")

    found = with_secrets({"score_store": {"url": f"cassandra://u:${{file:{file}}}@h/k"}}, {})

    assert found == {"score_store": {"url": "cassandra://u:s3cret@h/k"}}


def test_a_secret_that_is_not_there_is_told_by_its_key(tmp_path):
    file = tmp_path / "revq.toml"
    file.write_text('[changes_view]\nurl = "mariadb://u:${REVQ_ABSENT}@h/d"\n')
    with pytest.raises(SettingsError, match=r"changes_view\.url: .*REVQ_ABSENT is not set"):
        load_settings(file)
    with pytest.raises(SettingsError, match=r"wikis\[0\]\.ores_tables\.database: the secret in"):
        with_secrets({"wikis": [{"ores_tables": {"database": "x://${file:/no/such}"}}]}, {})
