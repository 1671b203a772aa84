"""The command `uncertain-llm`: what it offers, and how it ends."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from uncertain_llm import __version__
from uncertain_llm.cli.ask import ask
from uncertain_llm.cli.assess import assess
from uncertain_llm.cli.compare import compare
from uncertain_llm.cli.demo import demo
from uncertain_llm.cli.evaluate import evaluate
from uncertain_llm.cli.fit import fit
from uncertain_llm.cli.log import log_app

__all__ = ["app", "main"]

_EXIT_CODES = (
    "Exit codes: 0 done; 1 other error, or compare's gate failed; 2 wrong usage; 3 done, but some "
    "input lines were bad; "
    "4 nothing can be certified; 5 policy wrong; 6 the model gave no answer; 7 key, model name or "
    "setting wrong; 8 log cannot be read or written; 130 interrupted."
)

app = typer.Typer(
    name="uncertain-llm",
    help="An honest probability of being right around any LLM call, and a decision by your "
    "policy: answer, hedge, verify or abstain.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command(epilog=_EXIT_CODES)(demo)
app.command(epilog=_EXIT_CODES)(ask)
app.command(epilog=_EXIT_CODES)(assess)
app.command(epilog=_EXIT_CODES)(fit)
app.command(epilog=_EXIT_CODES)(evaluate)
app.command(epilog=_EXIT_CODES)(compare)
app.add_typer(log_app)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"uncertain-llm {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A model may answer in any script; a terminal that cannot show it gets a "?".
            stream.reconfigure(errors="replace")
    app()
