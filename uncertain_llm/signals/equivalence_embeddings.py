"""One call to an embedding model that compares the answers which the rules left apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from pydantic import Field

from uncertain_llm.core.base import Unit, Value
from uncertain_llm.core.chat import CallPurpose, Elicitation, Generation, ModelCall, Request
from uncertain_llm.signals.equivalence_pairs import Pair, Representative, is_numeric

__all__ = ["EquivalenceEmbeddings", "cosine"]


class EquivalenceEmbeddings(Value):
    """Takes two answers for the same when the cosine of their embeddings reaches a threshold.

    Cosine cannot tell numbers apart, nor a claim from its negation: answers that hold a number are
    never compared, and pairs of which one negates are never merged. It does not know the question
    either. The threshold of 0.92 is chosen, not fitted, and differs from model to model: set your
    own on pairs of replies that you know to be the same or not.

    Example:
        >>> EquivalenceEmbeddings(model="openai/text-embedding-3-small").similarity
        0.92
    """

    name: str = "embeddings"
    model: str = Field(min_length=1)
    """An embedding model, by its litellm name."""
    similarity: Unit = 0.92
    """Cosine that two answers need at least."""

    @property
    def version(self) -> str:
        """Changes with the way of comparing and with the threshold."""
        return f"1-{self.similarity:g}"

    def may_compare(self, left: Representative, right: Representative) -> bool:
        """Return whether neither answer holds a number."""
        return not (is_numeric(left) or is_numeric(right))

    def call(
        self, request: Request, answers: Sequence[Representative], question: str | None
    ) -> ModelCall:
        """Return the one call that embeds all answers."""
        return ModelCall(
            purpose=CallPurpose.FOLLOW_UP,
            model=self.model,
            messages=tuple({"role": "user", "content": answer.text} for answer in answers),
            elicits=Elicitation.EMBEDDINGS,
        )

    def same_pairs(self, reply: Generation, n_answers: int) -> frozenset[Pair] | None:
        """Return the pairs that are alike enough; None without a usable vector for each answer."""
        vectors = reply.embeddings
        if vectors is None or len(vectors) != n_answers:
            return None
        similar: dict[Pair, float] = {}
        for i, j in combinations(range(n_answers), 2):
            found = cosine(vectors[i], vectors[j])
            if found is None:
                return None
            similar[i, j] = found
        return frozenset(pair for pair, value in similar.items() if value >= self.similarity)


def cosine(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Return the cosine of two vectors in [-1, 1]; None if one is zero or their lengths differ.

    Example:
        >>> cosine([3.0, 4.0], [6.0, 8.0]), cosine([0.0], [1.0])
        (1.0, None)
    """
    size = math.hypot(*left) * math.hypot(*right)
    if len(left) != len(right) or not size:
        return None
    dot = math.fsum(a * b for a, b in zip(left, right, strict=True))
    return max(-1.0, min(1.0, dot / size))
