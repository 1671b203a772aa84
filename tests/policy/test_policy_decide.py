"""From a probability to an action."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from uncertain_llm.core.confidence import Confidence, ConfidenceStatus, Measurement
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
    Gate,
    Policy,
    decide,
    decide_after_verdict,
    decide_again,
)
from uncertain_llm.policy.certificate import CertifiedBand, SecondLook

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


def _gate(*bands: tuple[Support | None, float], answer: float | None = 0.9) -> Gate:
    """A gate that lets second looks through from a score on, by verdict."""
    return Gate(
        answer=answer,
        verified=tuple(
            CertifiedBand(
                band="verified",
                group=None,
                alpha=0.2,
                delta=0.05,
                threshold=threshold,
                look=SecondLook(
                    verifier=None if support is None else "test",
                    support=support,
                    verifying="",
                    n_replies=(6, 7),
                ),
                n_labels=100,
                n_accepted=50,
                n_wrong=2,
                risk_bound=0.1,
                coverage=0.5,
            )
            for support, threshold in bands
        ),
        limits_verified=True,
    )


def _scored(score: float, status: str = "calibrated", *, probability: float = 0.7) -> Confidence:
    known = ConfidenceStatus(status)
    return Confidence(score=score, probability=probability, band=None, status=known)


@pytest.mark.parametrize(
    ("score", "status", "n_replies", "action"),
    [
        (0.75, "calibrated", 7, Action.HEDGE),
        (0.75, "out_of_range", 6, Action.HEDGE),  # a calibrator of three replies orders seven too
        (0.69, "calibrated", 7, Action.ABSTAIN),
        (0.75, "calibrated", 5, Action.ABSTAIN),  # less was looked at than the labels were of
        (0.75, "calibrated", None, Action.ABSTAIN),
        (0.75, "prior", 7, Action.ABSTAIN),  # another score than the one that was ordered by
    ],
)
def test_a_second_look_is_shown_only_as_far_as_something_is_promised_of_it(
    score: float, status: str, n_replies: int | None, action: Action
) -> None:
    decision = decide_again(
        _scored(score, status),
        _policy(),
        refusal=None,
        label_draw=1.0,
        gate=_gate((None, 0.7)),
        n_replies=n_replies,
    )

    assert decision.action is action
    assert (decision.reason is ReasonCode.VERIFIED_NOT_CERTIFIED) is (action is Action.ABSTAIN)
    assert (decision.cuts["score"], decision.cuts["certified_verified"]) == (score, 0.7)


def test_what_the_cuts_withhold_stays_withheld_whatever_is_promised() -> None:
    decision = decide_again(
        _scored(0.99, probability=0.5),
        _policy(),
        refusal=None,
        label_draw=1.0,
        gate=_gate((None, 0.1)),
        n_replies=7,
    )

    assert (decision.action, decision.reason) == (Action.ABSTAIN, ReasonCode.VERIFIED_UNDECIDED)


def test_the_promise_of_second_looks_takes_the_place_of_that_of_first_ones() -> None:
    sure = _scored(0.75, probability=0.85)
    promised, other = _gate((None, 0.7), answer=None), Gate(answer=None)

    shown, hedged = (
        decide_again(sure, _policy(), refusal=None, label_draw=1.0, gate=gate, n_replies=7)
        for gate in (promised, other)
    )

    assert (shown.action, hedged.action) == (Action.ANSWER, Action.HEDGE)


@pytest.mark.parametrize(
    ("support", "score", "action"),
    [
        (Support.SUPPORTED, 0.5, Action.ANSWER),
        (Support.SUPPORTED, 0.3, Action.ABSTAIN),
        (Support.UNDECIDED, 0.9, Action.ABSTAIN),  # nothing was certified of the undecided
        (Support.CONTRADICTED, 0.9, Action.ABSTAIN),
    ],
)
def test_each_verdict_has_a_threshold_of_its_own(
    support: Support, score: float, action: Action
) -> None:
    verdict = Verdict(support=support, verifier="test")

    decision = decide_after_verdict(
        verdict,
        _scored(score),
        _policy(),
        label_draw=1.0,
        gate=_gate((Support.SUPPORTED, 0.4)),
        n_replies=7,
    )

    assert decision.action is action


def test_a_gate_that_promises_nothing_of_verdicts_changes_none() -> None:
    verdict = Verdict(support=Support.SUPPORTED, verifier="test")

    decision = decide_after_verdict(
        verdict, _scored(0.1), _policy(), label_draw=1.0, gate=Gate(answer=0.9), n_replies=7
    )

    assert decision.action is Action.ANSWER


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


PROBED = Measurement(signal="probe_agreement", value=0.0)


@pytest.mark.parametrize(
    ("probability", "moved", "expected"),
    [
        (0.9, Action.VERIFY, (Action.VERIFY, ReasonCode.PROBE_DISAGREES)),
        (0.9, Action.HEDGE, (Action.HEDGE, ReasonCode.PROBE_DISAGREES)),
        (0.9, Action.ANSWER, (Action.ANSWER, ReasonCode.CONFIDENT)),
        (0.7, Action.VERIFY, (Action.HEDGE, ReasonCode.FAIRLY_CONFIDENT)),
        (0.1, Action.VERIFY, (Action.ABSTAIN, ReasonCode.NOT_CONFIDENT)),
    ],
)
def test_a_probe_that_disagrees_moves_what_would_be_shown_as_it_is_and_nothing_else(
    probability: float, moved: Action, expected: tuple[Action, ReasonCode]
) -> None:
    said = _sure(probability).model_copy(update={"measurements": (PROBED,)})
    policy = _policy(when_probe_disagrees=moved)

    found = decide(said, policy, refusal=None, label_draw=0.5)

    assert (found.action, found.reason) == expected


@pytest.mark.parametrize("value", [1.0, None])
def test_a_probe_that_agrees_or_failed_moves_nothing(value: float | None) -> None:
    probe = Measurement(
        signal="probe_agreement", value=value, missing=None if value else "no_probe"
    )
    said = _sure(0.9).model_copy(update={"measurements": (probe,)})

    found = decide(said, _policy(when_probe_disagrees=Action.VERIFY), refusal=None, label_draw=0.5)

    assert found.action is Action.ANSWER
