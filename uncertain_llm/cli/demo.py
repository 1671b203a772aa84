"""`uncertain-llm demo`: recorded replies of a real model through the real pipeline."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from uncertain_llm.cli.demo_view import RowView, print_summary
from uncertain_llm.cli.exits import fail
from uncertain_llm.cli.options import JsonOption, LogOption, NoLogOption, PolicyOption
from uncertain_llm.cli.session import (
    RECORDED_NOTE,
    agreement_of,
    chosen_log,
    is_recorded,
    open_client,
)
from uncertain_llm.cli.terminal import printable
from uncertain_llm.client import UncertainLLM
from uncertain_llm.core.errors import ConfigurationError, ModelCallError, UncertainLLMError
from uncertain_llm.core.response import Response
from uncertain_llm.evaluation.action_summary import ActionSummary, Judged, summarise
from uncertain_llm.evaluation.demo_grading import judge
from uncertain_llm.providers.demo_recording import DemoQuestion, demo_questions

__all__ = ["demo"]

_DEMO_MODEL = "replay/demo"
# A live model that fails this often in a row will fail on the rest too: stop and say so.
_FAILURES_IN_A_ROW = 3


def demo(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Ask a live model the same questions: any litellm name such as "
            "openai/gpt-4o-mini or ollama_chat/llama3.2.",
        ),
    ] = _DEMO_MODEL,
    policy: PolicyOption = "balanced",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Ask only the first so many questions.")
    ] = None,
    log: LogOption = None,
    no_log: NoLogOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the demo's questions and show what a policy makes of the answers."""
    url = chosen_log(log, no_log=no_log)
    questions = demo_questions()[:limit]
    console = Console(highlight=False, quiet=as_json)
    started = time.perf_counter()
    try:
        with open_client(model, policy, url) as llm:
            _print_opening(console, model, policy, len(questions))
            view = RowView(console, is_fitted=llm.policy.calibration is not None)
            asked = list(_ask_all(llm, questions, view))
    except UncertainLLMError as error:
        fail(error)
    elapsed = time.perf_counter() - started
    judged = [judge(question, response) for question, response in asked]
    summary = summarise(judged)
    if as_json:
        typer.echo(json.dumps(_json(model, policy, url, asked, judged, summary), indent=1))
        return
    print_summary(
        console,
        summary,
        [response for _, response in asked],
        n_asked=len(questions),
        model=model,
        log=url,
        seconds=elapsed,
    )
    for warning in dict.fromkeys(w for _, r in asked for w in r.warnings):
        typer.echo(f"Warning: {printable(warning, one_line=True)}", err=True)


def _ask_all(
    llm: UncertainLLM, questions: tuple[DemoQuestion, ...], view: RowView
) -> Iterator[tuple[DemoQuestion, Response]]:
    failures = answers = 0
    for number, question in enumerate(questions, start=1):
        try:
            response = llm.ask(
                question.question,
                task=question.task if question.answerable else None,
                labels={"domain": question.domain, "kind": question.kind},
            )
        except ConfigurationError:
            raise
        except ModelCallError as error:
            failures += 1
            typer.echo(f"{number:>4}  no answer: {printable(str(error), one_line=True)}", err=True)
            if failures >= _FAILURES_IN_A_ROW or (not answers and number == len(questions)):
                raise  # nothing more to hope for, or nothing to sum up
            continue
        failures, answers = 0, answers + 1
        view.show(number, question, response)
        yield question, response


def _print_opening(console: Console, model: str, policy: str, n: int) -> None:
    recorded = is_recorded(model)
    source = RECORDED_NOTE if recorded else "live: every question costs several calls"
    questions = "1 question" if n == 1 else f"{n} questions"
    console.print(Text(f"{questions} to {printable(model)} under policy '{policy}' ({source})"))
    console.print()


def _json(
    model: str,
    policy: str,
    log: str | None,
    asked: list[tuple[DemoQuestion, Response]],
    judged: list[Judged],
    summary: ActionSummary,
) -> dict[str, object]:
    rows = [
        {
            "question_id": question.id,
            "question": question.question,
            "reference": question.reference,
            "id": response.id,
            "answer": response.answer,
            "text": response.text,
            "agreement": agreement_of(response),
            "probability": response.probability,
            "band": response.confidence.band,
            "status": response.confidence.status.value,
            "action": response.action.value,
            "reason": response.decision.reason.value,
            "delivered": response.delivered.value,
            "right": one.right,
        }
        for (question, response), one in zip(asked, judged, strict=True)
    ]
    return {
        "model": model,
        "policy": policy,
        "recorded": is_recorded(model),
        "note": RECORDED_NOTE if is_recorded(model) else None,
        "log": log,
        "rows": rows,
        "summary": summary.model_dump(mode="json"),
    }
