"""The few functions of one number that a request needs; importing them costs no numpy."""

from __future__ import annotations

import math

__all__ = ["sigmoid_of"]


def sigmoid_of(value: float) -> float:
    """Return 1 / (1 + exp(-value)) of one number, without overflow and without numpy.

    Args:
        value: Any finite or infinite number.

    Returns:
        In [0, 1].

    Example:
        >>> sigmoid_of(0.0), sigmoid_of(-1000.0)
        (0.5, 0.0)
    """
    if value >= 0.0:
        return 1.0 / (1.0 + math.exp(-value))
    small = math.exp(value)
    return small / (1.0 + small)
