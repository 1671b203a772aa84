"""When another reply is worth its price: a table, made once by backward induction."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Annotated, TypeVar

from pydantic import Field

from uncertain_llm.core.base import Value
from uncertain_llm.core.confidence import Measurement
from uncertain_llm.core.ports import Estimator

__all__ = ["STATED_EDGES", "StoppingTable", "next_agrees", "probability_at", "stopping_table"]

AGREEMENT, LEXICAL, STATED = "answer_agreement", "lexical_agreement", "stated_probability"

STATED_EDGES = (0.55, 0.75, 0.85, 0.925, 0.965, 0.985)
"""Edges between the bins of stated probabilities; models mostly state 80 to 100 %, in steps."""

_BIN_VALUES = (0.4, 0.65, 0.8, 0.9, 0.95, 0.97, 0.99)

_Known = TypeVar("_Known")


class StoppingTable(Value):
    """Whether another reply is worth its price, by state. Pure data; made by `stopping_table`.

    A state is the number of replies, how many of them agree, and the bin of what they state.
    """

    name: str
    n_max: Annotated[int, Field(ge=1)]
    """Replies that the table knows; from there on it always stops."""
    go_on: tuple[tuple[tuple[bool, ...], ...], ...]
    """[n - 1][agreeing - 1][bin]; bin 0 is "not stated", then those between `STATED_EDGES`."""

    @cached_property
    def digest(self) -> str:
        """A short hash of the whole table; part of the fingerprint."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def asks_again(self, counted: int, agreeing: int, stated: float | None) -> bool:
        """Tell whether another reply is worth its price.

        Args:
            counted: Replies so far, at least 1.
            agreeing: Those that agree with the answer, 1 <= agreeing <= counted.
            stated: What they state on average, in [0, 1], or None.

        Returns:
            False from `n_max` replies on.
        """
        if counted >= self.n_max:
            return False
        if counted < 1 or agreeing < 1:
            return True
        return self.go_on[counted - 1][agreeing - 1][_bin(stated)]


def stopping_table(
    probability: Callable[[int, int, float | None], _Known],
    loss: Callable[[_Known], float],
    *,
    n_max: int,
    price: float,
    agrees: Callable[[int, int, float | None], float] | None = None,
    name: str = "table",
) -> StoppingTable:
    """Return the table that loses least, what further replies cost included.

    Backward induction: at the last reply the loss is that of the best action; before, it is the
    smaller of stopping and of the price of one more reply plus what is expected after it. It
    looks all the way to the last reply: one more alone often changes nothing where three would.
    What the replies state on average is taken to stay in its bin.

    Args:
        probability: P(the answer is right) for (replies, agreeing, stated), calibrated for
            answers that were reached under this kind of rule; or whatever else `loss` takes, as
            None where it is not known.
        loss: Expected loss of what is done then, in the units of `price`.
        n_max: Replies at most, at least 1.
        price: Of one reply, >= 0.
        agrees: P(the next reply agrees) for (replies, agreeing, stated); None means `next_agrees`.
        name: Goes into the fingerprint.

    Returns:
        The table, for one up to `n_max` replies.

    Raises:
        ValueError: `n_max` or `price` is out of range.

    Source:
        Backward induction for optimal stopping: DeGroot (1970), Optimal Statistical Decisions.

    Example:
        >>> table = stopping_table(
        ...     lambda n, agreeing, stated: (agreeing + 0.5) / (n + 1),
        ...     lambda p: min(10 * (1 - p), 3.0), n_max=5, price=0.05)
        >>> table.asks_again(2, 2, None), table.asks_again(4, 1, None)
        (True, False)
    """
    if n_max < 1 or price < 0:
        raise ValueError(f"expected n_max >= 1 and price >= 0, got {n_max} and {price}")
    chance = (lambda n, a, s: next_agrees(n, a)) if agrees is None else agrees
    stated_values: Sequence[float | None] = (None, *_BIN_VALUES)
    after = [[loss(probability(n_max, a, s)) for s in stated_values] for a in range(1, n_max + 1)]
    go_on = [[[False] * len(stated_values) for _ in range(n)] for n in range(1, n_max + 1)]
    for n in range(n_max - 1, 0, -1):
        here = []
        for a in range(1, n + 1):
            row = []
            for b, s in enumerate(stated_values):
                q = chance(n, a, s)
                further = price + q * after[a][b] + (1 - q) * after[a - 1][b]
                stop = loss(probability(n, a, s))
                go_on[n - 1][a - 1][b] = further < stop
                row.append(min(stop, further))
            here.append(row)
        after = here
    frozen = tuple(tuple(tuple(row) for row in rows) for rows in go_on)
    return StoppingTable(name=name, n_max=n_max, go_on=frozen)


def next_agrees(counted: int, agreeing: int) -> float:
    """Return P(the next reply agrees): the mean of a Beta(agreeing + 0.7, others + 0.5).

    Args:
        counted: Replies so far, >= 0.
        agreeing: Those that agree with the answer, at most all of them.

    Returns:
        In (0, 1).

    Source:
        The smoothing was chosen on simulated replies (2026), not on any model's.

    Example:
        >>> round(next_agrees(2, 2), 3)
        0.844
    """
    return (agreeing + 0.7) / (counted + 1.2)


def probability_at(estimator: Estimator) -> Callable[[int, int, float | None], float | None]:
    """Return what an estimator says about a state; signals beside the two strong ones are missing.

    Args:
        estimator: Calibrated for answers that were reached under this kind of rule.

    Returns:
        A function of (replies, agreeing, stated): P(right) in [0, 1], None where it is not known.

    Example:
        >>> from uncertain_llm.calibration.prior import load_prior
        >>> at = probability_at(load_prior())
        >>> at(5, 5, 0.95) > at(5, 3, 0.95) > at(5, 3, 0.6)
        True
    """

    def at(counted: int, agreeing: int, stated: float | None) -> float | None:
        measurements = [Measurement(signal=STATED, value=stated)]
        if counted > 1:
            measurements.append(Measurement(signal=AGREEMENT, value=agreeing / counted))
        return estimator.estimate(measurements, n_samples=counted).probability

    return at


def _bin(stated: float | None) -> int:
    return 0 if stated is None else 1 + bisect_right(STATED_EDGES, stated)
