"""The lowest threshold whose selective risk is certified: with probability 1 - delta at most alpha.

Answer iff score >= threshold. The selective risk r(t) is the mean loss of what is answered. A
threshold that merely looks good on the labels breaks the promise on most draws; for weaker promises
and other rules see `uncertain_llm.stats.selection_other`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import check_unit_open
from uncertain_llm.stats.fallback import fallback_rejections
from uncertain_llm.stats.selection_advice import labels_needed, smallest_alpha
from uncertain_llm.stats.selection_items import LabelledItems, risk_bound
from uncertain_llm.stats.selection_plan import (
    Start,
    ThresholdGrid,
    default_starts,
    shares_of_delta,
)

__all__ = [
    "CertifiedThreshold",
    "NotCertified",
    "certify_below",
    "certify_threshold",
]

# A band's risk hardly changes near its edge: a test of few labels there would stop the rest. Picked
# among eight designs on synthetic risk curves (November 2026); from 8 to 25 they differ little.
_BAND_STARTS = (Start(8.0, 1.0),)


@dataclass(frozen=True, slots=True)
class CertifiedThreshold:
    """With probability at least 1 - delta over the labels, the selective risk is at most alpha.

    Attributes:
        threshold: Answer iff score >= threshold.
        alpha: The certified risk.
        delta: The allowed chance that the certificate is wrong.
        n_labels: Labels used.
        n_accepted: Labels at or above the threshold.
        total_loss: Sum of their losses (errors, for 0/1 losses).
        risk_bound: Upper bound on the risk at this threshold alone, at level 1 - delta.
        coverage: Share of the reference scores at or above the threshold.
        method: How it was certified.
    """

    threshold: float
    alpha: float
    delta: float
    n_labels: int
    n_accepted: int
    total_loss: float
    risk_bound: float
    coverage: float
    method: str


@dataclass(frozen=True, slots=True)
class NotCertified:
    """No threshold passes with these labels; what would.

    Attributes:
        alpha: The risk that was asked for.
        delta: The allowed failure probability.
        n_labels: Labels used.
        smallest_alpha: The smallest risk, on a grid of 0.005, that these labels would have passed;
            None when that is above 0.5. It was found by looking: to certify it, ask for it on fresh
            labels.
        labels_needed: Labels with which a threshold would pass with a chance of about 80 %, if the
            risks are what these labels show; None when the risk shown is nowhere below alpha, so
            that a better score is needed and not more labels.
    """

    alpha: float
    delta: float
    n_labels: int
    smallest_alpha: float | None
    labels_needed: int | None


def certify_threshold(
    scores: npt.ArrayLike,
    losses: npt.ArrayLike,
    *,
    grid: ThresholdGrid,
    alpha: float,
    delta: float,
    starts: Sequence[Start] | None = None,
    advise: bool = True,
) -> CertifiedThreshold | NotCertified:
    """Return the lowest threshold with P(selective risk > alpha) <= delta, if there is one.

    Thresholds are tested from the strictest down. Each test is exact given how many labels it
    accepts (binomial for 0/1 losses, betting for losses between); the tests share delta by
    `fallback_rejections`, which never spends more than delta on true nulls. So the lowest rejected
    threshold is safe with probability 1 - delta, whatever the shape of the risk: it need not rise
    as the threshold falls.

    Proof: given the number k of labels with a score >= t, these labels are k independent draws from
    "score >= t", because t was fixed without them; their losses have mean r(t), so the p-value of
    "r(t) > alpha" is valid. By the proof in `fallback_rejections` no true null is rejected with
    probability 1 - delta, and then every rejected threshold, the lowest too, has r(t) <= alpha.

    What breaks it: a score fitted on these labels, a grid taken from them, labels that were picked
    by the policy, other traffic, any change of the pipeline afterwards.

    Args:
        scores: Shape (n,), finite; labelled items drawn like the traffic, scored by a frozen
            pipeline. In an order that does not depend on the losses (matters for losses between 0
            and 1 only).
        losses: Shape (n,), each in [0, 1]; 1 = wrong.
        grid: From `threshold_grid`, on other items.
        alpha: Tolerated selective risk, in (0, 1).
        delta: Allowed failure probability, in (0, 1).
        starts: Chains of tests; None for `default_starts`.
        advise: Whether to find out what would do where nothing passes; slower than the tests.

    Returns:
        The threshold, or what it would take.

    Raises:
        ValueError: Unequal lengths, values out of range, or shares of delta above 1 in total.

    Source:
        Angelopoulos et al. (2025), "Learn then test", Annals of Applied Statistics 19(2),
        1641-1662, arXiv 2110.01052 (fixed-sequence testing); Wiens (2003), Pharmaceutical
        Statistics 2, 211-215 (fallback).

    Example:
        >>> import numpy as np
        >>> from uncertain_llm.stats.selection_plan import threshold_grid
        >>> rng = np.random.default_rng(0)
        >>> scores = rng.random(2000)
        >>> losses = rng.random(2000) < 0.4 * (1 - scores)
        >>> grid = threshold_grid(scores[:1000])
        >>> result = certify_threshold(
        ...     scores[1000:], losses[1000:], grid=grid, alpha=0.1, delta=0.1
        ... )
        >>> isinstance(result, CertifiedThreshold), result.risk_bound <= 0.1
        (True, True)
    """
    items = LabelledItems.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    check_unit_open(delta, name="delta")
    return _lowest(items, grid, alpha=alpha, delta=delta, starts=starts, advise=advise)


def certify_below(
    scores: npt.ArrayLike,
    losses: npt.ArrayLike,
    *,
    grid: ThresholdGrid,
    edge: float,
    alpha: float,
    delta: float,
    advise: bool = True,
) -> CertifiedThreshold | NotCertified:
    """Return the lowest threshold t with P(risk of "t <= score < edge" > alpha) <= delta.

    The edge may be the very threshold that `certify_threshold` found on these labels and this grid,
    or infinity where it found none: no labels have to be set apart for that.

    Proof: take a threshold a of the grid, and condition on everything about the labels at or above
    it and on the number below it. Whether a was rejected is then known; let B be "nothing below a
    was rejected", so that a is the edge, and A "a true null of the band below a is rejected". The
    labels below a are independent and alike. Order what each may be: right and near a, right and
    further down, wrong and far down, wrong and near a. A step up in this order never lowers a
    p-value, of either family: a right label that is counted lowers it, a wrong one raises it, and a
    label nearer to a is counted by more thresholds. Rejections by `fallback_rejections` only shrink
    when p-values rise. So A falls and B rises with every label, and monotone functions of
    independent, totally ordered values are associated (Harris): P(A and B) <= P(A) P(B). For the
    fixed edge a, P(A) <= delta as in `certify_threshold`. Summed over the edges a,
    P(a false band) <= delta * P(there is an edge) <= delta. "Infinity" is the edge of the case that
    nothing at all is rejected.

    Args:
        scores: Shape (n,), finite; as in `certify_threshold`, all labels, those above the edge too.
        losses: Shape (n,), each 0 or 1: the order above has no place for losses between.
        grid: The grid that the edge was found on.
        edge: A threshold of the grid, or infinity.
        alpha: Tolerated risk inside the band, in (0, 1).
        delta: Allowed failure probability, in (0, 1); beside that of the edge.
        advise: As in `certify_threshold`.

    Returns:
        As `certify_threshold`, about the band. Where no threshold lies below the edge the band is
        empty: its threshold is the edge.

    Raises:
        ValueError: As `certify_threshold`, or losses other than 0 and 1.

    Source:
        Harris (1960), Proc. Cambridge Philosophical Society 56, 13-20, for the association;
        Angelopoulos et al. (2025), arXiv 2110.01052, for the tests.

    Example:
        >>> from uncertain_llm.stats.selection_plan import threshold_grid
        >>> scores, losses = [0.9] * 100 + [0.5] * 100, [0] * 100 + [0, 0, 0, 0, 1] * 20
        >>> grid = threshold_grid(scores)
        >>> certify_below(scores, losses, grid=grid, edge=0.9, alpha=0.3, delta=0.1).threshold
        0.5
    """
    items = LabelledItems.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    check_unit_open(delta, name="delta")
    if not items.is_binary:
        raise ValueError("a band between two thresholds is defined for losses of 0 and 1")
    above = grid.coverages[grid.thresholds >= edge]
    below = grid.thresholds < edge
    if not below.any():
        return _empty(edge, items.n, alpha=alpha, delta=delta)
    start = float(above[-1]) if above.size else 0.0
    band = ThresholdGrid(grid.thresholds[below], grid.coverages[below] - start)
    inside = items.scores < edge
    rest = LabelledItems(items.scores[inside], items.losses[inside], is_binary=True)
    return _lowest(
        rest,
        band,
        alpha=alpha,
        delta=delta,
        starts=_BAND_STARTS,
        n_labels=items.n,
        advise=advise,
    )


def _lowest(
    items: LabelledItems,
    grid: ThresholdGrid,
    *,
    alpha: float,
    delta: float,
    advise: bool,
    starts: Sequence[Start] | None = None,
    n_labels: int | None = None,
) -> CertifiedThreshold | NotCertified:
    """Return the lowest rejected threshold; coverages of the grid are shares of `n_labels`."""
    n = items.n if n_labels is None else n_labels
    chains = default_starts(n, alpha=alpha, delta=delta) if starts is None else starts
    shares = shares_of_delta(n, grid, alpha=alpha, delta=delta, starts=chains)
    p_values = items.p_values(grid.thresholds, alpha=alpha, delta=delta)
    rejected = fallback_rejections(p_values, shares, delta=delta)
    if not rejected.any() and not advise:
        return NotCertified(alpha, delta, n, None, None)
    if not rejected.any():
        return NotCertified(
            alpha,
            delta,
            n,
            smallest_alpha(items, grid, alpha=alpha, delta=delta, starts=chains, n_labels=n),
            labels_needed(items, grid, alpha=alpha, delta=delta),
        )
    lowest = int(np.flatnonzero(rejected)[-1])
    threshold = float(grid.thresholds[lowest])
    inside = items.losses[items.scores >= threshold]
    return CertifiedThreshold(
        threshold=threshold,
        alpha=alpha,
        delta=delta,
        n_labels=n,
        n_accepted=inside.size,
        total_loss=float(inside.sum()),
        risk_bound=risk_bound(inside, delta=delta, is_binary=items.is_binary),
        coverage=float(grid.coverages[lowest]),
        method="fallback, " + ("binomial" if items.is_binary else "betting"),
    )


def _empty(edge: float, n_labels: int, *, alpha: float, delta: float) -> CertifiedThreshold:
    """Return the band that holds nothing: a promise about it cannot be broken."""
    return CertifiedThreshold(
        threshold=edge,
        alpha=alpha,
        delta=delta,
        n_labels=n_labels,
        n_accepted=0,
        total_loss=0.0,
        risk_bound=0.0,
        coverage=0.0,
        method="empty",
    )
