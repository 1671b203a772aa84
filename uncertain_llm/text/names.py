"""Names, titles and phrases: when do two short texts name the same thing?

Two texts that only share words are not the same: carbon and carbon dioxide, Ireland and Northern
Ireland, red and red-and-white stay apart. What is taken for granted is spelling (case, accents,
hyphens, plural), what adds nothing (articles, honorifics, words of the question), a second name
in brackets, the surname of a person who was asked for, and what follows a name after a comma.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from uncertain_llm.text.folding import (
    ARTICLES,
    NEGATIONS,
    fold,
    negation_count,
    squash,
    stem,
    word_set,
    words,
)
from uncertain_llm.text.namesakes import is_namesake, may_be_one, qualifiers_in
from uncertain_llm.text.questions import FUNCTION_WORDS, QuestionView

__all__ = ["TextForm", "acronyms", "read_text", "same_text"]

_HONORIFICS = word_set(
    "mr mrs ms miss mx dr doctor prof professor sir dame lord lady rev reverend hon president "
    "senator governor "
    "general captain colonel sergeant lieutenant admiral chancellor"
)
_RULERS = word_set("king queen pope emperor empress tsar czar kaiser sultan")
_SETS_APART = word_set(
    "new old north south east west northern southern eastern western upper lower central"
)
"""Before a name they make another one of it: England and New England."""
_NAME_TAILS = word_set(
    "fc afc cf jr phd md esq obe cbe mbe kbe inc ltd llc corp corporation plc gmbh"
)
_LEADING = word_set("in on at by from to for of with via into near its it is was are were be about")
_STATE_PREFIXES = (
    "republic of ", "kingdom of ", "state of ", "commonwealth of ", "federal republic of ",
    "city of ", "town of ",
    "federation of ", "principality of ", "islamic republic of ", "grand duchy of ",
)  # fmt: skip
# Keys are folded words joined by blanks; each line is one thing.
_ALIASES = {
    name: names[0]
    for names in (
        line.split("|")
        for line in (
            "united state|us|usa|united states of america|united state of america|america",
            "united kingdom|uk|great britain and northern ireland|united kingdom of great "
            "britain and northern ireland",
            "soviet union|ussr|union of soviet socialist republic",
            "netherland|holland",
            "united arab emirate|uae",
            "new york city|nyc",
            "los angeles|la",
            "washington dc|washington district of columbia",
            "european union|eu",
            "united nation|un",
            "world war two|ww2|wwii|world war 2|world war ii|second world war|2nd world war",
            "world war one|ww1|wwi|world war 1|world war i|first world war|1st world war",
            "mount everest|mt everest",
            "television|tv",
            "okay|ok",
            "czech republic|czechia",
            "people republic of china|prc",
            "beijing|peking",
            "mumbai|bombay",
            "kolkata|calcutta",
            "chennai|madras",
            "kyiv|kiev",
            "myanmar|burma",
            "eswatini|swaziland",
            "ivory coast|cote divoire",
            "cape verde|cabo verde",
            "timor leste|east timor",
            "north macedonia|macedonia",
            "ho chi minh city|saigon",
        )
    )
    for name in names
}
_SPELLINGS: dict[str, str] = dict(
    re.findall(
        r"(\w+)=(\w+)",
        "color=colour favorite=favourite honor=honour harbor=harbour labor=labour flavor=flavour "
        "neighbor=neighbour humor=humour center=centre theater=theatre meter=metre liter=litre "
        "fiber=fibre gray=grey aluminum=aluminium sulfur=sulphur cesium=caesium defense=defence "
        "license=licence organization=organisation program=programme jewelry=jewellery tire=tyre "
        "pajamas=pyjamas mom=mum airplane=aeroplane hemoglobin=haemoglobin estrogen=oestrogen "
        "anemia=anaemia leukemia=leukaemia diarrhea=diarrhoea cant=cannot",
    )
)
_CONTRACTED = {
    f"{verb}nt": (verb, "not")
    for verb in (
        "is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "would", "could",
        "should",
    )
} | {"wont": ("will", "not")}  # fmt: skip
"""Folded: the apostrophe is gone by then."""
_MINUS = re.compile(r"(?:(?<=[\s(])|^)[-\u2212](?=\d)")
_POSSESSIVE = re.compile(r"['\u2019]s\s|s['\u2019]\s")
_CALL = re.compile(r"\w\(")
_SHORTENED = {"st": "saint", "mt": "mount", "ft": "fort"}
_STATES_OF_THEIR_OWN = word_set("china korea")
"""The Republic of China is not China, nor is the Republic of Korea Korea."""
_CONSONANTS = frozenset("bcdfghjklmnpqrstvwxyz")
_PLAIN = re.compile(r"(?:(?!and\b|in\b|or\b)[A-Za-z]{2,30} ?){1,3}")
_BRACKETS = re.compile(r"(?<!\b\w)[(\[]([^()\[\]]{1,80})[)\]]")
_SPAN = re.compile(r"(?<![\w.,-])(\d{1,4})\s?[-\u2013]\s?(\d{1,4})(?![\w-]|[.,]\d)")
_ALSO = re.compile(
    r"\s*(?:,?\s*(?<!\w)(?:(?:also|better|later|formerly|previously) known as|a\.?k\.?a\b\.?|"
    r"also called|or simply|i\.e\.,?|that is,)| = )\s*",
    re.I,
)
# What a bracket may say before the second name that it gives.
_NAMES_AGAIN = re.compile(
    r"(?:(?:also|better|commonly|formerly|previously|sometimes) (?:known as|called|written)|"
    r"a\.?k\.?a\b\.?|formerly|born|n\u00e9e?|or|i\.e\.,?|short for)\s+(?:the )?(?=\S)",
    re.I,
)
_HEAD_END = re.compile(
    r"\s*\(|,\s|;\s|:\s|\.\s|\s-\s|\s(?=(?:in|at|near|which|who|that|because|since|followed|after|before|as|via|where)\s)"
)
# No other name, head or list without one of these: most answers have none.
_AKA = re.compile(r"a\.?k\.?a")
_HEAD_START = re.compile(r"[\s(,;:.]")
_LIST_SIGN = re.compile(r"[,;/\n&]|\band\b|\splus\s|-and-", re.IGNORECASE)
_LIST_SPLIT = re.compile(
    r"\s*(?:,\s*and\s|,\s*or\s|;|,|/|\n|\sand\s|&|\splus\s|-and-)\s*", re.IGNORECASE
)
_ROMAN_VALUES = {
    f"{tens}{ones}": str(10 * len(tens) + value)
    for tens in ("", "x", "xx", "xxx")
    for value, ones in enumerate(["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"])
    if tens or ones
}
_ORDINAL_VALUES = {
    word: str(value)
    for value, word in enumerate(
        squash(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
            "thirteenth fourteenth fifteenth sixteenth"
        ).split(),
        start=1,
    )
}
_COUNTED = word_set("one two three four five six seven eight nine ten") | frozenset(_ORDINAL_VALUES)
_TREATED = frozenset(
    {
        *ARTICLES,
        *_LEADING,
        *_HONORIFICS,
        *_RULERS,
        *_NAME_TAILS,
        *_SHORTENED,
        *_ROMAN_VALUES,
        *_ORDINAL_VALUES,
        *_SPELLINGS,
        *_CONTRACTED,
        *(word for prefix in _STATE_PREFIXES for word in prefix.split()),
    }
)
"""Words that something is done about; without any of them only endings go. A test proves it."""
_MAX_WORDS = 400
_NOTHING: frozenset[str] = frozenset()
# Two long answers say the same when nearly all words are shared and numbers and negations are
# equal; chosen, not tuned.
_SIMILAR = 0.8
_LONG = 6


class TextForm(NamedTuple):
    """A short text in the shapes that are compared."""

    tokens: tuple[str, ...]
    """Stemmed folded words without articles, honorifics, leading prepositions."""
    key: str
    negations: int
    numbers: tuple[str, ...]
    """Words with digits and Roman numerals, sorted: none may differ."""
    aliases: frozenset[str]
    """Keys of other names given in brackets, after a slash, or known from the table."""
    plain: str | None
    """The text without brackets and second names; None when it is a few plain words."""
    items: frozenset[str] | None
    """Keys of the items when it reads as a list."""
    qualifiers: frozenset[str]
    """Words of a bracket that tells namesakes apart: "(UK)", "(1971 film)"."""
    text: str
    """The text as it was read."""

    @property
    def head(self) -> str | None:
        """Key of what comes before a comma or a relative clause."""
        return None if self.plain is None else _head(self.plain)

    @property
    def letters(self) -> str:
        """The exact letters and digits, unfolded but for case: for questions about spelling."""
        return "".join(filter(str.isalnum, fold(self.text))) or squash(self.text)

    @property
    def compact(self) -> str:
        """The key without blanks: "toll-house" and "Tollhouse" agree."""
        return self.key.replace(" ", "")


@lru_cache(maxsize=2048)
def _read_short(text: str) -> TextForm:
    return _read(text)


def read_text(text: str) -> TextForm:
    """Return the comparable shapes of a short text.

    Args:
        text: A short answer; of very long ones only the first 400 words are compared.

    Returns:
        Its form; never fails.

    Example:
        >>> read_text("The Republic of Ireland").key
        'ireland'
    """
    return _read_short(text) if len(text) <= 400 else _read(text)


def _read(text: str) -> TextForm:
    if len(text) > 8000:
        text = text[:8000]
    plain = text
    aliases: set[str] = set()
    inners: list[str] = []
    if "(" in text or "[" in text:
        inners = _BRACKETS.findall(text)[:5]
        aliases.update(_key(_NAMES_AGAIN.sub("", inner.strip(), count=1)) for inner in inners)
        plain = squash(_BRACKETS.sub(" ", text)) or text
    is_plain = _PLAIN.fullmatch(text) is not None
    if len(text) <= 200 and not is_plain and _may_have_second_name(plain):
        parts = [part for part in _ALSO.split(plain) if part and part.strip()]
        if len(parts) > 1:
            plain = parts[0]
            aliases.update(_key(part) for part in parts[1:])
    if "-" in plain or "\u2212" in plain:
        plain = _MINUS.sub("minus ", plain)
    plain = _SPAN.sub(_spelled_span, plain)
    spelled = words(plain)[:_MAX_WORDS]
    tokens = _content(spelled)
    key = " ".join(tokens)
    known = _ALIASES.get(key)
    if known is not None:
        tokens, key = tuple(known.split(" ")), known
    if aliases:
        aliases.discard("")
    return TextForm(
        tokens=tokens,
        key=key,
        negations=0 if NEGATIONS.isdisjoint(spelled) else negation_count(spelled),
        numbers=_numbers_in(tokens),
        aliases=frozenset(aliases) if aliases else _NOTHING,
        plain=None if is_plain else plain,
        items=None if is_plain else _items(plain),
        qualifiers=qualifiers_in(inners[0], _content(words(inners[0])), tokens)
        if len(inners) == 1 and _NAMES_AGAIN.match(inners[0]) is None
        else _NOTHING,
        text=text,
    )


def _spelled_span(match: re.Match[str]) -> str:
    """Write "4-7" as "4 to 7"; a number that falls is a name or a result: "747-400"."""
    low, high = match.groups()
    return f"{low} to {high}" if int(low) < int(high) else match.group()


def _may_have_second_name(plain: str) -> bool:
    # Beyond ASCII the pattern knows more letters as the same one than `lower` does.
    lowered = plain.lower()
    return (
        ("k" in lowered and _AKA.search(lowered) is not None)
        or "also" in lowered
        or "known as" in lowered
        or " = " in lowered
        or "or simply" in lowered
        or "i.e" in lowered
        or "that is," in lowered
        or not plain.isascii()
    )


def _key(text: str) -> str:
    key = " ".join(_content(words(text)))
    return _ALIASES.get(key, key)


def _content(spelled: list[str]) -> tuple[str, ...]:
    if _TREATED.isdisjoint(spelled):
        return tuple([stem(word) if word[-1] == "s" else word for word in spelled])
    return _treated(spelled)


def _treated(spelled: list[str]) -> tuple[str, ...]:
    if not _CONTRACTED.keys().isdisjoint(spelled):
        spelled = [part for word in spelled for part in _CONTRACTED.get(word, (word,))]
    start = 0
    while start < len(spelled) - 1 and (spelled[start] in _LEADING or spelled[start] in ARTICLES):
        start += 1
    if "of" in spelled:
        start += _state_prefix(spelled, start)
    kept = spelled[start:]
    if len(kept) > 1:
        # The last word stays: vitamin A, Hepatitis A.
        kept = [word for word in kept[:-1] if word not in ARTICLES] + kept[-1:]
        while len(kept) > 1 and kept[0] in _HONORIFICS:
            kept = kept[1:]
        while len(kept) > 1 and kept[-1] in _NAME_TAILS:
            kept = kept[:-1]
        kept = _spelled_out(kept, is_named_the="the" in spelled[-2:-1])
    return tuple([stem(_SPELLINGS.get(word, word)) for word in kept])


def _spelled_out(kept: list[str], *, is_named_the: bool) -> list[str]:
    """Write "st louis" as "saint louis", and "henry viii" or "henry the eighth" as "henry 8"."""
    out = [_SHORTENED.get(kept[0], kept[0]), *kept[1:]] if len(kept) > 1 else kept
    for place, word in enumerate(out):
        if place and (len(word) > 1 or place == len(out) - 1) and word in _ROMAN_VALUES:
            out[place] = _ROMAN_VALUES[word]
    ordinal = out[-1].rstrip("thsndr") if out[-1][:1].isdigit() else _ORDINAL_VALUES.get(out[-1])
    if is_named_the and len(out) > 1 and ordinal and ordinal.isdigit():
        out[-1] = ordinal
    if len(out) > 2 and out[0] in _RULERS and out[-1].isdigit():
        out = out[1:]  # the number says that it is a ruler: "Queen Elizabeth II"
    return out


def _state_prefix(spelled: list[str], start: int) -> int:
    """Return how many words from `start` on only say what kind of state or town it is."""
    joined = " ".join(spelled[start : start + 4]) + " "
    for prefix in _STATE_PREFIXES:
        n_words = prefix.count(" ")
        if joined.startswith(prefix) and len(spelled) - start > n_words:
            return 0 if spelled[start + n_words] in _STATES_OF_THEIR_OWN else n_words
    return 0


def _numbers_in(tokens: tuple[str, ...]) -> tuple[str, ...]:
    # A single letter is rarely a numeral: "vitamin C".
    found = [
        word
        for word in tokens
        if (
            len(word) > 1 and word in _ROMAN_VALUES
            if word.isalpha()
            else any(map(str.isdigit, word))
        )
    ]
    return tuple(sorted(found)) if len(found) > 1 else tuple(found)


@lru_cache(maxsize=2048)
def _head(text: str) -> str | None:
    for sign in _HEAD_START.finditer(text, 1):
        if _HEAD_END.match(text, sign.start()):
            return _key(text[: sign.start()]) or None
    return None


def _items(text: str) -> frozenset[str] | None:
    if len(text) > 600 or not _may_be_list(text):
        return None
    parts = [part for part in _LIST_SPLIT.split(text) if part.strip()]
    if len(parts) < 2 or len(parts) > 60:
        return None
    keys = [_key(part) for part in parts]
    if any(not key or key.count(" ") > 4 for key in keys):
        return None
    return frozenset(keys)


def _may_be_list(text: str) -> bool:
    lowered = text.lower()
    if "," not in lowered and "and" not in lowered and "/" not in lowered and "&" not in lowered:
        # Beyond ASCII the pattern knows more letters as the same one than `lower` does.
        is_plain = text.isascii() and ";" not in text and "\n" not in text and "plus" not in lowered
        if is_plain:
            return False
    return _LIST_SIGN.search(text) is not None


def same_text(left: TextForm, right: TextForm, question: QuestionView) -> str | None:
    """Return the rule by which two texts name the same thing, or None when none does.

    Args:
        left: One text.
        right: The other.
        question: What was asked; it tells which words carry nothing and whether a person, an
            order or single letters matter.

    Returns:
        "text", "spacing", "alias", "qualifier", "list", "order", "items", "question_words",
        "person", "spelling", "acronym", "head", "similar", or None. Symmetric.
    """
    if question.about_letters:
        return "text" if left.letters == right.letters else None
    if left.negations != right.negations:
        return None
    if left.key == right.key:
        # Without any word (emoji, signs) the signs themselves are the answer.
        if not left.key and left.letters != right.letters:
            return None
        return _same_qualifiers(left, right, question)
    if (left.key in right.aliases) or (right.key in left.aliases):
        return "alias"
    if left.qualifiers != right.qualifiers and _all_words(left) == _all_words(right):
        return "qualifier"
    if left.numbers != right.numbers:
        return None
    return (
        _same_spelling(left, right, question)
        or _same_beyond_question(left, right, question)
        or _same_person(left, right, question)
        or _same_acronym(left, right)
        or _same_head(left, right, question)
        or _similar(left, right)
    )


def _same_qualifiers(left: TextForm, right: TextForm, question: QuestionView) -> str | None:
    here, there = left.qualifiers - question.stems, right.qualifiers - question.stems
    if here == there:
        return "text"
    return "qualifier" if not here or not there or may_be_one(here, there) else None


def _all_words(form: TextForm) -> list[str]:
    return sorted((*form.tokens, *form.qualifiers))


def _same_spelling(left: TextForm, right: TextForm, question: QuestionView) -> str | None:
    if not left.numbers and left.compact == right.compact:
        return "spacing"
    if question.ordered:
        return None
    if left.items is not None and left.items == right.items:
        return "list"
    # "Herbert, Frank", "white and red": a comma or an "and" gives the order free.
    if (left.items or right.items) and _sorted_words(left) == _sorted_words(right):
        return "order"
    return "items" if left.items and right.items and _same_items(left.items, right.items) else None


def _same_items(left: frozenset[str], right: frozenset[str]) -> bool:
    """Tell whether two lists name the same things by their last words: "Eagles, Patriots"."""
    if len(left) != len(right):
        return False
    lasts = {item.rsplit(" ", 1)[-1]: item for item in left}
    others = {item.rsplit(" ", 1)[-1]: item for item in right}
    if len(lasts) != len(left) or lasts.keys() != others.keys():
        return False
    return all(
        item.endswith(others[last]) or others[last].endswith(item) for last, item in lasts.items()
    )


def _sorted_words(form: TextForm) -> list[str]:
    return sorted(word for word in form.tokens if word != "and")


def _same_beyond_question(left: TextForm, right: TextForm, question: QuestionView) -> str | None:
    if not question.stems:
        return None
    rest_left = _beyond(left, question)
    rest_right = _beyond(right, question)
    return "question_words" if rest_left and rest_left == rest_right else None


def _beyond(form: TextForm, question: QuestionView) -> tuple[str, ...]:
    # Function words stay: "When We Were Kings" is not "When We Are Kings".
    rest = [word for word in form.tokens if word not in question.stems]
    return tuple(rest) if any(word not in FUNCTION_WORDS for word in rest) else ()


def _same_person(left: TextForm, right: TextForm, question: QuestionView) -> str | None:
    if any(text[1:2] == "(" and _CALL.match(text) for text in (left.text, right.text)):
        return None  # "O(log n)" holds no initials
    short, long = _by_length(left.tokens, right.tokens)
    if not 1 <= len(short) <= 4 or len(long) > 5 or "and" in long or not _is_wordy(short + long):
        return None
    if len(short) == 1:
        # One name alone names a person only where a person was asked for.
        is_part = len(short[0]) > 2 and len(long) <= 4 and short[0] in {long[0], long[-1]}
        is_part = is_part and long[0] not in _SETS_APART
        # "Bob's mother" is not Bob.
        is_part = is_part and not any(_POSSESSIVE.search(form.text) for form in (left, right))
        return "person" if question.wants_person and is_part else None
    if short[-1] == long[-1]:
        if question.wants_person and long[-len(short) :] == short:
            return "person"  # "the Russian author Leo Tolstoy"
        return "person" if _given_names_agree(short[:-1], long[:-1]) else None
    return "spelling" if question.wants_person and _one_letter_off(short, long) else None


def _by_length(
    left: tuple[str, ...], right: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return both, the one with fewer words first, then the one with fewer letters."""
    if len(left) != len(right):
        return (left, right) if len(left) < len(right) else (right, left)
    sizes = len("".join(left)), len("".join(right))
    return (left, right) if (sizes[0], left) <= (sizes[1], right) else (right, left)


def _one_letter_off(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Tell whether two names of several words differ by one letter in one long word."""
    if len(left) != len(right):
        return False
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if a != b]
    if len(pairs) != 1 or min(map(len, pairs[0])) < 6:
        return False
    return _one_edit(*sorted(pairs[0], key=len))


def _one_edit(short: str, long: str) -> bool:
    """Tell whether one letter changed, added or left out makes one word of the other."""
    if len(long) - len(short) > 1:
        return False
    same = 0
    while same < len(short) and short[same] == long[same]:
        same += 1
    rest = short[same + 1 :] if len(short) == len(long) else short[same:]
    return rest == long[same + 1 :]


def _is_wordy(tokens: tuple[str, ...]) -> bool:
    return "".join(tokens).isalpha() and FUNCTION_WORDS.isdisjoint(tokens)


def _given_names_agree(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Tell whether given names agree: initials stand for names, later given names may miss."""
    if len(short[0]) <= 3 and not long[0].startswith(short[0]):
        initials = "".join(name[0] for name in long)
        if len(short[0]) > 1 and _CONSONANTS.issuperset(short[0]) and len(long) == 1:
            return short[0].startswith(initials)  # "J. K." and "Joanne"
        return len(short) == 1 and len(short[0]) > 1 and initials.startswith(short[0])
    if len(long[0]) <= 3 and short[0][0] == long[0][0] and len(long) == 1:
        return len(long[0]) == 1 or long[0] == "".join(name[0] for name in short)
    position = 0
    for name in short:
        while position < len(long) and not _name_or_initial(name, long[position]):
            position += 1
        if position == len(long):
            return False
        position += 1
    return _name_or_initial(short[0], long[0])


def _name_or_initial(left: str, right: str) -> bool:
    if left == right:
        return True
    if len(left) > 1 and len(right) > 1:
        return False
    return left[0] == right[0]


def _same_acronym(left: TextForm, right: TextForm) -> str | None:
    short, long = (left, right) if len(left.tokens) <= len(right.tokens) else (right, left)
    is_one_word = len(short.tokens) == 1
    return "acronym" if is_one_word and short.key in acronyms(long) else None


def acronyms(form: TextForm) -> frozenset[str]:
    """Return the words of 3 to 8 letters that the initials of a name of 3 words or more make.

    Example:
        >>> sorted(acronyms(read_text("Bureau of Oil and Gas Affairs")))
        ['boga', 'booaga']
    """
    if len(form.tokens) < 3:
        return _NOTHING
    made = {
        "".join(word[0] for word in form.tokens),
        "".join(word[0] for word in form.tokens if word not in FUNCTION_WORDS),
    }
    return frozenset(letters for letters in made if 3 <= len(letters) <= 8)


def _is_enumeration(form: TextForm) -> bool:
    """Tell whether a text lists equals, "avocado, lime and salt", not a name and its place."""
    if form.items is None:
        return False
    is_all_common = len(form.items) > 2 and form.text.islower()
    return is_all_common or " and " in form.text or "&" in form.text


def _same_head(left: TextForm, right: TextForm, question: QuestionView) -> str | None:
    """One text carries on after the other ends: "Kitzbühel" and "Kitzbühel, Austria"."""
    if question.wants_list or _is_enumeration(left) or _is_enumeration(right):
        return None
    if left.head is not None and left.head == right.head and len(left.head) > 2:
        return "head" if min(left.tokens, right.tokens, key=len) == () else _heads_only(left, right)
    if left.head == right.key or right.head == left.key:
        # "Dune: Part Two" goes on after "Dune" to name another work.
        tail = set(left.tokens) ^ set(right.tokens)
        if not _COUNTED.isdisjoint(tail):
            return None
        shared = min(left.key, right.key, key=len)
        return None if is_namesake(shared, tail - question.stems) else "head"
    return None


def _heads_only(left: TextForm, right: TextForm) -> str | None:
    """Both carry on after the same head; what follows must not be a list of equals."""
    shared = set(left.tokens) & set(right.tokens)
    smaller = min(len(set(left.tokens)), len(set(right.tokens)))
    return "head" if smaller and len(shared) / smaller >= _SIMILAR else None


def _similar(left: TextForm, right: TextForm) -> str | None:
    if min(len(left.tokens), len(right.tokens)) < _LONG:
        return None
    a, b = set(left.tokens), set(right.tokens)
    if min(len(a), len(b)) < _LONG or len(a & b) / len(a | b) < _SIMILAR:
        return None
    # One word put for another may turn the sense round (positive, negative); only words added on
    # one side, or function words, leave it.
    left_only, right_only = a - b - FUNCTION_WORDS, b - a - FUNCTION_WORDS
    return None if left_only and right_only else "similar"
