"""What replies so far say about the answer and the next reply, in a few parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence

from uncertain_llm.core.base import Value
from uncertain_llm.stats.logistic import fit_logistic
from uncertain_llm.stats.scalars import sigmoid_of

__all__ = ["PRIOR_MEAN", "Smoother", "fit_smoother"]

State = tuple[int, int, float | None]
"""Replies that count, those that agree with the answer, and what these state on average."""

PRIOR_MEAN = (-0.2, 0.7, 0.0, 0.3, 0.0)
"""Of the coefficients, each with a standard deviation of 1: agreement counts in log odds at less
than its face, a stated probability at a third of it. Chosen, not tuned."""

_USUAL = 0.9  # what models mostly state; a state without it is taken to be such a one
_LEAST = 0.02


class Smoother(Value):
    """P(something is so) in a state: one logistic in five regressors."""

    coefficients: tuple[float, ...]

    def at(self, counted: int, agreeing: int, stated: float | None) -> float:
        """Return the probability in a state.

        Args:
            counted: Replies that count, at least 1.
            agreeing: Those that agree with the answer, 1 <= agreeing <= counted.
            stated: What these state on average, in [0, 1], or None.

        Returns:
            In [0, 1].

        Example:
            >>> even = Smoother(coefficients=(0.0, 1.0, 0.0, 0.0, 0.0))
            >>> even.at(4, 2, None)
            0.5
        """
        regressors = _design(counted, agreeing, stated)
        return sigmoid_of(
            math.fsum(c * x for c, x in zip(self.coefficients, regressors, strict=True))
        )


def fit_smoother(
    states: Sequence[State], labels: Sequence[bool], *, weights: Sequence[float]
) -> Smoother:
    """Return the smoother that is most likely, given a prior; it exists for any labels.

    More agreement, and more stated, never mean less.

    Args:
        states: Of any number of questions, several of each.
        labels: Whether it was so.
        weights: What each state counts, >= 0: those of one question are not independent.

    Returns:
        The smoother; without a state that of the prior.

    Raises:
        ValueError: Unequal lengths, or a weight is negative.

    Source:
        MAP logistic regression as in `stats.logistic.fit_logistic`; the regressors are our own.

    Example:
        >>> seen = [(3, 3, None)] * 40 + [(3, 1, None)] * 40
        >>> found = fit_smoother(seen, [True] * 40 + [False] * 40, weights=[1.0] * 80)
        >>> found.at(3, 3, None) > 0.9 > 0.1 > found.at(3, 1, None)
        True
    """
    fit = fit_logistic(
        [_design(*state) for state in states],
        [float(label) for label in labels],
        prior_mean=PRIOR_MEAN,
        prior_precision=1.0,
        nonnegative=(False, True, False, True, False),
        weights=weights,
    )
    return Smoother(coefficients=tuple(float(c) for c in fit.coefficients))


def _design(counted: int, agreeing: int, stated: float | None) -> list[float]:
    said = _USUAL if stated is None else min(max(stated, _LEAST), 1.0 - _LEAST)
    return [
        1.0,
        math.log((agreeing + 0.5) / (counted - agreeing + 0.5)),
        math.log(counted),
        math.log(said / (1.0 - said)) - math.log(_USUAL / (1.0 - _USUAL)),
        # One reply has no other to agree with: a state of another kind, with a level of its own.
        1.0 if counted == 1 else 0.0,
    ]
