"""How many of something there are, in words."""

from __future__ import annotations

__all__ = ["counted"]


def counted(n: int, noun: str) -> str:
    """Return how many of something there are; nouns whose plural is an s alone.

    Example:
        >>> counted(1, "labelled question"), counted(20, "row")
        ('1 labelled question', '20 rows')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
