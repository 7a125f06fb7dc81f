"""The editor's level has MediaWiki's limits: $wgLearnerEdits and its like."""

from datetime import timedelta

import pytest

from revision_quality.events.page_change import UserEntity
from revision_quality.views.change import UserLevel
from revision_quality.views.user_level import user_level
from tests.events.examples import at

NOW = at(0)


def account(edits: int | None, days: float | None) -> UserEntity:
    return UserEntity(
        user_text="Alice",
        user_id=7,
        groups=("*", "user"),
        edit_count=edits,
        registration_dt=None if days is None else NOW - timedelta(days=days),
    )


@pytest.mark.parametrize(
    ("edits", "days", "level"),
    [
        (0, 0, UserLevel.NEWCOMER),
        (9, 1000, UserLevel.NEWCOMER),
        (1000, 3.99, UserLevel.NEWCOMER),
        (10, 4, UserLevel.LEARNER),
        (499, 1000, UserLevel.LEARNER),
        (1000, 29.99, UserLevel.LEARNER),
        (500, 30, UserLevel.EXPERIENCED),
        (100_000, 7000, UserLevel.EXPERIENCED),
        (None, 1000, UserLevel.REGISTERED),
        (1000, None, UserLevel.REGISTERED),
    ],
)
def test_an_accounts_level_follows_its_edits_and_its_age(edits, days, level):
    assert user_level(account(edits, days), NOW) is level


@pytest.mark.parametrize(
    ("user", "level"),
    [
        (None, UserLevel.REGISTERED),
        (UserEntity(user_text="127.0.0.1", groups=("*",)), UserLevel.UNREGISTERED),
        (UserEntity(user_text="127.0.0.1", user_id=0), UserLevel.UNREGISTERED),
        (UserEntity(user_text="~2026-1", user_id=9, is_temp=True), UserLevel.UNREGISTERED),
        (UserEntity(user_text="en>Bob", groups=("*", "user")), UserLevel.REGISTERED),
    ],
)
def test_who_has_no_account_is_unregistered_and_who_is_unknown_is_registered(user, level):
    assert user_level(user, NOW) is level
