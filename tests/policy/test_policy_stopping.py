"""When to stop asking: checked against exhaustive search."""

from __future__ import annotations

import itertools

import pytest

from uncertain_llm.calibration.prior import load_prior
from uncertain_llm.policy.stopping_table import (
    StoppingTable,
    next_agrees,
    probability_at,
    stopping_table,
)

PRICE = 0.05


def loss(p: float | None) -> float:
    return 3.0 if p is None else min(10 * (1 - p), 0.5 + 5 * (1 - p), 2 + 2 * (1 - p), 3.0)


def share(counted: int, agreeing: int, stated: float | None) -> float:
    return (agreeing + 0.5) / (counted + 1)


def loss_of_plan(stops: dict[tuple[int, int], bool], n: int, a: int, n_max: int) -> float:
    """Expected loss and price from a state on, when exactly the states in `stops` stop."""
    if n == n_max or stops[n, a]:
        return loss(share(n, a, None))
    q = next_agrees(n, a)
    return (
        PRICE
        + q * loss_of_plan(stops, n + 1, a + 1, n_max)
        + (1 - q) * loss_of_plan(stops, n + 1, a, n_max)
    )


def table(**changes: object) -> StoppingTable:
    given = {"n_max": 4, "price": PRICE, **changes}
    return stopping_table(share, loss, **given)


def test_no_other_way_of_stopping_loses_less() -> None:
    """All 2**6 ways to stop within four replies, each added up over every outcome."""
    states = [(n, a) for n in range(1, 4) for a in range(1, n + 1)]
    ours = {(n, a): not table().asks_again(n, a, None) for n, a in states}

    others = (
        loss_of_plan(dict(zip(states, stops, strict=True)), 1, 1, 4)
        for stops in itertools.product([False, True], repeat=len(states))
    )

    assert loss_of_plan(ours, 1, 1, 4) == pytest.approx(min(others))


def test_replies_that_cost_more_than_any_decision_are_never_asked_for() -> None:
    dear = table(price=10.0)

    assert not any(dear.asks_again(n, a, None) for n in range(1, 5) for a in range(1, n + 1))


def test_where_no_reply_can_change_the_loss_none_is_asked_for() -> None:
    sure = stopping_table(lambda n, a, s: 0.999, loss, n_max=5, price=PRICE)

    assert not any(sure.asks_again(n, a, 0.95) for n in range(1, 6) for a in range(1, n + 1))


def test_it_looks_further_than_one_reply_ahead() -> None:
    """Two replies change nothing together with the next one, but all four do."""

    def late(counted: int, agreeing: int, stated: float | None) -> float:
        return 0.5 if counted < 4 else (0.99 if agreeing == 4 else 0.1)

    assert stopping_table(late, loss, n_max=4, price=PRICE).asks_again(2, 2, None)
    assert not stopping_table(late, loss, n_max=3, price=PRICE).asks_again(2, 2, None)


def test_at_the_last_reply_it_always_stops() -> None:
    assert not table().asks_again(4, 1, None)
    assert not table().asks_again(9, 1, None)


def test_before_anything_agrees_it_goes_on() -> None:
    assert table().asks_again(2, 0, None)


def test_what_is_stated_matters_with_the_shipped_prior() -> None:
    found = stopping_table(probability_at(load_prior()), loss, n_max=5, price=PRICE)

    answers = {found.asks_again(2, 2, stated) for stated in (None, 0.5, 0.8, 0.9, 0.99)}

    assert answers == {True, False}


def test_a_table_survives_a_file_and_keeps_its_hash() -> None:
    copy = StoppingTable.model_validate_json(table().model_dump_json())

    assert copy == table()
    assert copy.digest == table().digest != table(price=0.5).digest


@pytest.mark.parametrize(("n_max", "price"), [(0, 0.1), (3, -0.1)])
def test_a_wrong_size_or_price_is_refused(n_max: int, price: float) -> None:
    with pytest.raises(ValueError, match="expected n_max >= 1 and price >= 0"):
        table(n_max=n_max, price=price)
