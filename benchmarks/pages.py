"""Puts what was measured into the pages: a marked block holds a table and nothing else.

<!-- measured: NAME -->
...
<!-- end of NAME -->
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
_BLOCK = re.compile(
    r"^<!-- measured: (?P<name>[\w, ]+) -->\n(?P<body>.*?)^<!-- end of (?P=name) -->$",
    re.MULTILINE | re.DOTALL,
)


def names_in(text: str) -> list[str]:
    """Return the names of a page's marked blocks, in order."""
    return [match["name"] for match in _BLOCK.finditer(text)]


def with_blocks(text: str, blocks: Mapping[str, str]) -> str:
    """Return a page with the marked blocks that were measured replaced; others stay.

    An empty line is put around each: Markdown takes a comment right above a table for a part of it.
    """

    def replaced(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in blocks:
            return match[0]
        return f"<!-- measured: {name} -->\n\n{blocks[name].strip()}\n\n<!-- end of {name} -->"

    return _BLOCK.sub(replaced, text)


def write_blocks(blocks: Mapping[str, str], docs: Path = DOCS) -> list[str]:
    """Write measured blocks into the pages and return the names of the pages that changed.

    Raises:
        KeyError: A block has no place in any page: its table would be lost without a word.
    """
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(docs.glob("*.md"))}
    placed = {name for text in pages.values() for name in names_in(text)}
    if homeless := sorted(set(blocks) - placed):
        raise KeyError(f"no page has a place for: {', '.join(homeless)}")
    changed = []
    for path, text in pages.items():
        new = with_blocks(text, blocks)
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path.name)
    return changed
