"""HTTP without a network, no keys, and what litellm does to warnings, in any order of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import respx
from played_http import played_http

# Some types of litellm 1.105 make pydantic warn when they are first used. litellm silences that
# for itself at import, but pytest forgets it with the test in which the import happened.
# litellm 1.83 writes its own log in tasks that the end of a loop leaves unstarted.
_IGNORED = (
    "ignore:Items? '.*' on TypedDict class:UserWarning",
    "ignore:coroutine 'Logging.async_success_handler' was never awaited:RuntimeWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for warning in _IGNORED:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture
def http() -> Iterator[respx.MockRouter]:
    with played_http(assert_all_called=False) as mock:
        yield mock


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
