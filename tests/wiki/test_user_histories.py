"""A user's past is counted up to the edit, whatever order the edits come in."""

import resource
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revision_quality.errors import StoreError
from revision_quality.wiki.user_histories import UserHistories, UserHistory
from tests.training.histories.make import START

EDITS = st.lists(st.tuples(st.sampled_from(["Ana", "Ben", "Cid"]), st.integers(0, 9)), min_size=1)


@given(EDITS)
@settings(max_examples=30)
def test_prior_edits_and_first_seen(edits):
    with UserHistories() as users:
        for user, hour in edits:
            users.add(user, START + timedelta(hours=hour))
        users.finish()

        for user, hour in edits:
            own = [at for name, at in edits if name == user]
            assert users.look_up(user, START + timedelta(hours=hour)) == UserHistory(
                sum(at < hour for at in own), START + timedelta(hours=min(own))
            )


def test_a_user_without_edits_is_first_seen_then():
    with UserHistories() as users:
        users.finish()

        assert users.look_up("Nobody", START) == UserHistory(0, START)


def test_a_full_disk_is_told():
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with UserHistories() as users:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            for second in range(20_000):
                users.add(f"User {second}", START + timedelta(seconds=second))
            with pytest.raises(StoreError, match=r"cannot be counted in .*TMPDIR"):
                users.finish()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
