"""What all modules of this room share: checked conversion of input, and bins of equal mass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "BoolArray",
    "FloatArray",
    "IntArray",
    "as_judged",
    "as_labels",
    "as_matrix",
    "as_probabilities",
    "as_vector",
    "as_weights",
    "check_same_length",
    "check_unit_open",
    "equal_mass_bins",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def as_vector(values: npt.ArrayLike, *, name: str) -> FloatArray:
    """Return the values as a finite float vector.

    Args:
        values: Shape (n,); n may be 0.
        name: How the error message calls the values.

    Returns:
        Shape (n,). The input itself when it is a float64 vector already: do not write to it.

    Raises:
        ValueError: Not one-dimensional, or a value is NaN or infinite.

    Example:
        >>> as_vector([1, 0.5], name="scores")
        array([1. , 0.5])
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), got shape {array.shape}")
    if not np.isfinite(array).all():
        where = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite, got {array[where]} at position {where}")
    return array


def as_probabilities(values: npt.ArrayLike, *, name: str = "probabilities") -> FloatArray:
    """Return the values as a float vector in [0, 1].

    Args:
        values: Shape (n,); n may be 0.
        name: How the error message calls the values.

    Returns:
        Shape (n,). As `as_vector`: do not write to it.

    Raises:
        ValueError: Not a finite vector, or a value lies outside [0, 1].

    Example:
        >>> as_probabilities([0, 1])
        array([0., 1.])
    """
    array = as_vector(values, name=name)
    if array.size and (array.min() < 0.0 or array.max() > 1.0):
        where = int(np.flatnonzero((array < 0.0) | (array > 1.0))[0])
        raise ValueError(f"{name} must lie in [0, 1], got {array[where]} at position {where}")
    return array


def as_labels(values: npt.ArrayLike, *, name: str = "labels") -> FloatArray:
    """Return labels as a float vector of zeros and ones.

    Args:
        values: Shape (n,), booleans or numbers 0 and 1; 1 means right.
        name: How the error message calls the values.

    Returns:
        Shape (n,), only 0.0 and 1.0.

    Raises:
        ValueError: Not a vector, or a value is neither 0 nor 1.

    Example:
        >>> as_labels([True, False])
        array([1., 0.])
    """
    array = as_vector(values, name=name)
    bad = (array != 0.0) & (array != 1.0)
    if bad.any():
        where = int(np.flatnonzero(bad)[0])
        raise ValueError(f"{name} must be 0 or 1, got {array[where]} at position {where}")
    return array


def as_judged(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return probabilities and their labels as float vectors of one length, at least one item.

    Args:
        probabilities: Shape (n,), each in [0, 1], n >= 1.
        labels: Shape (n,), booleans or numbers 0 and 1; 1 means right.

    Returns:
        Both of shape (n,).

    Raises:
        ValueError: As in `as_probabilities` and `as_labels`; unequal lengths, or no items.

    Example:
        >>> as_judged([0.5], [True])
        (array([0.5]), array([1.]))
    """
    stated, right = as_probabilities(probabilities), as_labels(labels)
    check_same_length(stated.size, right.size, names="probabilities and labels")
    if stated.size == 0:
        raise ValueError("no items: expected at least one probability and its label")
    return stated, right


def as_weights(values: npt.ArrayLike | None, *, n: int) -> FloatArray:
    """Return non-negative weights of length n; ones when there are none.

    Args:
        values: Shape (n,), finite and >= 0; None for equal weights.
        n: How many items there are.

    Returns:
        Shape (n,).

    Raises:
        ValueError: Wrong length, or a weight is negative or not finite.

    Example:
        >>> as_weights(None, n=2)
        array([1., 1.])
    """
    if values is None:
        return np.ones(n)
    array = as_vector(values, name="weights")
    check_same_length(n, array.size, names="values and weights")
    if array.size and array.min() < 0.0:
        raise ValueError(f"weights must not be negative, got {array.min()}")
    return array


def as_matrix(values: npt.ArrayLike, *, name: str) -> FloatArray:
    """Return the values as a finite float matrix of shape (n, d).

    Args:
        values: Shape (n, d); either may be 0.
        name: How the error message calls the values.

    Returns:
        Shape (n, d). The input itself when it is a float64 matrix already: do not write to it.

    Raises:
        ValueError: Not two-dimensional, or a value is NaN or infinite.

    Example:
        >>> as_matrix([[1, 2]], name="design").shape
        (1, 2)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"{name} must have shape (n, d), got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return array


def check_same_length(left: int, right: int, *, names: str) -> None:
    """Raise ValueError when the lengths differ.

    Example:
        >>> check_same_length(2, 2, names="scores and labels")
    """
    if left != right:
        raise ValueError(f"{names} must have the same length, got {left} and {right}")


def check_unit_open(value: float, *, name: str) -> None:
    """Raise ValueError unless 0 < value < 1.

    Example:
        >>> check_unit_open(0.1, name="delta")
    """
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value}")


def equal_mass_bins(values: FloatArray, *, n_bins: int | None) -> IntArray:
    """Return a bin number for each value, 0, 1, ..., each number used, equal values together.

    Args:
        values: Shape (n,), n >= 1.
        n_bins: At most this many bins; None makes a bin for each distinct value.

    Returns:
        Shape (n,). Ties can make bins unequal and fewer.

    Raises:
        ValueError: n_bins < 1.

    Example:
        >>> import numpy as np
        >>> equal_mass_bins(np.array([0.1, 0.2, 0.2, 0.9]), n_bins=2)
        array([0, 1, 1, 1])
    """
    if n_bins is None:
        return np.unique(values, return_inverse=True)[1].reshape(values.shape)
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins}")
    ordered = np.sort(values)
    starts = np.unique(ordered[(np.arange(n_bins) * values.size) // n_bins])
    return (np.searchsorted(starts, values, side="right") - 1).astype(np.int64)
