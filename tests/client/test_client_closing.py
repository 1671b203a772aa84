"""A closed client asks nothing any more: nobody would close what it opens."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from uncertain_llm.client import AsyncUncertainLLM, UncertainLLM
from uncertain_llm.core.errors import ConfigurationError
from uncertain_llm.testing import ScriptedModel

QUESTION = "What is the capital of Australia?"
CLOSED = "this client is closed: ask before"


def test_a_closed_client_refuses_a_question_and_sends_and_writes_nothing(tmp_path: Path) -> None:
    model, path = ScriptedModel(["Canberra."] * 3), tmp_path / "log.db"
    with UncertainLLM(model, log=f"sqlite:///{path}") as llm:
        pass

    with pytest.raises(ConfigurationError, match=CLOSED):
        llm.ask(QUESTION)

    assert not model.calls
    assert not path.exists()


def test_a_closed_async_client_refuses_a_question() -> None:
    model = ScriptedModel(["Canberra."] * 3)

    async def main() -> None:
        async with AsyncUncertainLLM(model, log=None) as llm:
            await llm.ask(QUESTION)
        await llm.aclose()
        await llm.ask(QUESTION)

    with pytest.raises(ConfigurationError, match=CLOSED):
        asyncio.run(main())
    assert len(model.calls) == 3


def test_a_client_and_a_response_say_in_a_line_what_they_are() -> None:
    with UncertainLLM("replay/demo", policy="measure_only", log=None) as llm:
        response = llm.ask(QUESTION)

    assert repr(llm) == "UncertainLLM(model='replay/demo', policy='measure_only')"
    assert repr(response).startswith("Response(text='The capital of Australia is Canberra.', deliv")
    assert len(repr(response)) < 300
