from __future__ import annotations

import numpy as np
import pytest

from uncertain_llm.stats.arrays import IntArray
from uncertain_llm.stats.ranking import auroc
from uncertain_llm.stats.resampling import (
    Statistic,
    bootstrap_interval,
    paired_bootstrap_difference,
)


def _mean_of(values: np.ndarray) -> Statistic:
    return lambda items: float(values[items].mean())


def test_interval_of_a_mean_matches_the_normal_theory() -> None:
    values = np.random.default_rng(0).normal(size=400)
    half_width = 1.96 * values.std() / 20

    got = bootstrap_interval(_mean_of(values), 400, np.random.default_rng(1), n_resamples=4000)

    assert got is not None
    assert got.low == pytest.approx(values.mean() - half_width, abs=0.01)
    assert got.high == pytest.approx(values.mean() + half_width, abs=0.01)


def test_repeating_every_item_in_its_cluster_changes_nothing() -> None:
    """Ten copies of an item carry the information of one: clusters must see that."""
    values = np.random.default_rng(0).normal(size=60)
    copies = np.repeat(values, 10)

    single = bootstrap_interval(_mean_of(values), 60, np.random.default_rng(3))
    clustered = bootstrap_interval(
        _mean_of(copies), 600, np.random.default_rng(3), clusters=np.repeat(np.arange(60), 10)
    )

    assert single is not None
    assert clustered is not None
    assert clustered.low == pytest.approx(single.low)
    assert clustered.high == pytest.approx(single.high)


def test_basic_interval_mirrors_the_percentile_one() -> None:
    values = np.random.default_rng(0).exponential(size=50)

    percentile = bootstrap_interval(_mean_of(values), 50, np.random.default_rng(3))
    basic = bootstrap_interval(_mean_of(values), 50, np.random.default_rng(3), method="basic")

    assert percentile is not None
    assert basic is not None
    assert basic.low == pytest.approx(2 * values.mean() - percentile.high)
    assert basic.high == pytest.approx(2 * values.mean() - percentile.low)


def test_pairing_removes_the_noise_that_both_systems_share() -> None:
    rng = np.random.default_rng(0)
    difficulty = rng.normal(scale=10, size=200)
    better = difficulty + 0.2

    got = paired_bootstrap_difference(
        _mean_of(better), _mean_of(difficulty), 200, np.random.default_rng(1)
    )

    assert got is not None
    assert got.low == pytest.approx(0.2)
    assert got.high == pytest.approx(0.2)


def test_undefined_resamples_are_counted_not_hidden() -> None:
    labels = np.array([1, 1, 1, 1, 0])
    scores = np.array([0.9, 0.8, 0.3, 0.4, 0.35])

    got = bootstrap_interval(
        lambda items: auroc(scores[items], labels[items]), 5, np.random.default_rng(0)
    )

    assert got is not None
    # The one wrong item is left out with probability (4/5)^5 = 0.33; draws of it alone are rare.
    assert 260 < got.n_undefined < 400
    assert got.n_resamples == 1000 - got.n_undefined


def test_same_seed_gives_the_same_interval() -> None:
    values = np.arange(20.0)

    first = bootstrap_interval(_mean_of(values), 20, np.random.default_rng(7))
    second = bootstrap_interval(_mean_of(values), 20, np.random.default_rng(7))

    assert first == second


def _undefined(items: IntArray) -> None:
    return None


def _undefined_on_resamples(items: IntArray) -> float | None:
    return 1.0 if items.tolist() == list(range(30)) else None


@pytest.mark.parametrize("statistic", [_undefined, _undefined_on_resamples])
def test_there_is_no_interval_where_the_statistic_is_undefined(statistic: Statistic) -> None:
    assert bootstrap_interval(statistic, 30, np.random.default_rng(0), n_resamples=5) is None


def test_difference_is_none_when_one_side_is_undefined() -> None:
    rng = np.random.default_rng(0)

    assert paired_bootstrap_difference(_mean_of(np.ones(3)), _undefined, 3, rng) is None
    assert paired_bootstrap_difference(_undefined, _mean_of(np.ones(3)), 3, rng) is None


def test_wrong_arguments_are_refused() -> None:
    rng = np.random.default_rng(0)

    with pytest.raises(ValueError, match="n_items"):
        bootstrap_interval(_undefined, 0, rng)
    with pytest.raises(ValueError, match="level"):
        bootstrap_interval(_undefined, 3, rng, level=1.0)
    with pytest.raises(ValueError, match="clusters"):
        bootstrap_interval(_mean_of(np.ones(3)), 3, rng, clusters=[1, 2])


def test_the_percentile_interval_stays_among_the_resamples_and_the_basic_one_need_not() -> None:
    """No resample has a greater maximum than the items, and most have the same."""
    values = np.arange(50.0)

    percentile, basic = (
        bootstrap_interval(
            lambda items: float(values[items].max()), 50, np.random.default_rng(0), method=method
        )
        for method in ("percentile", "basic")
    )

    assert percentile is not None
    assert basic is not None
    assert percentile.low < percentile.high == 49.0
    assert 49.0 == basic.low < basic.high
