from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, permutations, product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from uncertain_llm.stats.metrics import brier_decomposition, brier_score, calibration_line, log_loss
from uncertain_llm.stats.ranking import (
    augrc,
    aurc,
    auroc,
    coverage_at_risk,
    e_aurc,
    risk_coverage_curve,
    selective_accuracy,
)

items = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0]), st.booleans()), min_size=1, max_size=40
)


def _columns(pairs: list[tuple[float, bool]]) -> tuple[list[float], list[bool]]:
    return [score for score, _ in pairs], [label for _, label in pairs]


def _mean_over_tie_orders(scores: list[float], figure: Callable[[list[int]], float]) -> float:
    """Brute force: the figure of a ranking, averaged over every order that respects the scores."""
    orders = [
        order
        for order in permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in pairwise(order))
    ]
    return float(np.mean([figure(list(order)) for order in orders]))


@given(items)
def test_auroc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[float, bool]]) -> None:
    scores, labels = _columns(pairs)
    right = [s for s, y in pairs if y]
    wrong = [s for s, y in pairs if not y]

    got = auroc(scores, labels)

    if not right or not wrong:
        assert got is None
    else:
        wins = [(r > w) + 0.5 * (r == w) for r, w in product(right, wrong)]
        assert got == pytest.approx(np.mean(wins), abs=1e-12)


def test_auroc_agrees_with_scikit_learn_on_many_ties() -> None:
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 9, size=5000) / 8
    labels = rng.random(5000) < scores * 0.7 + 0.1

    assert auroc(scores, labels) == pytest.approx(sk.roc_auc_score(labels, scores), abs=1e-12)


@pytest.mark.parametrize("labels", list(product([0, 1], repeat=5)))
def test_aurc_is_the_mean_over_every_order_of_tied_items(labels: tuple[int, ...]) -> None:
    scores = [0.9, 0.5, 0.5, 0.5, 0.2]

    def area(order: list[int]) -> float:
        wrong = [1 - labels[i] for i in order]
        return float(np.mean([np.mean(wrong[: k + 1]) for k in range(5)]))

    assert aurc(scores, labels) == pytest.approx(_mean_over_tie_orders(scores, area))


@pytest.mark.parametrize("coverage", [0.2, 0.4, 0.5, 0.6, 1.0])
def test_selective_accuracy_is_the_mean_over_every_order_of_tied_items(coverage: float) -> None:
    scores, labels = [0.9, 0.5, 0.5, 0.5, 0.2], [1, 1, 0, 0, 1]
    kept = int(np.ceil(5 * coverage))

    expected = _mean_over_tie_orders(
        scores, lambda order: float(np.mean([labels[i] for i in order[:kept]]))
    )

    assert selective_accuracy(scores, labels, coverage=coverage) == pytest.approx(expected)


@pytest.mark.parametrize("labels", list(product([0, 1], repeat=6)))
def test_e_aurc_is_zero_for_the_best_order_and_never_below(labels: tuple[int, ...]) -> None:
    perfect = [float(label) + i / 100 for i, label in enumerate(labels)]
    some_order = [0.3, 0.9, 0.1, 0.5, 0.2, 0.4]

    assert e_aurc(perfect, labels) == pytest.approx(0.0, abs=1e-15)
    assert e_aurc(some_order, labels) >= 0.0


@given(items)
def test_augrc_follows_from_auroc_and_accuracy(pairs: list[tuple[float, bool]]) -> None:
    """The duality of Traub et al. (2024): both count the same pairs."""
    scores, labels = _columns(pairs)
    accuracy = float(np.mean(labels))
    ranking = auroc(scores, labels)

    expected = (1 - accuracy) ** 2 / 2
    if ranking is not None:
        expected += (1 - ranking) * accuracy * (1 - accuracy)

    assert augrc(scores, labels) == pytest.approx(expected, abs=1e-12)


@given(items, st.integers(0, 2**32 - 1))
def test_ranking_metrics_ignore_input_order_and_monotone_maps(
    pairs: list[tuple[float, bool]], seed: int
) -> None:
    scores, labels = (np.array(column, float) for column in _columns(pairs))
    shuffled = np.random.default_rng(seed).permutation(len(pairs))

    for metric in (auroc, aurc, augrc, e_aurc):
        before = metric(scores, labels)
        after = metric(np.exp(3 * scores[shuffled]) - 7, labels[shuffled])
        assert after == pytest.approx(before, abs=1e-12)


def test_coverage_at_risk_finds_the_last_passing_rank() -> None:
    labels = [1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    scores = np.linspace(1, 0, 12)

    # Errors up to rank 10: one, so exactly 10 %; rank 11 has two.
    assert coverage_at_risk(scores, labels, risk=0.1) == pytest.approx(10 / 12)
    assert coverage_at_risk(scores, labels, risk=0.0) == pytest.approx(2 / 12)
    assert coverage_at_risk(scores, [0] * 12, risk=0.5) == 0.0


def test_curve_keeps_tied_items_together() -> None:
    curve = risk_coverage_curve([0.5, 0.9, 0.5, 0.5], [0, 1, 1, 0])

    assert curve.thresholds.tolist() == [0.9, 0.5]
    assert curve.coverages.tolist() == [0.25, 1.0]
    assert curve.risks.tolist() == [0.0, 0.5]


@given(items, st.sampled_from([None, 1, 2, 3, 10]))
def test_brier_parts_add_up_for_any_bins(
    pairs: list[tuple[float, bool]], n_bins: int | None
) -> None:
    stated, labels = _columns(pairs)

    parts = brier_decomposition(stated, labels, n_bins=n_bins)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin

    assert total == pytest.approx(sk.brier_score_loss(labels, stated), abs=1e-12)
    assert parts.brier == pytest.approx(brier_score(stated, labels), abs=1e-15)
    assert n_bins is not None or abs(parts.within_bin) < 1e-15


def test_log_loss_agrees_with_scikit_learn_and_stays_finite_at_a_wrong_certainty() -> None:
    rng = np.random.default_rng(2)
    stated = rng.random(300)
    labels = rng.random(300) < stated

    assert log_loss(stated, labels) == pytest.approx(sk.log_loss(labels, stated))
    assert log_loss([1.0], [0]) == pytest.approx(36.04, abs=0.01)
    assert log_loss([1.0], [1]) < 1e-15


def test_calibration_line_recovers_the_line_that_made_the_labels() -> None:
    """Fractions instead of draws: labels in exact proportion, so the fit must be exact too."""
    logit = np.repeat([-1.0, 0.0, 1.0, 2.0], 100_000)
    true = 1 / (1 + np.exp(-(0.5 * logit - 0.3)))
    labels = (np.arange(400_000) % 100_000) / 100_000 < true

    line = calibration_line(1 / (1 + np.exp(-logit)), labels)

    assert line is not None
    assert line.slope == pytest.approx(0.5, abs=1e-4)
    assert line.intercept == pytest.approx(-0.3, abs=1e-4)


def test_shift_in_the_large_makes_the_forecasts_right_on_average() -> None:
    stated = np.array([0.9, 0.8, 0.7, 0.95, 0.6])
    labels = [1, 0, 1, 0, 1]

    line = calibration_line(stated, labels)

    assert line is not None
    shifted = 1 / (1 + np.exp(-(np.log(stated / (1 - stated)) + line.intercept_at_slope_one)))
    assert np.mean(shifted) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("stated", "labels"), [([0.2, 0.9], [0, 1]), ([0.9, 0.2], [0, 1]), ([0.5] * 4, [0, 1, 1, 1])]
)
def test_calibration_line_has_no_slope_where_none_is_finite(
    stated: list[float], labels: list[int]
) -> None:
    line = calibration_line(stated, labels)

    assert line is not None
    assert line.slope is None
    assert line.intercept is None
    assert np.isfinite(line.intercept_at_slope_one)


def test_calibration_line_is_none_with_one_class() -> None:
    assert calibration_line([0.3, 0.4], [1, 1]) is None


@pytest.mark.parametrize("metric", [auroc, aurc, augrc, e_aurc, brier_score, log_loss])
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([], [], "no items"),
        ([0.5], [1, 0], "same length"),
        ([np.nan], [1], "position 0"),
        ([0.5, 0.5], [1, 2], "0 or 1"),
        ([[0.5]], [1], "shape"),
    ],
)
def test_bad_input_is_refused_with_the_place(
    metric: Callable[..., object], scores: npt.ArrayLike, labels: npt.ArrayLike, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        metric(scores, labels)


def test_ranges_are_checked() -> None:
    with pytest.raises(ValueError, match="coverage"):
        selective_accuracy([0.5], [1], coverage=0.0)
    with pytest.raises(ValueError, match="risk"):
        coverage_at_risk([0.5], [1], risk=1.5)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        brier_score([1.5], [1])
    with pytest.raises(ValueError, match="n_bins"):
        brier_decomposition([0.5], [1], n_bins=0)
