"""Floor 1: reading and writing words. Pure functions of text; no model, no I/O."""

from uncertain_llm.text.hedges import Decisiveness, decisiveness, marker_for, phrase_probability
from uncertain_llm.text.refusals import classify_refusal
from uncertain_llm.text.stated_probability import (
    StatedProbability,
    split_stated,
    stated_probability,
)

__all__ = [
    "Decisiveness",
    "StatedProbability",
    "classify_refusal",
    "decisiveness",
    "marker_for",
    "phrase_probability",
    "split_stated",
    "stated_probability",
]
