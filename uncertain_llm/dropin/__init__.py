"""Floor 7: the library behind litellm's own call shapes."""

from uncertain_llm.dropin.drop_in import DropIn
from uncertain_llm.dropin.front import acompletion, completion, wrap
from uncertain_llm.dropin.measurable import NotMeasured
from uncertain_llm.dropin.verdict import Uncertainty, uncertainty

__all__ = [
    "DropIn",
    "NotMeasured",
    "Uncertainty",
    "acompletion",
    "completion",
    "uncertainty",
    "wrap",
]
