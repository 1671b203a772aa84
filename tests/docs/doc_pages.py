"""Reads the pages of the documentation and runs what stands in them.

What a page may hold, in the order in which it runs; all blocks of a page share one folder:

- a ``python`` block runs; blocks of a page share their names. A ``text`` block right below it is
  what it prints.
- in a ``console`` block each line `$ uncertain-llm ...` runs and the lines below are its output.
  The word ID in a command stands for the newest decision in the log.
- a line `...` stands for any number of lines, `...` inside a line for anything.
- `<!-- http: openai -->` above a block: a provider is played at the level of HTTP.
- `<!-- exit: 5 -->` above a console block: the exit code of its last command, else 0.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import httpx
from played_http import played_http
from typer.testing import CliRunner

__all__ = ["ROOT", "Block", "PageRun", "blocks_of", "matches", "run_block", "shows"]

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKER = re.compile(r"<!-- (?P<name>http|exit): (?P<value>\w+) -->\s*\Z")
# What no two runs have in common: times, dates, and hashes that hold a letter and a digit.
_CLOCK = re.compile(
    r"\b\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?\b|(?<=[ ,])\d+\.\d+(?= s\b)"
    r"|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,32}\b"
)
_KEY = "sk-documentation-0123456789"
_DEFAULT_LOG = "uncertain_llm.db"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    body: str
    line: int
    """Of its first line inside the fence, counted from 1."""
    start: int
    end: int
    """Offsets of the body in the page."""
    markers: Mapping[str, str]
    follows: bool
    """Whether nothing but space stands between it and the block before."""


@dataclass
class PageRun:
    """What the blocks of one page share."""

    name: str
    names: dict[str, object] = field(default_factory=lambda: {"__name__": "__main__"})
    printed: str = ""
    outputs: list[tuple[Block, str]] = field(default_factory=list)
    """What each block that shows output really gave, in its own form."""


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(text):
        between = text[end : match.start()]
        markers: dict[str, str] = {}
        above = between
        while marker := _MARKER.search(above):
            markers[marker["name"]] = marker["value"]
            above = above[: marker.start()]
        found.append(
            Block(
                language=match["language"],
                body=match["body"],
                line=text.count("\n", 0, match.start("body")) + 1,
                start=match.start("body"),
                end=match.end("body"),
                markers=markers,
                follows=bool(found) and not between.strip(),
            )
        )
        end = match.end()
    return found


def run_block(page: PageRun, block: Block) -> None:
    """Run a block and keep what it printed; a console block's commands must end as they should."""
    world = _provider() if block.markers.get("http") == "openai" else nullcontext()
    with world:
        if block.language == "python":
            page.printed = _run_python(page, block)
        elif block.language == "console":
            page.outputs.append((block, _run_console(block)))
        elif block.language == "text" and block.follows:
            page.outputs.append((block, page.printed))


def shows(block: Block, actual: str) -> bool:
    """Tell whether a block shows this output; a command without output may print anything."""
    lines = block.body.splitlines()
    following = [*lines[1:], "$ "]
    shown: list[str] = []
    for line, after in zip(lines, following, strict=True):
        is_silent = line.startswith("$ ") and after.startswith("$ ")
        shown += [line, "..."] if is_silent else [line]
    return matches("\n".join(shown), actual)


def matches(expected: str, actual: str) -> bool:
    """Tell whether an output is the one a page shows, apart from clocks, ids and space."""
    pattern = "".join(_pattern(line) for line in _plain(expected))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _plain(actual))) is not None


def _pattern(line: str) -> str:
    if line == "...":
        return r"(?:[^\n]*\n)*?"
    return re.escape(line).replace(r"\.\.\.", r"[^\n]*?") + r"\n"


def _plain(text: str) -> list[str]:
    return [" ".join(_CLOCK.sub("#", line).split()) for line in text.strip().splitlines()]


def _run_python(page: PageRun, block: Block) -> str:
    # Empty lines in front: a traceback then names the line of the page.
    code = compile("\n" * (block.line - 1) + block.body, page.name, "exec")
    printed = StringIO()
    with redirect_stdout(printed):
        exec(code, page.names)
    return printed.getvalue()


def _run_console(block: Block) -> str:
    """Run the commands of a block and return it as it would look with their real output."""
    lines = block.body.splitlines()
    commands = [line for line in lines if line.startswith("$ ")]
    shown: list[str] = []
    for number, line in enumerate(commands):
        is_last = number == len(commands) - 1
        code = int(block.markers.get("exit", "0")) if is_last else 0
        shown += [line, *_run_command(line.removeprefix("$ "), code).rstrip().splitlines()]
    return "\n".join(shown) + "\n"


def _run_command(line: str, expected_code: int) -> str:
    from uncertain_llm.cli.app import app

    command = shlex.split(line, comments=True)
    assert command[0] == "uncertain-llm", f"only uncertain-llm is run here, got: {line}"
    arguments = [_newest_id() if word == "ID" else word for word in command[1:]]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "100", "NO_COLOR": "1"})
    assert result.exit_code == expected_code, f"{line}\n{result.output}\n{result.exception!r}"
    return _without_ids(result.output)


def _newest_id() -> str:
    with closing(sqlite3.connect(_DEFAULT_LOG)) as connection:
        row = connection.execute("select id from decisions order by seq desc limit 1").fetchone()
    return str(row[0])


def _without_ids(output: str) -> str:
    """Put ids that are the same in every run in the place of those of the logs at hand."""
    for log in sorted(Path.cwd().glob("*.db")):
        with closing(sqlite3.connect(log)) as connection:
            ids = [row[0] for row in connection.execute("select id from decisions order by seq")]
        for number, known in enumerate(ids):
            shown = _shown_id(number)
            output = output.replace(known, shown).replace(known[:8], shown[:8])
    return output


def _shown_id(number: int) -> str:
    """An id that holds a letter and a digit early, so that it cannot be taken for a number."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return f"{digest[:6]}7e{digest[6:30]}"


@contextmanager
def _provider() -> Iterator[None]:
    """Answer every question with Canberra, in the shape of OpenAI's replies."""
    before = os.environ.get("OPENAI_API_KEY")
    os.environ["OPENAI_API_KEY"] = _KEY
    count = iter(range(1, 1000))

    def reply(request: httpx.Request) -> httpx.Response:
        asked = json.dumps(json.loads(request.content)["messages"])
        states = "\nConfidence: 95%" if "Confidence: NN%" in asked else ""
        message = {"role": "assistant", "content": f"The capital of Australia is Canberra.{states}"}
        return httpx.Response(
            200,
            json={
                "id": f"chatcmpl-{next(count)}",
                "object": "chat.completion",
                "created": 1_700_000_000,
                "model": "gpt-4o-mini-2024-07-18",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27},
            },
        )

    try:
        with played_http(assert_all_called=False) as wire:
            wire.post("https://api.openai.com/v1/chat/completions").mock(side_effect=reply)
            yield
    finally:
        if before is None:
            del os.environ["OPENAI_API_KEY"]
        else:
            os.environ["OPENAI_API_KEY"] = before
