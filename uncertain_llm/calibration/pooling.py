"""Per-group calibration by partial pooling: each group's shift, pulled towards none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from uncertain_llm.calibration.fitted import Groups, GroupShift
from uncertain_llm.stats.links import log_odds, sigmoid

__all__ = ["fit_groups", "shifted"]

Floats = npt.NDArray[np.float64]

_EDGE = 1e-4  # probabilities of 0 and 1 have no log odds
_FIRST_SD = 0.5  # where the search for the spread between groups begins
_LEAST_SD = 0.05  # a spread below this moves no probability by more than about one point
_ROUNDS = 50
_SD_TOLERANCE = 1e-3
_NEWTON_STEPS = 100
_STEP_TOLERANCE = 1e-9


def fit_groups(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, groups: Sequence[str], *, by: str
) -> Groups | None:
    """Return each group's shift of the log odds, or None when groups do not differ.

    logit P(right) = logit p + b_g with b_g ~ N(0, sd^2); sd is estimated from the groups
    themselves, so a group with few labels stays near the common calibrator.

    Args:
        probabilities: Shape (n,), from a calibrator that did not see these labels.
        labels: Shape (n,), 1 = right.
        groups: The group of each item; at least two different ones.
        by: What the groups are.

    Returns:
        The shifts, by name of the group; None also for one group alone.

    Raises:
        ValueError: A probability is NaN or lies outside [0, 1].

    Source:
        Empirical Bayes by EM on the Laplace approximation: Stiratelli, Laird and Ware (1984),
        Biometrics 40(4), 961-971.

    Example:
        >>> p = [0.5] * 400
        >>> right = [1] * 170 + [0] * 30 + [1] * 30 + [0] * 170
        >>> found = fit_groups(p, right, ["law"] * 200 + ["art"] * 200, by="domain")
        >>> [(g.group, g.shift > 0) for g in found.shifts]
        [('art', False), ('law', True)]
    """
    linear = log_odds(np.clip(np.asarray(probabilities, dtype=np.float64), _EDGE, 1.0 - _EDGE))
    right = np.asarray(labels, dtype=np.float64)
    names = np.asarray(groups, dtype=object)
    members = {str(name): names == name for name in sorted(set(groups))}
    if len(members) < 2:
        return None
    sd = _FIRST_SD
    for _ in range(_ROUNDS):
        found = {name: _shift(linear[own], right[own], sd) for name, own in members.items()}
        # EM: the second moment of each shift is its square plus what is left open about it.
        before = sd
        sd = float(np.sqrt(np.mean([shift**2 + spread**2 for shift, spread in found.values()])))
        if sd < _LEAST_SD:
            return None
        if abs(sd - before) < _SD_TOLERANCE * before:
            break
    shifts = tuple(
        GroupShift(
            group=name,
            n_labels=int(own.sum()),
            n_right=int(right[own].sum()),
            shift=found[name][0],
            sd=found[name][1],
            mean_before=float(sigmoid(linear[own]).mean()),
            mean_after=float(sigmoid(linear[own] + found[name][0]).mean()),
        )
        for name, own in members.items()
    )
    return Groups(by=by, sd_between=sd, shifts=shifts)


def shifted(probabilities: Floats, groups: Sequence[str], fitted: Groups | None) -> Floats:
    """Return probabilities with the shift of each item's group; unknown groups have none.

    Args:
        probabilities: Shape (n,), each in [0, 1].
        groups: The group of each item.
        fitted: From `fit_groups`; None leaves the probabilities as they are.

    Returns:
        Shape (n,), each in [0, 1].

    Example:
        >>> shifted(np.array([0.3]), ["law"], None)
        array([0.3])
    """
    if fitted is None:
        return probabilities
    shift_of = {g.group: g.shift for g in fitted.shifts}
    shift = np.array([shift_of.get(group, 0.0) for group in groups])
    return sigmoid(log_odds(np.clip(probabilities, _EDGE, 1.0 - _EDGE)) + shift)


def _shift(linear: Floats, labels: Floats, sd: float) -> tuple[float, float]:
    """Return the posterior mode of a shift with the slope held at 1, and its standard deviation.

    Few labels tell a shift, not a shape. One unknown: Newton's steps, damped where they overshoot.
    """
    shift, precision = 0.0, 1.0 / sd**2
    for _ in range(_NEWTON_STEPS):
        fitted = sigmoid(linear + shift)
        slope = float(np.sum(fitted - labels)) + precision * shift
        curvature = float(np.sum(fitted * (1.0 - fitted))) + precision
        # The loss in the shift is convex and flattens out: a step of more than 1 is never needed.
        step = min(max(slope / curvature, -1.0), 1.0)
        shift -= step
        if abs(step) < _STEP_TOLERANCE:
            break
    return shift, curvature**-0.5
