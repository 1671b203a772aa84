"""Counting machine instructions: what it reads from callgrind, and what it does without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from instructions import NOTHING, RAW, main, totals_in


def test_without_valgrind_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.argv", ["instructions.py"])

    assert main() == 2
    assert "install it" in capsys.readouterr().out


def test_a_count_is_taken_by_the_name_it_was_written_down_under(tmp_path: Path) -> None:
    """The last file, written when the process ends, is about the end of the process."""
    written = {"1": f"dump {NOTHING}", "2": f"dump {RAW}", "3": "Program termination"}
    for number, trigger in written.items():
        text = f"version: 1\ndesc: Trigger: {trigger}\nsummary: 7\n\ntotals: {number}000\n"
        (tmp_path / f"counted.{number}").write_text(text)

    assert totals_in(tmp_path) == {NOTHING: 1000, RAW: 2000}
