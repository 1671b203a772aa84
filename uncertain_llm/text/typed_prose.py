"""Answers of a known type in plain prose: a date, a yes or no, one of two offered, a list."""

from __future__ import annotations

import re

from uncertain_llm.text.cleaning import plain_line, sentences, without_concession
from uncertain_llm.text.dates import read_date
from uncertain_llm.text.expressions import read_expression
from uncertain_llm.text.folding import fold, last_match, squash, stem, word_set, words
from uncertain_llm.text.numerals import read_quantity
from uncertain_llm.text.questions import FUNCTION_WORDS, QuestionView, bare_verb

__all__ = ["boolean_in_prose", "choice_in_prose", "date_in_prose", "formula_in_prose", "is_listed",
           "list_in_prose", "takes_both_sides"]  # fmt: skip

_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?"
)
_ERA = r"(?:\s?(?:B\.?C\.?E?|A\.?D|C\.?E)\b\.?)"
_DATE = re.compile(
    rf"{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s\d{{3,4}}\b)?|"
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?:\sof)?\s{_MONTH}(?:,?\s\d{{3,4}}\b)?|"
    rf"{_MONTH}\s\d{{4}}\b|\b\d{{4}}-\d{{2}}-\d{{2}}\b|"
    rf"\b(?:(?:early|mid|late)[\s-](?:the\s)?)?\d{{1,2}}(?:st|nd|rd|th)[\s-]century(?:{_ERA})?|"
    rf"\b(?:AD|A\.D\.)\s\d{{1,4}}\b|\b\d{{1,4}}{_ERA}|"
    r"\b(?:(?:early|mid|late)[\s-])?[12]\d{2}0['\u2019\u2032]?s\b|"
    r"(?<![\d,.$€£])\b(?:1\d{3}|20\d{2})\b(?![\d,.]?\d|%)",
    re.IGNORECASE,
)
_SPAN_JOINT = re.compile(r"\s?(?:-|\u2013|\u2014|to|until|through)\s?")
_BY_WHOM = re.compile(r"\sby (?=[A-Z]\S+(?: [A-Z]\S+)*\?)")
_UNCOMPUTED = re.compile(
    r"\d\)?\s*(?:[-+*\u00d7/]|\\times|\\cdot|\\div)\s*\(?\d|[a-zA-Z]\s*[-+]\s*\d"
)
_POINT_ASKED = re.compile(
    r"\bpoint\b|\bcoordinates?\b|\bmidpoint\b|\bvertex\b|\bintersect|\bcent(?:er|re) of\b"
)
_POINT = re.compile(r"\(\s?-?\d[\d./]{0,12}(?:,\s?-?\d[\d./]{0,12}){1,3}\s?\)")
_INEQUALITY = re.compile(r"[<>≤≥]|\\[lg]eq?\b|inequalit|\brange of\b|for which")
_VARIABLE = re.compile(r"(?<![a-zA-Z\\])[a-zA-Z](?![a-zA-Z])")
_YES_OPENING = re.compile(
    r"(?:no doubt|absolutely|definitely|"
    r"indeed|certainly|of course|correct|that's (?:right|correct|true)|"
    r"yep|yeah|sure|affirmative)\b[,.!:;\s]",
    re.IGNORECASE,
)
_NO_OPENING = re.compile(
    r"(?:nope|untrue|not (?:true|correct|really|quite|exactly|at all|necessarily|anymore)|"
    r"absolutely not|definitely not|certainly not|of course not|incorrect|"
    r"that's (?:not (?:right|correct|true)|incorrect|false|wrong))\b",
    re.IGNORECASE,
)
_BOTH_SIDES = re.compile(
    r"\W{0,4}(?:(?:well|both|it is|it's|that's|neither|the answer is),? ){0,2}"
    r"(?:yes (?:and|or|nor) no|no (?:and|or|nor) yes)\b(?! one\b)",
    re.IGNORECASE,
)
_INNER = re.compile(
    r"(?:^|[,;:\u2014\u2013-]\s*|(?<!people )(?<!some )\bsay )"
    r"(?:in short,? |so |hence |therefore )?"
    r"(yes|no(?! (?:doubt|wonder|question|problem|one)\b))[,.!;:]?(?=\s|$)",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"\b(?:is|are|was|that's|it's|statement's|claim's|as)(?P<not>n['\u2019]t\s+|\s+(?:\w+ly\s+)?not\s+|"
    r"\s+)(?:\w+ly\s+)?"
    r"(?:a\s+|considered\s+)?(?:\w+ly\s+)?"
    r"(?P<word>true|false|correct|incorrect|a myth|a misconception|wrong|untrue)\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"\b(?:not|never|no|none|cannot|neither|nor|without|false|untrue|myth|impossible|unable|"
    r"fail(?:s|ed)? to)\b|n't\b",
    re.IGNORECASE,
)
_NEGATED_QUESTION = re.compile(r"n't\b|\bnot\b|\bnever\b|\bno\b", re.IGNORECASE)
_SUBCLAUSE = re.compile(
    r"[;(\u2014]|\s-\s|,\s(?:but|while|although|though|because|since|as|which)\b|"
    r"\b(?:because|since|although|whereas)\b",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(r"\byes or no\b|\byes/no\b")
# "They can't." "It did."
_SHORT_VERDICT = re.compile(
    r"(?:it|he|she|they|we|you|that|this|there)\s(?:really\s|certainly\s)?(?:is|are|was|were|do|does|did|can|could|"
    r"will|would|has|have|had|should|must)(?P<not>n['\u2019]t|\s?not)?(?=\W{0,3}$|,\s|\s[-\u2013\u2014]\s)|"
    r"(?:it|he|she|they|we|you|that|this|there)\s(?P<cannot>can['\u2019]t|won['\u2019]t)"
    r"(?=\W{0,3}$|,\s|\s[-\u2013\u2014]\s)|"
    r"it\s(?:sure|certainly|definitely|absolutely|indeed)\s(?:is|was|does|did|can|has)\s(?!not\b)",
    re.IGNORECASE,
)
_TRUE_FALSE = re.compile(r"\btrue or false\b|\bstatement\b|\bclaim\b|\btrue\?")
_ITEM = re.compile(r"^[ \t]{0,6}(?:[-*•+]|\d{1,2}[.)])[ \t]+(\S[^\n]{0,300})$", re.MULTILINE)
_ITEM_END = re.compile(r"\s*(?::\s|\s[-\u2013\u2014]\s|\s\(|[.;]\s|[.;,]$)")
_SEGMENT = re.compile(
    r"\\\((.{1,300}?)\\\)|\\\[(.{1,400}?)\\\]|\$\$([^$]{1,400})\$\$|"
    r"(?<![\\\d$])\$(?=\S)([^$\n]{1,300}?)(?<=\S)\$(?![\d$])",
    re.DOTALL,
)
_ASIDE = re.compile(r"\([^()\n]{1,80}\)")
_EQUALS = re.compile(r"(?<![<>!])=|≈|\\approx\b|\\equiv\b")
_JOINT = re.compile(r"\s*(?:,|,?\s*(?:and|or))\s*")
_LISTED = re.compile(
    r"\\?[(\[{][^()\[\]{}\n]{1,200}\\?[)\]}]|[-+\d./\s]{1,20}(?:,[-+\d./\s]{1,20}){1,20}"
)
_OFFER = re.compile(r"\b([^,:?;\n]{1,80}?),?\s+or\s+([^,:?;\n]{1,80})")
_OFFER_LEAD = re.compile(
    r"^.{0,120}?\b(?:more|better|use|prefer|between|either|called|considered|is it|are they|"
    r"was it|be)\s+"
)
_AUXILIARY = re.compile(r"\s*(?:is|are|was|were|does|do|did|should|would)\b", re.IGNORECASE)
_BE = word_set("is was are were came comes has have had wins won weighs would does did")


def is_listed(value: str) -> bool:
    """Tell whether a text is a point, set, interval or row of numbers: it stays whole.

    Example:
        >>> is_listed("(-1, 3)"), is_listed("2, 3"), is_listed("(about 3)")
        (True, True, False)
    """
    if "," not in value or len(value) > 240:
        return False
    text = value.strip()
    if _LISTED.fullmatch(text) is None:
        return False
    inner = text.strip("\\()[]{} ")
    return all(
        read_quantity(part) is not None
        or "infty" in part
        or "∞" in part
        or (not part.strip().isalpha() and read_expression(part) is not None)
        for part in re.split(r",", inner)
    )


def date_in_prose(text: str, question: QuestionView) -> str | None:
    """Return the date that a text gives to a question that asks when.

    The first sentences count most; a date after the verb that was asked for counts more than one
    before it, one in brackets less, and one that the question states hardly at all.

    Args:
        text: Cleaned reply or part of one.
        question: What was asked.

    Returns:
        The date in the text's words, or None without any.
    """
    best: tuple[float, str] | None = None
    asked = _asked_event(question)
    for index, sentence in enumerate(map(without_concession, sentences(text)[:12])):
        start = 0
        for match in list(_DATE.finditer(sentence))[:20]:
            date = read_date(match.group())
            if date is None:
                continue
            between = [bare_verb(word) for word in words(sentence[start : match.start()])]
            start = match.end()
            opened = sentence.rfind("(", 0, match.start())
            score = -float(index)
            score += sum(w for w, word in zip((2.0, 0.4), asked, strict=False) if word in between)
            score += 0.6 * (date.day is not None) + 0.8 * (date.year is not None)
            score -= 0.05 * match.start() / (len(sentence) + 1)
            score -= 0.7 * sentence.count(";", 0, match.start())
            score -= 1.5 * (opened > 0 and ")" not in sentence[opened : match.start()])
            score -= 5.0 * (match.group().isdigit() and int(match.group()) in question.numbers)
            score += 3.0 * ("century" in question.stems and "centur" in match.group().lower())
            score += 3.0 * ("decade" in question.stems and match.group().endswith("s"))
            if best is None or score > best[0]:
                best = (score, _with_its_end(sentence, match))
    if best is None or fold(best[1]) in fold(question.text):
        return None
    return best[1]


def _with_its_end(sentence: str, match: re.Match[str]) -> str:
    """Return the date, or the span of time that it begins: "1914-1918"."""
    joint = _SPAN_JOINT.match(sentence, match.end())
    end = _DATE.match(sentence, joint.end()) if joint else None
    first = read_date(match.group())
    if end is None or first is None or (first.year is None and first.span is None):
        return match.group().strip()
    return sentence[match.start() : end.end()].strip()


def _asked_event(question: QuestionView) -> list[str]:
    """Return the last words of the question, where its verb stands: "completed", "end"."""
    asked = _BY_WHOM.split(question.text, maxsplit=1)[0]
    content = [word for word in words(asked) if word not in FUNCTION_WORDS]
    return [bare_verb(word) for word in content[:-3:-1] if not word.isdigit()]


def takes_both_sides(text: str) -> bool:
    """Tell whether a text opens with "yes and no": it answers, and with neither.

    Example:
        >>> takes_both_sides("Yes and no: it depends."), takes_both_sides("Yes, and no one minds.")
        (True, False)
    """
    return _BOTH_SIDES.match(text) is not None


def boolean_in_prose(text: str, question: QuestionView) -> str | None:
    """Return "Yes", "No", "True" or "False" from a reply that may use none of these words.

    A sentence that restates what was asked says yes, and one that restates it with a negation
    says no; a question that is itself negated is not answered that way.

    Args:
        text: Cleaned reply or part of one.
        question: A question that asks for yes or no.

    Returns:
        The verdict, or None where the text does not take a side.
    """
    said = sentences(text)
    if not said:
        return None
    affirmed, denied = (
        ("True", "False") if _TRUE_FALSE.search(fold(question.text)) else ("Yes", "No")
    )
    if _NO_OPENING.match(said[0]):
        return denied
    if _YES_OPENING.match(said[0] + " ") and len(said[0].split()) < 12:
        return affirmed
    if verdict := _SHORT_VERDICT.match(said[0]):
        return denied if verdict.group("not") or verdict.group("cannot") else affirmed
    for sentence in (said[0], *said[:0:-1][:3]):
        if (inner := _INNER.search(sentence[:120])) and " one " not in sentence[:120]:
            return inner.group(1).capitalize()
        if verdict := _VERDICT.search(sentence):
            is_false = verdict.group("word").lower() not in {"true", "correct"}
            return denied if is_false != bool(verdict.group("not").strip()) else affirmed
    return _restated_in(said, question, affirmed, denied)


def _restated_in(said: list[str], question: QuestionView, affirmed: str, denied: str) -> str | None:
    """Return the verdict of the first sentence that affirms or denies what was asked."""
    if _NEGATED_QUESTION.search(_YES_OR_NO.sub("", fold(question.text))):
        return None
    for sentence in (said[0], said[-1], *said[1:4]):
        if (restated := _restated(sentence, question)) is not None:
            return affirmed if restated else denied
    return None


def _restated(sentence: str, question: QuestionView) -> bool | None:
    """Tell whether a sentence affirms (True) or denies (False) what was asked, or neither."""
    content = [word for word in words(question.text) if word not in FUNCTION_WORDS]
    asked = {bare_verb(stem(word)) for word in content} - {"true", "false", "yes", "no"}
    parts = [part for part in _SUBCLAUSE.split(sentence) if part.strip()][:3]
    for part in (*parts, sentence):
        spelled = words(part)
        held = {bare_verb(stem(word)) for word in spelled}
        if not asked or len(asked & held) / len(asked) < 0.6:
            continue
        if _DENIAL.search(part):
            return False
        if content and bare_verb(stem(content[-1])) in held and not _is_narrowed(spelled, content):
            return True
        if len(asked & held) / len(asked) >= 0.75 and not _is_narrowed(spelled, content):
            return True
    return None


def _is_narrowed(spelled: list[str], content: list[str]) -> bool:
    """Tell whether a new word narrows the asked noun: "a dwarf planet" for "a planet"."""
    known = {bare_verb(stem(word)) for word in content}
    for place in range(1, len(spelled)):
        if bare_verb(stem(spelled[place])) == bare_verb(stem(content[-1])):
            before = spelled[place - 1]
            return before not in FUNCTION_WORDS and bare_verb(stem(before)) not in known
    return False


def choice_in_prose(text: str, question: QuestionView) -> str | None:
    """Return which of the alternatives in "..., a or b?" a reply picks; None when unclear.

    Args:
        text: Cleaned reply.
        question: What was asked.

    Returns:
        The alternative in the question's words.
    """
    if " or " not in question.text or question.options:
        return None
    offers = _offers(question.text)
    if len(offers) != 2:
        return None
    said = sentences(text)
    for sentence in (*said[:1], *said[:0:-1][:2]):
        spelled = [stem(word) for word in words(sentence)]
        places = [_places(spelled, offer) for offer in offers]
        denied = [
            _is_denied(spelled, offer, found) for offer, found in zip(offers, places, strict=True)
        ]
        if all(places) and denied[0] != denied[1]:
            return offers[denied[0]]
        if bool(places[0]) != bool(places[1]):
            if _DENIAL.search(sentence):
                return None
            return offers[0] if places[0] else offers[1]
        for offer, found in zip(offers, places, strict=True):
            for place in found:
                following = spelled[place : place + 2]
                if any(stem(w) in _BE or w in _BE for w in following[:1]) or (
                    following[:2] and following[0].endswith("ly") and following[1:2] == ["the"]
                ):
                    return offer
    return None


def _offers(question: str) -> list[str]:
    match = last_match(_OFFER, question)
    if match is None:
        return []
    # "Which is larger, a or b?" and "Is it a or b?" offer; "the first car or truck" does not.
    opens = question[: match.start(1)].rstrip()
    if not (opens.endswith((",", ":")) or _AUXILIARY.match(question)):
        return []
    left = squash(match.group(1))
    n_right = len(match.group(2).split())
    if len(left.split()) > 6:
        left = _OFFER_LEAD.sub("", left, count=1)
    elif _AUXILIARY.match(left) and n_right < 3:
        # "Is this mail spam or ham?": what is offered is as long on both sides.
        left = " ".join(left.split()[-n_right:])
    right = squash(match.group(2)).rstrip(" .?!")
    right = re.split(r"\s(?:for|to|when|if|in)\s", right, maxsplit=1)[0]
    return [left, right] if 0 < len(left.split()) <= 6 and 0 < len(right.split()) <= 6 else []


def _places(spelled: list[str], offer: str) -> list[int]:
    """Return where in the words the offer's words end, without its article."""
    wanted = [stem(word) for word in words(offer) if word not in {"a", "an", "the"}]
    n_words = len(wanted)
    if not n_words:
        return []
    return [
        place + n_words
        for place in range(len(spelled) - n_words + 1)
        if spelled[place : place + n_words] == wanted
    ]


def _is_denied(spelled: list[str], offer: str, ends: list[int]) -> bool:
    """Tell whether "not", "not a" or "not the" stands before every mention of an offer."""
    n_words = len([word for word in words(offer) if word not in {"a", "an", "the"}])
    before = [spelled[max(0, end - n_words - 2) : end - n_words] for end in ends]
    return bool(before) and all(
        lead[-1:] == ["not"] or (lead[:1] == ["not"] and lead[-1] in {"a", "an", "the"})
        for lead in before
    )


def list_in_prose(text: str, question: QuestionView) -> str | None:
    """Return the items of a bulleted list as one line, when the question asks for several.

    Args:
        text: Cleaned reply.
        question: What was asked.

    Returns:
        "Red, Blue, Yellow", or None without two short items.
    """
    if not question.wants_list or question.wants_number:
        return None
    items: list[str] = _bare_lines(text)
    if items:
        return ", ".join(items)
    for match in list(_ITEM.finditer(text))[:40]:
        item = _ITEM_END.split(plain_line(match.group(1)), maxsplit=1)[0].strip(" .,;:*")
        if not item or len(item.split()) > 6 or "," in item:
            return None
        items.append(item)
    return ", ".join(items) if len(items) >= 2 else None


def _bare_lines(text: str) -> list[str]:
    """Return the lines of a reply that is nothing but three short lines or more."""
    lines = [line.strip(" .,;") for line in text.split("\n") if line.strip()]
    is_list = 3 <= len(lines) <= 20 and all(
        len(line.split()) <= 4 and line[0].isalpha() and ":" not in line for line in lines if line
    )
    return lines if is_list and all(lines) else []


def formula_in_prose(text: str, question: QuestionView) -> str | None:
    r"""Return the value that a reply's last formulas state, for replies that write LaTeX.

    Args:
        text: Cleaned reply.
        question: What was asked; letters that it does not hold are no part of an answer.

    Returns:
        The right side of the last equation, "2, 3" for "$x = 2$ and $x = 3$", or None.

    Example:
        >>> from uncertain_llm.text.questions import view_question
        >>> formula_in_prose(r"So the slope is $-\frac{2}{3}$.", view_question("The slope?"))
        '-\\frac{2}{3}'
    """
    if (point := _point_in(text, question)) is not None:
        return point
    if "$" not in text and "\\(" not in text and "\\[" not in text:
        return None
    matches = list(_SEGMENT.finditer(text))[-30:]
    # Figures after the last formula: the conclusion is in words.
    rest = _ASIDE.sub("", text[matches[-1].end() :]) if matches else ""
    if any(map(str.isdigit, rest)):
        return None
    for place in range(len(matches) - 1, -1, -1):
        values = [_value_of(matches[place], question)]
        if values[0] is None:
            continue
        first = place
        while first and _JOINT.fullmatch(text[matches[first - 1].end() : matches[first].start()]):
            first -= 1
            values.insert(0, _value_of(matches[first], question))
        stated = [value for value in values if value is not None]
        return ", ".join(stated) if len(stated) == len(values) else stated[-1]
    return None


def _point_in(text: str, question: QuestionView) -> str | None:
    """Return the last pair of coordinates, for questions that ask for a point."""
    if _POINT_ASKED.search(fold(question.text)) is None:
        return None
    stated = set(_POINT.findall(question.text))
    found = [point for point in _POINT.findall(text) if point not in stated]
    return found[-1] if found else None


def _value_of(match: re.Match[str], question: QuestionView) -> str | None:
    inner = next(group for group in match.groups() if group is not None)
    last = [line for line in re.split(r"\\\\|\n", inner) if line.strip(" &")][-1:]
    side = _EQUALS.split(last[0])[-1].strip(" .,;&") if last else ""
    if not side or len(side) > 120 or ("\\" not in side and _UNCOMPUTED.search(side)):
        return None
    if not set(_VARIABLE.findall(side)) <= {"e", "i", *_VARIABLE.findall(question.text)}:
        return None
    single = side.replace("\\pm", "").replace("±", "").strip()
    readable = read_quantity(single) is not None or is_listed(side) or read_expression(single)
    is_bound = _INEQUALITY.search(side) and _INEQUALITY.search(question.text)
    has_figure = any(map(str.isdigit, side)) or "pi" in side or "infty" in side
    return side if (readable or is_bound) and has_figure else None
