"""What the library costs: CPU per call, latency of several samples, import and start-up time.

Run it by hand on an otherwise idle machine: `python benchmarks/overhead.py`. It needs no network
and no key; a fake OpenAI-compatible server runs in a process of its own. Everything is measured
in one run and in turns, so that the ratios hold even where the absolute times do not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from uncertain_llm.dropin import DropIn, uncertainty
from uncertain_llm.policy import Policy
from uncertain_llm.providers.litellm_model import load_litellm
from uncertain_llm.storage.policy_files import load_policy

MESSAGES = [{"role": "user", "content": "What is the capital of Australia?"}]
SLOW_SECONDS = 0.2
Sample = tuple[float, float]
"""Wall and CPU seconds of one call."""


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each variant")
    parser.add_argument("--calls", type=int, default=40, help="calls in each turn")
    parser.add_argument("--starts", type=int, default=7, help="fresh processes of each kind")
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve))
        return
    table = Table("what", "median", "against", "ratio", "aim")
    with fake_server() as base:
        for row in calls(base, given.rounds, given.calls):
            table.add_row(*row)
        for row in latency(base):
            table.add_row(*row)
    for row in starts(given.starts):
        table.add_row(*row)
    Console(width=110).print(table)


# --- the calls


def calls(base: str, rounds: int, per_round: int) -> Iterator[tuple[str, ...]]:
    """Yield CPU per call: litellm alone, and with one sample measured, with and without a log."""
    litellm = load_litellm()
    given = {"model": "openai/fast", "messages": MESSAGES, "api_base": base, "api_key": "none"}
    with tempfile.TemporaryDirectory() as folder:
        quiet = DropIn(policy=policy(1), log=None)
        logging = DropIn(policy=policy(1), log=f"sqlite:///{folder}/log.db")
        variants: dict[str, Callable[[], object]] = {
            "litellm.completion": lambda: litellm.completion(**given),
            "one sample, no log": lambda: quiet.completion(**given),
            "one sample, log": lambda: logging.completion(**given),
        }
        check(variants, measured=("one sample, no log", "one sample, log"))
        cpu = in_turns(variants, rounds, per_round)
        logging.close()
        quiet.close()
    raw = cpu.pop("litellm.completion")
    yield "litellm.completion, CPU", f"{statistics.median(raw) * 1e3:.2f} ms", "", "", ""
    for name, seconds in cpu.items():
        # Compared turn by turn: a neighbour's load then falls on both sides of a ratio.
        ratio = statistics.median(own / peer for own, peer in zip(seconds, raw, strict=True))
        median = f"{statistics.median(seconds) * 1e3:.2f} ms"
        yield f"completion, {name}, CPU", median, "litellm", f"{ratio:.3f}", "1.10"


def check(variants: dict[str, Callable[[], object]], *, measured: Sequence[str]) -> None:
    """Refuse to measure something that does not do its work."""
    for name, make in variants.items():
        reply = make()
        if name in measured:
            provenance = uncertainty(reply).provenance
            assert provenance is not None, f"{name}: {uncertainty(reply)}"


def in_turns(
    variants: dict[str, Callable[[], object]], rounds: int, per_round: int
) -> dict[str, list[float]]:
    """Return the CPU seconds of one call of each variant in each turn, all threads counted."""
    for make in variants.values():
        for _ in range(per_round):
            make()
    found: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        # Each turn begins with another variant: a neighbour's load falls on all alike.
        names = list(variants)
        names = names[number % len(names) :] + names[: number % len(names)]
        for name in names:
            make = variants[name]
            begin = time.process_time()
            for _ in range(per_round):
                make()
            found[name].append((time.process_time() - begin) / per_round)
    return found


# --- several samples


def latency(base: str, repeats: int = 15) -> Iterator[tuple[str, ...]]:
    """Yield the time of five samples on a server that takes 200 ms, against that of one call."""
    litellm = load_litellm()
    given = {"model": "openai/slow", "messages": MESSAGES, "api_base": base, "api_key": "none"}
    five = DropIn(policy=policy(5), log=None)
    variants: dict[str, Callable[[], object]] = {
        "one": lambda: litellm.completion(**given),
        "five": lambda: five.completion(**given),
    }
    check(variants, measured=("five",))
    found: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(repeats):
        for name, make in variants.items():
            begin = time.perf_counter()
            make()
            found[name].append(time.perf_counter() - begin)
    one, sync = (statistics.median(found[name]) for name in ("one", "five"))
    yield "litellm.completion, 200 ms server", f"{one * 1e3:.0f} ms", "", "", ""
    yield ratio_row("completion, five samples", sync, "litellm", one, "1.30")
    five.close()

    async def both() -> tuple[float, float]:
        alone = await timed(lambda: litellm.acompletion(**given), repeats)
        return alone, await timed(lambda: five.acompletion(**given), repeats)

    alone, together = asyncio.run(both())
    yield "litellm.acompletion, 200 ms server", f"{alone * 1e3:.0f} ms", "", "", ""
    yield ratio_row("acompletion, five samples", together, "litellm", alone, "1.30")


async def timed(make: Callable[[], Awaitable[object]], repeats: int) -> float:
    """Return the median wall seconds of one awaited call, the first not counted."""
    await make()
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        await make()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


# --- fresh processes

REPLAY = """
import sys
from uncertain_llm.client import UncertainLLM
with UncertainLLM("replay/demo", log=None) as llm:
    llm.ask("What is the capital of Australia?")
assert not {"litellm", "scipy", "sqlalchemy"} & set(sys.modules)
"""
PROGRAMS = {
    "nothing": "pass",
    "numpy, pydantic": "import numpy, pydantic",
    "uncertain_llm": "import uncertain_llm",
    "uncertain_llm, all names": "from uncertain_llm import *",
    "replay": REPLAY,
}


def starts(repeats: int) -> Iterator[tuple[str, ...]]:
    """Yield import times, without the interpreter's own start, and the start of a replay."""
    found: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with compiled_modules() as environment:
        for number in range(repeats + 1):
            for name, program in PROGRAMS.items():
                begin = time.perf_counter()
                subprocess.run([sys.executable, "-c", program], check=True, env=environment)
                if number:  # the first turn fills the caches
                    found[name].append(time.perf_counter() - begin)
    times = {name: statistics.median(values) for name, values in found.items()}
    bare, peers = times["nothing"], times["numpy, pydantic"] - times["nothing"]
    yield "import numpy, pydantic", f"{peers * 1e3:.0f} ms", "", "", ""
    for name, label in (
        ("uncertain_llm", "import uncertain_llm"),
        ("uncertain_llm, all names", "from uncertain_llm import *"),
    ):
        yield ratio_row(label, times[name] - bare, "numpy, pydantic", peers, "1.50")
    yield "first replayed answer, whole process", f"{times['replay']:.2f} s", "", "", "0.60 s"


@contextmanager
def compiled_modules() -> Iterator[dict[str, str]]:
    """Yield an environment whose processes keep compiled modules, as an installed package has them.

    Where the caller's environment forbids to write them (PYTHONDONTWRITEBYTECODE), each start
    would compile all source code again, which no installation does.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        yield {**kept, "PYTHONPYCACHEPREFIX": folder}


def ratio_row(
    what: str, seconds: float, against: str, base_seconds: float, aim: str
) -> tuple[str, ...]:
    """Return one row of the table."""
    return what, f"{seconds * 1e3:.0f} ms", against, f"{seconds / base_seconds:.2f}", aim


def policy(samples: int) -> Policy:
    """Return the shipped balanced policy with another number of samples."""
    balanced = load_policy("balanced")
    sampling = balanced.sampling.model_copy(update={"samples": samples})
    return balanced.model_copy(update={"sampling": sampling})


# --- the server


@contextmanager
def fake_server() -> Iterator[str]:
    """Run the server in its own process and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(Path(__file__).resolve()), "--serve", str(port)]
    process = subprocess.Popen(command, env={**os.environ})
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int, seconds: float = 30.0) -> None:
    """Return once somebody listens on the port."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the fake server did not start")


async def serve(port: int) -> None:
    """Answer every request: "slow" after 200 ms, "varied" in changing words, any other at once."""
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=256)
    async with server:
        await server.serve_forever()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection until the other end closes it."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
            request = json.loads(await reader.readexactly(length) or b"{}")
            if request.get("model") == "slow":
                await asyncio.sleep(SLOW_SECONDS)
            body = reply_to(request)
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\n\r\n%b" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def reply_to(request: dict[str, object]) -> bytes:
    """Return a chat completion in OpenAI's shape."""
    number = time.monotonic_ns()
    text = "The capital of Australia is Canberra."
    if request.get("model") == "varied":
        # No memory of texts that were read before can serve: as with real traffic.
        text = f"The capital of Australia is Canberra. It lies {number % 9000 + 100} m high."
    message = {"role": "assistant", "content": text}
    return json.dumps(
        {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 1,
            "model": request.get("model"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 14, "completion_tokens": 8, "total_tokens": 22},
        }
    ).encode()


if __name__ == "__main__":
    main()
