"""How decisively a text speaks, and what words of probability mean to people."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Literal, NamedTuple

from uncertain_llm.core.base import Unit, Value, unchecked
from uncertain_llm.core.decision import Extent
from uncertain_llm.text.hedge_rules import BOOSTED, QUESTION, lexicon, pattern
from uncertain_llm.text.phrases import (
    HumanReading,
    Marker,
    marker_for,
    may_hold_phrase,
    phrase_probability,
    phrases_in,
)
from uncertain_llm.text.refusals import classify_refusal
from uncertain_llm.text.sentences import own_words, sentence_spans
from uncertain_llm.text.stems import may_match

__all__ = [
    "Decisiveness",
    "HumanReading",
    "Marker",
    "SentenceDecisiveness",
    "decisiveness",
    "marker_for",
    "phrase_probability",
]

_READ_CHARS = 50_000
_HELPERS = ("no_claim", "not_epistemic", "probability", "booster")
# Readings that a sentence can hold without speaking of its own truth ("a certain amount"); the
# doubting ones among them are in the lexicon with the words that make them doubts.
_NOT_SPOKEN_FOR = frozenset({"certain", "sure", "confident", "impossible", "possible", "maybe"})


class SentenceDecisiveness(Value):
    """How decisively one sentence speaks."""

    start: int
    end: int
    """Exclusive; both in characters of the text."""
    score: Unit
    hedge: str | None = None
    """The words that set the score; None for a plain assertion."""


class Decisiveness(Value):
    """How decisively a text speaks: 1 is bare assertion, 0 is open doubt."""

    score: Unit | None
    """Mean over the sentences that claim something."""
    minimum: Unit | None
    """The least decisive claim."""
    missing: Literal["empty", "no_claim", "refusal"] | None = None
    """Why there is no score."""
    sentences: tuple[SentenceDecisiveness, ...] = ()


_scored = unchecked(SentenceDecisiveness)
_decisiveness = unchecked(Decisiveness)


def decisiveness(text: str) -> Decisiveness:
    """Return how decisively `text` makes its claims, per sentence and on the whole.

    A plain assertion is 1, with a booster 0.95 (boosters carry no information), an explicit
    probability is itself, a phrase such as "highly likely" is what people read in it, else the
    strongest hedge counts; a question is 0.3. Quotations, code, politeness and permission ("you
    may") are no hedges. It is about wording, not truth. The first 50,000 characters are read.

    Args:
        text: Prose in English.

    Returns:
        Mean and minimum over claims and the score of each; None with a reason for a full refusal
        or a text without words.

    Source:
        Readings of phrases: `phrase_probability`. Levels of other hedges: human ratings of the
        certainty of 1,084 findings (Pei and Jurgens 2021, EMNLP), Spearman correlation 0.70; 0.65
        on the half that was not used for the levels (counting hedge words: 0.57).

    Example:
        >>> decisiveness("It opened in 1932.").score
        1.0
        >>> decisiveness("I think it opened in 1932.").score < 0.8
        True
    """
    words = own_words(text[:_READ_CHARS])
    if not any(map(str.isalnum, words)):
        is_empty = not text.strip()
        return Decisiveness(score=None, minimum=None, missing="empty" if is_empty else "no_claim")
    refusal = classify_refusal(text)
    if refusal is not None and refusal.extent is Extent.FULL:
        return Decisiveness(score=None, minimum=None, missing="refusal")
    live = _live_patterns(words)
    scored = tuple(
        [
            _sentence(words, begin, end, live)
            for begin, end in sentence_spans(words)
            if _makes_a_claim(words[begin:end], live)
        ]
    )
    if not scored:
        return Decisiveness(score=None, minimum=None, missing="no_claim")
    scores = [s.score for s in scored]
    return _decisiveness(
        score=math.fsum(scores) / len(scores), minimum=min(scores), sentences=scored
    )


class _Live(NamedTuple):
    """What can match in some sentence of a reply: long ones are read for few of the patterns."""

    helpers: tuple[str, ...]
    hedges: tuple[tuple[str, float, re.Pattern[str]], ...]
    """Name of the stems, level, pattern; strongest first."""
    phrases: bool


def _live_patterns(words: str) -> _Live:
    return _Live(
        tuple([name for name in _HELPERS if may_match(f"hedge:{name}", words)]),
        tuple([hedge for hedge in _named_lexicon() if may_match(hedge[0], words)]),
        may_hold_phrase(words),
    )


@cache
def _named_lexicon() -> tuple[tuple[str, float, re.Pattern[str]], ...]:
    return tuple((f"lexicon:{place}", *hedge) for place, hedge in enumerate(lexicon()))


def _makes_a_claim(sentence: str, live: _Live) -> bool:
    if not any(map(str.isalnum, sentence)) or sentence.endswith(":"):
        return False
    return _found("no_claim", sentence, live) is None


def _sentence(words: str, begin: int, end: int, live: _Live) -> SentenceDecisiveness:
    sentence = words[begin:end]
    if "not_epistemic" in live.helpers and may_match("hedge:not_epistemic", sentence):
        sentence = pattern("not_epistemic").sub(_spaces, sentence)
    score, hedge = _score(sentence, live)
    return _scored(start=begin, end=end, score=score, hedge=hedge)


def _score(sentence: str, live: _Live) -> tuple[float, str | None]:
    number = _found("probability", sentence, live)
    if number is not None:
        return min(1.0, float(number[1] or number[2]) / 100), number[0]
    if sentence.endswith("?"):
        return QUESTION, "?"
    booster = _found("booster", sentence, live)
    best: tuple[float, str | None] = (1.0, None) if booster is None else (BOOSTED, booster[0])
    for start, reading, said in phrases_in(sentence) if live.phrases else ():
        if reading.phrase in _NOT_SPOKEN_FOR or _is_comparative(sentence, start):
            continue
        if reading.median < best[0]:
            best = (reading.median, said)
        sentence = f"{sentence[:start]}{' ' * len(said)}{sentence[start + len(said) :]}"
    for name, level, hedge in live.hedges:
        if level >= best[0]:
            break
        if may_match(name, sentence) and (match := hedge.search(sentence)) is not None:
            return level, match[0].strip()
    return best


def _found(name: str, sentence: str, live: _Live) -> re.Match[str] | None:
    if name not in live.helpers or not may_match(f"hedge:{name}", sentence):
        return None
    return pattern(name).search(sentence)


def _is_comparative(sentence: str, start: int) -> bool:
    # "Twice as likely", "more likely than men" compare rates; they do not doubt the claim.
    return sentence[max(0, start - 5) : start] in (" more", "more ", "less ", "s as ", "e as ")


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])
