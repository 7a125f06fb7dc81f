"""A client has so many tokens at once, and so many more in a second; nobody else's are taken."""

import pytest

from revision_quality.web.buckets import Buckets


class Now:
    moment = 0.0

    def __call__(self) -> float:
        return self.moment


def test_a_bucket_holds_so_many_and_fills_again():
    now = Now()
    buckets = Buckets(10, most=20, now=now)

    first = [buckets.take("a") for _ in range(20)]
    refused = buckets.take("a")
    other = buckets.take("b")
    now.moment = 0.1
    again = buckets.take("a")

    assert first == [0.0] * 20
    assert refused == pytest.approx(0.1)
    assert (other, again) == (0.0, 0.0)


def test_the_clients_that_are_remembered_are_bounded():
    now = Now()
    buckets = Buckets(0.5, most=1, kept=100, now=now)
    assert buckets.take("first") == 0.0
    assert buckets.take("first") > 0

    for number in range(100):
        buckets.take(f"client{number}")

    assert buckets.take("first") == 0.0


def test_a_client_may_go_on_after_a_while():
    now = Now()
    verdicts = Buckets(2 / 60, most=2, now=now)
    assert [verdicts.take("a"), verdicts.take("a")] == [0.0, 0.0]

    assert verdicts.take("a") == pytest.approx(30)
    now.moment = 29
    assert verdicts.take("a") == pytest.approx(1)
    now.moment = 31
    assert verdicts.take("a") == 0
