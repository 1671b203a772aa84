"""Agreement of replies as strings: the same letters, and words in common. Nothing is read.

Cheap enough for millions of rows, and blind: "$1,200" and "1200 dollars" are two answers here, and
"42 dollars" shares half its words with "43 dollars". `cluster` and `AnswerAgreement` read answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

__all__ = ["exact_agreement", "word_degree", "word_overlap"]


def exact_agreement(answer: str, others: Sequence[str]) -> float | None:
    """Return the share of the other replies that are the answer letter for letter.

    Args:
        answer: The answer that is scored.
        others: The other replies, without the answer itself.

    Returns:
        A share in [0, 1]; None without other replies.

    Example:
        >>> exact_agreement("Paris", ["Paris", "paris", "Paris", "Lyon"])
        0.5
    """
    return others.count(answer) / len(others) if others else None


def word_degree(replies: Sequence[str]) -> float | None:
    """Return the mean share of words that two replies have in common, over all pairs.

    Words are what white space parts, in lower case. Each reply is paired with itself too, and
    shares all words with itself. Equal replies are compared once.

    Args:
        replies: All replies to one question, in any order.

    Returns:
        A mean in [0, 1]; None without replies.

    Source:
        Lin, Trivedi and Sun (2024), TMLR, "Generating with Confidence": one minus the uncertainty
        by the degree matrix, with Jaccard similarity.

    Example:
        >>> word_degree(["in Paris", "Paris", "Lyon"])
        0.4444444444444444
    """
    if not replies:
        return None
    counts: dict[str, int] = {}
    for reply in replies:
        counts[reply] = counts.get(reply, 0) + 1
    bags = [(frozenset(reply.lower().split()), n) for reply, n in counts.items()]
    shares: list[float] = []
    for place, (words, n) in enumerate(bags):
        # Two replies without words have none in common; each has all of its own.
        shares.append(n * n if words else n)
        for others, m in bags[place + 1 :]:
            shares.append(2 * n * m * word_overlap(words, others))
    return math.fsum(shares) / len(replies) ** 2


def word_overlap(left: AbstractSet[str], right: AbstractSet[str]) -> float:
    """Return the share of words that two sets have in common (Jaccard); 0 for two empty sets.

    Example:
        >>> word_overlap({"in", "paris"}, {"paris"})
        0.5
    """
    shared = len(left & right)
    union = len(left) + len(right) - shared
    return shared / union if union else 0.0
