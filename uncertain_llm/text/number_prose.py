"""The number that prose concludes with: weighed by its place, its unit and the words before it."""

from __future__ import annotations

import re
from typing import NamedTuple

from uncertain_llm.text.cleaning import bold_spans, sentences
from uncertain_llm.text.folding import fold, squash, stem
from uncertain_llm.text.number_words import NUMBER_WORDS, take_number_words
from uncertain_llm.text.numerals import find_numbers, literal_value
from uncertain_llm.text.questions import QuestionView
from uncertain_llm.text.units import find_unit

__all__ = ["Candidate", "number_in_prose"]

_CONCLUDES = re.compile(
    r"\b(?:therefore|thus|hence|so|in total|total|altogether|finally|conclusion|final|result|"
    r"consequently|overall)\b"
)
_EXPLAINS = re.compile(
    r"(?:you can (?:see|check|verify)|we can (?:check|verify)|this is because|note\b|for example|"
    r"for comparison|to (?:check|verify)|check:|by comparison|in comparison|that is because|"
    r"this means each|remember)",
    re.IGNORECASE,
)
_COMPUTED = re.compile(r"\d\s*[=+*/\u00d7x]\s*[-$]?\d|=")
_POWER_OF_TEN = re.compile(r"\s?(?:x|\u00d7|\*|\u00b7)\s?10\s?(?:\^|\*\*)\s?[({]?-?\d{1,3}[)}]?")
_LONG_UNIT = re.compile(
    r"\s(?:degrees? \w+|(?:square|cubic) [a-z]+|[a-z]+ (?:per|an) [a-z]+|light[ -]years?)",
    re.IGNORECASE,
)
_PARTED_UNIT = re.compile(r"\s?([a-z]{1,12})(?:,? and |, | )\d{1,3} ?([a-z]{1,12})", re.IGNORECASE)
# A row of numbers in the question is data, and its median or maximum one of them.
_ROW = re.compile(r"\d, ?-?\d[\d.]{0,12}, ?(?:and )?-?\d")
_HOW_MUCH_OF = re.compile(
    r"\bhow (?:long|far|fast|old|tall|high|deep|wide|big|large|heavy|hot|cold)\b"
)
_BARE_YEAR = re.compile(r"1\d{3}|20\d{2}")
_RANGE_END = re.compile(
    r"\s?(?:to|\u2013)\s?\d[\d,.]{0,12}(?=\s?[a-z%°])(?!\s?(?:=|x\s))|-\d{1,6}(?=\s[a-z]{3})"
)


class Candidate(NamedTuple):
    """A part of a sentence that may be the answer, with its weight and where it begins."""

    score: float
    place: int
    text: str


def number_in_prose(text: str, question: QuestionView) -> str | None:
    """Return the number that a text concludes with, with its sign, currency and unit.

    Each number is weighed by where it stands: in the last sentence of a calculation or the first
    of a plain reply, after "=" or a conclusion word, before the unit asked for; numbers that only
    repeat the question count last.

    Args:
        text: Cleaned reply or part of one, markdown allowed.
        question: What was asked.

    Returns:
        For example "1,440 minutes" or "$18"; None without any number.
    """
    said = sentences(text)[-40:]
    if not said:
        return None
    calculated = sum(1 for sentence in said if _COMPUTED.search(sentence)) >= 2 or len(said) > 4
    if len(said) > 1 and not calculated:
        last = said[-1].lower()
        concludes = _CONCLUDES.search(last) is not None and any(map(str.isdigit, last))
        calculated = concludes or _COMPUTED.search(last) is not None
    bold = {fold(span) for span in bold_spans(text)}
    best: Candidate | None = None
    for index, sentence in enumerate(said):
        position = float(index) if calculated else -float(index) / 2
        if calculated and index == len(said) - 1:
            position += 2
        weight = position + (1.5 if calculated and _CONCLUDES.search(sentence.lower()) else 0.0)
        weight -= 4.0 * (index > 0 and _EXPLAINS.match(sentence) is not None)
        for candidate in _numbers_of(sentence, question, bold):
            total = candidate._replace(
                score=candidate.score + weight, place=index * 1000 + candidate.place
            )
            if best is None or (total.score, total.place) > (best.score, best.place):
                best = total
    return None if best is None else best.text


def _numbers_of(sentence: str, question: QuestionView, bold: set[str]) -> list[Candidate]:
    found: list[Candidate] = []
    lowered = fold(sentence)
    if len(lowered) != len(sentence):
        sentence = lowered
    matches = list(find_numbers(sentence))[-60:]
    read_to = 0
    for match in matches:
        value = literal_value(match.group())
        if value is None or match.start() < read_to:
            continue
        text, unit = _with_surroundings(sentence, match.start(), match.end())
        score = _score_number(sentence, match.start(), match.end(), unit, question)
        read_to = match.start() + len(text.lstrip("$€£¥₹-\u2212"))
        score -= (1.0 if _ROW.search(question.text) else 5.0) * (value in question.numbers)
        score += 2.0 * any(match.group() in span for span in bold)
        score -= 0.7 * sentence.count(";", 0, match.start())
        found.append(Candidate(score, match.start(), text))
    if not found:
        found = _spelled_numbers(sentence, question)
    return found


def _score_number(sentence: str, start: int, end: int, unit: str, question: QuestionView) -> float:
    before = sentence[max(0, start - 24) : start].lower().rstrip("$€£ *_(\\")
    score = 0.0
    if before.endswith(("=", "≈", ":")):
        score += 1.0
    if before.endswith((" is", " was", " are", " has", " about", " equals", " of",
    " approximately", " guess", " be",
                        " have", " only", " exactly", " count", " roughly", " around", " get",
                        " to")):  # fmt: skip
        score += 0.6
    if sentence[end : end + 1] in {"\u00b2", "\u00b3", "^"} or sentence[end : end + 4].lstrip(
        " ."
    ).startswith(("=", "+", "*", "\u00d7", "/", "- ")):
        score -= 2.0
    if unit and question.unit_words and stem(unit.lower()) in question.unit_words:
        score += 3.0
    if unit and _HOW_MUCH_OF.search(fold(question.text)) and find_unit(fold(unit)) is not None:
        score += 1.5
    if not unit and not question.wants_year and _BARE_YEAR.fullmatch(sentence[start:end]):
        score -= 1.5
    if question.wants_year and not re.fullmatch(r"1\d{3}|20\d{2}|[1-9]\d{2}", sentence[start:end]):
        score -= 3.0
    opened = sentence.rfind("(", 0, start)
    if opened >= 0 and ")" not in sentence[opened:start] and opened > 0:
        score -= 1.5
    return score


def _with_surroundings(sentence: str, start: int, end: int) -> tuple[str, str]:
    """Return the number with currency before and percent or unit after, and the word after it."""
    after = sentence[end : end + 40]
    if start and sentence[start - 1] in "$€£¥₹":
        start -= 1
        if start and sentence[start - 1] in "-\u2212":
            start -= 1
    if after[:2].lstrip()[:1] == "%":
        return sentence[start : end + after.index("%") + 1], "percent"
    if (span := _RANGE_END.match(after)) and "$" not in sentence[start:end]:
        named = re.match(r"\s?-?([^\W\d_]{1,20}|%|°\s?[CF])", sentence[end + span.end() :])
        word = named.group(1) if named else ""
        is_unit = word == "%" or find_unit(fold(word)) is not None
        stop = end + span.end() + (named.end() if named and is_unit else 0)
        return sentence[start:stop], word
    if power := _POWER_OF_TEN.match(after):
        return sentence[start : end + power.end()], ""
    if length := _named_unit(after):
        return sentence[start : end + length], "unit"
    fraction = re.match(r"\s?/\s?\d{1,9}(?![\d/])", after)
    if fraction:
        return sentence[start : end + fraction.end()], ""
    match = re.match(r"\s?-?(°\s?[CF]|[^\W\d_]{1,20}(?:/[a-z]{1,5})?)", after)
    word = match.group(1) if match else ""
    scale = fold(word) in {"million", "billion", "trillion", "thousand", "hundred"}
    if (
        match
        and (scale or find_unit(fold(word).replace("° ", "°")))
        and fold(word) not in {"in", "a", "t", "p"}
    ):
        return sentence[start : end + match.end()], word
    if match is None or not word:
        return sentence[start:end], ""
    return sentence[start:end], word


def _named_unit(after: str) -> int:
    """Return the length of a unit of several words, or of one followed by a part of it.

    "degrees Celsius", "km per second", "hours and 30 minutes".
    """
    long = _LONG_UNIT.match(after)
    if long is not None and find_unit(squash(fold(long.group()))) is not None:
        return long.end()
    match = _PARTED_UNIT.match(after)
    if match is None:
        return 0
    whole, part = (find_unit(fold(match.group(i))) for i in (1, 2))
    if whole is None or part is None or whole.dimension != part.dimension:
        return 0
    return match.end() if part.factor < whole.factor else 0


def _spelled_numbers(sentence: str, question: QuestionView) -> list[Candidate]:
    tokens = re.findall(r"[^\W\d_]+", fold(sentence))
    found: list[Candidate] = []
    place = 0
    while place < len(tokens):
        value, used = (None, 0)
        if tokens[place] in NUMBER_WORDS:
            value, used = take_number_words(tokens[place : place + 12])
        if value is None or used == 0:
            place += 1
            continue
        following = tokens[place + used] if place + used < len(tokens) else ""
        score = 3.0 * (stem(following) in question.unit_words) - 5.0 * (value in question.numbers)
        # "one of them", "no one" hardly ever state a count.
        score -= 3.0 * (value == 1 and following in {"of", "is", "can", "should", ""})
        found.append(Candidate(score, place, " ".join(tokens[place : place + used])))
        place += used
    return found
