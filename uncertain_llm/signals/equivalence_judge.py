"""One call to a model that groups the answers which the rules left apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from pydantic import JsonValue

from uncertain_llm.core.base import Value
from uncertain_llm.core.chat import CallPurpose, Elicitation, Generation, ModelCall, Request
from uncertain_llm.signals.asking import clipped, framed, read_object
from uncertain_llm.signals.equivalence_pairs import Pair, Representative

__all__ = ["EquivalenceJudge"]

EQUIVALENCE_VERSION = "2"
"""Changes with any change of the text below, of how it is sent and of how replies are read."""

EQUIVALENCE_INSTRUCTIONS = (
    "You get a question and several answers to it, each with a number. Group the answers that mean "
    "the same as answers to this question: each could stand for the other, and a reader would act "
    "the same on both. A vague answer does not mean the same as a specific one. Different numbers, "
    "dates or names of different things never mean the same. Do not judge which answer is right. "
    'Reply with nothing but JSON of the form {"groups": [[1, 3], [2]]}, where each number stands '
    "in exactly one group."
)
_LONGEST_QUESTION = 20_000


class EquivalenceJudge(Value):
    """Asks a model, in one call at temperature 0, which of the answers say the same.

    It gets the question and one answer for each cluster, never all samples. What it leaves out, or
    says in another form than asked, merges nothing.

    Source:
        An LLM as judge of bidirectional entailment, in the context of the question: Farquhar,
        Kossen, Kuhn and Gal (2024), Nature 630, 625-630. Here one call groups all answers.

    Example:
        >>> EquivalenceJudge().name
        'judge'
    """

    name: str = "judge"
    model: str | None = None
    """Whom to ask; None asks the model that answered."""

    @property
    def version(self) -> str:
        """Changes with the wording."""
        return EQUIVALENCE_VERSION

    def may_compare(self, left: Representative, right: Representative) -> bool:
        """Return True: it reads any answer."""
        return True

    def call(
        self, request: Request, answers: Sequence[Representative], question: str | None
    ) -> ModelCall:
        """Return the one call that asks about all answers."""
        numbered: dict[str, JsonValue] = {
            str(number): answer.text for number, answer in enumerate(answers, start=1)
        }
        data: dict[str, JsonValue] = {
            "question": clipped(question or "(not given)", _LONGEST_QUESTION),
            "answers": numbered,
        }
        return ModelCall(
            purpose=CallPurpose.FOLLOW_UP,
            model=self.model or request.model,
            messages=framed(EQUIVALENCE_INSTRUCTIONS, data),
            temperature=0.0,
            wants_json_object=True,
            elicits=Elicitation.EQUIVALENCE,
        )

    def same_pairs(self, reply: Generation, n_answers: int) -> frozenset[Pair] | None:
        """Return the pairs inside its groups; None if the reply has another form than asked.

        An answer that stands in no group is the same as no other. An unknown number, or one that
        stands in two groups, makes the whole reply unreadable.
        """
        found = read_object(reply.text, ["groups"])
        groups = None if found is None else found["groups"]
        if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
            return None
        members = [member for group in groups for member in group]
        if not all(type(member) is int and 1 <= member <= n_answers for member in members):
            return None
        if len(set(members)) != len(members):
            return None
        return frozenset(
            pair for group in groups for pair in combinations(sorted(m - 1 for m in group), 2)
        )
