from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from scipy.stats import multinomial

from uncertain_llm.stats.selection import CertifiedThreshold, certify_below, certify_threshold
from uncertain_llm.stats.selection_plan import ThresholdGrid

SCORES = np.array([0.9, 0.6, 0.3])
GRID = ThresholdGrid(SCORES, np.array([0.4, 0.7, 1.0]))
N = 10
EDGE_ALPHA, BAND_ALPHA, DELTA = 0.25, 0.4, 0.3


def _splits(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in _splits(total - first, parts - 1))


@cache
def _bands() -> list[tuple[tuple[int, ...], float, float]]:
    """All counts of right and wrong labels at each score that certify a band, and that band."""
    found = []
    for counts in _splits(N, 6):
        scores, losses = (
            np.repeat(np.tile(SCORES, 2), counts),
            np.repeat([0, 0, 0, 1, 1, 1], counts),
        )
        first = certify_threshold(
            scores, losses, grid=GRID, alpha=EDGE_ALPHA, delta=DELTA, advise=False
        )
        edge = first.threshold if isinstance(first, CertifiedThreshold) else np.inf
        band = certify_below(
            scores, losses, grid=GRID, edge=edge, alpha=BAND_ALPHA, delta=DELTA, advise=False
        )
        if isinstance(band, CertifiedThreshold) and band.threshold < edge:
            found.append((counts, edge, band.threshold))
    return found


@pytest.mark.parametrize(
    ("shares", "risks"),
    [
        ((0.4, 0.3, 0.3), (0.05, 0.41, 0.41)),  # each part of the band a little too risky
        ((0.4, 0.3, 0.3), (0.26, 0.1, 0.8)),  # the edge stops early, the band is mixed
        ((0.5, 0.4, 0.1), (0.02, 0.3, 0.95)),  # the slice that stops the edge is small
        ((0.1, 0.6, 0.3), (0.9, 0.33, 0.3)),  # inverted: nothing above, all in the band
    ],
)
def test_the_chance_of_a_false_band_is_at_most_delta_by_counting_every_outcome(
    shares: tuple[float, ...], risks: tuple[float, ...]
) -> None:
    share, risk = np.array(shares), np.array(risks)
    chances = multinomial(N, np.concatenate([share * (1 - risk), share * risk]))
    false = certified = 0.0
    for counts, edge, threshold in _bands():
        chance = float(chances.pmf(counts))
        inside = (threshold <= SCORES) & (edge > SCORES)
        certified += chance
        false += chance * bool(share[inside] @ risk[inside] > BAND_ALPHA * share[inside].sum())
    assert false <= DELTA
    assert certified > 0.01


def test_only_labels_below_the_edge_count_for_a_band() -> None:
    scores = np.repeat([0.9, 0.5, 0.1], 60)
    losses = np.concatenate([np.zeros(60), np.tile([0, 0, 0, 1.0], 15), np.ones(60)])
    grid = ThresholdGrid(np.array([0.9, 0.5, 0.1]), np.array([1, 2, 3]) / 3)
    band = certify_below(scores, losses, grid=grid, edge=0.9, alpha=0.4, delta=0.1)
    assert isinstance(band, CertifiedThreshold)
    assert (band.threshold, band.n_accepted, band.total_loss) == (0.5, 60, 15)
    # The same labels with the answered ones among them would have allowed everything at 0.5.
    assert isinstance(
        certify_below(scores, losses, grid=grid, edge=np.inf, alpha=0.2, delta=0.1),
        CertifiedThreshold,
    )
    assert not isinstance(
        certify_below(scores, losses, grid=grid, edge=0.9, alpha=0.2, delta=0.1),
        CertifiedThreshold,
    )


def test_a_band_with_nothing_below_its_edge_is_empty_and_promises_nothing() -> None:
    grid = ThresholdGrid(np.array([0.5]), np.array([1.0]))
    band = certify_below([0.5] * 9, [0] * 9, grid=grid, edge=0.5, alpha=0.1, delta=0.1)
    assert isinstance(band, CertifiedThreshold)
    assert (band.threshold, band.n_accepted, band.coverage) == (0.5, 0, 0.0)


def test_graded_losses_make_no_band() -> None:
    grid = ThresholdGrid(np.array([0.5]), np.array([1.0]))
    with pytest.raises(ValueError, match="losses of 0 and 1"):
        certify_below([0.5] * 9, [0.3] * 9, grid=grid, edge=0.9, alpha=0.1, delta=0.1)
