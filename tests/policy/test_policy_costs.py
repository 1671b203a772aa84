"""Costs in place of thresholds."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from uncertain_llm.core.confidence import Confidence, ConfidenceStatus
from uncertain_llm.core.decision import Action
from uncertain_llm.policy import Costs, Cuts, Decide, Policy, cuts_from_costs, decide
from uncertain_llm.policy.calibration_file import Gate

COSTS = Costs(wrong=10, hedge=1, verify=2, abstain=3)
prices = st.floats(0, 20)
shares = st.floats(0, 1)


def _at(probability: float) -> Confidence:
    return Confidence(
        score=probability, probability=probability, band=None, status=ConfidenceStatus.CALIBRATED
    )


def _chosen(policy: Policy, probability: float) -> Action:
    return decide(_at(probability), policy, refusal=None, label_draw=1.0).action


def test_the_loss_of_each_action_is_that_of_the_story_told_by_hand() -> None:
    """At 90 %: a wrong answer costs 10 one time in ten; hedged 5; looked at again 1."""
    losses = COSTS.losses(0.9)

    assert losses[Action.ANSWER] == pytest.approx(1.0)
    assert losses[Action.HEDGE] == pytest.approx(1.0 + 0.5)
    assert losses[Action.VERIFY] == pytest.approx(2.0 + 0.1)
    assert losses[Action.ABSTAIN] == pytest.approx(3.0)


def test_a_right_answer_withheld_costs_its_value() -> None:
    costs = Costs(wrong=10, abstain=1, withheld_right=4)

    assert costs.losses(0.75)[Action.ABSTAIN] == pytest.approx(1 + 4 * 0.75)


@given(
    wrong=st.floats(0.1, 100),
    hedge=prices,
    verify=prices,
    abstain=prices,
    withheld=prices,
    one=shares,
    other=shares,
    p=st.floats(0, 1),
)
def test_the_action_that_the_cuts_choose_is_never_dearer_than_another(
    wrong: float,
    hedge: float,
    verify: float,
    abstain: float,
    withheld: float,
    one: float,
    other: float,
    p: float,
) -> None:
    costs = Costs(
        wrong=wrong,
        hedge=hedge,
        hedged_wrong_share=max(one, other),
        verify=verify,
        verified_wrong_share=min(one, other),
        abstain=abstain,
        withheld_right=withheld,
    )
    policy = Policy(name="costs", decide=Decide(costs=costs))  # type: ignore[call-arg] # cuts follow
    # On a cut two actions cost the same but for rounding.
    cuts = cuts_from_costs(costs)
    assume(min(abs(p - c) for c in (cuts.answer, cuts.hedge, cuts.verify)) > 1e-9)

    chosen = _chosen(policy, p)

    losses = costs.losses(p)
    assert losses[chosen] <= min(losses.values()) + 1e-6


def test_an_action_that_is_nowhere_the_cheapest_drops_out() -> None:
    cuts = cuts_from_costs(Costs(wrong=10, hedge=9, verify=9, abstain=2))

    # Only answering and withholding remain, and they meet where 10 (1 - p) = 2.
    assert (cuts.answer, cuts.hedge, cuts.verify) == (0.8, 0.8, 0.8)


def test_the_penalty_reading_of_a_threshold_gives_the_threshold_back() -> None:
    """Answer only above t, where a wrong answer costs t / (1 - t) (Kalai and others 2025)."""
    for t in (0.5, 0.75, 0.9):
        costs = Costs(wrong=1 + t / (1 - t), hedge=99, verify=99, withheld_right=0, abstain=1)

        assert cuts_from_costs(costs).answer == pytest.approx(t)


def test_costs_that_turn_the_order_of_actions_round_are_refused() -> None:
    with pytest.raises(ValidationError, match="looking again must stop more harm"):
        Costs(wrong=1, hedged_wrong_share=0.1, verified_wrong_share=0.5)


@pytest.mark.parametrize("wrong", [0.0, -1.0])
def test_a_wrong_answer_has_to_cost_something(wrong: float) -> None:
    with pytest.raises(ValidationError):
        Costs(wrong=wrong)


def test_with_cuts_and_costs_the_stricter_of_both_decides() -> None:
    cuts = Cuts(answer=0.6, hedge=0.6, verify=0.5)
    policy = Policy(name="both", decide=Decide(cuts=cuts, costs=COSTS))

    effective = policy.decide.effective_cuts

    assert (effective.answer, effective.hedge, effective.verify) == (0.8, 0.75, 0.5)
    assert _chosen(policy, 0.7) is Action.VERIFY


@pytest.mark.parametrize(
    ("costs", "instead"),
    [
        (Costs(wrong=10, hedge=1, verify=9, abstain=9), Action.HEDGE),
        (Costs(wrong=10, hedge=9, verify=1, abstain=9), Action.VERIFY),
        (Costs(wrong=10, hedge=9, verify=9, abstain=1), Action.ABSTAIN),
    ],
)
def test_an_answer_that_the_certificate_bars_makes_way_for_the_cheapest_action_below(
    costs: Costs, instead: Action
) -> None:
    policy = Policy(name="priced", decide=Decide(costs=costs))
    gate = Gate(answer=0.99)

    found = decide(_at(0.95), policy, refusal=None, label_draw=1.0, gate=gate)

    assert _chosen(policy, 0.95) is Action.ANSWER
    assert found.action is instead
    assert (found.cuts["score"], found.cuts["certified_answer"]) == (0.95, 0.99)
    assert found.cuts[f"loss_{instead}"] == costs.losses(0.95)[instead]


def test_cuts_beside_costs_stay_the_less_that_a_barred_answer_is_shown() -> None:
    """By costs a barred hedge would be looked at again; the cuts know no such band."""
    cuts = Cuts(answer=0.9, hedge=0.5, verify=0.5)
    costs = Costs(wrong=10, hedge=1, verify=2, abstain=3)
    gate = Gate(answer=0.99, shown=0.99, limits_shown=True)

    by_costs, by_both = (
        decide(_at(0.95), policy, refusal=None, label_draw=1.0, gate=gate).action
        for policy in (
            Policy(name="priced", decide=Decide(costs=costs)),
            Policy(name="both", decide=Decide(costs=costs, cuts=cuts)),
        )
    )

    assert (by_costs, by_both) == (Action.VERIFY, Action.ABSTAIN)


def test_a_policy_needs_cuts_or_costs() -> None:
    with pytest.raises(ValidationError, match="cuts"):
        Policy.model_validate({"name": "neither", "decide": {}})


def test_the_arithmetic_of_a_decision_is_in_its_record() -> None:
    policy = Policy.model_validate({"name": "c", "decide": {"costs": COSTS.model_dump()}})

    decision = decide(_at(0.9), policy, refusal=None, label_draw=1.0)

    assert decision.cuts["loss_answer"] == pytest.approx(1.0)
    assert decision.cuts["loss_abstain"] == pytest.approx(3.0)
    assert decision.cuts["answer"] == pytest.approx(0.8)


def test_a_policy_with_costs_survives_json_and_keeps_its_hash() -> None:
    policy = Policy.model_validate({"name": "c", "decide": {"costs": COSTS.model_dump()}})

    again = Policy.model_validate_json(policy.model_dump_json())

    assert again == policy
    assert again.digest == policy.digest
