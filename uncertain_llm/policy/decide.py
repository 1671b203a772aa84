"""From a confidence to an action, by the policy's cuts. Pure, and small enough to check by eye."""

from __future__ import annotations

from uncertain_llm.core.confidence import Confidence
from uncertain_llm.core.decision import (
    Action,
    Decision,
    Extent,
    ReasonCode,
    Refusal,
    RefusalKind,
    Support,
    Verdict,
)
from uncertain_llm.policy.policy import ActOn, Cuts, Policy

__all__ = ["decide", "decide_after_verdict", "decide_again"]

_REFUSED = {
    RefusalKind.NORMATIVE: ReasonCode.REFUSED_NORMATIVE,
    RefusalKind.EPISTEMIC: ReasonCode.REFUSED_EPISTEMIC,
    RefusalKind.CAPABILITY: ReasonCode.REFUSED_CAPABILITY,
    RefusalKind.QUESTION: ReasonCode.REFUSED_QUESTION,
    RefusalKind.NON_ANSWER: ReasonCode.NON_ANSWER,
}
_REASON = {
    Action.ANSWER: ReasonCode.CONFIDENT,
    Action.HEDGE: ReasonCode.FAIRLY_CONFIDENT,
    Action.VERIFY: ReasonCode.DOUBTFUL,
    Action.ABSTAIN: ReasonCode.NOT_CONFIDENT,
}


def decide(
    confidence: Confidence, policy: Policy, *, refusal: Refusal | None, label_draw: float
) -> Decision:
    """Return the action for an answer.

    A full refusal of the model is an abstention with the refusal's own reason: nothing was
    asserted that could be right. A partial one is decided by its probability like any answer.

    Args:
        confidence: What is known about the answer.
        policy: The team's policy.
        refusal: The model's own refusal, if its answer is one.
        label_draw: A uniform draw in [0, 1); below the audit rate a label is requested.

    Returns:
        The decision, with the number used and the cuts it was compared with.
    """
    action, reason, used = _choose(confidence, policy, refusal)
    return _decision(action, reason, policy, probability=used, label_draw=label_draw)


def decide_again(
    confidence: Confidence, policy: Policy, *, refusal: Refusal | None, label_draw: float
) -> Decision:
    """Return the final action after more replies were drawn: answer, hedge or abstain.

    What still falls into the verify band is withheld: looking again did not make it better.
    """
    action, reason, used = _choose(confidence, policy, refusal)
    if action is Action.VERIFY:
        action, reason = Action.ABSTAIN, ReasonCode.VERIFIED_UNDECIDED
    return _decision(action, reason, policy, probability=used, label_draw=label_draw)


def decide_after_verdict(
    verdict: Verdict | None, confidence: Confidence, policy: Policy, *, label_draw: float
) -> Decision:
    """Return the final action after a verifier looked: answer, hedge or abstain.

    Supported answers are shown, contradicted ones withheld, undecided ones hedged: the verifier
    found nothing against them, and the policy asked for more than it got. A verifier that failed
    (`verdict` None) leaves the doubt that called for it, so the answer is withheld.
    """
    table = {
        Support.SUPPORTED: (Action.ANSWER, ReasonCode.VERIFIED_SUPPORTED),
        Support.CONTRADICTED: (Action.ABSTAIN, ReasonCode.VERIFIED_CONTRADICTED),
        Support.UNDECIDED: (Action.HEDGE, ReasonCode.VERIFIED_UNDECIDED),
    }
    action, reason = (
        (Action.ABSTAIN, ReasonCode.VERIFIER_FAILED) if verdict is None else table[verdict.support]
    )
    used = _number_used(confidence, policy)
    return _decision(action, reason, policy, probability=used, label_draw=label_draw)


def _choose(
    confidence: Confidence, policy: Policy, refusal: Refusal | None
) -> tuple[Action, ReasonCode, float | None]:
    used = _number_used(confidence, policy)
    if refusal is not None and refusal.extent is Extent.FULL:
        return Action.ABSTAIN, _REFUSED[refusal.kind], used
    if used is None:
        measured = confidence.score is not None
        reason = ReasonCode.NO_PROBABILITY if measured else ReasonCode.NOTHING_MEASURED
        return policy.decide.when_unavailable, reason, None
    action = _action_at(used, policy.decide.cuts)
    return action, _REASON[action], used


def _number_used(confidence: Confidence, policy: Policy) -> float | None:
    if policy.decide.act_on is ActOn.LOWER_END:
        return None if confidence.band is None else confidence.band[0]
    return confidence.probability


def _action_at(probability: float, cuts: Cuts) -> Action:
    if probability >= cuts.answer:
        return Action.ANSWER
    if probability >= cuts.hedge:
        return Action.HEDGE
    return Action.VERIFY if probability >= cuts.verify else Action.ABSTAIN


def _decision(
    action: Action,
    reason: ReasonCode,
    policy: Policy,
    *,
    probability: float | None,
    label_draw: float,
) -> Decision:
    cuts = policy.decide.cuts
    return Decision(
        action=action,
        reason=reason,
        probability_used=probability,
        cuts={"answer": cuts.answer, "hedge": cuts.hedge, "verify": cuts.verify},
        policy=policy.name,
        policy_hash=policy.digest,
        label_propensity=policy.audit.rate,
        label_requested=label_draw < policy.audit.rate,
    )
