"""Multiple choice: which option does a reply choose?"""

from __future__ import annotations

import re

from uncertain_llm.text.cleaning import cut_to_ends, without_runaway
from uncertain_llm.text.folding import fold, stem, words
from uncertain_llm.text.questions import QuestionView

__all__ = [
    "bound_option",
    "option_by_text",
    "option_letter",
    "option_letter_in_prose",
    "option_number",
]

_WHOLE = re.compile(
    r"[\s*_(\[\"'$`]{0,6}(?:\\text\{)?(?:(?:option|answer|choice|letter)\s*:?\s*)?[\s*_(\[\"'$`]{0,6}([A-Ja-j])(?![\w'\u2019])"
    r"[)\]}.*_:\"'$`,;]{0,6}(?P<rest>\s*$|[\s-].*|(?<=[).:*}])\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_IN_PROSE = re.compile(
    r"\b(?:option|answer|choice|choose|select|pick|letter)s?\b(?:\s+is|\s+would be|\s+should "
    r"be)?[\s:]{0,4}[*_(\[\"'`]{0,4}"
    r"([A-J])(?![\w'\u2019])|"
    r"(?<!\w)\(([A-Ja-j])\)|\*\*\s*\(?([A-J])[).:]?\s*(?:\*\*|[^*\n]{1,200}\*\*)"
)
_NUMBER_IN_PROSE = re.compile(
    r"\b(?:option|answer|choice|choose|select|pick|number|with|is|be|it's)s?\b[\s:*_#(\[\"']{0,8}"
    r"([1-9])(?![\w%]|[.,]\d)",
    re.IGNORECASE,
)
_NUMBER_FIRST = re.compile(r"[\s*_(\[\"'#]{0,6}([1-9])(?:[).:\]*,\s]|$)")
_LAST_LETTER = re.compile(r"(?<![\w'\u2019.])([B-HJ]|A(?=[).:,*]|\s*$))(?![\w'\u2019])")
_RETOLD_END = re.compile(r"\n|(?<![\w'])[A-J](?![\w'])")
# Share of an option's own words that a retelling must hold, twice the lead over the next option;
# chosen, not tuned.
_RETOLD = 0.6
_BINDING = re.compile(
    r"(?<![\w'])([A-J])(?:[).:\],]|\*\*:?|\s(?=is |says? |states? |claims? |because |since ))"
    r"[ \t*\"':]{0,4}(?:is |says? |states? |claims? |because |since )?(?:that |the statement )?"
)


def option_letter(answer: str, *, n_options: int = 10) -> tuple[str, str] | None:
    """Return the letter that an answer begins with, and the rest of the answer.

    Args:
        answer: A short answer such as "B", "(b)", "**C.** Paris", "Option D: none of these".
        n_options: Letters beyond this count are words, not options.

    Returns:
        (letter, rest), or None. A lower-case "a" followed by words is an article.

    Example:
        >>> option_letter("(C) Paris")
        ('C', 'Paris')
        >>> option_letter("A man") is None
        True
    """
    head = answer[:400]
    match = _WHOLE.fullmatch(head)
    if match is None:
        return None
    letter, rest = match.group(1), match.group("rest").strip()
    marked = (
        head[match.end(1) : match.end(1) + 1] in {")", ".", ":", "]", "*", "}"}
        or "option" in head[:12].lower()
    )
    if rest and not marked and (letter.islower() or letter in "AI"):
        return None
    letter = letter.upper()
    return (letter, rest.strip(" *-:.")) if ord(letter) - ord("A") < n_options else None


def option_number(text: str, question: QuestionView) -> str | None:
    """Return the number of the option that a text chooses, where options carry numbers.

    Args:
        text: A reply or a marked part of one.
        question: The question with its options.

    Returns:
        A key of the question's options, or None.
    """
    first = _NUMBER_FIRST.match(text)
    if first is not None and first.group(1) in question.options:
        return first.group(1)
    found = [m.group(1) for m in _NUMBER_IN_PROSE.finditer(text) if m.group(1) in question.options]
    return found[-1] if found else None


def option_letter_in_prose(text: str, *, n_options: int = 10) -> str | None:
    """Return the option letter that a passage names last, or None.

    The pronoun "I" and the article "A" are words, not letters.

    Example:
        >>> option_letter_in_prose("It cannot be (A), so I would pick option C here.")
        'C'
    """
    found: str | None = None
    for pattern in (_IN_PROSE, _LAST_LETTER):
        for match in pattern.finditer(text):
            letter = next(group for group in match.groups() if group).upper()
            if ord(letter) - ord("A") < n_options:
                found = letter
        if found is not None:
            return found
    return None


def option_by_text(answer: str, question: QuestionView) -> str | None:
    """Return the letter of the option whose text the answer states, or None.

    Whole texts are compared by their folded words; an answer that goes on after the option's
    text counts when no other option's text begins it as well.
    """
    spelled = words(answer[:600])
    if not spelled:
        return None
    texts = {letter: words(text) for letter, text in question.options.items()}
    for letter, option in texts.items():
        if option and option == spelled:
            return letter
    begun = [
        (len(option), letter)
        for letter, option in texts.items()
        if option and spelled[: len(option)] == option
    ]
    return max(begun)[1] if begun else None


def bound_option(letter: str, reply: str, question: QuestionView) -> str | None:
    """Return the option that a reply means by a letter, where the reply itself says it.

    Options may have been shuffled after the question was recorded: "so A: none of them" binds A
    to that text, whatever A was in the question at hand.

    Args:
        letter: The letter the reply chose.
        reply: The whole reply, thinking included.
        question: The question with its options.

    Returns:
        The question's letter of the bound text, or None when the reply binds nothing.
    """
    if not question.options:
        return None
    starts = {
        fold(text)[:60].rstrip(" ."): key for key, text in question.options.items() if len(text) > 3
    }
    said = without_runaway(cut_to_ends(reply))
    bound: str | None = None
    # The last mentions count most; a hundred are enough to find one that names its text.
    for match in list(_BINDING.finditer(said))[-100:]:
        if match.group(1) != letter:
            continue
        tail = _RETOLD_END.split(said[match.end() : match.end() + 200], maxsplit=1)[0]
        folded = fold(tail).lstrip("\"' *")
        hits = [start for start in starts if folded.startswith(start)]
        if hits:
            bound = starts[max(hits, key=len)]
        elif bound is None:
            bound = _retold(tail, question)
    return bound


def _retold(tail: str, question: QuestionView) -> str | None:
    """Return the option that the words after a letter retell: most of what sets it apart."""
    said = {stem(word) for word in words(tail)}
    options = {
        letter: {stem(word) for word in words(text)} for letter, text in question.options.items()
    }
    shared = set.intersection(*options.values()) if options else set()
    scores = sorted(
        (
            (len((own - shared) & said) / len(own - shared), letter)
            for letter, own in options.items()
            if own - shared
        ),
        reverse=True,
    )
    if len(scores) < 2 or scores[0][0] < _RETOLD or scores[0][0] - scores[1][0] < _RETOLD / 2:
        return None
    return scores[0][1]
