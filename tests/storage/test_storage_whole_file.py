"""A file appears whole or not at all; what is no file is written as it comes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from uncertain_llm.storage.whole_file import whole_file

posix = pytest.mark.skipif(os.name == "nt", reason="needs pipes and links with a name")


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    with whole_file(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_text() == "old"

    assert path.read_text() == "new"


def test_an_error_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def stopped() -> None:
        with whole_file(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()

    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_an_interrupt_that_comes_with_the_file_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python looks for signals when `os.open` returns, before its result has a name."""
    opened = os.open

    def open_and_interrupt(path: Path, flags: int, mode: int) -> int:
        os.close(opened(path, flags, mode))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", open_and_interrupt)
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "a.txt"):
        pass

    assert list(tmp_path.iterdir()) == []


@posix
def test_a_pipe_with_a_name_is_written_and_stays_a_pipe(tmp_path: Path) -> None:
    path, read = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_text()), daemon=True)
    reader.start()

    with whole_file(path) as stream:
        stream.write(b"through")

    reader.join(timeout=10)
    assert read == ["through"]
    assert path.is_fifo()


@posix
def test_what_the_shell_appends_to_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "all.txt"
    path.write_text("before ")
    with path.open("ab") as opened, whole_file(Path(f"/dev/fd/{opened.fileno()}")) as stream:
        stream.write(b"after")

    assert path.read_text() == "before after"


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with whole_file(tmp_path / "link") as stream:
        stream.write(b"x")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "x"


@posix
def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.txt", is_private=True) as stream:
        stream.write(b"x")

    assert (tmp_path / "a.txt").stat().st_mode & 0o077 == 0
