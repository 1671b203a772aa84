"""From a confidence to an action, by the policy's cuts. Pure, and small enough to check by eye."""

from __future__ import annotations

from uncertain_llm.core.base import unchecked
from uncertain_llm.core.confidence import Confidence, ConfidenceStatus
from uncertain_llm.core.decision import (
    REFUSED_REASONS,
    Action,
    Decision,
    Extent,
    ReasonCode,
    Refusal,
    Support,
    Verdict,
)
from uncertain_llm.policy.calibration_file import Gate
from uncertain_llm.policy.costs import cuts_from_costs
from uncertain_llm.policy.cuts import Cuts
from uncertain_llm.policy.policy import ActOn, Policy

__all__ = [
    "PROBE",
    "action_at",
    "decide",
    "decide_after_verdict",
    "decide_again",
    "second_score",
]

_decided = unchecked(Decision)

PROBE = "probe_agreement"
"""The signal that tells whether the answer survives another form of the question."""

_REASON = {
    Action.ANSWER: ReasonCode.CONFIDENT,
    Action.HEDGE: ReasonCode.FAIRLY_CONFIDENT,
    Action.VERIFY: ReasonCode.DOUBTFUL,
    Action.ABSTAIN: ReasonCode.NOT_CONFIDENT,
}


_SHOWN = (Action.ANSWER, Action.HEDGE)
_ORDER = (Action.ANSWER, Action.HEDGE, Action.VERIFY, Action.ABSTAIN)
"""Each shows less than the one before."""


def decide(
    confidence: Confidence,
    policy: Policy,
    *,
    refusal: Refusal | None,
    label_draw: float,
    gate: Gate | None = None,
) -> Decision:
    """Return the action for an answer.

    A full refusal of the model is an abstention with the refusal's own reason: nothing was
    asserted that could be right. A partial one is decided by its probability like any answer.

    Args:
        confidence: What is known about the answer.
        policy: The team's policy.
        refusal: The model's own refusal, if its answer is one.
        label_draw: A uniform draw in [0, 1); below the audit rate a label is requested.
        gate: What the certificate of the policy's calibration lets through; the stricter of cuts
            and gate wins.

    Returns:
        The decision, with the number used and everything it was compared with: the cuts, each
        action's expected loss ("loss_answer", ...) where the policy gives costs, and the score
        beside the certified scores where there is a certificate.

    Example:
        >>> from uncertain_llm.policy import Decide
        >>> cuts = Cuts(answer=0.9, hedge=0.6, verify=0.3)
        >>> careful = Policy(name="careful", decide=Decide(cuts=cuts))
        >>> said = Confidence(
        ...     score=0.7, probability=0.7, band=(0.6, 0.8), band_level=0.9,
        ...     status=ConfidenceStatus.PRIOR,
        ... )
        >>> decide(said, careful, refusal=None, label_draw=0.5).action.value
        'hedge'
    """
    action, reason, used = _choose(confidence, policy, refusal, gate)
    cuts = _arithmetic(confidence, policy, used, gate)
    return _decision(action, reason, policy, used=used, cuts=cuts, label_draw=label_draw)


def decide_again(
    confidence: Confidence,
    policy: Policy,
    *,
    refusal: Refusal | None,
    label_draw: float,
    gate: Gate | None = None,
    n_replies: int | None = None,
) -> Decision:
    """Return the final action after more replies were drawn: answer, hedge or abstain.

    What still falls into the verify band is withheld: looking again did not make it better. An
    answer that only a probe speaks against is hedged: more replies to the wording that it was
    drawn with say nothing about that. Where something was promised of what is shown after looking
    again, that takes the place of what was promised of first looks, and what it does not let
    through is withheld.

    Args:
        confidence: What is known about the answer now.
        policy: As in `decide`.
        refusal: As in `decide`.
        label_draw: As in `decide`.
        gate: As in `decide`.
        n_replies: Replies that count, of both looks; None where nobody counted.

    Returns:
        As `decide`; never `VERIFY`.

    Example:
        >>> from uncertain_llm.policy import Decide
        >>> cuts = Cuts(answer=0.9, hedge=0.6, verify=0.3)
        >>> careful = Policy(name="careful", decide=Decide(cuts=cuts))
        >>> said = Confidence(
        ...     score=0.5, probability=0.5, band=(0.4, 0.6), band_level=0.9,
        ...     status=ConfidenceStatus.PRIOR,
        ... )
        >>> again = decide_again(said, careful, refusal=None, label_draw=0.5)
        >>> again.action.value, again.reason.value
        ('abstain', 'verified_undecided')
    """
    is_promised = gate is not None and gate.limits_verified
    own = None if is_promised else gate
    action, reason, used = _choose(confidence, policy, refusal, own)
    if reason is ReasonCode.PROBE_DISAGREES:
        action = Action.HEDGE
    elif action is Action.VERIFY:
        action, reason = Action.ABSTAIN, ReasonCode.VERIFIED_UNDECIDED
    elif action in _SHOWN and not _passes(confidence, gate, n_replies, None):
        action, reason = Action.ABSTAIN, ReasonCode.VERIFIED_NOT_CERTIFIED
    cuts = _arithmetic(confidence, policy, used, own) | _asked(confidence, gate, None)
    return _decision(action, reason, policy, used=used, cuts=cuts, label_draw=label_draw)


def decide_after_verdict(
    verdict: Verdict | None,
    confidence: Confidence,
    policy: Policy,
    *,
    label_draw: float,
    gate: Gate | None = None,
    n_replies: int | None = None,
) -> Decision:
    """Return the final action after a verifier looked: answer, hedge or abstain.

    Supported answers are shown, contradicted ones withheld, undecided ones hedged: the verifier
    found nothing against them, and the policy asked for more than it got. A verifier that failed
    (`verdict` None) leaves the doubt that called for it, so the answer is withheld. Where something
    was promised of what is shown after looking again, what that does not let through is withheld.

    Args:
        verdict: What the verifier found, if anything.
        confidence: Of the first look; a verifier does not change it.
        policy: As in `decide`.
        label_draw: As in `decide`.
        gate: As in `decide`; only its promise of what is shown after a verdict counts.
        n_replies: Replies that count; None where nobody counted.

    Returns:
        As `decide`; never `VERIFY`.

    Example:
        >>> from uncertain_llm.policy import Decide
        >>> cuts = Cuts(answer=0.9, hedge=0.6, verify=0.3)
        >>> careful = Policy(name="careful", decide=Decide(cuts=cuts))
        >>> said = Confidence(
        ...     score=0.5, probability=0.5, band=(0.4, 0.6), band_level=0.9,
        ...     status=ConfidenceStatus.PRIOR,
        ... )
        >>> found = Verdict(support=Support.CONTRADICTED, verifier="search")
        >>> decide_after_verdict(found, said, careful, label_draw=0.5).action.value
        'abstain'
    """
    table = {
        Support.SUPPORTED: (Action.ANSWER, ReasonCode.VERIFIED_SUPPORTED),
        Support.CONTRADICTED: (Action.ABSTAIN, ReasonCode.VERIFIED_CONTRADICTED),
        Support.UNDECIDED: (Action.HEDGE, ReasonCode.VERIFIED_UNDECIDED),
    }
    action, reason = (
        (Action.ABSTAIN, ReasonCode.VERIFIER_FAILED) if verdict is None else table[verdict.support]
    )
    support = None if verdict is None else verdict.support
    if action in _SHOWN and not _passes(confidence, gate, n_replies, support):
        action, reason = Action.ABSTAIN, ReasonCode.VERIFIED_NOT_CERTIFIED
    used = _number_used(confidence, policy)
    cuts = _arithmetic(confidence, policy, used, None) | _asked(confidence, gate, support)
    return _decision(action, reason, policy, used=used, cuts=cuts, label_draw=label_draw)


def second_score(confidence: Confidence) -> float | None:
    """Return the score by which second looks are ordered; None where labels weighed no such score.

    A calibrator need not have seen as many replies as both looks have together: the certificate's
    own labels were scored so, and only the order counts.

    Args:
        confidence: Of the second look; where a verifier looked, of the first.

    Returns:
        In [0, 1].

    Example:
        >>> said = Confidence(
        ...     score=0.7, probability=0.7, band=(0.6, 0.8), band_level=0.9,
        ...     status=ConfidenceStatus.PRIOR,
        ... )
        >>> print(second_score(said))
        None
    """
    known = (ConfidenceStatus.CALIBRATED, ConfidenceStatus.OUT_OF_RANGE)
    return confidence.score if confidence.status in known else None


def _choose(
    confidence: Confidence, policy: Policy, refusal: Refusal | None, gate: Gate | None
) -> tuple[Action, ReasonCode, float | None]:
    if refusal is not None and refusal.extent is Extent.FULL:
        return Action.ABSTAIN, REFUSED_REASONS[refusal.kind], None
    used = _number_used(confidence, policy)
    if used is None:
        measured = confidence.score is not None
        reason = ReasonCode.NO_PROBABILITY if measured else ReasonCode.NOTHING_MEASURED
        score = _covered_score(confidence)
        action = _at_the_gate(policy.decide.when_unavailable, score, policy, None, gate)
        return *_after_probe(action, reason, confidence, policy), None
    action = action_at(used, _covered_score(confidence), policy, gate)
    return *_after_probe(action, _REASON[action], confidence, policy), used


def _after_probe(
    action: Action, reason: ReasonCode, confidence: Confidence, policy: Policy
) -> tuple[Action, ReasonCode]:
    """Return the action, more careful where a probe speaks against an answer shown as it is."""
    moved = policy.decide.when_probe_disagrees
    if action is not Action.ANSWER or moved is Action.ANSWER:
        return action, reason
    probe = confidence.measurement(PROBE)
    if probe is None or probe.value != 0.0:
        return action, reason
    return moved, ReasonCode.PROBE_DISAGREES


def _number_used(confidence: Confidence, policy: Policy) -> float | None:
    if policy.decide.act_on is ActOn.LOWER_END:
        return None if confidence.band is None else confidence.band[0]
    return confidence.probability


def action_at(probability: float, score: float | None, policy: Policy, gate: Gate | None) -> Action:
    """Return the action for an answer that is no refusal, has a probability and was not probed.

    Args:
        probability: What the policy acts on.
        score: What the gate compares; None where the labels say nothing of it.
        policy: As in `decide`.
        gate: As in `decide`.

    Returns:
        The action.

    Example:
        >>> from uncertain_llm.policy import Decide
        >>> cuts = Cuts(answer=0.9, hedge=0.6, verify=0.3)
        >>> careful = Policy(name="careful", decide=Decide(cuts=cuts))
        >>> [action_at(p, None, careful, None).value for p in (0.95, 0.7, 0.4, 0.1)]
        ['answer', 'hedge', 'verify', 'abstain']
    """
    action = _action_at(probability, policy.decide.effective_cuts)
    return _at_the_gate(action, score, policy, probability, gate)


def _action_at(probability: float, cuts: Cuts) -> Action:
    if probability >= cuts.answer:
        return Action.ANSWER
    if probability >= cuts.hedge:
        return Action.HEDGE
    return Action.VERIFY if probability >= cuts.verify else Action.ABSTAIN


def _at_the_gate(
    action: Action, score: float | None, policy: Policy, used: float | None, gate: Gate | None
) -> Action:
    """Return the action, or the next more careful one that what was promised lets through."""
    if gate is None:
        return action
    if action is Action.ANSWER and not gate.lets_answer(score):
        action = _more_careful(action, policy, used)
    if action is Action.HEDGE and not gate.lets_hedge(score):
        action = _more_careful(action, policy, used)
    return action


def _more_careful(barred: Action, policy: Policy, used: float | None) -> Action:
    """Return what comes in place of an action: the next one, or with costs the cheapest below."""
    cuts, costs = policy.decide.cuts, policy.decide.costs
    by_cuts = Action.HEDGE
    if barred is Action.HEDGE:
        looks_again = used is not None and cuts.verify < cuts.hedge
        by_cuts = Action.VERIFY if looks_again else Action.ABSTAIN
    if costs is None or used is None:
        return by_cuts
    losses = costs.losses(used)
    below = _ORDER[_ORDER.index(barred) + 1 :]
    cheapest = min(below, key=losses.__getitem__)
    if cuts == cuts_from_costs(costs):
        return cheapest
    return max(cheapest, by_cuts, key=_ORDER.index)


def _covered_score(confidence: Confidence) -> float | None:
    # The labels say nothing of what lies outside of what they covered.
    return confidence.score if confidence.status is ConfidenceStatus.CALIBRATED else None


def _passes(
    confidence: Confidence, gate: Gate | None, n_replies: int | None, support: Support | None
) -> bool:
    if gate is None:
        return True
    return gate.lets_verified(second_score(confidence), n_replies=n_replies, support=support)


def _asked(confidence: Confidence, gate: Gate | None, support: Support | None) -> dict[str, float]:
    """Return what was promised of such a second look, beside its score."""
    band = None if gate is None else gate.verified_band(support)
    found = {} if band is None else {"certified_verified": band.threshold}
    if gate is not None and gate.limits_verified and confidence.score is not None:
        found["score"] = confidence.score
    return found


def _arithmetic(
    confidence: Confidence, policy: Policy, used: float | None, gate: Gate | None
) -> dict[str, float]:
    """Return every number that the decision was compared with."""
    cuts = policy.decide.effective_cuts
    found = {"answer": cuts.answer, "hedge": cuts.hedge, "verify": cuts.verify}
    if policy.decide.costs is not None and used is not None:
        losses = policy.decide.costs.losses(used)
        found |= {f"loss_{action.value}": loss for action, loss in losses.items()}
    if gate is not None and confidence.score is not None:
        found["score"] = confidence.score
        thresholds = {
            "certified_answer": gate.answer,
            "certified_shown": gate.shown,
            "certified_hedge": gate.hedge,
        }
        found |= {name: value for name, value in thresholds.items() if value is not None}
    return found


def _decision(
    action: Action,
    reason: ReasonCode,
    policy: Policy,
    *,
    used: float | None,
    cuts: dict[str, float],
    label_draw: float,
) -> Decision:
    return _decided(
        action=action,
        reason=reason,
        probability_used=used,
        cuts=cuts,
        policy=policy.name,
        policy_hash=policy.digest,
        label_propensity=policy.audit.rate,
        label_requested=label_draw < policy.audit.rate,
    )
