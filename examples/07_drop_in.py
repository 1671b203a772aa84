"""Swap one import: litellm's own call, with a verdict on the reply.

Runs offline: a small server in this process plays an OpenAI-compatible model. With a real model
leave out `api_base` and `api_key`.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from uncertain_llm import DropIn, completion, uncertainty  # was: from litellm import completion

SETTINGS = DropIn(policy="balanced", log=None)  # without it: the default policy, and a log


def main() -> None:
    with local_model() as address:
        for question in ("What is the capital of Australia?", "Who won the 1904 egg race?"):
            reply = completion(
                model="openai/local",
                messages=[{"role": "user", "content": question}],
                api_base=address,
                api_key="none",
                uncertain=SETTINGS,
            )
            verdict = uncertainty(reply)
            print(question)
            print("  the model's words, untouched:", reply.choices[0].message.content)
            print("  advice:", verdict.action.value, "because", verdict.reason.value)
            print("  probability:", verdict.probability, verdict.status.value)
            print("  tokens of all calls:", reply.usage.total_tokens)


class Model(BaseHTTPRequestHandler):
    """Knows a capital; makes up the rest, each time anew."""

    winners = iter(["Ann Lee", "Tom Hart", "Sue Park"] * 100)
    lock = threading.Lock()

    def do_POST(self) -> None:
        """Answer one request."""
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        question = request["messages"][-1]["content"]
        with self.lock:
            said = "Canberra" if "capital" in question else next(self.winners)
        if "Confidence" in question:
            said += "\nConfidence: 90%"
        body = json.dumps(
            {
                "id": f"reply-{self.client_address[1]}",
                "object": "chat.completion",
                "created": 1,
                "model": request["model"],
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": said},
                        "finish_reason": "stop",
                    }
                ],
                "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def local_model() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
