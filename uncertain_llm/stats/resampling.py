"""Bootstrap intervals for any statistic of items, in clusters and in pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import FloatArray, IntArray, check_unit_open

__all__ = [
    "BootstrapInterval",
    "BootstrapMethod",
    "Statistic",
    "bootstrap_interval",
    "paired_bootstrap_difference",
    "resampler",
]

Statistic = Callable[[IntArray], float | None]
"""Takes positions of items (repeats allowed) and returns the figure on them, None if undefined."""

BootstrapMethod = Literal["percentile", "basic"]


@dataclass(frozen=True, slots=True)
class BootstrapInterval:
    """An estimate with its bootstrap interval.

    Attributes:
        estimate: The statistic on all items.
        low: Lower end.
        high: Upper end.
        level: What the interval aims to cover; approximate, too narrow below about 20 clusters.
        n_resamples: Resamples on which the statistic was defined.
        n_undefined: Resamples on which it was None (for example AUROC with one class); many of them
            mean that the interval is not to be trusted.
    """

    estimate: float
    low: float
    high: float
    level: float
    n_resamples: int
    n_undefined: int


def bootstrap_interval(
    statistic: Statistic,
    n_items: int,
    rng: np.random.Generator,
    *,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    method: BootstrapMethod = "percentile",
) -> BootstrapInterval | None:
    """Return a statistic with its bootstrap interval, resampling items or whole clusters.

    Items of one conversation, source or question are not independent: give their cluster, or the
    interval is too narrow.

    Args:
        statistic: Called with an integer array of positions in 0..n_items-1.
        n_items: Number of items, >= 1.
        rng: Where the draws come from; the same state gives the same interval.
        clusters: Shape (n_items,), anything `numpy.unique` can sort; None makes each item its own.
        level: In (0, 1).
        n_resamples: Draws; the ends wander by about one percent of a tail at 1,000.
        method: "percentile" takes quantiles of the resamples and stays in the statistic's range.
            "basic" mirrors them around the estimate and so removes bias that resampling adds; it
            can leave the range.

    Returns:
        The interval; None when the statistic is None on all items or on every resample.

    Raises:
        ValueError: n_items or n_resamples < 1, level out of range, or clusters of a wrong length.

    Source:
        Efron and Tibshirani (1993), "An Introduction to the Bootstrap", on percentile intervals;
        Davison and Hinkley (1997), "Bootstrap Methods and their Application", on basic intervals
        and on hierarchical data (clusters).

    Example:
        >>> import numpy as np
        >>> values = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
        >>> interval = bootstrap_interval(
        ...     lambda items: float(values[items].mean()), 6, np.random.default_rng(0)
        ... )
        >>> interval.low < interval.estimate < interval.high
        True
    """
    check_unit_open(level, name="level")
    if n_items < 1 or n_resamples < 1:
        raise ValueError(
            f"n_items and n_resamples must be at least 1, got {n_items} and {n_resamples}"
        )
    estimate = statistic(np.arange(n_items))
    if estimate is None:
        return None
    draw = resampler(n_items, rng, clusters=clusters)
    replies = [statistic(draw()) for _ in range(n_resamples)]
    drawn = np.array([reply for reply in replies if reply is not None])
    if drawn.size == 0:
        return None
    low, high = _ends(estimate, drawn, level=level, method=method)
    return BootstrapInterval(
        estimate, low, high, level, int(drawn.size), n_resamples - int(drawn.size)
    )


def paired_bootstrap_difference(
    candidate: Statistic,
    baseline: Statistic,
    n_items: int,
    rng: np.random.Generator,
    *,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
) -> BootstrapInterval | None:
    """Return candidate minus baseline with its percentile interval, both on the same resamples.

    Both systems must have answered the same items, in the same order. The pairing removes what
    the difficulty of the items adds to both; the interval excludes 0 when the difference is beyond
    noise.

    Args:
        candidate: Statistic of the new system.
        baseline: Statistic of the old one.
        n_items: Number of items that both answered.
        rng: Where the draws come from.
        clusters: As in `bootstrap_interval`.
        level: In (0, 1).
        n_resamples: Draws.

    Returns:
        The interval of the difference; None where either is undefined on all items.

    Raises:
        ValueError: As in `bootstrap_interval`.

    Source:
        As `bootstrap_interval`; Berg-Kirkpatrick et al. (2012), EMNLP (pairing).

    Example:
        >>> import numpy as np
        >>> old, new = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 1.0, 1.0, 1.0])
        >>> paired_bootstrap_difference(
        ...     lambda i: float(new[i].mean()), lambda i: float(old[i].mean()), 4,
        ...     np.random.default_rng(0),
        ... ).estimate
        0.5
    """

    def difference(items: IntArray) -> float | None:
        new, old = candidate(items), baseline(items)
        return None if new is None or old is None else new - old

    return bootstrap_interval(
        difference, n_items, rng, clusters=clusters, level=level, n_resamples=n_resamples
    )


def resampler(
    n_items: int, rng: np.random.Generator, *, clusters: npt.ArrayLike | None = None
) -> Callable[[], IntArray]:
    """Return a function that draws the positions of one resample of items or whole clusters.

    Args:
        n_items: Number of items, >= 1.
        rng: Where the draws come from.
        clusters: Shape (n_items,), or None.

    Returns:
        A function without arguments; with clusters of unequal size the resamples differ in length.

    Raises:
        ValueError: Clusters of a wrong length.

    Source:
        Davison and Hinkley (1997), on hierarchical data: whole clusters are drawn.

    Example:
        >>> import numpy as np
        >>> resampler(5, np.random.default_rng(0))().size
        5
    """
    if clusters is None:
        return lambda: rng.integers(n_items, size=n_items)
    names = np.asarray(clusters)
    if names.shape != (n_items,):
        raise ValueError(f"clusters must have shape ({n_items},), got {names.shape}")
    members = np.unique(names, return_inverse=True)[1].reshape(-1)
    order = np.argsort(members, kind="stable")
    sizes = np.bincount(members)
    groups = np.split(order, np.cumsum(sizes)[:-1])

    def draw() -> IntArray:
        picked = rng.integers(len(groups), size=len(groups))
        return np.concatenate([groups[group] for group in picked])

    return draw


def _ends(
    estimate: float, drawn: FloatArray, *, level: float, method: BootstrapMethod
) -> tuple[float, float]:
    tail = (1.0 - level) / 2.0
    low, high = (float(end) for end in np.quantile(drawn, [tail, 1.0 - tail]))
    if method == "basic":
        return 2.0 * estimate - high, 2.0 * estimate - low
    return low, high
