from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from uncertain_llm.stats.bounds import binomial_upper_bound
from uncertain_llm.stats.fallback import fallback_rejections
from uncertain_llm.stats.selection import (
    CertifiedThreshold,
    NotCertified,
    certify_threshold,
)
from uncertain_llm.stats.selection_advice import labels_needed, smallest_alpha
from uncertain_llm.stats.selection_items import LabelledItems
from uncertain_llm.stats.selection_other import (
    AverageThreshold,
    average_risk_threshold,
    plug_in_threshold,
    sgr_threshold,
)
from uncertain_llm.stats.selection_plan import (
    Start,
    ThresholdGrid,
    default_starts,
    shares_of_delta,
    threshold_grid,
)

ONE_CHAIN = (Start(2.0, 1.0),)


def _smooth(scores: np.ndarray) -> np.ndarray:
    return 0.5 * (1 - scores)


def _inverted(scores: np.ndarray) -> np.ndarray:
    """The surest tenth is the worst: risk falls, then rises."""
    return np.where(scores > 0.9, 0.3, 0.35 * (1 - scores))


def _levels(scores: np.ndarray) -> np.ndarray:
    return 0.02 + 0.5 * (1 - np.round(scores * 5) / 5)


SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "smooth": _smooth,
    "inverted": _inverted,
    "levels": _levels,
}


def _true_risk(shape: str, threshold: float) -> float:
    at = np.linspace(0, 1, 100_001)
    scores = np.round(at * 5) / 5 if shape == "levels" else at
    return float(SHAPES[shape](at)[scores >= threshold].mean())


def _sample(rng: np.random.Generator, shape: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    at = rng.random(n)
    wrong = (rng.random(n) < SHAPES[shape](at)).astype(float)
    return (np.round(at * 5) / 5 if shape == "levels" else at), wrong


@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.parametrize("n", [200, 500])
def test_certificate_is_broken_at_most_delta_of_the_time(shape: str, n: int) -> None:
    """300 draws at delta 10 %: more than 48 violations has probability 0.0005."""
    rng = np.random.default_rng(n)
    grid = threshold_grid(_sample(rng, shape, 5000)[0])
    violations = 0
    for _ in range(300):
        scores, losses = _sample(rng, shape, n)
        result = certify_threshold(scores, losses, grid=grid, alpha=0.1, delta=0.1)
        if isinstance(result, CertifiedThreshold):
            violations += _true_risk(shape, result.threshold) > 0.1

    assert binom.sf(violations - 1, 300, 0.1) > 0.0005


def test_plug_in_breaks_the_same_promise_most_of_the_time() -> None:
    """The check above can fail: it does for the threshold that has no bound."""
    rng = np.random.default_rng(1)
    violations = 0
    for _ in range(100):
        threshold = plug_in_threshold(*_sample(rng, "smooth", 500), alpha=0.1)
        violations += threshold is not None and _true_risk("smooth", threshold) > 0.1

    assert violations > 40


def test_betting_certificate_holds_for_losses_between_zero_and_one() -> None:
    rng = np.random.default_rng(2)
    grid = threshold_grid(rng.random(2000), max_thresholds=12)
    violations = certified = 0
    for _ in range(100):
        scores = rng.random(400)
        losses = rng.beta(1, 1, size=400) * 2 * _smooth(scores)
        result = certify_threshold(scores, losses, grid=grid, alpha=0.1, delta=0.1)
        certified += isinstance(result, CertifiedThreshold)
        violations += isinstance(result, CertifiedThreshold) and (
            _true_risk("smooth", result.threshold) > 0.1
        )

    assert certified > 90
    assert violations <= 21


def test_one_chain_is_fixed_sequence_testing_written_out() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        scores, losses = _sample(rng, "smooth", 400)
        grid = threshold_grid(rng.random(1000))
        expected = None
        for threshold, coverage in zip(grid.thresholds, grid.coverages, strict=True):
            if 400 * coverage < 2 * np.log(10) / -np.log(0.9):
                continue
            inside = losses[scores >= threshold]
            if binomial_upper_bound(int(inside.sum()), inside.size, delta=0.1) > 0.1:
                break
            expected = threshold

        got = certify_threshold(scores, losses, grid=grid, alpha=0.1, delta=0.1, starts=ONE_CHAIN)

        assert (got.threshold if isinstance(got, CertifiedThreshold) else None) == expected


def test_a_second_chain_passes_an_inversion_that_stops_the_first() -> None:
    rng = np.random.default_rng(4)
    grid = threshold_grid(rng.random(5000))
    found = {1: 0, 2: 0}
    for _ in range(40):
        scores, losses = _sample(rng, "inverted", 3000)
        for chains, starts in ((1, ONE_CHAIN), (2, (Start(2.0, 0.7), Start(100.0, 0.3)))):
            result = certify_threshold(
                scores, losses, grid=grid, alpha=0.2, delta=0.1, starts=starts
            )
            found[chains] += isinstance(result, CertifiedThreshold)

    assert found[1] <= 5
    assert found[2] >= 35


def test_more_is_certified_than_by_sgr() -> None:
    rng = np.random.default_rng(5)
    grid = threshold_grid(rng.random(5000))
    ours, theirs = [], []
    for _ in range(40):
        scores, losses = _sample(rng, "smooth", 500)
        for answered, result in (
            (ours, certify_threshold(scores, losses, grid=grid, alpha=0.1, delta=0.1)),
            (theirs, sgr_threshold(scores, losses, alpha=0.1, delta=0.1)),
        ):
            answered.append(result.coverage if isinstance(result, CertifiedThreshold) else 0.0)

    assert np.mean(ours) > 1.1 * np.mean(theirs)


def _true_nulls_rejected(nulls: tuple[bool, ...], shares: list[float]) -> float:
    """P(some true null is rejected) by enumeration, p-values of true nulls dependent and on a grid.

    One uniform u is shared: true nulls have p-values u, 1 - u, u, ... ; false ones have 0.
    """
    rejected = 0
    for step in range(1000):
        u = (step + 0.5) / 1000
        p_values = [(u if i % 2 else 1 - u) if null else 0.0 for i, null in enumerate(nulls)]
        hits = fallback_rejections(p_values, shares, delta=0.1)
        rejected += any(hit and null for hit, null in zip(hits, nulls, strict=True))
    return rejected / 1000


@pytest.mark.parametrize("nulls", list(product([True, False], repeat=4)))
@pytest.mark.parametrize(
    "shares", [[1.0, 0.0, 0.0, 0.0], [0.25] * 4, [0.7, 0.0, 0.3, 0.0], [0.0, 0.5, 0.0, 0.5]]
)
def test_fallback_spends_at_most_delta_on_true_nulls(
    nulls: tuple[bool, ...], shares: list[float]
) -> None:
    assert _true_nulls_rejected(nulls, shares) <= 0.1 + 1e-12


def test_fallback_hands_on_what_an_unbroken_run_has_earned() -> None:
    shares = [0.5, 0.5, 0.0]

    assert fallback_rejections([0.05, 0.09, 0.1], shares, delta=0.1).tolist() == [True] * 3
    assert fallback_rejections([0.06, 0.09, 0.0], shares, delta=0.1).tolist() == [False] * 3
    assert fallback_rejections([0.06, 0.05, 0.06], shares, delta=0.1).tolist() == [
        False,
        True,
        False,
    ]


def test_59_answers_without_error_certify_five_percent_and_58_do_not() -> None:
    grid = threshold_grid([0.5])

    passed = certify_threshold([0.5] * 59, [0] * 59, grid=grid, alpha=0.05, delta=0.05)
    failed = certify_threshold([0.5] * 58, [0] * 58, grid=grid, alpha=0.05, delta=0.05)

    assert isinstance(passed, CertifiedThreshold)
    assert passed.risk_bound == pytest.approx(0.0495, abs=1e-4)
    assert (passed.n_accepted, passed.total_loss, passed.coverage) == (59, 0.0, 1.0)
    assert isinstance(failed, NotCertified)
    assert failed.smallest_alpha == 0.055


def test_labels_needed_would_mostly_do() -> None:
    """One level with a true risk of 5 %: ask with 60 labels, then come back with what it said."""
    grid = threshold_grid([0.5])
    first = certify_threshold([0.5] * 60, [1] * 3 + [0] * 57, grid=grid, alpha=0.1, delta=0.1)
    assert isinstance(first, NotCertified)
    assert first.labels_needed is not None
    n = first.labels_needed

    shown = 3.5 / 61
    chance = sum(
        binom.pmf(x, n, shown) for x in range(n) if binomial_upper_bound(x, n, delta=0.1) <= 0.1
    )

    assert 0.7 < chance < 0.95


def test_no_number_of_labels_helps_a_score_whose_risk_is_too_high_everywhere() -> None:
    grid = threshold_grid([0.9, 0.5])

    result = certify_threshold(
        [0.9] * 50 + [0.5] * 50, [1, 0] * 50, grid=grid, alpha=0.05, delta=0.1
    )

    assert isinstance(result, NotCertified)
    assert result.labels_needed is None
    assert result.smallest_alpha is None


def test_a_risk_a_hair_below_alpha_needs_more_labels_than_anyone_has() -> None:
    grid = threshold_grid([0.5])
    losses = [1.0] * 9_999 + [0.0] * 90_001

    result = certify_threshold([0.5] * 100_000, losses, grid=grid, alpha=0.1, delta=0.1)

    assert isinstance(result, NotCertified)
    assert result.labels_needed is None


def test_no_labels_certify_nothing() -> None:
    result = certify_threshold([], [], grid=threshold_grid([0.5]), alpha=0.1, delta=0.1)

    assert isinstance(result, NotCertified)
    assert result.n_labels == 0


def test_grid_keeps_ties_together_and_steps_in_coverage() -> None:
    tied = threshold_grid([1.0] * 60 + [0.8] * 30 + [0.2] * 10)
    fine = threshold_grid(np.linspace(0, 1, 10_001), max_thresholds=20)

    assert tied.thresholds.tolist() == [1.0, 0.8, 0.2]
    assert tied.coverages == pytest.approx([0.6, 0.9, 1.0])
    assert fine.coverages == pytest.approx(np.arange(1, 21) / 20, abs=1e-3)
    assert fine.coverages[-1] == 1.0


def test_plug_in_threshold_is_found_by_trying_each() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        scores = np.round(rng.random(30), 1)
        losses = (rng.random(30) < 0.3).astype(float)
        passing = [t for t in scores if losses[scores >= t].mean() <= 0.2]

        got = plug_in_threshold(scores, losses, alpha=0.2)

        assert got == (min(passing) if passing else None)


def test_average_option_holds_on_average_only() -> None:
    rng = np.random.default_rng(8)
    risks = []
    for _ in range(200):
        result = average_risk_threshold(*_sample(rng, "smooth", 500), alpha=0.1)
        assert isinstance(result, AverageThreshold)
        risks.append(_true_risk("smooth", result.threshold))

    assert np.mean(risks) == pytest.approx(0.1, abs=0.006)
    assert np.mean(np.array(risks) > 0.1) > 0.25
    assert average_risk_threshold([0.5], [1], alpha=0.1) is None


def test_sgr_keeps_its_promise_and_says_when_it_cannot() -> None:
    rng = np.random.default_rng(9)
    results = [sgr_threshold(*_sample(rng, "smooth", 500), alpha=0.1, delta=0.1) for _ in range(99)]

    risks = [
        _true_risk("smooth", r.threshold) for r in results if isinstance(r, CertifiedThreshold)
    ]

    assert len(risks) > 30
    assert np.mean(np.array(risks) > 0.1) <= 0.1
    assert isinstance(sgr_threshold([0.5] * 9, [1] * 9, alpha=0.1, delta=0.1), NotCertified)
    assert isinstance(sgr_threshold([], [], alpha=0.1, delta=0.1), NotCertified)


def test_default_starts_spend_all_of_delta() -> None:
    for n in (0, 200, 500, 5000):
        starts = default_starts(n, alpha=0.1, delta=0.1)
        assert sum(start.share for start in starts) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: threshold_grid([]), "need scores"),
        (lambda: threshold_grid([np.nan]), "finite"),
        (lambda: fallback_rejections([0.1], [1.1], delta=0.1), "shares"),
        (lambda: fallback_rejections([0.1, 0.1], [0.7, 0.7], delta=0.1), "add up"),
        (lambda: fallback_rejections([0.1], [1.0], delta=0.0), "delta"),
        (lambda: plug_in_threshold([0.5], [2.0], alpha=0.1), "losses"),
        (lambda: plug_in_threshold([0.5], [1.0], alpha=0.0), "alpha"),
        (lambda: sgr_threshold([0.5], [0.5], alpha=0.1, delta=0.1), "0 and 1"),
        (
            lambda: certify_threshold(
                [0.5], [0, 1], grid=threshold_grid([0.5]), alpha=0.1, delta=0.1
            ),
            "same length",
        ),
    ],
)
def test_bad_input_to_a_selection_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("n_right", "is_enough"), [(8, False), (9, True), (10, True)])
def test_the_average_option_counts_one_more_item_and_that_one_wrong(
    n_right: int, is_enough: bool
) -> None:
    """Of n right answers and a next one at its worst 1 / (n + 1) are wrong: 10 % from nine on."""
    found = average_risk_threshold(np.full(n_right, 0.7), np.zeros(n_right), alpha=0.1)

    assert (found is not None) is is_enough


def test_shares_that_exceed_delta_are_refused_and_rounding_is_not() -> None:
    assert fallback_rejections([0.0] * 10, [0.1] * 10, delta=0.1).all()
    for shares in ([0.6, 0.41], [1.0, 0.05]):
        with pytest.raises(ValueError, match="at most 1"):
            fallback_rejections([0.5, 0.5], shares, delta=0.1)


def test_with_too_few_labels_for_any_start_the_loosest_threshold_is_tested() -> None:
    grid = threshold_grid(np.linspace(0.1, 0.9, 9))

    shares = shares_of_delta(3, grid, alpha=0.1, delta=0.1, starts=[Start(2.0, 1.0)])

    assert shares.tolist() == [0.0] * (grid.thresholds.size - 1) + [1.0]


def test_a_grid_needs_scores_and_room_for_a_threshold() -> None:
    for scores, most in (([], 10), ([0.5], 0)):
        with pytest.raises(ValueError, match="need"):
            threshold_grid(scores, max_thresholds=most)


@pytest.mark.parametrize(("alpha", "expected"), [(0.012, 0.015), (0.015, 0.02), (0.016, 0.02)])
def test_the_smallest_risk_is_sought_from_the_next_step_on(alpha: float, expected: float) -> None:
    """Of 400 right answers 0.6 % would pass already: 0.9943^400 is 0.1."""
    n = 400
    items = LabelledItems.checked(np.ones(n), np.zeros(n))
    grid = ThresholdGrid(np.array([0.0]), np.array([1.0]))

    found = smallest_alpha(
        items, grid, alpha=alpha, delta=0.1, starts=[Start(1.0, 1.0)], n_labels=n
    )

    assert found == expected


@pytest.mark.parametrize(("n", "n_wrong"), [(10, 0), (50, 1), (200, 8)])
def test_the_labels_needed_pass_the_exact_test_and_one_fewer_does_not(n: int, n_wrong: int) -> None:
    items = LabelledItems.checked(np.ones(n), np.arange(n) < n_wrong)
    grid = ThresholdGrid(np.array([0.0]), np.array([1.0]))
    risk = (n_wrong + 0.5) / (n + 1)

    found = labels_needed(items, grid, alpha=0.1, delta=0.1)

    assert found is not None
    at_most = {m: binom.ppf(0.8, m, risk) for m in (found, found - 1)}
    wrong = {m: np.ceil(m * risk + 0.84 * np.sqrt(m * risk * (1 - risk))) for m in at_most}
    # By the normal quantile, so at most one error from the exact one.
    assert all(abs(wrong[m] - at_most[m]) <= 1 for m in wrong)
    assert binom.cdf(wrong[found], found, 0.1) <= 0.1 < binom.cdf(wrong[found - 1], found - 1, 0.1)
