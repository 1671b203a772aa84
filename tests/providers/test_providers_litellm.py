"""LiteLLMModel against the real shapes of five providers' HTTP replies."""

from __future__ import annotations

import asyncio
import email.utils
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx
import pytest
import respx

from uncertain_llm.core.chat import CallPurpose, Generation, ModelCall
from uncertain_llm.core.errors import (
    CallTimeout,
    ConfigurationError,
    MissingKey,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    UnknownModel,
)
from uncertain_llm.providers.litellm_model import LiteLLMModel, check_model

KEY = "sk-secret-0123456789abcdef"
QUESTION = "Which city is the capital of France, please?"


class Provider(NamedTuple):
    """A provider's model name, address, options and reply shape."""

    model: str
    url: str
    options: dict[str, object]
    body: dict[str, object]


OPENAI_BODY: dict[str, object] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "system_fingerprint": "fp_1",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Paris"},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 3,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
}
PROVIDERS = {
    "openai": Provider(
        "openai/gpt-4o-mini",
        "https://api.openai.com/v1/chat/completions",
        {"api_key": KEY},
        OPENAI_BODY,
    ),
    "anthropic": Provider(
        "anthropic/claude-sonnet-4-5",
        "https://api.anthropic.com/v1/messages",
        {"api_key": KEY},
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "content": [{"type": "text", "text": "Paris"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 9, "output_tokens": 3},
        },
    ),
    "gemini": Provider(
        "gemini/gemini-2.5-flash",
        "https://generativelanguage.googleapis.com/",
        {"api_key": KEY},
        {
            "candidates": [
                {
                    "content": {"parts": [{"text": "Paris"}], "role": "model"},
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {
                "promptTokenCount": 9,
                "candidatesTokenCount": 3,
                "totalTokenCount": 12,
            },
        },
    ),
    "ollama_chat": Provider(
        "ollama_chat/llama3.2",
        "http://localhost:11434/api/chat",
        {},
        {
            "model": "llama3.2",
            "created_at": "2026-01-01T00:00:00Z",
            "message": {"role": "assistant", "content": "Paris"},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 9,
            "eval_count": 3,
        },
    ),
    "own server": Provider(
        "openai/my-model",
        "http://llm.internal.example/v1/chat/completions",
        {"api_key": KEY, "api_base": "http://llm.internal.example/v1"},
        OPENAI_BODY | {"model": "my-model"},
    ),
}

every_provider = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS.keys())


@pytest.fixture
def http() -> Iterator[respx.MockRouter]:
    # "httpx" patches the clients themselves: respx's default does not see litellm's async calls.
    with respx.mock(using="httpx", assert_all_called=False) as mock:
        yield mock


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def call_of(model: str, **fields: object) -> ModelCall:
    return ModelCall.model_validate(
        {
            "purpose": CallPurpose.SAMPLE,
            "index": 2,
            "model": model,
            "messages": ({"role": "user", "content": QUESTION},),
            **fields,
        }
    )


def ask(provider: Provider, more: dict[str, object] | None = None, **fields: object) -> Generation:
    async def main() -> Generation:
        model = LiteLLMModel(provider.model, **provider.options | (more or {}))
        try:
            return await model.generate(call_of(provider.model, **fields))
        finally:
            await model.aclose()

    return asyncio.run(main())


def route(http: respx.MockRouter, provider: Provider) -> respx.Route:
    return http.route(url__startswith=provider.url)


def with_choice(**fields: object) -> dict[str, object]:
    """Return OpenAI's reply with a changed choice or message."""
    body = json.loads(json.dumps(OPENAI_BODY))
    choice = body["choices"][0]
    for name, value in fields.items():
        (choice if name == "finish_reason" else choice["message"])[name] = value
    return dict(body)


@every_provider
def test_a_reply_becomes_a_generation(http: respx.MockRouter, provider: Provider) -> None:
    sent = route(http, provider).respond(json=provider.body)

    reply = ask(provider)

    assert sent.call_count == 1
    assert (reply.text, reply.finish_reason, reply.refusal_text) == ("Paris", "stop", None)
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (9, 3)
    assert (reply.purpose, reply.index, reply.attempts) == (CallPurpose.SAMPLE, 2, 1)
    assert reply.model_asked == provider.model
    assert reply.provider == provider.model.partition("/")[0]
    assert reply.started_at.utcoffset() == timedelta(0)
    assert not reply.from_cache


def test_details_of_a_reply_are_kept(http: respx.MockRouter) -> None:
    route(http, PROVIDERS["openai"]).respond(json=OPENAI_BODY)

    reply = ask(PROVIDERS["openai"])

    assert (reply.response_id, reply.system_fingerprint) == ("chatcmpl-1", "fp_1")
    assert reply.model_replied == "gpt-4o-mini-2024-07-18"
    assert (reply.usage.cached_input_tokens, reply.usage.reasoning_tokens) == (4, 2)
    assert reply.cost_usd is not None
    assert 0 < reply.cost_usd < 0.001


def test_the_price_of_an_unknown_model_is_unknown_and_not_zero(http: respx.MockRouter) -> None:
    route(http, PROVIDERS["own server"]).respond(json=PROVIDERS["own server"].body)

    assert ask(PROVIDERS["own server"]).cost_usd is None


def test_tokens_and_price_that_were_not_reported_are_unknown(http: respx.MockRouter) -> None:
    body = {key: value for key, value in OPENAI_BODY.items() if key != "usage"}
    route(http, PROVIDERS["openai"]).respond(json=body)

    reply = ask(PROVIDERS["openai"])

    assert (reply.usage.input_tokens, reply.cost_usd) == (None, None)


@every_provider
def test_429_is_retryable_after_the_seconds_it_names(
    http: respx.MockRouter, provider: Provider
) -> None:
    body = {"error": {"message": "slow down"}}
    sent = route(http, provider).respond(429, headers={"retry-after": "7"}, json=body)

    with pytest.raises(RateLimited) as caught:
        ask(provider)

    assert (caught.value.retryable, caught.value.retry_after_seconds) == (True, 7.0)
    assert sent.call_count == 1


@every_provider
def test_429_is_retryable_after_the_date_it_names(
    http: respx.MockRouter, provider: Provider
) -> None:
    date = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    route(http, provider).respond(429, headers={"Retry-After": date}, json={"error": "slow"})

    with pytest.raises(RateLimited) as caught:
        ask(provider)

    assert caught.value.retry_after_seconds == pytest.approx(100, abs=20)


@every_provider
def test_500_is_retryable_and_sent_once(http: respx.MockRouter, provider: Provider) -> None:
    sent = route(http, provider).respond(500, json={"error": {"message": "oops"}})

    with pytest.raises(ProviderUnavailable) as caught:
        ask(provider)

    assert (caught.value.retryable, sent.call_count) == (True, 1)


@every_provider
@pytest.mark.parametrize("status", [502, 503, 529])
def test_an_outage_is_retryable(http: respx.MockRouter, provider: Provider, status: int) -> None:
    route(http, provider).respond(status, json={"error": {"message": "overloaded"}})

    with pytest.raises(ProviderUnavailable) as caught:
        ask(provider)

    assert caught.value.retryable


@every_provider
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_rejected_request_is_not_retryable(
    http: respx.MockRouter, provider: Provider, status: int
) -> None:
    sent = route(http, provider).respond(status, json={"error": {"message": "no"}})

    with pytest.raises(ProviderRejected, match=str(status)) as caught:
        ask(provider)

    assert (caught.value.retryable, sent.call_count) == (False, 1)


@every_provider
def test_no_reply_in_time_is_a_retryable_timeout(
    http: respx.MockRouter, provider: Provider
) -> None:
    route(http, provider).mock(side_effect=httpx.ReadTimeout("slow"))

    with pytest.raises(CallTimeout) as caught:
        ask(provider)

    assert caught.value.retryable


@every_provider
def test_no_connection_is_retryable(http: respx.MockRouter, provider: Provider) -> None:
    route(http, provider).mock(side_effect=httpx.ConnectError("refused"))

    with pytest.raises(ProviderUnavailable) as caught:
        ask(provider)

    assert caught.value.retryable


@every_provider
@pytest.mark.parametrize("content", [b'{"text": "Paris is', b"<p>Paris is busy</p>", b""])
@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}])
def test_a_reply_that_is_no_json_is_retryable_and_not_quoted(
    http: respx.MockRouter, provider: Provider, content: bytes, headers: dict[str, str]
) -> None:
    route(http, provider).respond(200, content=content, headers=headers)

    with pytest.raises(ProviderUnavailable) as caught:
        ask(provider)

    assert caught.value.retryable
    assert "Paris" not in str(caught.value)


@pytest.mark.parametrize("name", ["openai", "own server"])
@pytest.mark.parametrize("change", [{"choices": []}, {"choices": None}])
def test_a_reply_without_choices_is_retryable(
    http: respx.MockRouter, name: str, change: dict[str, object]
) -> None:
    route(http, PROVIDERS[name]).respond(json=OPENAI_BODY | change)

    with pytest.raises(ProviderUnavailable) as caught:
        ask(PROVIDERS[name])

    assert caught.value.retryable


def test_the_refusal_field_is_kept_apart_from_the_text(http: respx.MockRouter) -> None:
    body = with_choice(content=None, refusal="I can't help with that.")
    route(http, PROVIDERS["openai"]).respond(json=body)

    reply = ask(PROVIDERS["openai"])

    assert (reply.text, reply.refusal_text) == ("", "I can't help with that.")


def test_a_reply_without_content_has_empty_text(http: respx.MockRouter) -> None:
    route(http, PROVIDERS["openai"]).respond(json=with_choice(content=None))

    assert ask(PROVIDERS["openai"]).text == ""


def test_tool_calls_are_noticed(http: respx.MockRouter) -> None:
    function = {"name": "look_up", "arguments": "{}"}
    calls = [{"id": "t", "type": "function", "function": function}]
    body = with_choice(content=None, tool_calls=calls, finish_reason="tool_calls")
    route(http, PROVIDERS["openai"]).respond(json=body)

    reply = ask(PROVIDERS["openai"])

    assert (reply.has_tool_calls, reply.finish_reason) == (True, "tool_calls")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("openai", with_choice(content=None, finish_reason="content_filter")),
        ("own server", with_choice(content="", finish_reason="content_filter")),
        ("anthropic", PROVIDERS["anthropic"].body | {"stop_reason": "refusal", "content": []}),
        (
            "gemini",
            PROVIDERS["gemini"].body
            | {"candidates": [{"content": {"parts": []}, "finishReason": "SAFETY"}]},
        ),
    ],
)
def test_a_filtered_reply_says_so(
    http: respx.MockRouter, name: str, body: dict[str, object]
) -> None:
    route(http, PROVIDERS[name]).respond(json=body)

    reply = ask(PROVIDERS[name])

    assert (reply.text, reply.finish_reason) == ("", "content_filter")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("context_length_exceeded", "This model's maximum context length is 8192 tokens."),
        ("content_policy_violation", "Your request was rejected by our safety system."),
    ],
)
def test_a_request_the_model_cannot_take_is_rejected(
    http: respx.MockRouter, code: str, message: str
) -> None:
    body = {"error": {"message": message, "type": "invalid_request_error", "code": code}}
    route(http, PROVIDERS["openai"]).respond(400, json=body)

    with pytest.raises(ProviderRejected) as caught:
        ask(PROVIDERS["openai"])

    assert not caught.value.retryable


@pytest.mark.parametrize(
    "error",
    [
        {"message": "You exceeded your current quota", "code": "insufficient_quota"},
        {"message": "no money", "type": "insufficient_quota"},
    ],
)
def test_a_used_up_quota_is_not_retryable(http: respx.MockRouter, error: dict[str, str]) -> None:
    route(http, PROVIDERS["openai"]).respond(429, json={"error": error})

    with pytest.raises(RateLimited, match="quota") as caught:
        ask(PROVIDERS["openai"])

    assert not caught.value.retryable


def test_geminis_limit_per_minute_is_retryable_although_it_speaks_of_quota(
    http: respx.MockRouter,
) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]
    message = "You exceeded your current quota, please check your plan and billing details."
    error = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}
    route(http, PROVIDERS["gemini"]).respond(429, json={"error": error})

    with pytest.raises(RateLimited) as caught:
        ask(PROVIDERS["gemini"])

    assert (caught.value.retryable, caught.value.retry_after_seconds) == (True, 34.0)


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("openai/gpt-4o-mini", "OPENAI_API_KEY"),
        ("gpt-4o-mini", "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("gemini/gemini-2.5-flash", "GEMINI_API_KEY"),
    ],
)
def test_a_missing_key_names_the_variable_and_a_way_without_one(
    http: respx.MockRouter, model: str, variable: str
) -> None:
    with pytest.raises(MissingKey, match=rf"{variable}.*replay/demo.*ollama_chat/llama3\.2"):
        ask(Provider(model, "", {}, {}))

    assert http.calls.call_count == 0


def test_a_key_in_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)

    assert check_model("gemini/gemini-2.5-flash") == "gemini"


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("ollama_chat/llama3.2", {}),
        ("openai/gpt-4o-mini", {"api_key": KEY}),
        ("groq/llama-3.3-70b", {"api_base": "http://127.0.0.1:1/v1"}),
        ("hosted_vllm/any", {"api_base": "http://127.0.0.1:1/v1"}),
        ("bedrock/anthropic.claude-v2", {}),
    ],
)
def test_a_model_that_may_need_no_key_is_not_refused(
    model: str, options: dict[str, object]
) -> None:
    assert check_model(model, options) == model.partition("/")[0]


def test_an_own_server_that_litellm_wants_a_key_for_is_a_missing_key(
    http: respx.MockRouter,
) -> None:
    options: dict[str, object] = {"api_base": "http://llm.internal.example/v1"}

    with pytest.raises(MissingKey, match="api_key="):
        ask(Provider("openai/my-model", "", options, {}))

    assert http.calls.call_count == 0


@pytest.mark.parametrize("name", ["nobody/knows", "no-such-model", ""])
def test_a_model_without_a_provider_is_unknown(name: str) -> None:
    with pytest.raises(UnknownModel, match=r"replay/demo"):
        check_model(name)


@pytest.mark.parametrize("model", ["openai/o3", "openai/gpt-5", "anthropic/claude-opus-4-7"])
@pytest.mark.parametrize("options", [{}, {"drop_params": True}])
def test_a_temperature_the_model_does_not_take_is_left_out_and_recorded(
    http: respx.MockRouter, model: str, options: dict[str, object]
) -> None:
    base = PROVIDERS[model.partition("/")[0]]
    sent = route(http, base).respond(json=base.body)

    reply = ask(base._replace(model=model), options, temperature=0.7)

    assert reply.temperature is None
    assert "temperature" not in json.loads(sent.calls.last.request.content)


@pytest.mark.parametrize(("name", "takes_seed"), [("openai", True), ("anthropic", False)])
def test_temperature_and_seed_are_sent_where_the_model_takes_them(
    http: respx.MockRouter, name: str, takes_seed: bool
) -> None:
    sent = route(http, PROVIDERS[name]).respond(json=PROVIDERS[name].body)

    reply = ask(PROVIDERS[name], temperature=0.7, seed=5)

    body = json.loads(sent.calls.last.request.content)
    assert (reply.temperature, body["temperature"]) == (0.7, 0.7)
    assert reply.seed == body.get("seed") == (5 if takes_seed else None)


def test_a_temperature_the_server_refuses_is_left_out_from_then_on(
    http: respx.MockRouter,
) -> None:
    provider = PROVIDERS["own server"]
    message = "Unsupported value: 'temperature' does not support 0.7 with this model."

    def reply_to(request: httpx.Request) -> httpx.Response:
        if "temperature" in json.loads(request.content):
            return httpx.Response(400, json={"error": {"message": message}})
        return httpx.Response(200, json=OPENAI_BODY)

    sent = route(http, provider).mock(side_effect=reply_to)

    async def twice() -> list[Generation]:
        model = LiteLLMModel(provider.model, **provider.options)
        call = call_of(provider.model, temperature=0.7)
        return [await model.generate(call), await model.generate(call)]

    first, second = asyncio.run(twice())

    assert (first.temperature, first.attempts, second.attempts) == (None, 2, 1)
    assert sent.call_count == 3


def test_the_callers_own_option_is_not_dropped_behind_their_back(http: respx.MockRouter) -> None:
    with pytest.raises(ConfigurationError, match="temperature"):
        ask(PROVIDERS["openai"]._replace(model="openai/o3"), {"temperature": 0.7})

    assert http.calls.call_count == 0


def test_the_call_wins_over_its_options_and_those_over_the_models(
    http: respx.MockRouter,
) -> None:
    sent = route(http, PROVIDERS["openai"]).respond(json=OPENAI_BODY)

    ask(
        PROVIDERS["openai"],
        {"temperature": 0.1, "top_p": 0.1, "max_tokens": 10},
        options={"temperature": 0.2, "top_p": 0.2},
        temperature=0.3,
    )

    body = json.loads(sent.calls.last.request.content)
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.3, 0.2, 10)


def test_retries_asked_of_litellm_have_no_effect(http: respx.MockRouter) -> None:
    sent = route(http, PROVIDERS["openai"]).respond(500, json={"error": {"message": "x"}})

    with pytest.raises(ProviderUnavailable):
        ask(PROVIDERS["openai"], {"num_retries": 3, "max_retries": 3})

    assert sent.call_count == 1


def test_a_server_that_drips_does_not_outlast_the_limit(http: respx.MockRouter) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return httpx.Response(200)

    route(http, PROVIDERS["openai"]).mock(side_effect=never)

    with pytest.raises(CallTimeout):
        ask(PROVIDERS["openai"], {"timeout": 0.05})


@pytest.mark.parametrize("options", [{"stream": True}, {"n": 3}])
def test_options_that_give_no_single_reply_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        ask(PROVIDERS["openai"], options)


@every_provider
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_neither_key_nor_question_is_in_an_error(
    http: respx.MockRouter, provider: Provider, status: int
) -> None:
    message = f"Bad key {KEY} at https://u:pw-hidden@h.example/?key={KEY} for {QUESTION}"
    route(http, provider).respond(status, json={"error": {"message": message}})

    with pytest.raises((ProviderRejected, ProviderUnavailable, RateLimited)) as caught:
        ask(provider)

    shown = f"{caught.value} {caught.value.__cause__}"
    assert not [part for part in (KEY, "pw-hidden", QUESTION) if part in shown]
    assert caught.value.__suppress_context__


def test_messages_are_not_changed_for_the_other_samples(http: respx.MockRouter) -> None:
    route(http, PROVIDERS["anthropic"]).respond(json=PROVIDERS["anthropic"].body)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    before = json.dumps(messages)

    ask(PROVIDERS["anthropic"], messages=tuple(messages))

    assert json.dumps(messages) == before
