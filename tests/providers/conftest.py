"""What litellm does to warnings, in whatever order the files run."""

from __future__ import annotations

from pathlib import Path

import pytest

# Some types of litellm 1.105 make pydantic warn when they are first used. litellm silences that
# for itself at import, but pytest forgets it with the test in which the import happened.
_IGNORED = "ignore:Item '.*' on TypedDict class:UserWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings(_IGNORED))
