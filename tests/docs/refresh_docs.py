"""Writes the real output of console and text blocks into the pages: run it, then read the diff.

    python tests/docs/refresh_docs.py

An output that begins with a line `...` keeps as many of the last lines as it shows, one that ends
with it as many of the first; `...` between stands for one line.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path

# As pytest has them: this folder, and the one above it with what all tests share.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from doc_pages import ROOT, Block, PageRun, blocks_of, run_block, shows


def main() -> None:
    """Refresh all pages that show something else than what comes out."""
    # Without a handler Python prints log records into the output of whatever runs just then.
    logging.getLogger().addHandler(logging.NullHandler())
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in [*pages, ROOT / "policies" / "README.md"]:
        if page.name != "benchmarks.md":
            _refresh(page)


def _refresh(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    run = PageRun(page.name)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for block in blocks_of(text):
            run_block(run, block)
        os.chdir(ROOT)
    for block, actual in reversed(run.outputs):
        if not shows(block, actual):
            text = text[: block.start] + _cut(block, actual) + text[block.end :]
            sys.stdout.write(f"{page.name} line {block.line}: refreshed\n")
    page.write_text(text, encoding="utf-8")


def _cut(block: Block, actual: str) -> str:
    """Return the new output with as many lines cut as the page cuts now, command by command."""
    old, new = _by_command(block.body), _by_command(actual)
    lines: list[str] = []
    for (command, shown), (_, output) in zip(old, new, strict=True):
        lines += command
        if not shown or "..." not in shown:
            lines += output if shown else []
            continue
        first, after = shown.index("..."), len(shown) - shown.index("...") - 1
        if shown[-1] == "...":
            kept = zip(shown[:-1], output, strict=False)
            lines += [*(new if old != "..." else old for old, new in kept), "..."]
        else:
            lines += [*output[:first], "...", *output[-after:]]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _by_command(body: str) -> list[tuple[list[str], list[str]]]:
    parts: list[tuple[list[str], list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            parts.append(([line], []))
        else:
            if not parts:
                parts.append(([], []))
            parts[-1][1].append(line)
    return parts


if __name__ == "__main__":
    main()
