"""What a question asks for: its options, its numbers, its words, and the type of the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from uncertain_llm.text.folding import fold, last_match, stem, word_set, words
from uncertain_llm.text.number_words import NUMBER_WORDS, number_from_words
from uncertain_llm.text.numerals import find_numbers, literal_value
from uncertain_llm.text.units import find_unit

__all__ = [
    "FUNCTION_WORDS",
    "QuestionView",
    "asked_verbs",
    "bare_verb",
    "read_options",
    "view_question",
]

FUNCTION_WORDS = word_set(
    "a an the of in on at to for from by with as is are was were be been being am do does did "
    "has have had "
    "will would can could shall should may might must it its he she they them his her their "
    "this that these "
    "those there here which who whom whose what when where why how and or but so than then if "
    "into about "
    "also i you we my your our me us some any s"
)
_OPTION = re.compile(
    r"(?:^|(?<=\n)|(?<=\s))[ \t]*(?:[-*•] ?)?(?:\*\*)?[(\[]?([A-Z])(?:\)\*{0,2}|\]|\.\*{0,2}|"
    r":\*{0,2})[ \t]+(?=\S)"
)
_OPTION_NUMBER = re.compile(r"(?:^|(?<=\n))[ \t]*[(\[]?([1-9])(?:\)|\]|\.|:)[ \t]+(?=\S)")
_BOOLEAN = re.compile(
    r"(?:^|[.:;,?!\n]\s*)(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might|must|"
    r"isn't|aren't|wasn't|doesn't|didn't|true or false|yes or no)\b[^.?!\n]{0,400}"
)
_COUNT = re.compile(r"\bhow (?:many|much)\b|\bnumber of\b|\bcount\b|\btotal\b")
_MEASURE = re.compile(
    r"\bhow (?:long|far|fast|old|tall|high|deep|wide|big|large|heavy|hot|cold|often)\b|"
    r"\bwhat (?:\w+ ){0,3}(?:percentage|percent|number|amount|price|cost|population|"
    r"temperature|distance|"
    r"speed|area|volume|length|height|width|weight|mass|age|sum|product|probability|ratio|value|rate|total|"
    r"port|remainder|average|mean|median)\b|\bcalculate\b|\bcompute\b|\bevaluate\b|\bin "
    r"(?:what|which) year\b"
)
_YEAR = re.compile(r"\b(?:what|which) year\b|\byear did\b")
_DAY = re.compile(r"\b(?:what|which|exact) (?:day|date)\b|\bwhat is the date\b|\bdate of birth\b")
_WHEN = re.compile(r"\bwhen\b|\b(?:what|which) (?:day|date|month|decade|century)\b|\bdate\b")
_WHO = re.compile(
    r"\bwho(?:m|se)?\b|\b(?:which|what|name)\b[^?.]{0,60}?\b(?:person|actor|actress|author|singer|president|composer|"
    r"writer|poet|artist|painter|scientist|director|king|queen|emperor|player|man|woman|philosopher|architect|inventor|"
    r"novelist|playwright|explorer|politician|leader|minister|monarch|musician|comedian|chef|astronaut|golfer|boxer|"
    r"footballer|driver|mathematician|physicist|chemist|economist|general|prime minister|"
    r"entertainer|character)\b"
)
_LETTERS = re.compile(
    r"\bspell|\bbackwards?\b|\breverse|\bencod|\bdecod|\banagram|\bletter|\bcode\b|\bhash\b|\bbase64\b|\bhex"
)
_ORDERED = re.compile(
    r"\border(?:ed)?\b|\bsequence\b|\bsort|\brank|\bcoordinate|\bpoint\b|\bvector\b|\bsteps?\b"
)
_UNIT_WANTED = re.compile(
    r"how (?:many|much) (?:\w+ ){0,2}?([a-z]{1,20})\b|\bin (?:degrees "
    r")?([a-z°%/]{1,20})\b(?=[,.?]|\s+(?:is|are|do|does|did|to)\b)"
)


@dataclass(frozen=True, slots=True)
class QuestionView:
    """What can be read off a question before any answer is seen."""

    stems: frozenset[str]
    """Stemmed folded words."""
    numbers: frozenset[object]
    """Values of the numbers it states; an answer that repeats one of them rarely is the answer."""
    options: dict[str, str]
    """Letter to option text; empty for an open question."""
    wants_number: bool
    wants_year: bool
    wants_day: bool
    wants_date: bool
    wants_boolean: bool
    wants_person: bool
    about_letters: bool
    """One letter more or less makes another answer."""
    ordered: bool
    """A list in another order is another answer."""
    unit_words: tuple[str, ...]
    """Stems of what is counted or the unit asked for: "mL", "times"."""


_EMPTY = QuestionView(
    frozenset(), frozenset(), {}, False, False, False, False, False, False, False,
    False, ()
)  # fmt: skip


def view_question(question: str | None) -> QuestionView:
    r"""Return what a question asks for; an empty view when there is no question.

    Args:
        question: The user's text, options included. Beyond 8,000 characters only the first and
            last 4,000 are read.

    Returns:
        A view; cached for the questions seen last.

    Example:
        >>> view_question("How many mL is that?").unit_words
        ('ml',)
        >>> view_question("Pick one.\nA. red\nB. blue").options
        {'A': 'red', 'B': 'blue'}
    """
    if not question or not question.strip():
        return _EMPTY
    if len(question) > 8000:
        question = question[:4000] + "\n" + question[-4000:]
    return _view(question)


@lru_cache(maxsize=512)
def _view(question: str) -> QuestionView:
    options = read_options(question)
    folded = fold(question)
    numbers: set[object] = {literal_value(m.group()) for m in find_numbers(folded)}
    spelled = words(question)
    numbers.update(number_from_words(word) for word in NUMBER_WORDS.intersection(spelled))
    numbers.discard(None)
    wants_year = bool(_YEAR.search(folded))
    units = _unit_words(folded)
    wants_number = wants_year or bool(_COUNT.search(folded) or _MEASURE.search(folded))
    wants_number = wants_number or any(find_unit(unit) is not None for unit in units)
    return QuestionView(
        stems=frozenset(stem(word) for word in spelled),
        numbers=frozenset(numbers),
        options=options,
        wants_number=wants_number,
        wants_year=wants_year,
        wants_day=bool(_DAY.search(folded)),
        wants_date=wants_year or bool(_WHEN.search(folded)),
        wants_boolean=not options and not wants_number and _is_boolean(folded),
        wants_person=bool(_WHO.search(folded)),
        about_letters=bool(_LETTERS.search(folded)),
        ordered=bool(_ORDERED.search(folded)),
        unit_words=units,
    )


def bare_verb(word: str) -> str:
    """Return a folded word without the endings of a verb; crude on purpose.

    Example:
        >>> bare_verb("boiling") == bare_verb("boils")
        True
    """
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=512)
def asked_verbs(stems: frozenset[str]) -> frozenset[str]:
    """Return the words of a question without the endings of verbs."""
    return frozenset(bare_verb(word) for word in stems)


def _is_boolean(folded: str) -> bool:
    match = last_match(_BOOLEAN, folded)
    if match is None:
        return False
    # "Is it red or blue?" is a choice, not a yes-or-no question.
    asked = match.group()
    return " or " not in asked or any(mark in folded for mark in (" or not", "or false", "or no"))


def _unit_words(folded: str) -> tuple[str, ...]:
    found: list[str] = []
    for match in _UNIT_WANTED.finditer(folded):
        word = match.group(1) or match.group(2)
        if word and word not in FUNCTION_WORDS:
            found.append(stem(word))
    return tuple(dict.fromkeys(found))


def read_options(question: str) -> dict[str, str]:
    """Return the options a question lists, letter (or number) to text; {} when it lists none.

    The letters have to run from A without a gap, in order.
    """
    for pattern, first in ((_OPTION, "A"), (_OPTION_NUMBER, "1")):
        if f"{first}" not in question:
            continue
        marks = list(pattern.finditer(question))
        found = _run_of_marks(question, marks, first)
        if len(found) >= 2:
            return found
    return {}


def _run_of_marks(question: str, marks: list[re.Match[str]], first: str) -> dict[str, str]:
    # Options come last; an earlier "A." (an initial, an example) must not start the run.
    starts = [i for i, mark in enumerate(marks) if mark.group(1) == first]
    for start in reversed(starts):
        run: list[re.Match[str]] = []
        expected = ord(first)
        for mark in marks[start:]:
            if mark.group(1) == chr(expected):
                run.append(mark)
                expected += 1
        if len(run) >= 2:
            ends = [mark.start() for mark in run[1:]] + [len(question)]
            return {
                mark.group(1): question[mark.end() : end].strip().split("\n", 1)[0].strip(" *")
                for mark, end in zip(run, ends, strict=True)
            }
    return {}
