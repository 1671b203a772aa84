"""Throughput is compared in pairs of turns, with an interval."""

from __future__ import annotations

import math
import random

from engine import Turns


def test_the_interval_of_a_ratio_holds_the_true_median_as_often_as_it_says() -> None:
    """Ratios are drawn around 0.9; 95 % of 400 intervals, less three standard errors."""
    draw = random.Random(5)
    held = 0
    for _ in range(400):
        own = [(1.0, 1.0)] * 15
        raw = [(0.9 * math.exp(draw.gauss(0.0, 0.1)), 1.0) for _ in own]
        _, low, high = Turns(raw, own).ratio(0)
        held += low <= 0.9 <= high

    assert held >= 400 * 0.95 - 3 * math.sqrt(400 * 0.95 * 0.05)


def test_fewer_turns_than_an_interval_needs_give_none() -> None:
    middle, low, high = Turns([(1.0, 1.0)] * 5, [(2.0, 1.0)] * 5).ratio(0)

    assert middle == 0.5
    assert math.isnan(low)
    assert math.isnan(high)
