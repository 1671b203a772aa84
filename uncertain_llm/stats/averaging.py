"""How much each of several probability forecasts counts in their average."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import FloatArray, as_labels, as_matrix, check_same_length
from uncertain_llm.stats.logistic import NotConverged

__all__ = ["average_weights"]

_TOLERANCE = 1e-4  # of a weight in one step; the log loss is flat there
_MOST_STEPS = 20_000  # some tens are usual


def average_weights(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, pseudo_count: float = 1.0
) -> FloatArray:
    """Return the weights of the average under which the labels are likeliest.

    The forecasts must not have seen these labels: one that did would take all the weight. Forecasts
    that are equally good share it, so that the average varies less than a choice among them.

    Args:
        probabilities: Shape (k, n), one row for each forecast, each strictly inside (0, 1).
        labels: Shape (n,), 1 = right; n may be 0, then all weigh the same.
        pseudo_count: Labels added in favour of each forecast, > 0; none is dropped altogether.

    Returns:
        Shape (k,), positive, adding up to 1.

    Raises:
        ValueError: Shapes or values out of range.
        NotConverged: The weights still moved after many steps (not seen).

    Source:
        Geweke and Amisano (2011), "Optimal prediction pools", J. Econometrics 164(1), 130-141; with
        held-out forecasts it is stacking (Breiman 1996, Machine Learning 24, 49-64). By EM.

    Example:
        >>> sure, unsure = [0.9, 0.9, 0.1], [0.5, 0.5, 0.5]
        >>> weights = average_weights([sure, unsure], [1, 1, 0])
        >>> bool(weights[0] > weights[1])
        True
    """
    stated = as_matrix(probabilities, name="probabilities")
    right = as_labels(labels)
    check_same_length(stated.shape[1], right.size, names="columns of probabilities and labels")
    if stated.size and not (stated.min() > 0.0 and stated.max() < 1.0):
        raise ValueError("probabilities must lie strictly between 0 and 1")
    if pseudo_count <= 0.0:
        raise ValueError(f"pseudo_count must be positive, got {pseudo_count}")
    likelihoods = np.where(right > 0.5, stated, 1.0 - stated)
    weights = np.full(stated.shape[0], 1.0 / stated.shape[0])
    for _ in range(_MOST_STEPS):
        before = weights
        # How much of each label's likelihood each forecast accounts for.
        counts = weights * (likelihoods @ (1.0 / (weights @ likelihoods))) + pseudo_count
        weights = np.asarray(counts / counts.sum(), dtype=np.float64)
        if np.abs(weights - before).max() < _TOLERANCE:
            return weights
    raise NotConverged(f"the weights still moved after {_MOST_STEPS} steps")
