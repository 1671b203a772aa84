"""Ask a model of another family whether the answer is right.

Agreement cannot see an error that a model makes every time, and models of one family share
theirs. A model with other training is the cheapest second opinion on a repeated error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import Field, SkipValidation

from uncertain_llm.core.base import Value
from uncertain_llm.core.chat import (
    CallFailure,
    CallPurpose,
    Elicitation,
    Generation,
    ModelCall,
    Request,
)
from uncertain_llm.core.confidence import Evidence, Measurement, Needs
from uncertain_llm.core.errors import ConfigurationError
from uncertain_llm.signals.asking import (
    CALL_FAILED,
    NOT_ASKED,
    UNREADABLE,
    clipped,
    framed,
    outcomes_of,
    percent,
    read_object,
    why_nothing_to_ask,
)

__all__ = ["OtherFamilyJudge", "families_of"]

JUDGE_VERSION = "2"
"""Changes with any change of the text below, of how it is sent and of how replies are read."""

JUDGE_INSTRUCTIONS = (
    "You judge whether an answer to a question is right. Work out the answer yourself first, then "
    "compare. How the answer is worded, how long it is and how sure it sounds do not matter. "
    'Reply with nothing but JSON of the form {"verdict": V, "probability": N}, where V is "right", '
    '"wrong" or "cannot_tell", and N is a whole number from 0 to 100: the probability, in percent, '
    "that the answer is right."
)
_LONGEST = 20_000
# Names of models, not of companies that host them: a Llama is one wherever it runs.
_FAMILIES = {
    "openai": r"gpt|chatgpt|davinci|\bo[134]\b",
    "anthropic": "claude",
    "google": "gemini|gemma|palm",
    "meta": "llama",
    "mistral": r"mi[sx]tral|codestral|ministral|magistral",
    "alibaba": "qwen|qwq",
    "deepseek": "deepseek",
    "xai": "grok",
    "cohere": r"command-?[ra]\b|\baya\b",
    "microsoft": r"\bphi-?\d",
    "amazon": r"\bnova-|titan",
    "zhipu": r"\bglm-",
    "moonshot": "kimi",
}
_PATTERNS = {family: re.compile(pattern) for family, pattern in _FAMILIES.items()}


class OtherFamilyJudge(Value):
    """The probability of being right that a judge of another family states; one call.

    The judge sees the question and the shown answer, not who gave it nor how often. A verdict and
    a probability that contradict each other count as no reading. Judges are least reliable where
    the case is hard, so calibrate it on labels before you act on it.

    Source:
        Errors that a model repeats every time are invisible to agreement: arXiv 2606.02289 (2026).

    Example:
        >>> judge = OtherFamilyJudge(model="anthropic/claude-sonnet-4-5")
        >>> judge.name, judge.version
        ('other_family_judge', '2')
    """

    name: str = "other_family_judge"
    model: str = Field(min_length=1)
    """The judge, by its litellm name. It gets none of the options of the model that answers."""
    options: SkipValidation[Mapping[str, object]] = Field(
        default_factory=dict, repr=False, exclude=True
    )
    """Passed to the judge's provider (api_key=, api_base=, ...); never logged."""
    allow_same_family: bool = False
    """Let a model be judged by a relative of its own."""

    @property
    def version(self) -> str:
        """Changes with the wording."""
        return JUDGE_VERSION

    @property
    def needs(self) -> Needs:
        """Nothing beyond the answer."""
        return Needs()

    def refuse_relative(self, answering_model: str) -> None:
        """Raise if the judge is known to be of the family of the model that answers.

        Raises:
            ConfigurationError: It is, and that was not allowed.
        """
        if self._may_judge(answering_model):
            return
        shared = ", ".join(sorted(families_of(self.model) & families_of(answering_model)))
        raise ConfigurationError(
            f"the judge {self.model} is of the same family ({shared}) as {answering_model}, and "
            "likely to repeat its errors; name a judge of another family, or set "
            "allow_same_family=True"
        )

    def follow_ups(self, request: Request, evidence: Evidence) -> tuple[ModelCall, ...]:
        """Return one call to the judge; none about a refusal, or if the judge is a relative."""
        text = evidence.answer.text or evidence.answer.answer
        if why_nothing_to_ask(evidence) or not text or not self._may_judge(request.model):
            return ()
        data = {
            "question": clipped(evidence.question or "(not given)", _LONGEST),
            "answer": clipped(text, _LONGEST),
        }
        return (
            ModelCall(
                purpose=CallPurpose.FOLLOW_UP,
                model=self.model,
                messages=framed(JUDGE_INSTRUCTIONS, data),
                options=self.options,
                temperature=0.0,
                wants_json_object=True,
                elicits=Elicitation.JUDGEMENT,
            ),
        )

    def measure(self, evidence: Evidence) -> Measurement:
        """Return what the judge states, or None and why it stated nothing that counts."""
        if (reason := why_nothing_to_ask(evidence)) is not None:
            return self._missing(reason)
        outcomes = outcomes_of(evidence, self.name)
        if not outcomes:
            return self._missing(NOT_ASKED)
        outcome = outcomes[0]
        if isinstance(outcome, CallFailure):
            return self._missing(CALL_FAILED)
        return self._read(outcome)

    def _read(self, outcome: Generation) -> Measurement:
        found = read_object(outcome.text, ["verdict", "probability"])
        if found is None:
            return self._missing(UNREADABLE)
        verdict, probability = found["verdict"], percent(found["probability"])
        if verdict == "cannot_tell":
            return self._missing("declined")
        if verdict not in ("right", "wrong") or probability is None:
            return self._missing(UNREADABLE)
        if (verdict == "right" and probability < 0.5) or (verdict == "wrong" and probability > 0.5):
            return self._missing("contradictory_reply")
        return Measurement(
            signal=self.name,
            value=probability,
            version=self.version,
            details={
                "verdict": verdict,
                "judge": outcome.model_asked,
                "judge_replied": outcome.model_replied,
            },
        )

    def _may_judge(self, answering_model: str) -> bool:
        shared = families_of(self.model) & families_of(answering_model)
        return self.allow_same_family or not (shared or self.model == answering_model)

    def _missing(self, reason: str) -> Measurement:
        return Measurement(signal=self.name, value=None, missing=reason, version=self.version)


def families_of(model: str) -> frozenset[str]:
    """Return the families that a model's name tells; empty when it tells none.

    A distilled model may name two. The name of the host does not count.

    Args:
        model: A litellm model name.

    Example:
        >>> families_of("azure/gpt-4o") & families_of("openrouter/openai/gpt-5-mini")
        frozenset({'openai'})
        >>> sorted(families_of("groq/deepseek-r1-distill-llama-70b"))
        ['deepseek', 'meta']
    """
    name = model.rpartition("/")[2].lower()
    return frozenset(family for family, pattern in _PATTERNS.items() if pattern.search(name))
