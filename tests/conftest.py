"""No test may leave this machine, not even one whose error is swallowed on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from uncertain_llm.testing import forbid_network


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    with forbid_network() as refused:
        yield
    assert not refused, f"the test tried to reach {refused}"
