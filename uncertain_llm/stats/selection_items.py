"""Labelled items as threshold rules see them: scores, losses, and sums above a threshold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    BoolArray,
    FloatArray,
    as_probabilities,
    as_vector,
    check_same_length,
)
from uncertain_llm.stats.bounds import binomial_p_values, binomial_upper_bound
from uncertain_llm.stats.mean_bounds import betting_p_value, betting_upper_bound

__all__ = ["LabelledItems", "risk_bound"]

_Rule = Callable[[FloatArray, FloatArray], BoolArray]


@dataclass(frozen=True, slots=True)
class LabelledItems:
    """Labelled items; `is_binary` when every loss is 0 or 1.

    Attributes:
        scores: Shape (n,), finite.
        losses: Shape (n,), each in [0, 1].
        is_binary: Whether every loss is 0 or 1.

    Example:
        >>> import numpy as np
        >>> items = LabelledItems.checked([0.9, 0.7, 0.2], [0, 0, 1])
        >>> [found.tolist() for found in items.totals(np.array([0.5, 0.1]))]
        [[2.0, 3.0], [0.0, 1.0]]
        >>> items.lowest(lambda counts, lost: lost <= 0.1 * counts)
        0.7
    """

    scores: FloatArray
    losses: FloatArray
    is_binary: bool

    @classmethod
    def checked(cls, scores: npt.ArrayLike, losses: npt.ArrayLike) -> LabelledItems:
        """Return the items.

        Args:
            scores: Shape (n,), finite, any order.
            losses: Shape (n,), each in [0, 1]; 1 = wrong.

        Raises:
            ValueError: Unequal lengths, a score that is not finite, or a loss outside [0, 1].
        """
        values = as_vector(scores, name="scores")
        lost = as_probabilities(losses, name="losses")
        check_same_length(values.size, lost.size, names="scores and losses")
        return cls(values, lost, bool(np.all((lost == 0.0) | (lost == 1.0))))

    @property
    def n(self) -> int:
        """How many they are."""
        return int(self.scores.size)

    def totals(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return how many items each threshold accepts, and the sum of their losses.

        Args:
            thresholds: Shape (g,), any order; an item is accepted from its own score down.

        Returns:
            Two arrays of shape (g,).
        """
        order = np.argsort(self.scores)
        first = np.searchsorted(self.scores[order], thresholds, side="left")
        lost = np.concatenate([[0.0], np.cumsum(self.losses[order])])
        return (self.n - first).astype(np.float64), lost[-1] - lost[first]

    def p_values(self, thresholds: FloatArray, *, alpha: float, delta: float) -> FloatArray:
        """Return, for each threshold, a p-value of "the risk of what it accepts exceeds alpha".

        Args:
            thresholds: Shape (g,), fixed before a loss was read.
            alpha: In (0, 1).
            delta: The level at which bets are aimed where losses are graded, in (0, 1).

        Returns:
            Shape (g,), each in (0, 1]; 1 where nothing is accepted.

        Source:
            `binomial_p_values` for losses of 0 and 1, else `betting_p_value`.
        """
        if self.is_binary:
            counts, wrong = self.totals(thresholds)
            return binomial_p_values(np.rint(wrong), counts, rate=alpha)
        return np.array(
            [
                betting_p_value(self.losses[self.scores >= threshold], rate=alpha, delta=delta)
                for threshold in thresholds
            ]
        )

    def lowest(self, passes: _Rule) -> float | None:
        """Return the lowest of the items' own scores that passes as a threshold.

        Args:
            passes: Takes counts and sums of losses, shape (g,), and returns which pass.

        Returns:
            None when none passes.
        """
        thresholds = np.unique(self.scores)
        counts, lost = self.totals(thresholds)
        passing = np.flatnonzero(passes(counts, lost))
        return float(thresholds[passing[0]]) if passing.size else None


def risk_bound(losses: FloatArray, *, delta: float, is_binary: bool) -> float:
    """Return an upper bound on the mean loss at level 1 - delta: exact for losses of 0 and 1.

    Args:
        losses: Shape (n,), each in [0, 1], in an order that does not depend on their values.
        delta: Allowed failure probability, in (0, 1).
        is_binary: Whether every loss is 0 or 1.

    Returns:
        In (0, 1]; 1 without losses.

    Raises:
        ValueError: delta or a loss is out of range.

    Source:
        `binomial_upper_bound` where binary, else `betting_upper_bound`.

    Example:
        >>> import numpy as np
        >>> round(risk_bound(np.zeros(59), delta=0.05, is_binary=True), 4)
        0.0495
    """
    if is_binary:
        return binomial_upper_bound(round(float(losses.sum())), losses.size, delta=delta)
    return betting_upper_bound(losses, delta=delta)
