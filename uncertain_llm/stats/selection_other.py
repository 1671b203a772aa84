"""Other ways to a threshold, under the names of what they promise.

"plug-in" promises nothing, "average" a mean over draws of the labels; SGR certifies, and lets less
through than `uncertain_llm.stats.selection.certify_threshold`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import check_unit_open
from uncertain_llm.stats.selection import CertifiedThreshold, NotCertified
from uncertain_llm.stats.selection_items import LabelledItems, risk_bound

__all__ = ["AverageThreshold", "average_risk_threshold", "plug_in_threshold", "sgr_threshold"]


@dataclass(frozen=True, slots=True)
class AverageThreshold:
    """The selective risk is about alpha on average over draws of the labels; nothing is certified.

    Attributes:
        threshold: Answer iff score >= threshold.
        alpha: The aimed mean risk.
        n_labels: Labels used.
        n_accepted: Labels at or above the threshold.
        total_loss: Sum of their losses.
    """

    threshold: float
    alpha: float
    n_labels: int
    n_accepted: int
    total_loss: float


def plug_in_threshold(
    scores: npt.ArrayLike, losses: npt.ArrayLike, *, alpha: float
) -> float | None:
    """Return the lowest threshold at which the mean loss of these items is at most alpha.

    On a whole population this is the oracle. On labels it promises nothing: the true risk exceeds
    alpha on most draws.

    Args:
        scores: Shape (n,), finite. Ties stay together.
        losses: Shape (n,), each in [0, 1].
        alpha: In (0, 1).

    Returns:
        The threshold; None when there is none, or no item.

    Raises:
        ValueError: Unequal lengths or values out of range.

    Source:
        El-Yaniv and Wiener (2010), JMLR 11, 1605-1641.

    Example:
        >>> plug_in_threshold([0.9, 0.8, 0.7, 0.6], [0, 0, 1, 1], alpha=0.4)
        0.7
    """
    items = LabelledItems.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    return items.lowest(lambda count, loss: loss <= alpha * count + 1e-9)


def average_risk_threshold(
    scores: npt.ArrayLike, losses: npt.ArrayLike, *, alpha: float
) -> AverageThreshold | None:
    """Return the lowest threshold with (sum of losses + 1) <= alpha * (accepted + 1).

    Averaged over draws of the labels, the selective risk is about alpha; on a given draw it is
    above alpha about half of the time. The plus one stands for the next item at its worst. Exact
    when the excess sum of (loss - alpha) over the accepted crosses its limit once; near otherwise.

    Args:
        scores: Shape (n,), finite. Ties stay together.
        losses: Shape (n,), each in [0, 1].
        alpha: In (0, 1).

    Returns:
        The threshold; None when there is none.

    Raises:
        ValueError: Unequal lengths or values out of range.

    Source:
        Angelopoulos et al. (2022), "Conformal risk control", arXiv 2208.02814; for selective risk
        Wang et al. (2025), "LEC: Linear Expectation Constraints", arXiv 2512.01556.

    Example:
        >>> average_risk_threshold([0.9] * 20, [0] * 20, alpha=0.1).threshold
        0.9
    """
    items = LabelledItems.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    threshold = items.lowest(lambda count, loss: loss + 1.0 <= alpha * (count + 1.0) + 1e-9)
    if threshold is None:
        return None
    inside = items.losses[items.scores >= threshold]
    return AverageThreshold(threshold, alpha, items.n, inside.size, float(inside.sum()))


def sgr_threshold(
    scores: npt.ArrayLike, losses: npt.ArrayLike, *, alpha: float, delta: float
) -> CertifiedThreshold | NotCertified:
    """Return the threshold of Selective Guaranteed Risk: a binary search with a union bound.

    For comparison: valid, needs no other traffic, and certifies less than `certify_threshold`.

    Args:
        scores: Shape (n,), finite.
        losses: Shape (n,), each 0 or 1.
        alpha: In (0, 1).
        delta: In (0, 1).

    Returns:
        As `certify_threshold`; coverage is that of the labels.

    Raises:
        ValueError: Unequal lengths, values out of range, or losses other than 0 and 1.

    Source:
        Geifman and El-Yaniv (2017), NeurIPS, arXiv 1705.08500, the algorithm SGR.

    Example:
        >>> sgr_threshold([0.5] * 100, [0] * 100, alpha=0.1, delta=0.1).threshold
        0.5
    """
    items = LabelledItems.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    check_unit_open(delta, name="delta")
    if not items.is_binary:
        raise ValueError("SGR is defined for losses of 0 and 1")
    steps = max(1, math.ceil(math.log2(max(2, items.n))))
    ordered = np.sort(items.scores)
    best: CertifiedThreshold | None = None
    low, high = 0, items.n - 1
    for _ in range(steps if items.n else 0):
        middle = (low + high) // 2
        inside = items.losses[items.scores >= ordered[middle]]
        bound = risk_bound(inside, delta=delta / steps, is_binary=True)
        if bound > alpha:
            low = middle
            continue
        high = middle
        best = CertifiedThreshold(
            threshold=float(ordered[middle]),
            alpha=alpha,
            delta=delta,
            n_labels=items.n,
            n_accepted=inside.size,
            total_loss=float(inside.sum()),
            risk_bound=bound,
            coverage=inside.size / items.n,
            method="sgr",
        )
    return best or NotCertified(alpha, delta, items.n, None, None)
