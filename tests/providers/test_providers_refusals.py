"""What providers say when they refuse a parameter, and what of it is understood."""

from __future__ import annotations

import pytest

from uncertain_llm.providers.refusals import nearest, range_allowed, refused_parameter

# About half in the words of providers that users quoted in public up to November 2026; those of
# Gemini, Bedrock and Cohere and the general ones are made after their pattern.
LIMITS: dict[str, tuple[str, float, tuple[float, float]]] = {
    "anthropic": ("temperature: range: 0..1", 1.5, (0, 1)),
    "anthropic, older": ("temperature: range: -1 or 0..1", 1.5, (0, 1)),
    "anthropic, thinking": (
        "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
        0.7,
        (1, 1),
    ),
    "openai, reasoning": (
        "Unsupported value: 'temperature' does not support 0.7 with this model. "
        "Only the default (1) value is supported.",
        0.7,
        (1, 1),
    ),
    "openai": (
        "Invalid 'temperature': decimal above maximum value. "
        "Expected a value <= 2, but got 2.5 instead.",
        2.5,
        (0, 2),
    ),
    "litellm, unsent": (
        "litellm.UnsupportedParamsError: O-series models don't support temperature=0.7. "
        "Only temperature=1 is supported.",
        0.7,
        (1, 1),
    ),
    "moonshot": ("invalid temperature: only 0.6 is allowed for this model", 0.7, (0.6, 0.6)),
    "mistral": (
        '{"detail":[{"type":"less_than_equal","loc":["body","temperature"],'
        '"msg":"Input should be less than or equal to 1","input":1.31,"ctx":{"le":1.0}}]}',
        1.31,
        (0, 1),
    ),
    "gemini": (
        "it has a temperature value of 2.5 but the supported range is from 0 (inclusive) "
        "to 2.0001 (exclusive). Update the value and try again.",
        2.5,
        (0, 2),
    ),
    "bedrock, invoke": (
        "Malformed input request: #/temperature: 1.5 is not less or equal to 1.0, please "
        "reformat your input and try again.",
        1.5,
        (0, 1),
    ),
    "bedrock, converse": (
        "Value '1.5' at 'inferenceConfig.temperature' failed to satisfy constraint: Member must "
        "have value less than or equal to 1",
        1.5,
        (0, 1),
    ),
    "cohere": ("invalid request: temperature must be between 0 and 1.0 inclusive.", 1.5, (0, 1)),
    "deepseek": (
        "Invalid temperature value, the valid range of temperature is [0, 2]",
        2.5,
        (0, 2),
    ),
    "half-open": ("Temperature should be in [0.0, 2.0)", 2.0, (0, 1.99)),
    "gigachat": ("Invalid params: temperature must be in range (0, +inf)", 0, (0.01, 2)),
    "tgi": ("`temperature` must be strictly positive", 0, (0.01, 2)),
    "transformers": ("`temperature` has to be a strictly positive float, but is 0", 0, (0.01, 2)),
    "two limits": ("temperature must be > 0 and <= 1.5", 0, (0.01, 1.5)),
    "a floor": ("temperature must be >= 0.05", 0, (0.05, 2)),
    "below zero": ("temperature must be between -1 and 1", 1.4, (0, 1)),
    "turned round": ("temperature must not be greater than 1", 1.4, (0, 1)),
    "no number": ("temperature is out of range", 1.4, (0, 1)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_the_limits_that_a_refusal_names_are_understood(name: str) -> None:
    words, refused, allowed = LIMITS[name]

    assert range_allowed(words.lower(), refused) == pytest.approx(allowed)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("`temperature` is deprecated for this model.", 0.7),
        ("`temperature` is deprecated for this model.", 1.5),
        ("unsupported parameter: 'temperature' is not supported with this model.", 1.5),
        ("temperature: extra inputs are not permitted", 1.5),
        ("#: extraneous key [temperature] is not permitted", 1.5),
        ("temperature cannot be used here", 0.7),
        ("n must be 1 where a temperature is given", 0.7),
        # A range that the refused one lies in is about something else.
        ("invalid temperature and top_p: temperature must be in [0, 2], alone", 0.7),
        ("temperature must be between 2 and 1", 1.5),
        ("temperature: only -1 is allowed", 0.7),
    ],
)
def test_a_refusal_that_leaves_no_other_temperature_allows_none(words: str, refused: float) -> None:
    assert range_allowed(words, refused) is None


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_sent_instead_is_allowed_and_not_what_was_refused(name: str) -> None:
    words, refused, allowed = LIMITS[name]

    again = nearest(refused, range_allowed(words.lower(), refused) or (refused, refused))

    assert again != refused
    assert allowed[0] <= again <= allowed[1]


class APIError(Exception):
    """What can be read off an error of litellm."""

    def __init__(self, text: str, status: int | None = 400, param: object = None) -> None:
        super().__init__(text)
        self.status_code = status
        self.param = param


class BadRequestError(APIError):
    """As litellm calls most refusals."""


ALL = ("temperature", "seed", "logprobs", "response_format")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("logprobs is not supported", "logprobs"),
        ("You are not allowed to request logprobs from this model", "logprobs"),
        ("Logprobs is not enabled for models/gemini-2.5-pro", "logprobs"),
        ("Unknown name 'random_seed'", "seed"),
        ("'response_format.type' must be 'json_schema'", "response_format"),
        ("JSON mode is not enabled for models/gemma-3-27b-it", "response_format"),
        (
            "it has a mimeType parameter with value application/json, which is not supported",
            "response_format",
        ),
        # What follows repeats the request, or the reply.
        ("Failed to generate JSON. failed_generation: The temperature is", "response_format"),
        ("seed: not permitted; body: temperature=0.7, logprobs=True", "seed"),
        ("your credit balance is too low", None),
    ],
)
def test_the_parameter_that_is_mentioned_first_is_the_refused_one(
    text: str, refused: str | None
) -> None:
    assert refused_parameter(BadRequestError(text), ALL) == refused


def test_the_parameter_that_the_provider_names_is_believed_before_its_words() -> None:
    error = BadRequestError("seed or temperature", param="response_format.type")

    assert refused_parameter(error, ALL) == "response_format"


@pytest.mark.parametrize(
    "text",
    [
        "n must be 1 when using greedy sampling, got 3.",
        "When n > 1, temperature must be greater than 0. Got n=2, temperature=0",
        "Only one candidate can be specified: candidate_count, temperature",
    ],
)
def test_a_refusal_of_several_replies_is_not_one_of_the_temperature(text: str) -> None:
    assert refused_parameter(BadRequestError(text), (*ALL, "n")) == "n"


def test_a_refusal_that_quotes_the_question_is_not_about_the_words_in_it() -> None:
    question = "At which temperature does a seed sprout?"
    error = BadRequestError(f"invalid characters in {question!r}")

    assert refused_parameter(error, ALL, prompts=[question]) is None


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (APIError("temperature must be positive", 422), "temperature"),
        (APIError("temperature must be positive", 500), None),
        (APIError("temperature must be positive", None), None),
        (BadRequestError("temperature", None), "temperature"),
        (type("ContextWindowExceededError", (BadRequestError,), {})("temperature"), None),
        (type("ContentPolicyViolationError", (BadRequestError,), {})("temperature"), None),
    ],
)
def test_only_a_rejected_request_is_a_refusal(error: Exception, refused: str | None) -> None:
    assert refused_parameter(error, ALL) == refused
