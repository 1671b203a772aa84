"""Several tests in a fixed order that share one chance of error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    BoolArray,
    as_probabilities,
    check_same_length,
    check_unit_open,
)

__all__ = ["fallback_rejections"]


def fallback_rejections(
    p_values: npt.ArrayLike, shares: npt.ArrayLike, *, delta: float
) -> BoolArray:
    """Return which of the hypotheses, in this fixed order, are rejected by the fallback procedure.

    Each hypothesis is tested at its own share of delta plus what the unbroken run of rejections
    just before it hands on; a failed test loses what it was given. All of delta on the first is
    fixed-sequence testing, equal shares are a Bonferroni test that recycles.

    Proof that P(any true null rejected) <= delta: let i be the first true null that is rejected,
    and h the true null before it in the order (or the start). h was not rejected, so what reaches i
    comes from positions after h: its level is at most delta times the shares in (h, i]. These
    stretches are disjoint for different i and do not depend on the data, so the union bound gives
    delta times the sum of all shares. No assumption on the dependence of the p-values.

    Args:
        p_values: Shape (m,), each in [0, 1], valid for its null hypothesis.
        shares: Shape (m,), >= 0, adding up to at most 1; fixed without looking at the p-values.
        delta: In (0, 1).

    Returns:
        Shape (m,) of booleans.

    Raises:
        ValueError: Unequal lengths, or values out of range.

    Source:
        Wiens (2003), Pharmaceutical Statistics 2, 211-215; Wiens and Dmitrienko (2005), J.
        Biopharmaceutical Statistics 15, 929-942.

    Example:
        >>> fallback_rejections([0.01, 0.2, 0.01], [0.5, 0.0, 0.5], delta=0.1).tolist()
        [True, False, True]
    """
    values = as_probabilities(p_values, name="p_values")
    given = as_probabilities(shares, name="shares")
    check_same_length(values.size, given.size, names="p_values and shares")
    check_unit_open(delta, name="delta")
    # 1e-9: shares such as 0.7 + 0.3 may add up to a rounding above 1.
    if given.sum() > 1.0 + 1e-9:
        raise ValueError(f"shares of delta must add up to at most 1, got {given.sum()}")
    rejected = np.zeros(values.size, dtype=np.bool_)
    handed_on = 0.0
    for i, value in enumerate(values):
        level = handed_on + given[i]
        rejected[i] = level > 0.0 and value <= min(1.0, level) * delta
        handed_on = level if rejected[i] else 0.0
    return rejected
