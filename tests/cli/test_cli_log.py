"""`uncertain-llm log`, run as a user runs it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from uncertain_llm.cli.exits import ExitCode, exit_code_for
from uncertain_llm.cli.log import log_app
from uncertain_llm.cli.terminal import printable
from uncertain_llm.core.chat import CallPurpose, TokenUsage
from uncertain_llm.core.confidence import (
    Clustering,
    Confidence,
    ConfidenceStatus,
    Evidence,
    Measurement,
    Sample,
)
from uncertain_llm.core.decision import Action, Decision, ReasonCode
from uncertain_llm.core.errors import (
    BudgetExceeded,
    CalibrationError,
    FingerprintMismatch,
    LogError,
    MissingKey,
    NotCertifiable,
    RateLimited,
    UncertainLLMError,
)
from uncertain_llm.core.response import CallRecord, DecisionRecord, Provenance
from uncertain_llm.storage.decision_log import open_log

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Run = Callable[..., Result]


def _decision(action: Action) -> Decision:
    return Decision(
        action=action,
        reason=ReasonCode.DOUBTFUL,
        probability_used=0.62,
        cuts={"answer": 0.9, "hedge": 0.7},
        policy="balanced",
        policy_hash="sha256:12",
        label_propensity=0.05,
    )


def _record(record_id: str, minute: int = 0, **changes: object) -> DecisionRecord:
    sample = Sample(text="Yes, 1932.", answer="1932", stated_probability=0.8)
    call = CallRecord(
        purpose=CallPurpose.ANSWER,
        index=0,
        model_asked="openai/small",
        model_replied="small-2026",
        usage=TokenUsage(input_tokens=21, output_tokens=7),
        started_at=START,
        seconds=0.25,
        attempts=2,
    )
    record = DecisionRecord(
        id=record_id,
        created_at=START + timedelta(minutes=minute),
        model="openai/small",
        question="When did it open?",
        question_hash="sha256:ab",
        task=None,
        labels={},
        mode="enforce",
        answer="In 1932.",
        delivered_text="Perhaps in 1932.",
        delivered=Action.HEDGE,
        decision=_decision(Action.VERIFY),
        final_decision=_decision(Action.HEDGE),
        confidence=Confidence(
            score=0.33,
            probability=0.62,
            band=(0.4, 0.8),
            status=ConfidenceStatus.PRIOR,
            measurements=(
                Measurement(signal="agreement", value=0.875, details={"spread": 0.1 + 0.2}),
            ),
        ),
        refusal=None,
        verdict=None,
        provenance=Provenance(
            library_version="0.1.0",
            fingerprint="sha256:ff",
            calls=(call,),
            n_requested=2,
            n_received=1,
            n_failed=1,
            usage=call.usage,
            cost_usd=None,
            seconds=0.25,
            started_at=START,
        ),
        evidence=Evidence(
            question="When did it open?",
            answer=sample,
            samples=(sample,),
            n_requested=2,
            clustering=Clustering(clusters=((0,),), answer_cluster=0),
        ),
    )
    return DecisionRecord.model_validate({**dict(record), **changes})


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log that UNCERTAIN_LLM_LOG names; not made yet."""
    path = tmp_path / "decisions.db"
    monkeypatch.setenv("UNCERTAIN_LLM_LOG", f"sqlite:///{path}")
    monkeypatch.setenv("COLUMNS", "120")
    return path


@pytest.fixture
def keep(path: Path) -> Callable[..., None]:
    def append(*records: DecisionRecord) -> None:
        with open_log(str(path)) as log:
            for record in records:
                log.append(record)

    return append


@pytest.fixture
def run(path: Path) -> Run:
    return lambda *arguments: CliRunner().invoke(log_app, list(arguments))


def test_list_shows_the_newest_first(keep: Callable[..., None], run: Run) -> None:
    keep(_record("aaaaaaaa1", 1), _record("bbbbbbbb1", 2), _record("cccccccc1", 3))

    result = run("list", "--limit", "2")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[1].split()[:3] == ["cccccccc", "2026-03-01", "12:03"]
    assert all(word in lines[1] for word in ("verify", "hedge", "0.62 prior", "When did it open?"))
    assert lines[2].startswith("bbbbbbbb ")
    assert "2 of 3 decisions" in result.stdout


def test_words_give_way_on_a_narrow_terminal(
    keep: Callable[..., None], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    keep(_record("aaaaaaaa1", question="When did " * 20, answer="I think " * 20))

    line = run("list").stdout.splitlines()[1].rstrip()

    assert re.fullmatch(
        r"aaaaaaaa 03-01 12:00 verify  hedge     0.62 prior  -     When .*\u2026 I th.*\u2026",
        line.rstrip(),
    )
    assert len(line) <= 80


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_ids_stay_whole_and_usable_on_any_terminal(
    keep: Callable[..., None], run: Run, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    keep(_record("0123456789aa", question="long " * 90), _record("0123456789ab"))

    listed = re.findall(r"^[0-9a-f]{8,}", run("list").stdout, re.MULTILINE)

    assert sorted(listed) == ["0123456789aa", "0123456789ab"]


def test_list_filters(keep: Callable[..., None], run: Run) -> None:
    keep(
        _record("one", 1, decision=_decision(Action.ANSWER)),
        _record("two", 2, model="ollama/tiny"),
        _record("three", 3),
    )

    def ids(*options: str) -> list[str]:
        return [row["id"] for row in json.loads(run("list", "--json", *options).stdout)]

    assert ids("--action", "answer") == ["one"]
    assert ids("--model", "ollama/tiny") == ["two"]
    assert ids() == ["three", "two", "one"]
    assert "No decision matches" in run("list", "--action", "abstain").stdout


def test_list_to_label_is_what_the_audit_draw_picked_and_nobody_labelled(
    keep: Callable[..., None], run: Run
) -> None:
    picked = _decision(Action.VERIFY).model_copy(update={"label_requested": True})
    keep(_record("aaaa1111", 0, final_decision=picked))
    keep(_record("bbbb2222", 1))
    keep(_record("cccc3333", 2, final_decision=picked))
    run("label", "cccc3333", "right")

    listed = run("list", "--to-label", "--json")

    assert [row["id"] for row in json.loads(listed.stdout)] == ["aaaa1111"]
    run("label", "aaaa1111", "wrong")
    assert "No decision matches." in run("list", "--to-label").stdout


def test_list_as_json_has_numbers_and_labels(keep: Callable[..., None], run: Run) -> None:
    keep(_record("abc"))
    run("label", "abc", "wrong")

    (row,) = json.loads(run("list", "--json").stdout)

    assert row["probability"] == 0.62
    assert (row["status"], row["action"], row["delivered"]) == ("prior", "verify", "hedge")
    assert row["labels"][0]["loss"] == 1.0


def test_show_holds_every_part_of_the_arithmetic(keep: Callable[..., None], run: Run) -> None:
    keep(_record("abc"))

    shown = run("show", "ab").stdout

    for part in (
        "verify (doubtful): compared 0.6200 with answer 0.9, hedge 0.7",
        "hedge: Perhaps in 1932.",
        "0.4000 to 0.8000",
        "agreement  0.8750",
        '{"spread": 0.3}',
        "Samples (1 of 2 arrived; * is the answer)",
        "0*      1      1932  0.80",
        "answer 0  small-2026  21/7    unknown  0.25     2",
        "sha256:ff",
        "No label yet",
    ):
        assert part in shown


def test_the_arithmetic_of_costs_can_be_read(keep: Callable[..., None], run: Run) -> None:
    cuts = {"answer": 0.777777777778, "loss_answer": 3.8, "score": 0.2292276876234299}
    priced = _decision(Action.VERIFY).model_copy(update={"cuts": cuts})
    keep(_record("aa11", decision=priced))

    done = run("show", "aa11")

    assert "with answer 0.7778, loss_answer 3.8, score 0.2292" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("sent", "asked", "shown"),
    [(0.7, None, "0.7"), (1.0, 1.5, "1, not 1.5"), (None, 0.7, "none, not 0.7"), (None, None, "-")],
)
def test_show_tells_the_temperature_that_was_sent_and_what_was_asked_for(
    sent: float | None, asked: float | None, shown: str, keep: Callable[..., None], run: Run
) -> None:
    record = _record("abe")
    fields = {"temperature": sent, "temperature_asked": asked}
    call = record.provenance.calls[0].model_copy(update=fields)
    keep(
        record.model_copy(
            update={"provenance": record.provenance.model_copy(update={"calls": (call,)})}
        )
    )

    assert f"answer 0  small-2026  21/7    unknown  0.25     2      {shown}  " in (
        run("show", "abe").output
    )


def test_show_as_json_is_the_export_of_one(keep: Callable[..., None], run: Run) -> None:
    record = _record("abc")
    keep(record)

    shown = json.loads(run("show", "abc", "--json").stdout)

    assert DecisionRecord.model_validate_json(json.dumps(shown["record"])) == record
    assert shown["labels"] == []
    assert json.loads(run("export").stdout) == shown


def test_a_hash_only_decision_can_be_listed_and_shown(keep: Callable[..., None], run: Run) -> None:
    fields = ("question", "messages", "answer", "delivered_text", "evidence")
    keep(_record("abc", **dict.fromkeys(fields)))

    listed, shown = run("list"), run("show", "abc")

    assert "(not stored)" in listed.stdout
    assert "(not stored) sha256:ab" in shown.stdout
    assert "hedge: (not stored)" in shown.stdout


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m[red]no[/red] [/] :bomb: \u202eevil\r\nend"


@pytest.mark.parametrize("command", [["list"], ["show", "abc"], ["list", "--json"], ["export"]])
def test_a_hostile_answer_does_not_act_on_the_terminal(
    keep: Callable[..., None], run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    keep(_record("abc", question=HOSTILE, answer=HOSTILE, delivered_text=HOSTILE, model=HOSTILE))

    result = run(*command)

    assert result.exit_code == 0
    assert "[red]no[/red] [/] :bomb:" in result.stdout
    assert not set("\x1b\x07\x9b\u202e\r") & set(result.stdout)


def test_printable_keeps_scripts_emoji_and_lines() -> None:
    text = "na\u00efve \u0639\u0631\u0628\u064a \u65e5\u672c \U0001f469\u200d\U0001f680\n\tend"

    assert printable(text) == text
    assert printable("a\r\nb\rc") == "a\nb\nc"
    assert printable("half \ud83d") == "half "
    assert printable("  a \n\t b ", one_line=True) == "a b"


def test_label_is_kept_with_its_source_and_the_newest_counts(
    keep: Callable[..., None], run: Run
) -> None:
    keep(_record("abcdefgh1"))

    first = run("label", "abc", "wrong", "--by", "Ann", "--note", "see [1]")
    run("label", "abc", "right", "--loss", "0.25", "--source", "judge:big")
    run("label", "abc", "right")

    labels = json.loads(run("show", "abc", "--json").stdout)["labels"]
    assert first.stdout == "Labelled abcdefgh as wrong (source human).\n"
    assert [(label["source"], label["loss"]) for label in labels] == [
        ("human", 1.0),
        ("judge:big", 0.25),
        ("human", 0.0),
    ]
    assert (labels[0]["labeller"], labels[0]["note"]) == ("Ann", "see [1]")
    assert " right " in run("list").stdout
    assert "see [1]" in run("show", "abc").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["maybe"],
        ["right", "--loss", "0.9"],
        ["wrong", "--loss", "0.1"],
        ["wrong", "--loss", "7"],
        ["wrong", "--loss", "nan"],
        ["wrong", "--note", "x" * 2001],
    ],
)
def test_a_wrong_label_is_wrong_usage(
    keep: Callable[..., None], run: Run, arguments: list[str]
) -> None:
    keep(_record("abc"))

    assert run("label", "abc", *arguments).exit_code == 2
    assert json.loads(run("show", "abc", "--json").stdout)["labels"] == []


def test_export_replaces_a_file_only_when_it_is_complete(
    keep: Callable[..., None], run: Run, path: Path, tmp_path: Path
) -> None:
    keep(_record("abc"), _record("abd", 1))
    out = tmp_path / "log.jsonl"
    out.write_text("old")

    done = run("export", "--out", str(out))

    assert done.stderr == "Wrote 2 decisions and 0 labels.\n"
    assert [json.loads(line)["record"]["id"] for line in out.read_text().splitlines()] == [
        "abc",
        "abd",
    ]

    keep(_record("abe", 2, schema_version=9))
    before = out.read_text()

    assert run("export", "--out", str(out)).exit_code == 8
    assert out.read_text() == before
    assert sorted(os.listdir(tmp_path)) == ["decisions.db", "log.jsonl"]


def test_export_does_not_overwrite_the_log_itself(
    keep: Callable[..., None], run: Run, path: Path
) -> None:
    keep(_record("abc"))

    result = run("export", "--out", str(path))

    assert result.exit_code == 2
    assert len(json.loads(run("list", "--json").stdout)) == 1


def test_export_says_when_its_file_cannot_be_made(
    keep: Callable[..., None], run: Run, tmp_path: Path
) -> None:
    keep(_record("abc"))

    result = run("export", "--out", str(tmp_path / "missing" / "x.jsonl"))

    assert result.exit_code == 7
    assert "cannot be written to" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command", [["list"], ["show", "abc"], ["label", "abc", "right"], ["export"]]
)
def test_a_log_that_does_not_exist_is_an_error_and_is_not_made(
    run: Run, path: Path, command: list[str]
) -> None:
    result = run(*command)

    assert result.exit_code == 8
    assert result.stdout == ""
    assert re.fullmatch(
        r"Error: there is no decision log at .*`uncertain-llm demo`.*\n", result.stderr
    )
    assert not path.exists()


@pytest.mark.parametrize("command", [["show", "zz"], ["label", "zz", "right"], ["show", "a"]])
def test_an_unknown_or_ambiguous_id_is_one_sentence(
    keep: Callable[..., None], run: Run, command: list[str]
) -> None:
    keep(_record("abc"), _record("abd"))

    result = run(*command)

    assert result.exit_code == 8
    assert re.fullmatch(
        r"Error: .*(no decision with the id|give more of the id).*\n", result.stderr
    )


def test_an_option_names_another_log(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    open_log(str(other)).close()

    assert "The log is empty." in run("list", "--log", f"sqlite:///{other}").stdout
    assert run("list", "--log", "nonsense").exit_code == 8


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UncertainLLMError("x"), ExitCode.ERROR),
        (CalibrationError("x"), ExitCode.ERROR),
        (NotCertifiable("x"), ExitCode.NOT_CERTIFIABLE),
        (FingerprintMismatch(fitted="a", running="b"), ExitCode.POLICY),
        (RateLimited("x"), ExitCode.MODEL),
        (BudgetExceeded("x"), ExitCode.MODEL),
        (MissingKey("x"), ExitCode.CONFIGURATION),
        (LogError("x"), ExitCode.LOG),
    ],
)
def test_every_error_has_its_exit_code(error: UncertainLLMError, code: ExitCode) -> None:
    assert exit_code_for(error) is code


def test_exit_codes_are_stable_for_scripts() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "ERROR": 1,
        "USAGE": 2,
        "BAD_LINES": 3,
        "NOT_CERTIFIABLE": 4,
        "POLICY": 5,
        "MODEL": 6,
        "CONFIGURATION": 7,
        "LOG": 8,
    }
