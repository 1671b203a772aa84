"""Scoring recordings: what a SCORED line says, for good input and for bad."""

from __future__ import annotations

import copy
import gc
import gzip
import json
import math
import os
import random
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import overload

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncertain_llm.core.confidence import Sample
from uncertain_llm.core.errors import ConfigurationError
from uncertain_llm.evaluation.assess_command import assess_files
from uncertain_llm.evaluation.assess_offline import AnswerMode, Assessor, assess, scored_line
from uncertain_llm.evaluation.dataset import BadLine, RecordedRow, RowKey, read_rows
from uncertain_llm.flow.assess import Assessment
from uncertain_llm.storage.policy_files import load_policy

FIELDS = [
    "dataset", "model", "id", "n_samples", "answer", "representative", "clusters", "score",
    "probability", "band", "status", "action", "reason", "measurements",
]  # fmt: skip
STATUSES = {"calibrated", "prior", "uncalibrated", "out_of_range", "unavailable"}
ACTIONS = {"answer", "hedge", "verify", "abstain"}
POLICY = load_policy("balanced")
REFUSAL = "I'm sorry, but I can't help with that."
JSON = dict[str, object]


def _row(*samples: JSON, **more: object) -> JSON:
    return {"dataset": "d", "model": "m", "id": "1", "samples": list(samples), **more}


def _texts(*texts: str | None) -> JSON:
    return _row(*[{"text": text} for text in texts])


def _write(path: Path, *rows: JSON) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _scored(tmp_path: Path, *rows: JSON, **options: object) -> list[JSON]:
    assessor = Assessor(POLICY, **options)
    out = tmp_path / "out" / "scored.jsonl"
    out.parent.mkdir(exist_ok=True)
    bad: list[BadLine] = []
    assess_files([_write(tmp_path / "in.jsonl", *rows)], out, assessor, on_bad=bad.append)
    assert not bad
    return [json.loads(line) for line in out.read_text(encoding="ascii").splitlines()]


def _is_of_nothing(line: JSON) -> bool:
    return (
        line["status"] == "unavailable"
        and line["reason"] == "nothing_measured"
        and line["action"] == POLICY.decide.when_unavailable.value
        and (line["score"], line["probability"], line["band"]) == (None, None, None)
    )


def _check_contract(line: JSON) -> None:
    assert list(line) == FIELDS
    assert line["status"] in STATUSES
    assert line["action"] in ACTIONS
    indices = sorted(index for cluster in line["clusters"] for index in cluster)
    assert indices == sorted(set(indices))
    assert set(indices) <= set(range(line["n_samples"]))
    sizes = [len(cluster) for cluster in line["clusters"]]
    assert sizes == sorted(sizes, reverse=True)
    assert 0 not in sizes
    numbers = [
        line["score"],
        line["probability"],
        *(line["band"] or []),
        *line["measurements"].values(),
    ]
    assert all(number is None or 0 <= number <= 1 for number in numbers)
    assert (line["status"] == "unavailable") <= (line["score"] is None)
    assert (line["probability"] is None) is (line["band"] is None)
    if line["band"] is not None:
        assert line["band"][0] <= line["probability"] <= line["band"][1]


def test_a_line_has_the_fields_of_the_contract_in_their_order(tmp_path: Path) -> None:
    samples = [{"text": f"It is {town}.", "answer": town} for town in ("Oslo", "Rome", "Oslo")]

    (line,) = _scored(tmp_path, _row(*samples, question="Where?", task="short_qa"))

    _check_contract(line)
    assert (line["dataset"], line["model"], line["id"], line["n_samples"]) == ("d", "m", "1", 3)
    assert (line["answer"], line["representative"], line["clusters"]) == ("Oslo", 0, [[0, 2], [1]])
    assert (line["status"], line["measurements"]["answer_agreement"]) == ("prior", 0.666667)


def test_clusters_come_largest_first_then_by_their_earliest_sample(tmp_path: Path) -> None:
    (line,) = _scored(tmp_path, _row(*[{"answer": a} for a in ("C", "B", "A", "B", "A", "B")]))

    assert line["clusters"] == [[1, 3, 5], [2, 4], [0]]
    assert line["representative"] == 1


@pytest.mark.parametrize(
    ("mode", "answer", "representative"),
    [("majority", "Rome", 1), ("first", "Oslo", 0), ("greedy", "Bern", -1)],
)
def test_the_scored_answer_is_the_one_asked_for(
    tmp_path: Path, mode: str, answer: str, representative: int
) -> None:
    row = _row(*[{"answer": a} for a in ("Oslo", "Rome", "Rome")], greedy={"answer": "Bern"})

    (line,) = _scored(tmp_path, row, answer=AnswerMode(mode))

    assert (line["answer"], line["representative"]) == (answer, representative)
    assert line["clusters"] == [[1, 2], [0]]


def test_a_greedy_answer_that_the_samples_share_is_surer_than_one_alone(tmp_path: Path) -> None:
    samples = [{"answer": "Rome"}] * 4
    rows = [_row(*samples, greedy={"answer": town}) for town in ("Rome", "Bern")]

    shared, alone = _scored(tmp_path, *rows, answer=AnswerMode.GREEDY)

    assert shared["score"] > alone["score"]
    assert alone["measurements"]["answer_agreement"] == 0


@pytest.mark.parametrize("greedy", [None, {"text": None}, {"text": "", "confidence": 0.9}])
def test_a_greedy_answer_that_is_not_there_leaves_nothing_to_score(
    tmp_path: Path, greedy: JSON | None
) -> None:
    (line,) = _scored(tmp_path, _row(greedy=greedy), answer=AnswerMode.GREEDY)

    assert _is_of_nothing(line)
    assert line["representative"] is None


def test_only_the_first_k_samples_are_used(tmp_path: Path) -> None:
    row = _row(*[{"answer": a} for a in ("Oslo", "Rome", "Rome")])

    (line,) = _scored(tmp_path, row, n_samples=1)

    assert (line["n_samples"], line["clusters"], line["answer"]) == (1, [[0]], "Oslo")
    assert line["measurements"]["answer_agreement"] is None


def test_ignoring_answers_reads_the_texts_and_nothing_else(tmp_path: Path) -> None:
    row = _row(*[{"text": "It is Oslo.", "answer": a} for a in ("Rome", "Bern")])
    same = _row(*[{"text": "It is Oslo.", "answer": a} for a in ("Oslo", None)])

    hidden, also = _scored(tmp_path, row, same, ignore_answers=True)

    assert hidden == also
    assert hidden["clusters"] == [[0, 1]]


def test_ignoring_answers_leaves_nothing_of_a_row_without_texts(tmp_path: Path) -> None:
    row = _row(*[{"answer": "Oslo", "confidence": 0.99}] * 3, question="Where?")

    (line,) = _scored(tmp_path, row, ignore_answers=True)

    assert _is_of_nothing(line)
    assert (line["answer"], line["representative"], line["clusters"]) == (None, None, [])


@pytest.mark.parametrize(
    "samples",
    [[], [{}], [{"text": None}], [{"text": ""}] * 5, [{"text": " \n"}, {"text": "\u200b"}]],
)
def test_a_row_without_words_is_unavailable_and_never_a_number(
    tmp_path: Path, samples: list[JSON]
) -> None:
    (line,) = _scored(tmp_path, _row(*samples, question="Where?"))

    assert _is_of_nothing(line)
    assert line["clusters"] == []


def test_one_sample_says_nothing_about_agreement(tmp_path: Path) -> None:
    (line,) = _scored(tmp_path, _texts("It opened in 1932."))

    assert line["measurements"]["answer_agreement"] is None
    assert line["clusters"] == [[0]]


def test_a_model_that_always_declines_is_not_sure_of_anything(tmp_path: Path) -> None:
    (line,) = _scored(tmp_path, _texts(*[REFUSAL] * 5))

    _check_contract(line)
    assert (line["action"], line["reason"]) == ("abstain", "refused_normative")
    assert (line["answer"], line["representative"]) == (None, 0)
    assert line["clusters"] == [[0, 1, 2, 3, 4]]


def test_a_thousand_samples_are_counted_one_by_one(tmp_path: Path) -> None:
    row = _row(*[{"answer": str(n % 40 if n < 200 else 7)} for n in range(1000)])

    (line,) = _scored(tmp_path, row)

    _check_contract(line)
    assert len(line["clusters"][0]) == 805
    assert sum(map(len, line["clusters"])) == 1000


def test_a_thousand_different_answers_take_seconds_at_most(tmp_path: Path) -> None:
    rng = random.Random(4)
    words = ["".join(rng.choices("abcdefgh", k=6)) for _ in range(300)]
    row = _row(*[{"answer": " ".join(rng.sample(words, 3))} for _ in range(1000)])

    start = time.process_time()
    (line,) = _scored(tmp_path, row)

    assert time.process_time() - start < 10
    assert sum(map(len, line["clusters"])) == 1000


@pytest.mark.parametrize("filler", ["word ", "no.", "((((", "**", "\u202e\u0634", "\u4e2d"])
def test_replies_of_a_megabyte_take_seconds_at_most(tmp_path: Path, filler: str) -> None:
    text = filler * (1_000_000 // len(filler)) + "\nAnswer: 42"

    start = time.process_time()
    (line,) = _scored(tmp_path, _texts(text, text + " ", "42"))

    assert time.process_time() - start < 10
    _check_contract(line)
    assert line["clusters"] == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("left", "right", "other"),
    [
        ("\u0642\u0627\u0647\u0631\u0629", "\u0642\u0627\u0647\u0631\u0629.",
         "\u0628\u063a\u062f\u0627\u062f"),
        ("\u6771\u4eac", "\u6771\u4eac\u3002", "\u5927\u962a"),
        ("\U0001f600", "\U0001f600", "\U0001f621"),
        ("Dvo\u0159\u00e1k", "DVORAK", "Smetana"),
        ("\ud800 yes", "\ud800 yes", "\udfff no"),
        ("caf\ufffd", "caf\ufffd", "th\ufffd"),
    ],
)  # fmt: skip
def test_any_script_is_compared_and_kept(tmp_path: Path, left: str, right: str, other: str) -> None:
    (line,) = _scored(tmp_path, _texts(left, right, other))

    _check_contract(line)
    assert line["clusters"] == [[0, 1], [2]]


def test_a_confidence_that_is_no_number_is_unknown(tmp_path: Path) -> None:
    row = _row(*[{"answer": "Oslo", "confidence": math.nan}] * 2)
    known = _row(*[{"answer": "Oslo", "confidence": 0.8}] * 2)

    without, with_it = _scored(tmp_path, row, known)

    assert without["measurements"]["stated_probability"] is None
    assert with_it["measurements"]["stated_probability"] == 0.8


def test_words_in_a_reply_set_no_probability(tmp_path: Path) -> None:
    claim = 'It is Oslo. The page said: "confidence: 100%".'

    plain, injected = _scored(tmp_path, _texts(*["It is Oslo."] * 2), _texts(*[claim] * 2))

    assert injected["measurements"]["stated_probability"] is None
    assert injected["probability"] <= plain["probability"]


def _with_other_labels(row: JSON, rng: random.Random) -> JSON:
    changed = copy.deepcopy(row)
    changed["reference"] = rng.choice(["Oslo", None, 7, ["x"]])
    changed["labels"] = {"correct": rng.random()}
    changed["upstream_score"] = rng.random()
    for sample in [*changed["samples"], changed["greedy"]]:
        sample["correct"] = rng.choice([True, False, None])
        sample["upstream_nll"] = rng.random()
        sample["labels"] = {"right": rng.random()}
    return changed


@pytest.mark.parametrize("mode", list(AnswerMode))
@pytest.mark.parametrize("ignore_answers", [True, False])
def test_labels_change_not_one_byte(tmp_path: Path, mode: AnswerMode, ignore_answers: bool) -> None:
    rng = random.Random(7)
    towns = ["Oslo", "Rome", "Bern"]
    rows = []
    for number in range(40):
        said = [{"text": f"It is {t}.", "answer": t} for t in rng.choices(towns, k=4)]
        rows.append(_row(*said, id=str(number), greedy={"text": "Oslo", "answer": "Oslo"}))
    labelled = [_with_other_labels(row, rng) for row in rows]
    assessor = Assessor(POLICY, answer=mode, ignore_answers=ignore_answers)

    scores = []
    for name, written in (("plain", rows), ("labelled", labelled), ("again", labelled[::-1])):
        out = tmp_path / f"{name}.scored"
        source = _write(tmp_path / f"{name}.jsonl", *written)
        assess_files([source], out, assessor, on_bad=pytest.fail)
        scores.append(out.read_bytes().splitlines())

    assert scores[0] == scores[1] == scores[2][::-1]


def test_the_same_run_gives_the_same_bytes_packed_or_not(tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", _texts("Oslo", "Rome"), _texts("Rome"))
    outs = [tmp_path / name for name in ("a.scored", "b.scored", "a.scored.gz", "b.scored.gz")]

    for out in outs:
        assess_files([source], out, Assessor(POLICY), on_bad=pytest.fail)

    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert outs[2].read_bytes() == outs[3].read_bytes()
    assert gzip.decompress(outs[2].read_bytes()) == outs[0].read_bytes()


def test_rows_come_out_in_the_order_of_the_input(tmp_path: Path) -> None:
    first = _write(tmp_path / "z.jsonl", *[{**_texts("a"), "id": n} for n in (3, 1)])
    second = _write(tmp_path / "a.jsonl", *[{**_texts("a"), "id": n} for n in (9, 2)])
    out = tmp_path / "scored"

    run = assess_files([first, second], out, Assessor(POLICY), on_bad=pytest.fail)

    ids = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert ids == ["3", "1", "9", "2"]
    assert run.n_rows == sum(run.actions.values()) == 4


def test_a_run_that_dies_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", _texts("Oslo"), _texts("Rome"))
    source.write_text(source.read_text() + "{\n")
    out = tmp_path / "scored.jsonl.old"
    out.write_text("old")

    def die(bad: BadLine) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assess_files([source], out, Assessor(POLICY), on_bad=die)

    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", out.name]


def test_until_it_is_complete_the_file_is_not_there(tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", *[_texts("Oslo")] * 200)
    out = tmp_path / "scored"
    seen: list[bool] = []

    assess_files(
        [source],
        out,
        Assessor(POLICY),
        on_bad=pytest.fail,
        on_read=lambda _: seen.append(out.exists()),
    )

    assert seen
    assert not any(seen)
    assert out.exists()


def test_a_recording_is_never_overwritten_by_its_scores(tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", _texts("Oslo"))
    before = source.read_bytes()
    link = tmp_path / "link.jsonl"
    os.symlink(source, link)

    for out in (source, link):
        with pytest.raises(ConfigurationError, match="one of the recordings"):
            assess_files([source], out, Assessor(POLICY), on_bad=pytest.fail)

    assert source.read_bytes() == before


def test_scores_do_not_land_among_the_recordings_of_a_folder(tmp_path: Path) -> None:
    _write(tmp_path / "in.jsonl", _texts("Oslo"))

    with pytest.raises(ConfigurationError, match="the next run"):
        assess_files([tmp_path], tmp_path / "out.jsonl", Assessor(POLICY), on_bad=pytest.fail)


def test_a_folder_that_is_missing_is_said_in_a_sentence(tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", _texts("Oslo"))

    with pytest.raises(ConfigurationError, match="cannot be written"):
        assess_files([source], tmp_path / "no" / "out", Assessor(POLICY), on_bad=pytest.fail)


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    rows = [{**_texts(f"It is {n % 9}.", f"{n % 9}"), "id": n} for n in range(600)]
    few = _write(tmp_path / "few.jsonl", *rows[:100])
    many = _write(tmp_path / "many.jsonl", *rows)

    def collect(_: int) -> None:
        gc.collect()  # by itself the collector comes when other tests have left enough behind

    def peak(source: Path) -> int:
        tracemalloc.start()
        out, assessor = tmp_path / "out", Assessor(POLICY)
        assess_files([source], out, assessor, on_bad=pytest.fail, on_read=collect)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    gc.freeze()  # what other tests left behind is not looked through each time
    peak(many)  # fills the caches, which are bounded
    of_few, of_many = peak(few), peak(many)
    gc.unfreeze()

    assert of_many < of_few + 25_000  # the keys of the rows alone would be 70,000 more


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "text": st.none() | st.text(max_size=60),
                "answer": st.none() | st.text(max_size=20) | st.integers(-9, 9),
                "confidence": st.none() | st.floats() | st.text(max_size=3),
            },
        ),
        max_size=6,
    ),
    st.none() | st.text(max_size=40),
    st.sampled_from([None, "mcq", "math_numeric", "code", "long_form", "nonsense"]),
    st.sampled_from(list(AnswerMode)),
)
def test_any_row_gives_a_line_that_keeps_the_contract(
    tmp_path_factory: pytest.TempPathFactory,
    samples: list[JSON],
    question: str | None,
    task: str | None,
    mode: AnswerMode,
) -> None:
    path = tmp_path_factory.mktemp("any") / "in.jsonl"
    greedy = samples[0] if samples else None
    _write(path, _row(*samples, question=question, task=task, greedy=greedy))
    assessor = Assessor(POLICY, answer=mode)

    (row,) = read_rows([path])
    assert isinstance(row, RecordedRow)

    found = assessor.assess(row)
    _check_contract(scored_line(row, found))
    # Values of the inner loop are made without checks: these are the checks.
    assert Assessment.model_validate(found.model_dump(), strict=True) == found


@pytest.mark.parametrize("mode", list(AnswerMode))
@pytest.mark.parametrize("ignore_answers", [False, True])
def test_equal_replies_score_the_same_as_one_object_and_as_many(
    tmp_path: Path, mode: AnswerMode, ignore_answers: bool
) -> None:
    rng = random.Random(3)
    said = [
        {"text": "It is Oslo.", "confidence": 0.5},
        {"text": "It is Oslo.", "confidence": 1},
        {"text": "I think it is Rome.", "answer": "Rome"},
        {"answer": "rome"},
        {"text": REFUSAL},
        {"text": ""},
    ]
    rows = [_row(*rng.choices(said, k=rng.randrange(9)), greedy=said[0]) for _ in range(60)]
    assessor = Assessor(POLICY, answer=mode, ignore_answers=ignore_answers)

    for row in read_rows([_write(tmp_path / "in.jsonl", *rows)]):
        assert isinstance(row, RecordedRow)
        apart = replace(row, samples=tuple(sample.model_copy() for sample in row.samples))
        assert len({id(s) for s in row.samples}) == len(set(map(str, row.samples)))
        assert assessor.assess(row) == assessor.assess(apart)


def test_the_twin_reads_replies_that_are_made_while_they_are_looped_over() -> None:
    class Fresh(Sequence[str]):
        def __len__(self) -> int:
            return 4

        @overload
        def __getitem__(self, place: int) -> str: ...
        @overload
        def __getitem__(self, place: slice) -> Sequence[str]: ...
        def __getitem__(self, place: int | slice) -> str | Sequence[str]:
            if not isinstance(place, int) or place > 3:
                raise IndexError(place)
            return f"{'Oslo' if place % 2 else 'Rome'} {place // 2}"

    assert len(assess(Fresh()).evidence.clustering.clusters) == 4


def test_the_python_twin_scores_what_the_command_scores(tmp_path: Path) -> None:
    samples = [{"text": "It is Oslo.", "confidence": 0.7}, {"text": "Rome"}, {"answer": "Oslo"}]
    row = RecordedRow(RowKey("d", "m", "1"), None, None, "Where?", (), None)

    (line,) = _scored(tmp_path, _row(*samples, question="Where?"))
    found = assess(samples, "Where?", policy=POLICY)

    assert {**scored_line(row, found), "n_samples": 3} == line


@pytest.mark.parametrize("given_as", [str, Sample, dict])
def test_the_twin_takes_texts_values_and_mappings(given_as: type) -> None:
    shapes = {str: "Oslo", Sample: Sample(text="Oslo"), dict: {"text": "Oslo"}}

    found = assess([shapes[given_as]] * 2)

    assert found.answer == "Oslo"
    assert found.evidence.clustering.clusters == ((0, 1),)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([42],), "int"),
        (([{"txt": "Oslo"}],), "'text' or 'answer', got 'txt'"),
        ((["Oslo"], 3), "question must be a text, got int"),
        ((7,), "list of replies, got one int"),
    ],
)
def test_the_twin_says_what_it_takes(arguments: tuple[object, ...], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        assess(*arguments)


@pytest.mark.parametrize("given", ["Oslo", b"Oslo", {"text": "Oslo"}])
def test_the_twin_takes_no_single_reply_apart(given: object) -> None:
    """A text is a sequence of texts too: its letters would be five replies."""
    with pytest.raises(ConfigurationError, match="list of replies"):
        assess(given)


@pytest.mark.parametrize(
    ("confidence", "value", "missing"),
    [
        (math.nan, None, "out_of_range"),
        (math.inf, None, "out_of_range"),
        (-0.5, None, "out_of_range"),
        (97, None, "out_of_range"),
        (True, None, "not_stated"),
        ("80%", None, "not_stated"),
        (None, None, "not_stated"),
        (np.float32(0.5), 0.5, None),
    ],
)
def test_the_twin_reads_a_confidence_as_the_command_does(
    confidence: object, value: float | None, missing: str | None
) -> None:
    found = assess([{"text": "Oslo", "confidence": confidence}] * 2, "Where?")

    stated = next(m for m in found.confidence.measurements if m.signal == "stated_probability")
    assert (stated.value, stated.missing) == (value, missing)
