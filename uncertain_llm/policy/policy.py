"""What people decide: how much to sample, where to cut, what to say."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from uncertain_llm.core.base import Unit, Value
from uncertain_llm.core.decision import Action

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
]


class StatedProbabilityMode(StrEnum):
    """How the model is asked for the probability that it is right."""

    INLINE = "inline"
    """Each reply ends with it: no extra call. In drop-in calls only the extra samples are asked."""
    FOLLOW_UP = "follow_up"
    """One extra call after the answer."""
    OFF = "off"
    """The model is not asked."""


class AnswerChoice(StrEnum):
    """Which reply is shown."""

    MAJORITY = "majority"
    """A reply from the largest group of replies that say the same; the first such reply."""
    FIRST = "first"
    """The first reply, whatever the others say. Drop-in calls always use this."""


class ActOn(StrEnum):
    """Which number is compared with the cuts."""

    PROBABILITY = "probability"
    LOWER_END = "lower_end"
    """The lower end of the probability's band: acts on what is safe to say."""


class Sampling(Value):
    """How many replies to ask for, and how."""

    samples: Annotated[int, Field(ge=1, le=50)] = 3
    """Replies to the same question, the answer included."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """For all replies where the caller gave none; null keeps the provider's default."""
    stated_probability: StatedProbabilityMode = StatedProbabilityMode.INLINE
    answer: AnswerChoice = AnswerChoice.MAJORITY

    @field_validator("stated_probability", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: object) -> object:
        # YAML 1.1 reads a bare `off` as the boolean False.
        return StatedProbabilityMode.OFF if value is False else value


class Cuts(Value):
    """Thresholds on the probability of being right; each action needs at least its cut.

    At or above `answer` the text is shown as it is; at or above `hedge` it is reworded; at or
    above `verify` it is looked at again; below all of them it is withheld. Equal cuts switch the
    lower action off.
    """

    answer: Unit
    hedge: Unit
    verify: Unit

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.answer >= self.hedge >= self.verify:
            raise ValueError(
                "cuts must fall from answer over hedge to verify, got "
                f"answer {self.answer:g}, hedge {self.hedge:g}, verify {self.verify:g}"
            )
        return self


class Decide(Value):
    """From a probability to an action."""

    cuts: Cuts
    act_on: ActOn = ActOn.PROBABILITY
    when_unavailable: Literal[Action.ANSWER, Action.HEDGE, Action.ABSTAIN] = Action.HEDGE
    """What to do when no probability could be made, for example because one reply arrived."""


class Verification(Value):
    """What VERIFY does where the client was given no verifier of its own."""

    extra_samples: Annotated[int, Field(ge=1, le=50)] = 4
    """Further replies to ask for; then the policy decides again on all of them."""


class Wording(Value):
    """Texts the user sees. `{answer}`, `{marker}`, `{rival}` and `{why}` are filled in."""

    hedge: str = "I'm not certain, though I find it {marker}: {answer}"
    hedge_unmeasured: str = "I could not check how reliable this is: {answer}"
    abstain: str = "I can't answer this reliably: {why}. Please check a source you trust."
    """`{why}` says what speaks against the answer most."""
    rival: str = " (Another answer that came up: {rival}.)"
    """Appended to a hedge when a minority of replies agreed on something else."""

    @model_validator(mode="after")
    def _placeholders(self) -> Self:
        if "{answer}" not in self.hedge or "{answer}" not in self.hedge_unmeasured:
            raise ValueError("hedge and hedge_unmeasured must contain {answer}")
        for name, text in self:
            try:
                text.format(answer="", marker="", rival="", why="")
            except (KeyError, IndexError, ValueError) as error:
                raise ValueError(
                    f"{name} may use only {{answer}}, {{marker}}, {{rival}} and {{why}}; write a "
                    f"literal brace twice ({error!r})"
                ) from error
        return self


class Audit(Value):
    """Which decisions should get a label, whatever their action."""

    rate: Unit = 0.05
    """Share of decisions marked for labelling by a random draw; logged as the propensity."""


class Limits(Value):
    """What one request may cost in time and tries."""

    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """For each call."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Tries of one call, the first included."""
    retries: Annotated[int, Field(ge=0, le=100)] = 4
    """Retries of all calls of one request together: one outage must not become many."""
    max_wait_seconds: Annotated[float, Field(ge=0)] = 30.0
    """The longest pause a provider may ask for; beyond it the call counts as failed."""


class Policy(Value):
    """What a team decided, in one file."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: str = ""
    sampling: Sampling = Field(default_factory=Sampling)
    decide: Decide
    verify: Verification = Field(default_factory=Verification)
    wording: Wording = Field(default_factory=Wording)
    audit: Audit = Field(default_factory=Audit)
    limits: Limits = Field(default_factory=Limits)

    @cached_property
    def digest(self) -> str:
        """A short hash of everything in the policy; it is logged with each decision."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
