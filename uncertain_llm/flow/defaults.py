"""The library's own parts, for whatever a caller does not replace."""

from __future__ import annotations

from collections.abc import Sequence

from uncertain_llm import __version__
from uncertain_llm.calibration.prior import load_prior
from uncertain_llm.core.ports import Estimator, Hedger, Signal, Verifier
from uncertain_llm.flow.act import TemplateHedger
from uncertain_llm.flow.pipeline import Pipeline
from uncertain_llm.policy import Policy, StatedProbabilityMode
from uncertain_llm.signals.agreement import AnswerAgreement, LexicalAgreement
from uncertain_llm.signals.hedging import Decisiveness
from uncertain_llm.signals.question import QuestionBrevity
from uncertain_llm.signals.verbalized import StatedProbability

__all__ = ["default_signals", "pipeline_for"]


def default_signals(policy: Policy) -> tuple[Signal, ...]:
    """Return the signals the shipped prior was fitted on, as far as the policy asks for them."""
    n_samples = max(2, policy.sampling.samples)
    signals: tuple[Signal, ...] = (
        AnswerAgreement(samples=n_samples),
        LexicalAgreement(samples=n_samples),
        Decisiveness(),
        QuestionBrevity(),
    )
    mode = policy.sampling.stated_probability
    if mode is StatedProbabilityMode.OFF:
        return signals
    if mode is StatedProbabilityMode.FOLLOW_UP:
        return (*signals, StatedProbability(ask="follow_up"))
    return (*signals, StatedProbability(ask="inline"))


def pipeline_for(
    policy: Policy,
    *,
    signals: Sequence[Signal] | None = None,
    estimator: Estimator | None = None,
    hedger: Hedger | None = None,
    verifier: Verifier | None = None,
) -> Pipeline:
    """Return the pipeline for a policy; what is not given is the library's own."""
    return Pipeline(
        policy=policy,
        signals=default_signals(policy) if signals is None else tuple(signals),
        estimator=load_prior() if estimator is None else estimator,
        hedger=TemplateHedger(policy) if hedger is None else hedger,
        verifier=verifier,
        library_version=__version__,
    )
