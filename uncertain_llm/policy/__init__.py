"""Floor 3: what a team decided, and the decision it leads to."""

from uncertain_llm.policy.calibration_file import CalibrationFile, Gate
from uncertain_llm.policy.certificate import Certificate
from uncertain_llm.policy.costs import Costs, cuts_from_costs
from uncertain_llm.policy.cuts import Cuts
from uncertain_llm.policy.decide import action_at, decide, decide_after_verdict, decide_again
from uncertain_llm.policy.policy import (
    ActOn,
    AnswerChoice,
    Audit,
    Decide,
    EquivalenceMode,
    Limits,
    OnMismatch,
    Policy,
    ProbeMode,
    Sampling,
    SamplingMode,
    StatedProbabilityMode,
    Verification,
    Wording,
)

__all__ = [
    "ActOn",
    "AnswerChoice",
    "Audit",
    "CalibrationFile",
    "Certificate",
    "Costs",
    "Cuts",
    "Decide",
    "EquivalenceMode",
    "Gate",
    "Limits",
    "OnMismatch",
    "Policy",
    "ProbeMode",
    "Sampling",
    "SamplingMode",
    "StatedProbabilityMode",
    "Verification",
    "Wording",
    "action_at",
    "cuts_from_costs",
    "decide",
    "decide_after_verdict",
    "decide_again",
]
