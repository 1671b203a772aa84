"""Floor 3: what a team decided, and the decision it leads to."""

from uncertain_llm.policy.decide import decide, decide_after_verdict, decide_again
from uncertain_llm.policy.policy import (
    ActOn,
    AnswerChoice,
    Audit,
    Cuts,
    Decide,
    Limits,
    Policy,
    Sampling,
    StatedProbabilityMode,
    Verification,
    Wording,
)

__all__ = [
    "ActOn",
    "AnswerChoice",
    "Audit",
    "Cuts",
    "Decide",
    "Limits",
    "Policy",
    "Sampling",
    "StatedProbabilityMode",
    "Verification",
    "Wording",
    "decide",
    "decide_after_verdict",
    "decide_again",
]
