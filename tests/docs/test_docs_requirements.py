"""The page on needs names tests that exist, or says plainly that a need is not covered."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from doc_pages import ROOT

PAGE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| R")
]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def _defined(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_need_has_one_row_in_order() -> None:
    assert [row[0] for row in ROWS] == [f"R{number}" for number in range(1, 42)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_need_is_kept_by_a_test_that_exists_or_said_to_be_open(row: list[str]) -> None:
    _, _, answer, kept_by = row

    if answer.startswith("not covered: "):
        assert not kept_by
        return
    named = TEST.fullmatch(kept_by)
    assert named is not None
    assert named[2] in _defined(ROOT / named[1])


def test_every_test_that_the_page_names_anywhere_is_defined() -> None:
    gone = [
        f"{path}::{name}"
        for path, name in re.findall(r"(tests/[\w/.]+\.py)(?:::(\w+))?", PAGE)
        if not (ROOT / path).is_file() or (name and name not in _defined(ROOT / path))
    ]

    assert not gone


def test_the_page_counts_what_it_shows() -> None:
    n_open = sum(row[2].startswith("not covered: ") for row in ROWS)
    n_partly = sum("partly: " in row[2] for row in ROWS)

    whole = len(ROWS) - n_open - n_partly
    assert f"Of {len(ROWS)} needs {whole} are answered, {n_partly} partly, {n_open} not." in PAGE
