"""Bounds on the mean of losses in [0, 1] that are not only 0 and 1, such as shares and costs.

They assume independent draws with one mean, as `stats.bounds` does for counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import FloatArray, as_probabilities, check_unit_open

__all__ = [
    "betting_p_value",
    "betting_upper_bound",
]

_HALVINGS = 60  # an interval of length 1 ends below 1e-18
_BET_CAP = 0.9
"""Largest share of the capital that one bet may lose; below 1 so that no single loss ruins it.
Chosen, not tuned; Waudby-Smith and Ramdas use 1/2 to 3/4."""


def betting_upper_bound(losses: npt.ArrayLike, *, delta: float) -> float:
    """Return an upper bound on the mean of losses in [0, 1], by betting against larger means.

    For losses that are not 0/1 (shares of wrong claims, costs) it adapts to their variance and is
    mostly the tightest bound known; for 0/1 losses use the exact binomial bound. It depends on the
    order of the losses, which must not depend on their values: shuffle before, once.

    Args:
        losses: Shape (n,), each in [0, 1], independent with one mean.
        delta: Allowed failure probability in (0, 1).

    Returns:
        In (0, 1]; 1 with no losses.

    Raises:
        ValueError: A loss or delta is outside its range.

    Source:
        Waudby-Smith and Ramdas (2024), J. Royal Statistical Society B 86(1), 1-27 (arXiv
        2010.09686): capital process with predictable plug-in bets, one-sided, n fixed.

    Example:
        >>> import numpy as np
        >>> losses = np.random.default_rng(0).beta(1, 19, size=400)
        >>> 0.05 < betting_upper_bound(losses, delta=0.1) < 0.06
        True
    """
    values = as_probabilities(losses, name="losses")
    check_unit_open(delta, name="delta")
    if values.size == 0:
        return 1.0
    bets = _predictable_bets(values, delta=delta)
    low, high = 0.0, 1.0
    # The capital of a bet against "the mean is at least m" rises with m: each factor does, with
    # the cap too. So the rejected means form an interval up to 1, and bisection finds its end.
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if _log_capital(values, bets, rate=middle) >= -np.log(delta):
            high = middle
        else:
            low = middle
    return high


def betting_p_value(losses: npt.ArrayLike, *, rate: float, delta: float) -> float:
    """Return a p-value for "the mean of losses in [0, 1] is `rate` or more", by betting.

    At p <= delta it is the same test as `betting_upper_bound(losses, delta=delta) <= rate`.

    Args:
        losses: Shape (n,), each in [0, 1], in an order that does not depend on their values.
        rate: In (0, 1).
        delta: The level at which the bets are aimed, in (0, 1); valid at every level.

    Returns:
        In (0, 1]; 1 with no losses.

    Raises:
        ValueError: An argument is out of range.

    Source:
        As `betting_upper_bound`; 1 / (greatest capital) is a p-value by Ville's inequality.

    Example:
        >>> betting_p_value([0.0] * 100, rate=0.1, delta=0.05) < 0.05
        True
    """
    values = as_probabilities(losses, name="losses")
    check_unit_open(rate, name="rate")
    check_unit_open(delta, name="delta")
    if values.size == 0:
        return 1.0
    bets = _predictable_bets(values, delta=delta)
    return float(np.exp(-max(0.0, _log_capital(values, bets, rate=rate))))


def _predictable_bets(values: FloatArray, *, delta: float) -> FloatArray:
    """Return the bet before each value, from the values before it only."""
    n = values.size
    seen = np.arange(1, n + 1)
    means = (0.5 + np.cumsum(values)) / (seen + 1)
    variances = (0.25 + np.cumsum(np.square(values - means))) / (seen + 1)
    before = np.concatenate([[0.25], variances[:-1]])
    return np.asarray(np.sqrt(-2.0 * np.log(delta) / (n * before)), dtype=np.float64)


def _log_capital(values: FloatArray, bets: FloatArray, *, rate: float) -> float:
    """Return the greatest log capital of the bets against "the mean is at least `rate`"."""
    # Bisection can round the rate to 1, where no bet can lose and none needs a cap.
    capped = np.minimum(bets, _BET_CAP / max(1.0 - rate, 1e-300))
    return float(np.cumsum(np.log1p(capped * (rate - values))).max())
