"""The misbehaving server, on a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from fault_world import Served, load_server_module

from uncertain_llm.client import UncertainLLM
from uncertain_llm.providers.litellm_model import load_litellm
from uncertain_llm.testing import FunctionModel


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:
    """Load what loads when first used: in a new environment that alone can outlast a deadline."""
    with UncertainLLM(FunctionModel(lambda call: "1932"), log=None) as llm:
        llm.ask("In which year did the bridge open?")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    load_litellm()  # takes seconds on a busy machine, which no test here is about
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = load_server_module().FaultServer(seconds=0.01)
    port = asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    yield Served(f"http://127.0.0.1:{port}/v1", server)
    asyncio.run_coroutine_threadsafe(_stop(server), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


async def _stop(server: object) -> None:
    server._server.close()
    own = asyncio.current_task()
    for task in asyncio.all_tasks():
        if task is not own:
            task.cancel()
    await asyncio.sleep(0)
