"""The short answer in plain prose: the part of a sentence that the question did not already say."""

from __future__ import annotations

import re
from typing import NamedTuple

from uncertain_llm.text.cleaning import bold_spans, plain_line, sentences
from uncertain_llm.text.folding import fold, squash, stem, word_set, words
from uncertain_llm.text.number_words import NUMBER_WORDS, take_number_words
from uncertain_llm.text.numerals import find_numbers, literal_value
from uncertain_llm.text.questions import FUNCTION_WORDS, QuestionView, asked_verbs, bare_verb
from uncertain_llm.text.units import find_unit

__all__ = ["number_in_prose", "text_in_prose", "without_hedges"]

_LEAD = re.compile(
    r"(?:(?:well|so|sure|certainly|of course|ok|okay|yes|therefore|thus|hence|finally|in "
    r"conclusion|overall|"
    r"to summarize|in summary|actually|honestly|probably|likely|most likely|perhaps|maybe|"
    r"possibly|apparently)[,!.:]?\s+|"
    r"(?:i(?:'d| would)? (?:think|believe|guess|say|estimate|suspect|recall|assume)|i'm "
    r"(?:fairly |pretty |quite )?(?:sure|"
    r"certain|confident)|i am (?:fairly |pretty |quite )?(?:sure|certain|confident)|my (?:best "
    r")?guess is|as far as i "
    r"(?:know|am aware|'m aware|can tell|recall|remember)|to (?:the best of )?my knowledge|if "
    r"i (?:recall|remember) "
    r"correctly|from memory|at a guess|(?:i'm|i am) not (?:entirely |completely |fully |really "
    r")?(?:sure|certain)(?: about this)?,? "
    r"but|i don't know (?:for (?:sure|certain)|exactly),? but|based on [^,]{1,80})(?:,? "
    r"that)?,?\s+|"
    r"(?:it|that|this|he|she|they)(?:'s| is| was| are| were| would be| will be| would have been)\s+"
    r"(?:(?:probably|likely|most likely|generally|usually|commonly)\s+)?)",
    re.IGNORECASE,
)
_TRAIL = re.compile(
    r"(?:[,;(]|\s-|\s\u2014|\s\u2013)\s*(?:also|but|though|although|however|while|i (?:think|"
    r"believe|guess|suppose|am|'m|may|might|could|"
    r"have|haven't|can't|estimated)\b|i'm|as far as|at a guess|which|who|where|because|since|"
    r"so|making|meaning|so that|"
    r"and (?:i|it|he|she|they|this|that|its|his|my)\b|it|he|she|this|that|if i|to my|for "
    r"example|such as|e\.g|not|"
    r"with|followed by|using|the|in|from|at|based on|rounded)\b[^\n]*$",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"(?:use|run|try|type|execute|call|enter|import|choose|pick|select)\s+(?:the\s+)?",
    re.IGNORECASE,
)
_VERB_FIRST = re.compile(
    r"[a-z]{2,20}\s+(?:at|on|in|by|to|from|as|into|for|of|with)\s+(?:an?\s+|the\s+)?(?=\S)"
)
_QUOTED = re.compile(r"\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|`([^`\n]{1,200})`")
_TOKEN = re.compile(r"[^\W_]+(?:[-'\u2019.&/+][^\W_]+)*[=+#]{0,2}|[$€£%°]|[().,;:]")
_CONCLUDES = re.compile(
    r"\b(?:therefore|thus|hence|so|in total|total|altogether|finally|conclusion|final|result|"
    r"consequently|overall)\b"
)
_COPULA = word_set(
    "is was are were equals has have had by called named be became becomes named known"
)
_REASONING = re.compile(
    r"(?:step \d|first(?:ly)?\b|let'?s\b|let us\b|to (?:determine|find|answer|solve|figure|"
    r"work)\b|okay\b|alright\b|hmm\b|"
    r"we need to\b|i need to\b|recall\b|identify\b|1[.)]\s)",
    re.IGNORECASE,
)
# A run that is a name and stands after "is" or "by".
_SURE = 3.0
_FILLERS = word_set(
    "sure certainly ok okay great good question thanks thank you hello hi of course absolutely "
    "happy to help i can here is the answer"
)
_CLAUSE = re.compile(r"[,;:]\s|\s(?:with|where|to|for|from|in|which|and then)\s")
_COMPUTED = re.compile(r"\d\s*[=+*/\u00d7x]\s*[-$]?\d|=")


class _Candidate(NamedTuple):
    score: float
    place: int
    text: str


def without_hedges(sentence: str) -> str:
    """Return a sentence without the speaker's stance before and after the claim.

    Example:
        >>> without_hedges("I think it was Jane Austen, but I'm not sure.")
        'Jane Austen'
    """
    out = _without_lead(sentence)
    cut = _TRAIL.search(out, 1)
    if cut is not None and out[: cut.start()].strip():
        out = out[: cut.start()]
    return out.strip().rstrip(".!").strip() or sentence.strip()


def _without_lead(sentence: str) -> str:
    out = sentence.strip()
    for _ in range(4):
        match = _LEAD.match(out)
        if match is None or match.end() >= len(out.rstrip(" .!")):
            break
        out = out[match.end() :]
    return out


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
    bold = {fold(span) for span in bold_spans(text)}
    best: _Candidate | None = None
    for index, sentence in enumerate(said):
        position = float(index) if calculated else -float(index) / 2
        if calculated and index == len(said) - 1:
            position += 2
        weight = position + (1.5 if calculated and _CONCLUDES.search(sentence.lower()) else 0.0)
        for candidate in _numbers_of(sentence, question, bold):
            total = candidate._replace(
                score=candidate.score + weight, place=index * 1000 + candidate.place
            )
            if best is None or (total.score, total.place) > (best.score, best.place):
                best = total
    return None if best is None else best.text


def _numbers_of(sentence: str, question: QuestionView, bold: set[str]) -> list[_Candidate]:
    found: list[_Candidate] = []
    lowered = fold(sentence)
    if len(lowered) != len(sentence):
        sentence = lowered
    matches = list(find_numbers(sentence))[-60:]
    for match in matches:
        value = literal_value(match.group())
        if value is None:
            continue
        text, unit = _with_surroundings(sentence, match.start(), match.end())
        score = _score_number(sentence, match.start(), match.end(), unit, question)
        score -= 5.0 * (value in question.numbers)
        score += 2.0 * any(match.group() in span for span in bold)
        score -= 0.7 * sentence.count(";", 0, match.start())
        found.append(_Candidate(score, match.start(), text))
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
    if sentence[end : end + 4].lstrip(" .").startswith(("=", "+", "*", "\u00d7", "/", "- ")):
        score -= 2.0
    if unit and question.unit_words and stem(unit.lower()) in question.unit_words:
        score += 3.0
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


def _spelled_numbers(sentence: str, question: QuestionView) -> list[_Candidate]:
    tokens = re.findall(r"[^\W\d_]+", fold(sentence))
    found: list[_Candidate] = []
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
        found.append(_Candidate(score, place, " ".join(tokens[place : place + used])))
        place += used
    return found


def text_in_prose(text: str, question: QuestionView) -> str | None:
    """Return the name or phrase that answers the question in plain prose.

    A short bold span is taken at its word; else the first sentence that says more than the
    question gives its new part.

    Args:
        text: Cleaned reply, markdown allowed.
        question: What was asked.

    Returns:
        A phrase, or None when the text has no words. Without a question: the first sentence
        without hedges.
    """
    said = sentences(text)
    if not said:
        return None
    if bold := _bold_answer(text, question):
        return bold
    reasons = _REASONING.match(said[0]) is not None and len(said) > 2
    for sentence in said[-1:-5:-1] if reasons else said[:6]:
        if found := _new_part(sentence, question):
            return found
    return without_hedges(said[0])


def _bold_answer(text: str, question: QuestionView) -> str | None:
    spans = [span for span in bold_spans(text) if not span.endswith(":")]
    if not spans or len(spans) > 3:
        return None
    for span in spans:
        plain = plain_line(span).rstrip(".:!")
        new = [w for w in re.findall(r"[^\W_]+", fold(plain)) if stem(w) not in question.stems]
        if new and len(plain.split()) <= 8:
            return plain
    return None


def _new_part(sentence: str, question: QuestionView) -> str | None:
    if _FILLERS.issuperset(words(sentence)):
        return None
    claim = without_hedges(sentence)
    if not question.stems:
        return claim
    quoted = [next(g for g in m.groups() if g) for m in _QUOTED.finditer(claim)]
    for span in reversed(quoted):
        tokens = words(span)
        if tokens and not all(stem(w) in question.stems for w in tokens):
            return span.strip().rstrip(".,")
    if imperative := _IMPERATIVE.match(claim):
        claim = _CLAUSE.split(claim[imperative.end() :], maxsplit=1)[0]
        return claim.removesuffix(" module").removesuffix(" command").strip() or None
    # "The currency, the won, has the code KRW": the part cut off may be the new one.
    runs = _runs(claim, question) or _runs(_without_lead(sentence), question)
    if not runs:
        return None
    best = max(runs, key=lambda run: (run.score, run.place))
    if len(runs) > 1 and best.score < _SURE and _overlap(claim, question) < 0.2:
        return claim
    return best.text


def _overlap(claim: str, question: QuestionView) -> float:
    tokens = [stem(w) for w in re.findall(r"[^\W_]+", fold(claim)) if w not in FUNCTION_WORDS]
    return sum(1 for token in tokens if token in question.stems) / len(tokens) if tokens else 0.0


def _runs(claim: str, question: QuestionView) -> list[_Candidate]:
    """Return the runs of words that the question does not hold, each with a weight."""
    found: list[_Candidate] = []
    start: int | None = None
    end = 0
    before = ""
    previous = ""
    for match in _TOKEN.finditer(claim):
        word = fold(match.group())
        part = _part_of_run(word, question)
        if part == "end" and start is not None:
            found.append(_run(claim, start, end, before, question))
            start = None
        if part == "new":
            if start is not None and _leaves_name(claim[start], match.group(), previous):
                found.append(_run(claim, start, end, before, question))
                start = None
            if start is None:
                start, before = match.start(), previous
            end = match.end()
        if word != "(" or start is None:
            previous = word
    if start is not None:
        found.append(_run(claim, start, end, before, question))
    return found


def _leaves_name(first: str, word: str, previous: str) -> bool:
    """Tell whether a word is no longer part of a name: "Kafka and published"."""
    return first.isupper() and previous in FUNCTION_WORDS and not word[0].isupper()


def _part_of_run(word: str, question: QuestionView) -> str:
    """Tell whether a word begins or carries on a run ("new"), ends it, or may stand inside it."""
    if word in {",", ")", "(", "."}:
        return "inside"
    if word in {";", ":"} or word in _COPULA or _is_asked(word, question):
        return "end"
    return "inside" if word in FUNCTION_WORDS else "new"


def _is_asked(word: str, question: QuestionView) -> bool:
    if word in FUNCTION_WORDS:
        return False
    parts = [part for part in re.split(r"[-./&+]", word.replace("'s", "").replace("'", "")) if part]
    verbs = asked_verbs(question.stems)
    return all(stem(part) in question.stems or bare_verb(part) in verbs for part in parts)


def _without_apposition(text: str) -> str:
    """Return "Franz Kafka" for "Franz Kafka, a writer from Prague"; "Taylor, Zachary" stays."""
    head, comma, tail = text.partition(", ")
    if not comma or not any(word[0].isupper() for word in head.split()):
        return text
    describes = any(word.islower() and word not in FUNCTION_WORDS for word in tail.split())
    return head if describes else text


def _run(claim: str, start: int, end: int, before: str, question: QuestionView) -> _Candidate:
    if claim[start:end].count("(") > claim[start:end].count(")") and ")" in claim[end : end + 2]:
        end = claim.index(")", end) + 1
    text = squash(claim[start:end])
    if verb := _VERB_FIRST.match(text):
        text = text[verb.end() :]
    text = _without_apposition(text)
    score = 0.0
    names = any(
        word[0].isupper() or word[0].isdigit()
        for word in text.split()
        if start or len(text.split()) > 1
    )
    if names or (start == 0 and text[:1].isupper() and question.wants_person):
        score += 2.0
    if before in _COPULA:
        score += 1.5
    if len(text.split()) > 8:
        score -= 1.0
    if text.islower() and text.endswith(("ed", "ly")) and " " not in text:
        score -= 1.0
    return _Candidate(score, start, text)
