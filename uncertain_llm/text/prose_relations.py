"""Sentences read by what they are made of: who beat whom, and the copula of other languages."""

from __future__ import annotations

import re

from uncertain_llm.text.folding import word_set
from uncertain_llm.text.questions import QuestionView

__all__ = ["said_abroad", "winner_in"]

# The copula of a reply in German, French, Spanish, Italian, Portuguese or a Scandinavian language.
_COPULA_ABROAD = re.compile(
    r"^(?:[^.;:]{0,100}\s)?(?:c['\u2019])?(?:est|ist|es|era|fue|war|sind|son|sont|sono|\u00e8|\u00e9|\u00e4r|er|hei\u00dft|"
    r"s['\u2019]appelle|se llama|si chiama)\s+(?P<rest>\S.{0,80})$",
    re.IGNORECASE,
)
_ENGLISH = re.compile(r"\b(?:is|are|was|were|has|have|the|of|it)\b", re.IGNORECASE)
_CONTRAST_ABROAD = re.compile(
    r",?\s(?:et non(?: pas)?|und nicht|nicht|y no|no|e non|mais pas|n\u00e3o)\s.*$", re.IGNORECASE
)
_ARTICLE_ABROAD = re.compile(r"(?:le|la|les|der|die|das|el|los|las|il|lo|o|os|as)\s+(?=[A-Z])")
_WINNING = re.compile(
    r"(?P<winner>\S.{0,60}?)\s(?:beat|beats|defeated|defeats|overcame|edged|outplayed)\s|"
    r".{1,60}?\s(?:lost|conceded|was beaten|was defeated)(?:\s.{0,40}?)?\s(?:to|by)\s"
    r"(?P<victor>\S.{0,60})|"
    r".{1,60}?\s(?:went|was awarded|was given|belonged)\sto\s(?P<taker>\S.{0,60})",
    re.IGNORECASE,
)
_CONTEST = word_set("won win winner winning champion victor beat defeat lost prize title")


def said_abroad(sentence: str) -> str | None:
    """Return what follows the copula of a sentence in another language of Europe."""
    if _ENGLISH.search(sentence) or (match := _COPULA_ABROAD.match(sentence)) is None:
        return None
    rest = _CONTRAST_ABROAD.sub("", match.group("rest")).strip(" .!")
    rest = _ARTICLE_ABROAD.sub("", rest, count=1)
    return rest if 0 < len(rest.split()) <= 6 else None


def winner_in(claim: str, question: QuestionView) -> str | None:
    """Return who won, from a claim that says who beat or lost to whom.

    Only for questions about a contest or prize.
    """
    if question.stems.isdisjoint(_CONTEST):
        return None
    match = _WINNING.match(claim)
    if match is None:
        return None
    named = next(filter(None, match.groups()))
    return (
        re.split(r",\s|\s(?:in|at|on|by|with|after|for|who|to)\s|[.(;]", named)[0].strip() or None
    )
