"""Reads a provider's refusal: which parameter it is about, and which temperatures it allows.

Pure: it looks at the words of an error and at nothing else. About half of the wordings that it is
tested with are those that users of Anthropic, OpenAI, Mistral, Moonshot, DeepSeek, TGI and others
quoted in public up to November 2026; the others are made after the pattern of their services
(tests/providers/test_providers_refusals.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

__all__ = ["TemperatureRange", "nearest", "range_allowed", "refused_parameter"]

TemperatureRange = tuple[float, float]
"""The lowest and the highest temperature that are accepted."""

HIGHEST = 2.0
"""No policy asks for more, so an open end is this."""

# 400 is the rule; pydantic and TGI answer 422, OpenAI's reasoning models 403 to logprobs.
_STATUS = frozenset({400, 403, 422})
_ABOUT_THE_MESSAGES = frozenset({"ContextWindowExceededError", "ContentPolicyViolationError"})
_MENTIONS = {
    "n": re.compile(r"""["'`]n["'`]|\bn (?:must|should|has to|is|>)|\bn ?=|candidate_?\s?count"""),
    "temperature": re.compile("temperature"),
    "seed": re.compile("seed"),
    "logprobs": re.compile(r"log_?\s?prob"),
    "response_format": re.compile(
        r"response_?format|response_?mime_?\s?type|mime_?type|output_format"
        r"|json[ _](?:mode|object|schema|validate)|generate json"
    ),
}
_NOT_AT_ALL = re.compile(
    r"deprecated|unsupported parameter|not supported|not support parameter|unknown|unrecogni[sz]ed"
    r"|extra (?:inputs|fields)|extraneous|not permitted|cannot find"
)
_NUMBER = r"([-+]?\d{1,6}(?:\.\d{1,9})?)"
_INTERVAL = re.compile(
    rf"([\[(])\s*{_NUMBER}\s*(?:,|;|to|\.\.)\s*(?:{_NUMBER}|\+?inf\w*)\s*([\])])"
)
_FROM_TO = re.compile(
    rf"(?:range:|from|between)\s*(?:-1 or\s+)?{_NUMBER}\s*(\((?:in|ex)clusive\))?"
    rf"\s*(?:\.\.|to|and|-)\s*{_NUMBER}\s*(\(?exclusive\)?)?"
)
_ONLY = re.compile(
    rf"only (?:the default )?(?:temperature ?= ?)?\(?{_NUMBER}\)?(?: value)? is (?:allowed|support)"
    rf"|may only be set to {_NUMBER}"
    rf"|must be (?:set to |equal to |exactly )?{_NUMBER}(?=[\s.,;'\"]|$)"
)
_AT_MOST = re.compile(
    r"(?:<=|less than or equal to|less or equal to|at most|not exceed|no more than"
    rf"|maximum (?:value )?(?:of|is)|not (?:be )?(?:greater|more|larger) than)\s*{_NUMBER}"
)
_BELOW = re.compile(rf"(?:<|(?<!not )(?<!not be )less than|below)\s*{_NUMBER}")
_AT_LEAST = re.compile(
    r"(?:>=|greater than or equal to|greater or equal to|at least|no less than"
    rf"|minimum (?:value )?(?:of|is)|not (?:be )?(?:less|smaller) than)\s*{_NUMBER}"
)
_ABOVE = re.compile(rf"(?:>|(?<!not )(?<!not be )greater than|above|more than)\s*{_NUMBER}")
_POSITIVE = re.compile(r"(?:strictly|be|a) positive")
# How far behind the word the limits stand: pydantic puts the place first, then type and message.
_REACH = 300


def refused_parameter(
    error: Exception, names: Iterable[str], *, prompts: Iterable[str] = ()
) -> str | None:
    """Return which of the named parameters a request was refused for; None if for another reason.

    Args:
        error: What litellm raised.
        names: The parameters that may be given up.
        prompts: Texts of the request: a refusal that quotes them is not about the words in them.

    Returns:
        The parameter that the provider names as the cause, else the one that its words mention
        first: what follows often repeats the whole request.
    """
    classes = {cls.__name__ for cls in type(error).__mro__}
    status = getattr(error, "status_code", None)
    if classes & _ABOUT_THE_MESSAGES or not (status in _STATUS or "BadRequestError" in classes):
        return None
    named = str(getattr(error, "param", None) or "").partition(".")[0]
    if named in (wanted := list(names)):
        return named
    text = words_of(error, prompts)
    found = {name: place for name in wanted if (place := _MENTIONS[name].search(text)) is not None}
    return min(found, key=lambda name: found[name].start(), default=None)


def words_of(error: Exception, prompts: Iterable[str] = ()) -> str:
    """Return what an error says, in small letters, without the texts of the request."""
    text = str(error)
    for prompt in prompts:
        text = text.replace(prompt, "") if prompt else text
    return text.lower()


def range_allowed(words: str, refused: float) -> TemperatureRange | None:
    """Return the temperatures that a refusal of one allows; None where it leaves no other.

    Where it tells no limit, one above 1 is taken to be above the limit: many providers end
    there, and no other limit is common. A refusal of the parameter as such allows none.

    Args:
        words: What the provider said, in small letters.
        refused: The temperature that was sent.

    Returns:
        A range that the refused temperature is outside of.

    Example:
        >>> range_allowed("temperature: range: 0..1", 1.5)
        (0.0, 1.0)
        >>> range_allowed("`temperature` must be strictly positive", 0.0)
        (0.01, 2.0)
        >>> range_allowed("`temperature` is deprecated for this model.", 0.7) is None
        True
    """
    start = max(0, words.find("temperature"))
    near = words[start : start + _REACH]
    # "only temperature=1 is supported" begins before the word.
    found = _fixed(words[max(0, start - len("only ")) : start + _REACH])
    found = found or _both_ends(near) or _each_end(near)
    if found is None:
        if refused <= 1 or _NOT_AT_ALL.search(near):
            return None
        found = (0.0, 1.0)
    allowed = max(0.0, found[0]), found[1]
    if allowed[0] > allowed[1] or nearest(refused, allowed) == refused:
        return None
    return allowed


def nearest(temperature: float, allowed: TemperatureRange) -> float:
    """Return the temperature in a range that is nearest to the given one.

    Example:
        >>> nearest(1.5, (0, 1)), nearest(0.3, (0, 1))
        (1, 0.3)
    """
    lowest, highest = allowed
    return min(max(temperature, lowest), highest)


def _fixed(text: str) -> TemperatureRange | None:
    found = _ONLY.search(text)
    if found is None:
        return None
    value = float(next(group for group in found.groups() if group is not None))
    return value, value


def _both_ends(text: str) -> TemperatureRange | None:
    if (found := _INTERVAL.search(text)) is not None:
        opened, low, high, closed = found.groups()
        lowest = _after(float(low)) if opened == "(" else float(low)
        if high is None:
            return lowest, HIGHEST
        return lowest, _before(float(high)) if closed == ")" else float(high)
    if (found := _FROM_TO.search(text)) is not None:
        low, low_kind, high, high_kind = found.groups()
        lowest = _after(float(low)) if "exclusive" in (low_kind or "") else float(low)
        return lowest, _before(float(high)) if high_kind else float(high)
    return None


def _each_end(text: str) -> TemperatureRange | None:
    lowest = highest = None
    if (found := _AT_LEAST.search(text)) is not None:
        lowest = float(found[1])
    elif (found := _ABOVE.search(text)) is not None:
        lowest = _after(float(found[1]))
    elif _POSITIVE.search(text):
        lowest = _after(0.0)
    if (found := _AT_MOST.search(text)) is not None:
        highest = float(found[1])
    elif (found := _BELOW.search(text)) is not None:
        highest = _before(float(found[1]))
    if lowest is None and highest is None:
        return None
    return 0.0 if lowest is None else lowest, HIGHEST if highest is None else highest


# An end that does not belong to the range is left by one hundredth: vLLM, for one, takes less than
# that for zero.
def _after(end: float) -> float:
    return (math.floor(end * 100) + 1) / 100


def _before(end: float) -> float:
    return (math.ceil(end * 100) - 1) / 100
