from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from uncertain_llm.core.chat import CallPurpose, Elicitation, Generation, ModelCall
from uncertain_llm.core.errors import ConfigurationError, NotRecorded, UnknownModel
from uncertain_llm.providers.demo_recording import demo_questions
from uncertain_llm.providers.models import model_from_name
from uncertain_llm.providers.replay_model import DEMO_PATH, ReplayModel, open_replay, read_rows

CONFIDENCES = (0.97, 0.975, 1.0, 0.0, None)
ICE: dict[str, object] = {
    "dataset": "d",
    "id": "7",
    "model": "recorded-model",
    "question": "Is ice cold?",
    "reference": "yes",
    "samples": [
        {"text": f"Reply {k}.", "answer": "yes", "confidence": confidence, "correct": True}
        for k, confidence in enumerate(CONFIDENCES)
    ],
}


def ask(
    model: ReplayModel,
    asked: str = "Is ice cold?",
    index: int = 0,
    elicits: Elicitation | None = None,
    purpose: CallPurpose = CallPurpose.SAMPLE,
    question: str | None = None,
) -> Generation:
    call = ModelCall(
        purpose=purpose,
        index=index,
        model=model.name,
        messages=({"role": "user", "content": asked},),
        elicits=elicits,
        question=question,
    )
    return asyncio.run(model.generate(call))


@pytest.fixture
def model() -> ReplayModel:
    return ReplayModel([ICE], name="replay/ice")


@pytest.mark.parametrize("purpose", [CallPurpose.SAMPLE, CallPurpose.VERIFY])
def test_call_number_k_gets_recorded_reply_number_k(
    model: ReplayModel, purpose: CallPurpose
) -> None:
    replies = [ask(model, index=index, purpose=purpose) for index in range(5)]

    assert [reply.text for reply in replies] == [f"Reply {index}." for index in range(5)]
    assert [reply.response_id for reply in replies] == [f"replay:d:7:{k}" for k in range(5)]


def test_the_reply_says_where_it_comes_from(model: ReplayModel) -> None:
    reply = ask(model)

    assert (reply.provider, reply.model_asked) == ("replay", "replay/ice")
    assert reply.model_replied == "recorded-model"
    assert (reply.cost_usd, reply.from_cache, reply.recorded_answer) == (None, False, "yes")
    assert reply.started_at.utcoffset() is not None


@pytest.mark.parametrize("question", ["is  ICE\ncold? ", "IS ICE COLD?", "\tIs ice cold?"])
def test_case_and_white_space_of_the_question_do_not_matter(
    model: ReplayModel, question: str
) -> None:
    assert ask(model, question).text == "Reply 0."


@pytest.mark.parametrize(
    ("index", "ending"),
    [
        (0, "\nConfidence: 97%"),
        (1, "\nConfidence: 97.5%"),
        (2, "\nConfidence: 100%"),
        (3, "\nConfidence: 0%"),
        (4, ""),
    ],
)
def test_a_recorded_confidence_is_stated_when_the_call_asks_for_it(
    model: ReplayModel, index: int, ending: str
) -> None:
    reply = ask(model, index=index, elicits=Elicitation.INLINE_PROBABILITY)

    assert reply.text == f"Reply {index}.{ending}"


def test_the_question_is_looked_up_without_what_elicits_a_probability(model: ReplayModel) -> None:
    asked = "Is ice cold?\n\nEnd with a line that states your confidence."

    reply = ask(model, asked, question="Is ice cold?", elicits=Elicitation.INLINE_PROBABILITY)

    assert reply.text.startswith("Reply 0.")


def test_a_follow_up_gets_the_number_alone(model: ReplayModel) -> None:
    asked = "Question: is ice cold?\nAnswer: yes\nHow probable is it that this is right?"

    reply = ask(
        model,
        asked,
        index=1,
        question="Is ice cold?",
        elicits=Elicitation.FOLLOW_UP_PROBABILITY,
    )

    assert (reply.text, reply.recorded_answer) == ("97.5%", None)
    assert reply.response_id == "replay:d:7:1:confidence"


def test_a_follow_up_without_a_recorded_confidence_is_not_recorded(model: ReplayModel) -> None:
    with pytest.raises(NotRecorded, match="no confidence"):
        ask(model, index=4, elicits=Elicitation.FOLLOW_UP_PROBABILITY)


def test_more_replies_than_recorded_are_refused_with_their_number(model: ReplayModel) -> None:
    with pytest.raises(NotRecorded, match="has 5 replies") as caught:
        ask(model, index=5)

    assert not caught.value.retryable


def test_an_unknown_question_is_refused_and_the_nearest_is_named() -> None:
    with pytest.raises(NotRecorded, match="'How many minutes are there in a full day\\?'"):
        ask(open_replay("replay/demo"), "How many minutes has a day?")


def test_a_question_that_occurs_twice_is_ambiguous() -> None:
    model = ReplayModel([ICE, ICE | {"model": "other"}], name="r")

    with pytest.raises(ConfigurationError, match=r"2 rows .*recorded-model/7, other/7"):
        ask(model)


def test_where_only_the_short_answer_was_kept_it_is_the_reply() -> None:
    row = ICE | {"samples": [{"text": None, "answer": "yes", "confidence": None}]}

    assert ask(ReplayModel([row], name="r")).text == "yes"


def test_labels_of_the_recording_never_reach_a_reply() -> None:
    row = ICE | {"reference": "REFERENCE", "labels": {"kind": "LABEL"}}

    reply = ask(ReplayModel([row], name="r"))

    assert not {"REFERENCE", "LABEL"} & set(reply.model_dump_json().split('"'))


def test_rows_without_a_question_are_left_out_and_none_left_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="no question"):
        ReplayModel([ICE | {"question": None}], name="r")


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_a_recording_is_read_from_a_plain_or_packed_file(tmp_path: Path, name: str) -> None:
    data = (json.dumps(ICE) + "\n\n").encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)

    model = open_replay(f"replay/{path}")

    assert (ask(model).text, model.name) == ("Reply 0.", f"replay/{path}")


@pytest.mark.parametrize("line", ["{", "[]", '{"samples": 3}', '{"question": "x"}', "null", "7"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(ICE) + "\n" + line, encoding="utf-8")

    with pytest.raises(ConfigurationError, match="line 2"):
        ReplayModel.from_jsonl(path)


def test_a_missing_or_broken_file_is_one_clear_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "r.jsonl.gz"
    broken.write_bytes(b"not gzip")

    with pytest.raises(ConfigurationError, match="cannot read the recording"):
        open_replay("replay/nowhere.jsonl")
    with pytest.raises(ConfigurationError, match="cannot read the recording"):
        ReplayModel.from_jsonl(broken)


@pytest.mark.parametrize("name", ["replay/", "replay/demos", "replay/file.json"])
def test_an_unknown_recording_says_what_is_expected(name: str) -> None:
    with pytest.raises(UnknownModel, match=r"replay/demo.*\.jsonl"):
        model_from_name(name)


def test_the_demo_answers_all_its_questions_eight_times() -> None:
    model = model_from_name("replay/demo", options={"api_key": "ignored"})
    assert isinstance(model, ReplayModel)

    ids = {ask(model, q.question, k).response_id for q in demo_questions() for k in range(8)}

    assert len(ids) == 127 * 8


def test_the_demo_says_which_replies_are_right() -> None:
    questions = demo_questions()

    rows = [json.loads(line) for line in DEMO_PATH.read_text(encoding="utf-8").splitlines()]

    assert [[q.is_right(k) for k in range(q.n_samples)] for q in questions] == [
        [sample["correct"] for sample in row["samples"]] for row in rows
    ]
    assert sum(not q.answerable for q in questions) == 10


@pytest.mark.parametrize("index", [-1, 8])
def test_there_is_no_label_for_a_reply_that_does_not_exist(index: int) -> None:
    with pytest.raises(IndexError):
        demo_questions()[0].is_right(index)


def test_replaying_imports_no_litellm() -> None:
    code = (
        "import sys; from uncertain_llm.providers.models import model_from_name;"
        "model_from_name('replay/demo');"
        "print([m for m in ('litellm', 'tenacity', 'rapidfuzz') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_damaged_recording_is_refused_and_a_mark_of_the_byte_order_is_not(
    tmp_path: Path,
) -> None:
    line = json.dumps({"id": "1", "question": "Why?", "samples": [{"text": "So."}] * 3})
    whole = bytearray(gzip.compress(line.encode() * 50))
    whole[len(whole) // 2] ^= 0xFF
    damaged, marked = tmp_path / "damaged.jsonl.gz", tmp_path / "marked.jsonl"
    damaged.write_bytes(whole)
    marked.write_text(line + "\r\n", encoding="utf-8-sig")

    with pytest.raises(ConfigurationError, match=r"cannot read the recording .*damaged\.jsonl\.gz"):
        list(read_rows(damaged))
    assert [row["question"] for row in read_rows(marked)] == ["Why?"]
