"""Bounds on a rate or a mean of losses in [0, 1] from finitely many labels.

All bounds assume independent draws from the population that the statement is about. They say
nothing once the draws were picked by looking at labels: see `uncertain_llm.stats.selection`.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import FloatArray, as_probabilities, check_unit_open

__all__ = [
    "betting_p_value",
    "betting_upper_bound",
    "binomial_lower_bound",
    "binomial_p_values",
    "binomial_upper_bound",
    "clopper_pearson_interval",
    "hoeffding_bentkus_p_value",
    "hoeffding_bentkus_upper_bound",
    "jeffreys_interval",
    "least_trials",
    "wilson_interval",
]

_HALVINGS = 60  # an interval of length 1 ends below 1e-18
_BET_CAP = 0.9
"""Largest share of the capital that one bet may lose; below 1 so that no single loss ruins it.
Chosen, not tuned; Waudby-Smith and Ramdas use 1/2 to 3/4."""


def binomial_upper_bound(errors: int, trials: int, *, delta: float) -> float:
    """Return a rate that the true error rate exceeds with probability at most delta.

    Exact for independent trials with one common error rate; conservative, because the count is
    discrete. It says nothing once the trials were picked by looking at labels.

    Args:
        errors: Wrong answers, 0 <= errors <= trials.
        trials: Labelled answers. With 0 trials nothing is known and the bound is 1.
        delta: Allowed failure probability in (0, 1), for example 0.05.

    Returns:
        Upper bound in (0, 1].

    Raises:
        ValueError: A count or delta is outside its range.

    Source:
        Clopper and Pearson (1934), Biometrika 26(4), 404-413, one-sided form.

    Example:
        >>> round(binomial_upper_bound(0, 59, delta=0.05), 4)
        0.0495
    """
    from scipy.special import betaincinv

    _check_counts(errors, trials)
    check_unit_open(delta, name="delta")
    if errors == trials:
        return 1.0
    return float(betaincinv(errors + 1, trials - errors, 1.0 - delta))


def binomial_lower_bound(errors: int, trials: int, *, delta: float) -> float:
    """Return a rate that the true error rate falls below with probability at most delta.

    Args:
        errors: Wrong answers, 0 <= errors <= trials.
        trials: Labelled answers; with 0 trials the bound is 0.
        delta: Allowed failure probability in (0, 1).

    Returns:
        Lower bound in [0, 1).

    Raises:
        ValueError: A count or delta is outside its range.

    Source:
        Clopper and Pearson (1934), one-sided form.

    Example:
        >>> round(binomial_lower_bound(59, 59, delta=0.05), 4)
        0.9505
    """
    return 1.0 - binomial_upper_bound(trials - errors, trials, delta=delta)


def binomial_p_values(errors: npt.ArrayLike, trials: npt.ArrayLike, *, rate: float) -> FloatArray:
    """Return P(at most this many errors) if the error rate were `rate`, for many counts at once.

    A value <= delta rejects "the error rate is `rate` or more"; it is the same test as
    `binomial_upper_bound(...) <= rate`.

    Args:
        errors: Shape (m,), counts.
        trials: Shape (m,), counts >= errors. With 0 trials the p-value is 1.
        rate: In (0, 1).

    Returns:
        Shape (m,), each in (0, 1].

    Raises:
        ValueError: A count or the rate is outside its range.

    Source:
        Clopper and Pearson (1934), the test behind the bound.

    Example:
        >>> binomial_p_values([0, 5], [59, 59], rate=0.05).round(3)
        array([0.048, 0.926])
    """
    from scipy.special import betainc

    check_unit_open(rate, name="rate")
    wrong, tried = np.asarray(errors, np.float64), np.asarray(trials, np.float64)
    if np.any(wrong < 0) or np.any(wrong > tried) or np.any(wrong != np.floor(wrong)):
        raise ValueError("errors must be whole numbers between 0 and trials")
    all_wrong = wrong == tried  # where the incomplete beta function has a pole
    tails = betainc(np.where(all_wrong, 1.0, tried - wrong), wrong + 1.0, 1.0 - rate)
    return np.asarray(np.where(all_wrong, 1.0, tails), dtype=np.float64)


def clopper_pearson_interval(
    errors: int, trials: int, *, level: float = 0.95
) -> tuple[float, float]:
    """Return the exact two-sided interval of a rate; it covers at least `level`.

    Args:
        errors: Events, 0 <= errors <= trials.
        trials: With 0 trials the interval is (0, 1).
        level: In (0, 1).

    Returns:
        Lower and upper end.

    Raises:
        ValueError: A count or level is outside its range.

    Source:
        Clopper and Pearson (1934).

    Example:
        >>> [round(end, 4) for end in clopper_pearson_interval(5, 10)]
        [0.1871, 0.8129]
    """
    check_unit_open(level, name="level")
    tail = (1.0 - level) / 2.0
    return (
        binomial_lower_bound(errors, trials, delta=tail),
        binomial_upper_bound(errors, trials, delta=tail),
    )


def wilson_interval(errors: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a rate: about `level` on average, shorter than the exact one.

    Args:
        errors: Events, 0 <= errors <= trials.
        trials: With 0 trials the interval is (0, 1).
        level: In (0, 1).

    Returns:
        Lower and upper end.

    Raises:
        ValueError: A count or level is outside its range.

    Source:
        Wilson (1927), JASA 22, 209-212; recommended by Brown, Cai and DasGupta (2001).

    Example:
        >>> [round(end, 4) for end in wilson_interval(5, 10)]
        [0.2366, 0.7634]
    """
    _check_counts(errors, trials)
    check_unit_open(level, name="level")
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    rate, extra = errors / trials, z * z / trials
    centre = (rate + extra / 2.0) / (1.0 + extra)
    reach = np.sqrt(rate * (1.0 - rate) * extra + extra * extra / 4.0) / (1.0 + extra)
    # Without events the lower end is exactly 0, without non-events the upper one exactly 1.
    low = 0.0 if errors == 0 else float(centre - reach)
    return low, 1.0 if errors == trials else float(centre + reach)


def jeffreys_interval(errors: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the equal-tailed posterior interval of a rate under the Beta(1/2, 1/2) prior.

    Args:
        errors: Events, 0 <= errors <= trials.
        trials: With 0 trials the prior's own interval.
        level: In (0, 1).

    Returns:
        Lower end (0 without events) and upper end (1 without non-events).

    Raises:
        ValueError: A count or level is outside its range.

    Source:
        Brown, Cai and DasGupta (2001), Statistical Science 16(2), 101-133.

    Example:
        >>> [round(end, 4) for end in jeffreys_interval(5, 10)]
        [0.2235, 0.7765]
    """
    from scipy.special import betaincinv

    _check_counts(errors, trials)
    check_unit_open(level, name="level")
    tail = (1.0 - level) / 2.0
    a, b = errors + 0.5, trials - errors + 0.5
    low = 0.0 if errors == 0 and trials > 0 else float(betaincinv(a, b, tail))
    high = 1.0 if errors == trials > 0 else float(betaincinv(a, b, 1.0 - tail))
    return low, high


def least_trials(*, alpha: float, delta: float, errors: int = 0) -> int:
    """Return the fewest trials with which this many errors still certify a rate of alpha.

    Args:
        alpha: Rate to certify, in (0, 1).
        delta: Allowed failure probability, in (0, 1).
        errors: Wrong answers seen, >= 0.

    Returns:
        The smallest n with `binomial_upper_bound(errors, n, delta=delta) <= alpha`.

    Raises:
        ValueError: An argument is outside its range.

    Source:
        Clopper and Pearson (1934); with 0 errors ceil(ln(delta) / ln(1 - alpha)).

    Example:
        >>> least_trials(alpha=0.05, delta=0.05), least_trials(alpha=0.1, delta=0.1)
        (59, 22)
    """
    check_unit_open(alpha, name="alpha")
    check_unit_open(delta, name="delta")
    if errors < 0:
        raise ValueError(f"errors must not be negative, got {errors}")
    high = errors + 1
    while binomial_upper_bound(errors, high, delta=delta) > alpha:
        high *= 2
    low = errors
    while high - low > 1:
        middle = (low + high) // 2
        if binomial_upper_bound(errors, middle, delta=delta) > alpha:
            low = middle
        else:
            high = middle
    return high


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


def hoeffding_bentkus_p_value(mean_loss: float, n: int, *, rate: float) -> float:
    """Return a p-value for "the mean of losses in [0, 1] is above `rate`".

    Args:
        mean_loss: Observed mean, in [0, 1].
        n: Number of losses, >= 1.
        rate: In (0, 1).

    Returns:
        In [0, 1].

    Raises:
        ValueError: An argument is outside its range.

    Source:
        Angelopoulos et al. (2025), "Learn then test", arXiv 2110.01052; after Hoeffding (1963),
        JASA 58, 13-30, and Bentkus (2004), Annals of Probability 32(2), 1650-1673.

    Example:
        >>> hoeffding_bentkus_p_value(0.0, 100, rate=0.05) < 0.01
        True
    """
    from scipy.special import bdtr

    check_unit_open(rate, name="rate")
    if n < 1 or not 0.0 <= mean_loss <= 1.0:
        raise ValueError(f"need n >= 1 and a mean in [0, 1], got {n} and {mean_loss}")
    seen = min(mean_loss, rate)
    distance = (1.0 - seen) * np.log((1.0 - seen) / (1.0 - rate))
    if seen > 0.0:
        distance += seen * np.log(seen / rate)
    # 1e-9: the mean of losses like 0.1 may lie a rounding above a whole number over n.
    bentkus = np.e * float(bdtr(np.ceil(n * mean_loss - 1e-9), n, rate))
    return float(min(1.0, np.exp(-n * distance), bentkus))


def hoeffding_bentkus_upper_bound(losses: npt.ArrayLike, *, delta: float) -> float:
    """Return an upper bound on the mean of losses in [0, 1], from their mean alone.

    Looser than `betting_upper_bound` where the losses vary little, but independent of their order.

    Args:
        losses: Shape (n,), each in [0, 1], independent with one mean.
        delta: Allowed failure probability in (0, 1).

    Returns:
        In (0, 1]; 1 with no losses.

    Raises:
        ValueError: A loss or delta is outside its range.

    Source:
        As `hoeffding_bentkus_p_value`, inverted.

    Example:
        >>> round(hoeffding_bentkus_upper_bound([0.0] * 59, delta=0.05), 3)
        0.05
    """
    values = as_probabilities(losses, name="losses")
    check_unit_open(delta, name="delta")
    if values.size == 0:
        return 1.0
    mean = float(values.mean())
    low, high = mean, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if 0.0 < middle < 1.0 and (
            hoeffding_bentkus_p_value(mean, values.size, rate=middle) > delta
        ):
            low = middle
        else:
            high = middle
    return high


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


def _check_counts(errors: int, trials: int) -> None:
    if not 0 <= errors <= trials:
        raise ValueError(f"need 0 <= errors <= trials, got {errors} and {trials}")
