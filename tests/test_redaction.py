"""Passwords do not come out; what is no secret stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.redaction import redacted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("views database mariadb://revq:s3cret@db:3306/revq", "mariadb://revq:***@db"),
        ("kafka://user:p/w@host:9092 and postgresql+psycopg://a:b@c/d", "psycopg://a:***@c/d"),
        ("sasl.password = hunter2, retries=3", "sasl.password = ***, retries=3"),
        ("https://x.example/?token=abc&lang=en", "?token=***&lang=en"),
        ("Authorization: Bearer abcdefgh12345", "Bearer ***"),
        ('{"password": "hunter2", "user": "revq"}', '{"password": ***, "user": "revq"}'),
    ],
)
def test_secrets_are_hidden(text, told):
    assert told in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://wiki.example:8443/w/api.php answers HTTP 503",
        "mailto me@example.org: 10:30, a@b",
        "its access token (access_token_env) is not set",
        "sqlite:////srv/revq/changes.sqlite is in use",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


@given(
    st.text(
        alphabet=st.characters(
            codec="ascii", exclude_characters=" /@?#'\"\n\r\t\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0"
        ),
        min_size=6,
    )
)
def test_no_password_of_an_address_survives(password):
    assert f":{password}@" not in redacted(f"cannot reach mariadb://revq:{password}@db/revq") or (
        password == "***"
    )
