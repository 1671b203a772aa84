"""What is tested, fixed before any label is looked at: thresholds, and where the tests start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import FloatArray, as_vector

__all__ = ["Start", "ThresholdGrid", "default_starts", "shares_of_delta", "threshold_grid"]


@dataclass(frozen=True, slots=True)
class ThresholdGrid:
    """Thresholds to test, fixed without looking at any label.

    Attributes:
        thresholds: Shape (m,), decreasing.
        coverages: Shape (m,), share of the reference scores at or above each; increasing.
    """

    thresholds: FloatArray
    coverages: FloatArray


@dataclass(frozen=True, slots=True)
class Start:
    """Where a chain of tests starts, and its share of delta.

    Attributes:
        multiple: The first threshold is expected to accept at least this many times the labels that
            error-free answers would need, ln(1 / delta) / -ln(1 - alpha).
        share: Share of delta that this chain starts with; all shares add up to at most 1.
    """

    multiple: float
    share: float


def threshold_grid(reference_scores: npt.ArrayLike, *, max_thresholds: int = 50) -> ThresholdGrid:
    """Return thresholds at scores of reference traffic, a step of coverage apart.

    Args:
        reference_scores: Shape (u,), finite, u >= 1: unlabelled traffic, or labelled items that the
            certificate will not use. Never the certifying labels themselves.
        max_thresholds: At most this many. With no more distinct scores than that, each is one;
            else they are at least 1 / max_thresholds of coverage apart. Ties stay together.

    Returns:
        The grid; its last threshold accepts all of the reference.

    Raises:
        ValueError: No scores, a score that is not finite, or max_thresholds < 1.

    Source:
        Angelopoulos et al. (2025), "Learn then test", arXiv 2110.01052 (a grid fixed in advance).

    Example:
        >>> grid = threshold_grid([0.9, 0.9, 0.5, 0.1])
        >>> grid.thresholds.tolist(), grid.coverages.tolist()
        ([0.9, 0.5, 0.1], [0.5, 0.75, 1.0])
    """
    scores = as_vector(reference_scores, name="reference_scores")
    if scores.size == 0 or max_thresholds < 1:
        raise ValueError(f"need scores and thresholds, got {scores.size} and {max_thresholds}")
    levels, counts = np.unique(scores, return_counts=True)
    thresholds, coverages = levels[::-1], np.cumsum(counts[::-1]) / scores.size
    if thresholds.size > max_thresholds:
        goals = np.arange(1, max_thresholds + 1) / max_thresholds
        # 1e-9: a coverage may miss its goal by rounding.
        picked = np.unique(np.searchsorted(coverages, goals - 1e-9))
        thresholds, coverages = thresholds[picked], coverages[picked]
    return ThresholdGrid(thresholds, np.asarray(coverages, dtype=np.float64))


def default_starts(n_labels: int, *, alpha: float, delta: float) -> tuple[Start, ...]:
    """Return where to start the tests: one chain for few labels, a second as insurance for more.

    The second chain starts at more answers, where an inversion (the surest answers are not the
    safest) has been diluted. "Few" is measured in the labels that error-free answers would need.
    The numbers are the best of nine designs on recorded and synthetic sets (November 2026), but
    differ little: what limits the coverage is the exact test, not the starts.

    Args:
        n_labels: Certifying labels.
        alpha: Tolerated selective risk, in (0, 1).
        delta: Allowed failure probability, in (0, 1).

    Returns:
        The chains; their shares add up to 1.

    Example:
        >>> [start.multiple for start in default_starts(200, alpha=0.1, delta=0.1)]
        [2.0]
        >>> [start.multiple for start in default_starts(1000, alpha=0.1, delta=0.1)]
        [3.0, 8.0]
    """
    labels_in_least = n_labels / _least_accepted(alpha=alpha, delta=delta)
    if labels_in_least < 15.0:
        return (Start(2.0, 1.0),)
    if labels_in_least < 40.0:
        return (Start(2.0, 0.8), Start(6.0, 0.2))
    return (Start(3.0, 0.7), Start(8.0, 0.3))


def shares_of_delta(
    n_labels: int, grid: ThresholdGrid, *, alpha: float, delta: float, starts: Sequence[Start]
) -> FloatArray:
    """Return the share of delta that each threshold starts with.

    Args:
        n_labels: Certifying labels.
        grid: Thresholds from the strictest down, g >= 1, with the coverage of each.
        alpha: Tolerated selective risk, in (0, 1).
        delta: Allowed failure probability, in (0, 1).
        starts: Each begins where the labels expected to be accepted are its multiple of the fewest
            that certify alpha without an error.

    Returns:
        Shape (g,), >= 0; they add up to the shares of the starts.

    Example:
        >>> grid = ThresholdGrid(np.array([0.9, 0.5, 0.1]), np.array([0.25, 0.5, 1.0]))
        >>> shares_of_delta(  # 22 right answers are the least: 40 labels have them at the last one
        ...     40, grid, alpha=0.1, delta=0.1, starts=[Start(multiple=1.0, share=1.0)]
        ... )
        array([0., 0., 1.])
    """
    shares = np.zeros(grid.thresholds.size)
    least = _least_accepted(alpha=alpha, delta=delta)
    for start in starts:
        first = int(np.searchsorted(n_labels * grid.coverages, start.multiple * least))
        # With too few labels for any start, the one test left is that of answering everything.
        shares[min(first, shares.size - 1)] += start.share
    return shares


def _least_accepted(*, alpha: float, delta: float) -> float:
    """Return how many error-free labels certify alpha, as a real number."""
    return -math.log(delta) / -math.log1p(-alpha)
