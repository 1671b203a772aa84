"""Floor 2: each signal measures one thing about an answer; pure, frozen, versioned."""

from uncertain_llm.signals.agreement import (
    AnswerAgreement,
    AnswerMargin,
    ClusterEntropy,
    LexicalAgreement,
)
from uncertain_llm.signals.equivalence import cluster
from uncertain_llm.signals.equivalence_embeddings import EquivalenceEmbeddings
from uncertain_llm.signals.equivalence_judge import EquivalenceJudge
from uncertain_llm.signals.hedging import Decisiveness
from uncertain_llm.signals.judge import OtherFamilyJudge
from uncertain_llm.signals.likelihood import SequenceLikelihood
from uncertain_llm.signals.probe import ProbeAgreement
from uncertain_llm.signals.question import QuestionBrevity
from uncertain_llm.signals.self_check import DistractorNormalised, PTrue
from uncertain_llm.signals.strings import exact_agreement, word_degree
from uncertain_llm.signals.verbalized import Scvc, StatedProbability

__all__ = [
    "AnswerAgreement",
    "AnswerMargin",
    "ClusterEntropy",
    "Decisiveness",
    "DistractorNormalised",
    "EquivalenceEmbeddings",
    "EquivalenceJudge",
    "LexicalAgreement",
    "OtherFamilyJudge",
    "PTrue",
    "ProbeAgreement",
    "QuestionBrevity",
    "Scvc",
    "SequenceLikelihood",
    "StatedProbability",
    "cluster",
    "exact_agreement",
    "word_degree",
]
