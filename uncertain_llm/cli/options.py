"""Options that several commands have, each written once; importing them loads nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["JsonOption", "LogOption", "ModelOption", "NoLogOption", "PolicyOption", "SamplesOption"]

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="replay/demo, replay/FILE.jsonl, or any litellm name such as openai/gpt-4o-mini "
        "or ollama_chat/llama3.2.",
    ),
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy", "-p", metavar="NAME|FILE", help="balanced, cautious, measure_only, or a file."
    ),
]
LogOption = Annotated[
    str | None,
    typer.Option(
        "--log",
        metavar="URL",
        help="Where decisions go; default: UNCERTAIN_LLM_LOG, else sqlite:///uncertain_llm.db.",
        show_default=False,
    ),
]
NoLogOption = Annotated[bool, typer.Option("--no-log", help="Keep no record of the decisions.")]
SamplesOption = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="K", help="Use the first K samples of each row.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
