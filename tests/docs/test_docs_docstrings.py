"""What the docstrings of the rooms that reckon must say."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator

import pytest

import uncertain_llm

ROOMS = ("stats", "calibration", "policy")
NAMES = [
    module.name
    for module in pkgutil.walk_packages(uncertain_llm.__path__, "uncertain_llm.")
    if module.name.split(".")[1] in ROOMS and not module.ispkg
]
# They check or convert what they are given and compute nothing.
WITHOUT_ARGUMENTS_SECTION = {"check_same_length", "check_unit_open"}


def _functions(module: str) -> Iterator[Callable[..., object]]:
    loaded = importlib.import_module(module)
    for name in loaded.__all__:
        found = inspect.unwrap(getattr(loaded, name))
        if inspect.isfunction(found) and found.__module__ == module:
            yield found


def _raises(function: Callable[..., object]) -> bool:
    tree = ast.parse(inspect.getsource(function))
    return any(isinstance(node, ast.Raise) for node in ast.walk(tree))


@pytest.mark.parametrize("module", NAMES)
def test_a_public_function_says_what_it_takes_and_raises_and_shows_an_example(module: str) -> None:
    for function in _functions(module):
        text = inspect.getdoc(function) or ""

        assert ">>> " in text, f"{function.__name__} shows no example"
        if _raises(function):
            assert "Raise" in text, f"{function.__name__} does not say what it raises"
        if function.__name__ not in WITHOUT_ARGUMENTS_SECTION:
            for name in inspect.signature(function).parameters:
                assert f"    {name}: " in text, f"{function.__name__} does not explain {name}"
