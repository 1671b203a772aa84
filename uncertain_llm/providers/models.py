"""From a model's name to the object that makes its calls."""

from __future__ import annotations

from collections.abc import Mapping

from uncertain_llm.core.ports import Model
from uncertain_llm.providers.litellm_model import LiteLLMModel
from uncertain_llm.providers.replay_model import REPLAY_PREFIX, open_replay

__all__ = ["model_from_name"]


def model_from_name(
    name: str, *, timeout_seconds: float = 60.0, options: Mapping[str, object] | None = None
) -> Model:
    """Return the model of this name. Nothing is sent and litellm is not imported yet.

    Args:
        name: "replay/demo", "replay/PATH.jsonl", or any name litellm knows, such as
            "openai/gpt-4o-mini" or "ollama_chat/llama3.2".
        timeout_seconds: Limit of one request, > 0; a recording does not need it.
        options: Arguments of every call as litellm takes them, for example `api_key`; a
            recording ignores them.

    Raises:
        UnknownModel: A "replay/..." name tells no recording.
        ConfigurationError: The recording cannot be read.

    Example:
        >>> model_from_name("replay/demo").name
        'replay/demo'
    """
    if name.startswith(REPLAY_PREFIX):
        return open_replay(name)
    return LiteLLMModel(name, timeout_seconds=timeout_seconds, **(options or {}))
