"""When another reply is not worth its price: it could not change what is done with the answer.

Every published rule stops when the majority is settled. These stop when the decision is:
`is_settled` when no outcome of the replies still to come leads to another action, and
`stopping_table.StoppingTable` when what they could change is worth less than they cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from uncertain_llm.core.base import Unit, Value
from uncertain_llm.core.confidence import Confidence
from uncertain_llm.core.decision import Action, Refusal
from uncertain_llm.core.ports import Estimator
from uncertain_llm.policy.calibration_file import Gate
from uncertain_llm.policy.decide import decide
from uncertain_llm.policy.policy import Policy
from uncertain_llm.policy.stopping_table import AGREEMENT, LEXICAL, STATED

__all__ = ["Tally", "is_settled"]

# What a further reply may state: the ends bound every monotone estimator, the middle the others.
_MAY_STATE = (0.0, 0.5, 1.0)


class Tally(Value):
    """How the replies so far divide."""

    counted: Annotated[int, Field(ge=0)]
    """Replies that count; repetitions of an earlier one do not."""
    agreeing: Annotated[int, Field(ge=0)]
    """Those that say what the shown answer says, the answer included."""
    rival: Annotated[int, Field(ge=0)] = 0
    """Those behind the strongest other answer."""
    answer_may_change: bool = True
    """Whether a rival that gets more replies would be shown in its place."""
    stated: Unit | None = None
    """Mean stated probability of the agreeing ones; None when nobody states one."""
    n_stated: Annotated[int, Field(ge=0)] = 0


def is_settled(
    tally: Tally,
    confidence: Confidence,
    policy: Policy,
    estimator: Estimator,
    *,
    n_left: int,
    refusal: Refusal | None,
    gate: Gate | None = None,
) -> bool:
    """Tell whether no outcome of the replies still to come leads to another action.

    It asks the estimator about every number of them that may agree, and about the ends of what
    they may state and of how alike their words may be. It assumes that all of them arrive.

    Args:
        tally: The replies so far.
        confidence: What they amount to; its other measurements are held as they are.
        policy: Decides what each outcome would lead to.
        estimator: Says what each outcome would mean.
        n_left: Replies that may still be asked for; with none it is settled.
        refusal: The answer's own refusal, if it is one.
        gate: What the certificate of the policy's calibration lets through.

    Example:
        >>> from uncertain_llm.calibration.prior import load_prior
        >>> from uncertain_llm.core.confidence import Measurement
        >>> from uncertain_llm.policy import Cuts, Decide
        >>> prior, so_far = load_prior(), Tally(counted=2, agreeing=2)
        >>> said = prior.estimate([Measurement(signal=AGREEMENT, value=1.0)], n_samples=2)
        >>> just_answered = Cuts(answer=said.probability, hedge=0.0, verify=0.0)
        >>> never_shown = Cuts(answer=1.0, hedge=1.0, verify=1.0)
        >>> for cuts in (just_answered, never_shown):
        ...     policy = Policy(name="p", decide=Decide(cuts=cuts))
        ...     is_settled(so_far, said, policy, prior, n_left=3, refusal=None)
        False
        True
    """
    if n_left <= 0:
        return True
    now = _action(confidence, policy, refusal, gate)
    for after in _outcomes(tally, n_left):
        shows_another = after.agreeing <= after.rival and tally.answer_may_change
        if shows_another and now is not Action.ABSTAIN:
            return False
        counts = after.model_copy(update={"agreeing": after.rival}) if shows_another else after
        for lexical in (0.0, 1.0):
            then = _imagined(counts, confidence, estimator, tally=tally, lexical=lexical)
            # Another answer is judged by its number; a refusal is the shown answer's alone.
            if _action(then, policy, None if shows_another else refusal, gate) is not now:
                return False
    return True


def _outcomes(tally: Tally, n_left: int) -> Iterator[Tally]:
    """Yield every way in which the replies to come may divide, the strongest rival included."""
    for more in range(n_left + 1):
        states = (None,) if tally.stated is None else _MAY_STATE
        for stated in states:
            n_stated = tally.n_stated + (0 if stated is None else more)
            mean = tally.stated
            if stated is not None and tally.stated is not None and n_stated:
                mean = (tally.n_stated * tally.stated + more * stated) / n_stated
            yield tally.model_copy(
                update={
                    "counted": tally.counted + n_left,
                    "agreeing": tally.agreeing + more,
                    "rival": tally.rival + n_left - more,
                    "stated": mean,
                    "n_stated": n_stated,
                }
            )


def _imagined(
    after: Tally, confidence: Confidence, estimator: Estimator, *, tally: Tally, lexical: float
) -> Confidence:
    changed = []
    share_left = 1 - tally.counted / after.counted
    for measurement in confidence.measurements:
        value = measurement.value
        if measurement.signal == AGREEMENT:
            value = after.agreeing / after.counted
        elif measurement.signal == STATED and value is not None:
            value = after.stated
        elif measurement.signal == LEXICAL:
            before = lexical if value is None else value
            value = (1 - share_left) * before + share_left * lexical
        changed.append(measurement.model_copy(update={"value": value}))
    return estimator.estimate(changed, n_samples=after.counted)


def _action(
    confidence: Confidence, policy: Policy, refusal: Refusal | None, gate: Gate | None
) -> Action:
    return decide(confidence, policy, refusal=refusal, label_draw=1.0, gate=gate).action
