"""A fake OpenAI-compatible server that misbehaves on purpose. For benchmarks and fault tests.

What happens to a request is told by the model's name: words joined by "-", one for each request to
that model in turn, the last one repeating ("500-500-ok"). Words: ok, slow, 429, 500, 503, hang,
cut (a body that ends early), html, empty (no choice), same (one response id for all), ignores_n,
other (another answer).
"faults20" draws a fault for each request with a chance of 20 %; "limit8" answers 429 with
Retry-After while more than 8 requests are in flight.

    python benchmarks/fault_server.py PORT
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter

SECONDS = 0.05
SLOW_SECONDS = 0.2
HANG_SECONDS = 600.0
FAULTS = ("429", "500", "503", "cut", "html", "empty")
ANSWER = "Canberra.\nConfidence: 95%"
OTHER_ANSWER = "The bush capital.\nConfidence: 95%"


class FaultServer:
    """Serves one event loop; `start` returns the port.

    Attributes:
        requests: Requests so far, by the model's name.
        most_in_flight: The highest number of requests at one time, by the model's name.
    """

    def __init__(self, *, seed: int = 7, seconds: float = SECONDS) -> None:
        self.requests: Counter[str] = Counter()
        self.most_in_flight: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._seconds = seconds
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Begin to serve on the loopback address and return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        assert self._server is not None
        await self._server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(
            (
                int(line.partition(":")[2])
                for line in head.split("\r\n")
                if line.lower().startswith("content-length:")
            ),
            0,
        )
        body = await reader.readexactly(length)
        if head.startswith("GET"):
            stats = {"requests": self.requests, "most_in_flight": self.most_in_flight}
            return _send(writer, 200, json.dumps(stats).encode())
        asked = json.loads(body)
        model = str(asked["model"])
        number = self.requests[model]
        self.requests[model] += 1
        self._in_flight[model] += 1
        self.most_in_flight[model] = max(self.most_in_flight[model], self._in_flight[model])
        try:
            kind = self._kind(model, number)
            return await self._act(kind, asked, number, writer)
        finally:
            self._in_flight[model] -= 1

    def _kind(self, model: str, number: int) -> str:
        if model.startswith("faults"):
            rate = int(model.removeprefix("faults")) / 100
            return self._random.choice(FAULTS) if self._random.random() < rate else "ok"
        if model.startswith("limit"):
            most = int(model.removeprefix("limit"))
            return "429" if self._in_flight[model] > most else "ok"
        words = model.split("-")
        return words[min(number, len(words) - 1)]

    async def _act(
        self, kind: str, asked: dict[str, object], number: int, writer: asyncio.StreamWriter
    ) -> bool:
        if kind == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if kind in ("429", "500", "503"):
            error = {"error": {"message": "on purpose", "type": "server_error"}}
            after = "Retry-After: 0.1\r\n" if kind != "500" else ""
            return _send(writer, int(kind), json.dumps(error).encode(), after)
        await asyncio.sleep(SLOW_SECONDS if kind == "slow" else self._seconds)
        if kind == "html":
            return _send(writer, 200, b"<html>gateway</html>")
        n = 1 if kind == "ignores_n" else int(str(asked.get("n") or 1))
        reply = _reply(str(asked["model"]), n, "same" if kind == "same" else f"r{number}")
        if kind == "other":
            for choice in reply["choices"]:
                choice["message"]["content"] = OTHER_ANSWER
        if kind == "empty":
            reply["choices"] = []
        data = json.dumps(reply).encode()
        if kind == "cut":
            writer.write(_head(200, len(data)) + data[: len(data) // 2])
            await writer.drain()
            return False
        return _send(writer, 200, data)


def _reply(model: str, n: int, reply_id: str) -> dict[str, object]:
    return {
        "id": f"chatcmpl-{model}-{reply_id}",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": i,
                "message": {"role": "assistant", "content": ANSWER},
                "finish_reason": "stop",
            }
            for i in range(n)
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 8 * n, "total_tokens": 20 + 8 * n},
    }


def _head(status: int, length: int, extra: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{extra}"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def _send(writer: asyncio.StreamWriter, status: int, body: bytes, extra: str = "") -> bool:
    writer.write(_head(status, len(body), extra) + body)
    return True


async def _main(port: int) -> None:
    server = FaultServer()
    await server.start(port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
