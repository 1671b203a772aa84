"""Floor 6: the front door."""

from uncertain_llm.client.front import AsyncUncertainLLM, UncertainLLM

__all__ = ["AsyncUncertainLLM", "UncertainLLM"]
