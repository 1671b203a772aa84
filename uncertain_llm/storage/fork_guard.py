"""Lets a program fork while a log is open: connections are closed before and opened anew after.

SQLite keeps the locks of a file per process and cannot know about a fork. A child that merely
leaves an inherited connection alone is not safe: what it opens itself shares SQLite's inherited
bookkeeping, so it believes in locks that only the parent holds. When the parent then closes
the file, it deletes the journal the child writes to, and the child's rows are gone ("How To
Corrupt An SQLite Database File", section 2.6). So nothing is open at the moment of the fork.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol

__all__ = ["Forkable", "guard"]


class Forkable(Protocol):
    """Something with connections that must not be open during a fork."""

    def before_fork(self) -> None:
        """Wait until no connection is in use, close what a child must not inherit, keep waiting."""
        ...

    def after_fork(self, *, in_child: bool) -> None:
        """Go on; called in both processes after `before_fork`."""
        ...


_guarded: weakref.WeakSet[Forkable] = weakref.WeakSet()
_paused: list[Forkable] = []
# Held through a fork: two threads that fork at once would wait for each other's logs.
_forking = threading.RLock()


def guard(log: Forkable) -> None:
    """Call the log around every `os.fork` of this process, for as long as the log lives."""
    with _forking:
        _guarded.add(log)


def _before() -> None:
    _forking.acquire()
    for log in list(_guarded):
        log.before_fork()
        _paused.append(log)


def _after_in_parent() -> None:
    _resume(in_child=False)


def _after_in_child() -> None:
    _resume(in_child=True)


def _resume(*, in_child: bool) -> None:
    try:
        while _paused:
            _paused.pop().after_fork(in_child=in_child)
    finally:
        _forking.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
