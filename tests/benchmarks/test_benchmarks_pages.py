from __future__ import annotations

from pathlib import Path

import pytest
from pages import DOCS, names_in, with_blocks, write_blocks

PAGE = "Before.\n\n<!-- measured: one -->\n\nold\n\n<!-- end of one -->\n\nAfter.\n"


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    assert with_blocks(PAGE, {"one": "| new |"}) == PAGE.replace("old", "| new |")


def test_a_block_that_was_not_measured_stays() -> None:
    assert with_blocks(PAGE, {"two": "new"}) == PAGE


def test_a_table_that_no_page_has_a_place_for_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)

    with pytest.raises(KeyError, match="no page has a place for: two"):
        write_blocks({"one": "new", "two": "new"}, tmp_path)

    assert (tmp_path / "page.md").read_text() == PAGE


def test_no_name_stands_in_the_pages_twice() -> None:
    names = [name for page in DOCS.glob("*.md") for name in names_in(page.read_text())]

    assert len(names) == len(set(names)) > 10
