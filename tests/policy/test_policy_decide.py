"""From a probability to an action."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from uncertain_llm.core.confidence import Confidence, ConfidenceStatus
from uncertain_llm.core.decision import (
    Action,
    Extent,
    ReasonCode,
    Refusal,
    RefusalKind,
    Support,
    Verdict,
)
from uncertain_llm.policy import (
    ActOn,
    Audit,
    Cuts,
    Decide,
    Policy,
    decide,
    decide_after_verdict,
    decide_again,
)

CUTS = Cuts(answer=0.8, hedge=0.6, verify=0.3)


def _policy(**decide_fields: object) -> Policy:
    return Policy(name="test", decide=Decide(cuts=CUTS, **decide_fields), audit=Audit(rate=0.05))


def _sure(probability: float | None, band: tuple[float, float] | None = None) -> Confidence:
    return Confidence(
        score=probability, probability=probability, band=band, status=ConfidenceStatus.PRIOR
    )


@pytest.mark.parametrize(
    ("probability", "action"),
    [
        (1.0, Action.ANSWER),
        (0.8, Action.ANSWER),
        (0.799, Action.HEDGE),
        (0.6, Action.HEDGE),
        (0.599, Action.VERIFY),
        (0.3, Action.VERIFY),
        (0.299, Action.ABSTAIN),
        (0.0, Action.ABSTAIN),
    ],
)
def test_each_action_starts_at_its_own_cut(probability: float, action: Action) -> None:
    decision = decide(_sure(probability), _policy(), refusal=None, label_draw=1.0)

    assert decision.action is action
    assert decision.probability_used == probability


def test_the_lower_end_of_the_band_decides_when_the_policy_says_so() -> None:
    policy = _policy(act_on=ActOn.LOWER_END)

    decision = decide(_sure(0.9, (0.4, 0.97)), policy, refusal=None, label_draw=1.0)

    assert decision.action is Action.VERIFY
    assert decision.probability_used == 0.4


@pytest.mark.parametrize("fallback", [Action.ANSWER, Action.HEDGE, Action.ABSTAIN])
def test_without_a_probability_the_policy_names_the_action(fallback: Action) -> None:
    decision = decide(_sure(None), _policy(when_unavailable=fallback), refusal=None, label_draw=1.0)

    assert (decision.action, decision.reason) == (fallback, ReasonCode.NOTHING_MEASURED)


def test_a_score_without_a_probability_is_not_compared_with_cuts() -> None:
    ranked = Confidence(
        score=0.99, probability=None, band=None, status=ConfidenceStatus.UNCALIBRATED
    )

    decision = decide(ranked, _policy(), refusal=None, label_draw=1.0)

    assert (decision.action, decision.reason) == (Action.HEDGE, ReasonCode.NO_PROBABILITY)


@pytest.mark.parametrize("kind", list(RefusalKind))
def test_a_full_refusal_abstains_with_a_reason_of_its_own(kind: RefusalKind) -> None:
    decision = decide(
        _sure(0.99), _policy(), refusal=Refusal(kind=kind, why="test"), label_draw=1.0
    )

    assert decision.action is Action.ABSTAIN
    assert kind.value.split("_")[0] in decision.reason.value


def test_a_partial_refusal_is_decided_by_its_probability() -> None:
    partial = Refusal(kind=RefusalKind.EPISTEMIC, extent=Extent.PARTIAL, why="test")

    assert decide(_sure(0.9), _policy(), refusal=partial, label_draw=1.0).action is Action.ANSWER


def test_what_stays_doubtful_after_more_samples_is_withheld() -> None:
    decision = decide_again(_sure(0.5), _policy(), refusal=None, label_draw=1.0)

    assert (decision.action, decision.reason) == (Action.ABSTAIN, ReasonCode.VERIFIED_UNDECIDED)


@pytest.mark.parametrize(
    ("support", "action"),
    [
        (Support.SUPPORTED, Action.ANSWER),
        (Support.UNDECIDED, Action.HEDGE),
        (Support.CONTRADICTED, Action.ABSTAIN),
    ],
)
def test_a_verdict_settles_the_action(support: Support, action: Action) -> None:
    verdict = Verdict(support=support, verifier="test")

    assert decide_after_verdict(verdict, _sure(0.5), _policy(), label_draw=1.0).action is action


def test_a_verifier_that_failed_leaves_the_doubt() -> None:
    decision = decide_after_verdict(None, _sure(0.5), _policy(), label_draw=1.0)

    assert (decision.action, decision.reason) == (Action.ABSTAIN, ReasonCode.VERIFIER_FAILED)


@pytest.mark.parametrize(("draw", "requested"), [(0.0, True), (0.0499, True), (0.05, False)])
def test_the_audit_draw_requests_a_label_below_the_rate(draw: float, requested: bool) -> None:
    decision = decide(_sure(0.9), _policy(), refusal=None, label_draw=draw)

    assert decision.label_requested is requested
    assert decision.label_propensity == 0.05


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_probability_never_leads_to_less_for_the_user(one: float, other: float) -> None:
    order = [Action.ABSTAIN, Action.VERIFY, Action.HEDGE, Action.ANSWER]
    low, high = sorted((one, other))

    actions = [decide(_sure(p), _policy(), refusal=None, label_draw=1).action for p in (low, high)]

    assert order.index(actions[0]) <= order.index(actions[1])


def test_cuts_out_of_order_are_refused_with_their_numbers() -> None:
    with pytest.raises(ValidationError, match=r"answer 0\.5, hedge 0\.6, verify 0\.3"):
        Cuts(answer=0.5, hedge=0.6, verify=0.3)


def test_the_hash_of_a_policy_changes_with_any_number_in_it() -> None:
    stricter = _policy().model_copy(update={"audit": Audit(rate=0.06)})

    assert Policy.model_validate(stricter.model_dump()).digest != _policy().digest
    assert _policy().digest == _policy().digest
