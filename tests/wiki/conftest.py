from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retry as often as in earnest, but without waiting."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield
