"""The HTTP replies of five providers as they really look, and one way to ask them."""

from __future__ import annotations

import asyncio
import json
from typing import NamedTuple

import pytest
import respx

from uncertain_llm.core.chat import CallPurpose, Generation, ModelCall
from uncertain_llm.providers.litellm_model import LiteLLMModel

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
