"""From labelled rows to a calibration file, and back to decisions."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from uncertain_llm import UncertainLLM
from uncertain_llm.calibration.fitting import CombinerChoice
from uncertain_llm.core.confidence import ConfidenceStatus
from uncertain_llm.core.decision import Action
from uncertain_llm.core.errors import FingerprintMismatch, NotEnoughLabels, PolicyError
from uncertain_llm.core.response import Label
from uncertain_llm.evaluation.assess_offline import AnswerMode, Assessor, assess, scored_line
from uncertain_llm.evaluation.dataset import read_labels, read_rows
from uncertain_llm.evaluation.fit import FitOrder, fit
from uncertain_llm.evaluation.fit_figures import held_out_figures
from uncertain_llm.evaluation.fit_rows import FitRow, rows_from_log, rows_from_recordings
from uncertain_llm.evaluation.lines import BadLine
from uncertain_llm.policy import CalibrationFile, Costs, Decide, OnMismatch, Policy
from uncertain_llm.policy.certify import Promise
from uncertain_llm.providers.demo_recording import demo_questions
from uncertain_llm.storage.calibration_files import save_calibration
from uncertain_llm.storage.decision_log import open_log
from uncertain_llm.storage.policy_files import load_policy

BALANCED = load_policy("balanced")
ALL_AGREE = [{"answer": "7", "confidence": 0.9}] * 3
TENTH = FitOrder(promises=(Promise(band="answer", alpha=0.1),))


def _line(number: int, rng: np.random.Generator, *, model: str, domain: str, label: bool) -> str:
    """A question with three replies; the surer the world is of it, the more of them agree."""
    sure = rng.random()
    hard = 0.15 if domain == "law" else 0.0
    samples = []
    for _ in range(3):
        is_right = rng.random() < 0.3 + 0.69 * sure - hard
        answer = "7" if is_right else str(rng.integers(100, 104))
        stated = round(min(1.0, max(0.0, 0.4 + 0.55 * sure + rng.normal(0, 0.05))), 2)
        sample = {"text": None, "answer": answer, "confidence": stated}
        samples.append(sample | ({"correct": is_right} if label else {"correct": None}))
    return json.dumps(
        {
            "dataset": "made",
            "task": "math_numeric",
            "domain": domain,
            "model": model,
            "id": str(number),
            "question": f"Question number {number}?",
            "samples": samples,
            "greedy": None,
        }
    )


def _recording(
    path: Path, n: int, *, seed: int = 0, model: str = "m", first: int = 0, label: bool = True
) -> Path:
    rng = np.random.default_rng(seed)
    lines = [
        _line(first + i, rng, model=model, domain="law" if i % 2 else "art", label=label)
        for i in range(n)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def _fitted(tmp_path: Path, n: int, order: FitOrder, *, policy: Policy = BALANCED) -> Path:
    found = rows_from_recordings([_recording(tmp_path / "fit.jsonl", n)], policy)
    save_calibration(fit(found, policy, order), tmp_path / "fitted.json")
    return tmp_path / "fitted.json"


def _judged(policy: Policy, path: Path) -> list[tuple[Action, float | None, str, bool]]:
    assessor, labels = Assessor(policy), read_labels([path])
    found = []
    for row, label in zip(read_rows([path]), labels, strict=True):
        assert not isinstance(row, BadLine)
        assessed = assessor.assess(row)
        found.append(
            (
                assessed.decision.action,
                assessed.confidence.probability,
                assessed.confidence.status.value,
                bool(label.of(assessed.representative)),
            )
        )
    return found


def test_a_fitted_file_makes_probabilities_that_come_true_on_fresh_rows(tmp_path: Path) -> None:
    policy = load_policy(_fitted(tmp_path, 300, FitOrder()))
    fresh = _recording(tmp_path / "fresh.jsonl", 1000, seed=1)

    judged = _judged(policy, fresh)

    stated = np.array([p for _, p, _, _ in judged], dtype=float)
    right = np.array([r for *_, r in judged], dtype=float)
    assert {status for _, _, status, _ in judged} <= {"calibrated", "out_of_range"}
    assert abs(stated.mean() - right.mean()) < 0.05
    top = stated > 0.9
    assert abs(stated[top].mean() - right[top].mean()) < 0.06


def test_a_certified_file_answers_with_no_more_errors_than_it_promises(tmp_path: Path) -> None:
    policy = load_policy(_fitted(tmp_path, 400, TENTH))
    fresh = _recording(tmp_path / "fresh.jsonl", 3000, seed=2)

    answered = [right for action, _, _, right in _judged(policy, fresh) if action is Action.ANSWER]

    assert len(answered) > 500
    assert 1 - np.mean(answered) <= 0.1


def test_where_nothing_can_be_certified_nothing_is_answered_as_it_is(tmp_path: Path) -> None:
    order = FitOrder(promises=(Promise(band="answer", alpha=0.01),))
    policy = load_policy(_fitted(tmp_path, 60, order))
    fresh = _recording(tmp_path / "fresh.jsonl", 100, seed=3)

    actions = {action for action, *_ in _judged(policy, fresh)}

    assert policy.calibration is not None
    assert not isinstance(policy.calibration, str)
    assert policy.calibration.cuts is None
    assert policy.calibration.is_promise_broken
    assert Action.ANSWER not in actions
    assert Action.HEDGE in actions


def test_labels_shape_no_score_that_they_certify(tmp_path: Path) -> None:
    """With all labels turned round the scores stay: only what they are mapped to changes."""
    rows = rows_from_recordings([_recording(tmp_path / "a.jsonl", 150)], BALANCED)
    turned = [
        FitRow(r.values, r.n_samples, 1.0 - (r.loss or 0.0), r.is_declined, r.is_drawn, r.slices)
        for r in rows.rows
    ]

    straight = fit(rows, BALANCED, TENTH)
    rows.rows = turned
    other = fit(rows, BALANCED, TENTH)

    assert straight.estimator.combiner == other.estimator.combiner
    assert straight.estimator.map != other.estimator.map


def test_weights_of_ones_own_and_certificate_use_different_labels(tmp_path: Path) -> None:
    rows = rows_from_recordings([_recording(tmp_path / "a.jsonl", 400)], BALANCED)
    order = FitOrder(promises=TENTH.promises, combiner=CombinerChoice.FITTED)

    found = fit(rows, BALANCED, order)

    assert found.certificate is not None
    assert found.estimator.combiner.source == "fitted"
    # 30 % fitted the weights; of the rest a fifth set the thresholds.
    assert found.certificate.band("answer").n_labels == 400 - 120 - 56  # type: ignore[union-attr]


def test_unlabelled_rows_give_the_thresholds_so_every_label_certifies(tmp_path: Path) -> None:
    labelled = _recording(tmp_path / "a.jsonl", 200)
    traffic = _recording(tmp_path / "b.jsonl", 100, first=1000, seed=5, label=False)

    found = fit(rows_from_recordings([labelled, traffic], BALANCED), BALANCED, TENTH)

    assert (found.n_rows, found.n_labels) == (300, 200)
    assert found.certificate is not None
    assert found.certificate.thresholds_from == "unlabelled"
    assert found.certificate.bands[0].n_labels == 200


def test_two_promises_are_kept_by_two_thresholds(tmp_path: Path) -> None:
    order = FitOrder(promises=(Promise(band="answer", alpha=0.1), Promise(band="shown", alpha=0.2)))
    rows = rows_from_recordings([_recording(tmp_path / "a.jsonl", 800)], BALANCED)

    found = fit(rows, BALANCED, order)

    assert found.certificate is not None
    answer, shown = (found.certificate.band(name) for name in ("answer", "shown"))
    assert answer is not None
    assert shown is not None
    assert shown.threshold < answer.threshold
    assert found.cuts is not None
    assert found.cuts.hedge < found.cuts.answer


def test_what_is_hedged_keeps_the_risk_that_was_promised_of_it_alone(tmp_path: Path) -> None:
    promises = (Promise(band="answer", alpha=0.1), Promise(band="hedge", alpha=0.5))
    policy = load_policy(_fitted(tmp_path, 1600, FitOrder(promises=promises)))
    fresh = _recording(tmp_path / "fresh.jsonl", 3000, seed=2)

    judged = _judged(policy, fresh)

    hedged = [right for action, _, _, right in judged if action is Action.HEDGE]
    assert len(hedged) > 200
    assert 1 - np.mean(hedged) <= 0.5
    assert isinstance(policy.calibration, CalibrationFile)
    assert policy.calibration.certificate is not None
    answer, hedge = policy.calibration.certificate.bands
    assert hedge.below == answer.threshold


def test_with_costs_the_certificate_only_makes_the_cuts_stricter(tmp_path: Path) -> None:
    costs = Costs(wrong=20, hedge=1, verify=2, abstain=3)
    decide = BALANCED.decide.model_dump() | {"costs": costs, "cuts": None}
    decide.pop("cuts")
    policy = BALANCED.model_validate(BALANCED.model_dump() | {"decide": decide})
    rows = rows_from_recordings([_recording(tmp_path / "a.jsonl", 400)], policy)

    found = fit(rows, policy, FitOrder(promises=(Promise(band="answer", alpha=0.4),)))

    assert found.cuts is not None
    assert found.cuts.answer >= policy.decide.effective_cuts.answer


def test_the_same_labels_and_seed_give_the_same_file(tmp_path: Path) -> None:
    path = _recording(tmp_path / "a.jsonl", 120)

    first, again = (fit(rows_from_recordings([path], BALANCED), BALANCED, TENTH) for _ in "ab")

    assert first.model_dump_json() == again.model_dump_json()


def test_another_model_than_those_fitted_runs_uncalibrated_and_says_so(tmp_path: Path) -> None:
    policy = load_policy(_fitted(tmp_path, 60, FitOrder()))
    other = _recording(tmp_path / "other.jsonl", 5, model="another")
    assessor = Assessor(policy)

    found = [assessor.assess(row) for row in read_rows([other]) if not isinstance(row, BadLine)]

    assert {f.confidence.status for f in found} == {ConfidenceStatus.UNCALIBRATED}
    assert {f.confidence.probability for f in found} == {None}
    (warning,) = assessor.warnings
    assert "model another" in warning
    assert "labels are of m" in warning


def test_another_answer_than_that_fitted_runs_uncalibrated(tmp_path: Path) -> None:
    policy = load_policy(_fitted(tmp_path, 60, FitOrder()))
    assessor = Assessor(policy, answer=AnswerMode.FIRST)

    row = next(read_rows([_recording(tmp_path / "x.jsonl", 1)]))
    assert not isinstance(row, BadLine)
    line = scored_line(row, assessor.assess(row))

    assert (line["status"], line["probability"]) == ("uncalibrated", None)
    assert line["score"] is not None


def test_a_policy_may_refuse_what_was_fitted_elsewhere(tmp_path: Path) -> None:
    policy = load_policy(_fitted(tmp_path, 60, FitOrder()))
    strict = policy.model_copy(
        update={"decide": policy.decide.model_copy(update={"on_mismatch": OnMismatch.REFUSE})}
    )

    with pytest.raises(FingerprintMismatch, match="refit it"):
        assess(["7", "7", "8"], policy=strict, model="another")

    assert assess(ALL_AGREE, policy=strict, model="m").confidence.probability is not None


def test_a_policy_that_samples_differently_does_not_use_the_file(tmp_path: Path) -> None:
    _fitted(tmp_path, 60, FitOrder())
    path = tmp_path / "own.yaml"
    path.write_text(
        "name: own\ncalibration: fitted.json\nsampling: {temperature: 1.3}\n"
        "decide: {cuts: {answer: 0.8, hedge: 0.6, verify: 0.3}}\n"
    )

    found = assess(["7", "7", "8"], policy=path, model="m")

    assert found.confidence.status is ConfidenceStatus.UNCALIBRATED


def test_a_policy_names_its_calibration_and_keeps_its_own_cuts(tmp_path: Path) -> None:
    _fitted(tmp_path, 60, FitOrder())
    path = tmp_path / "own.yaml"
    text = "name: own\ncalibration: fitted.json\ndecide: {cuts: {answer: 1, hedge: 0, verify: 0}}\n"
    path.write_text(text)

    found = assess(ALL_AGREE, policy=path, model="m")

    assert found.confidence.status is ConfidenceStatus.CALIBRATED
    assert found.decision.action is Action.HEDGE


def test_a_policy_value_with_a_path_that_nobody_read_is_refused() -> None:
    policy = BALANCED.model_copy(update={"calibration": "somewhere.json"})

    with pytest.raises(PolicyError, match="load_policy"):
        assess(["7", "7", "8"], policy=policy)


def test_rows_that_come_twice_and_bad_lines_are_named_and_left_out(tmp_path: Path) -> None:
    path = _recording(tmp_path / "a.jsonl", 30)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[3], "{broken"]) + "\n")

    found = rows_from_recordings([path], BALANCED)

    assert len(found.rows) == 30
    assert found.bad[0] == "a.jsonl line 31: the row '3' of made, m comes twice; the first counts"
    assert found.bad[1].startswith("a.jsonl line 32: not JSON")


@pytest.mark.parametrize("labels", [[1.0], [1.0] * 60, [0.0, 1.0, 1.0]])
def test_labels_that_cannot_tell_how_figures_vary_give_them_no_interval(
    labels: list[float],
) -> None:
    stated = np.linspace(0.5, 0.9, len(labels))

    found = held_out_figures(stated, np.array(labels), seed=0)

    assert found.accuracy is not None
    assert found.accuracy.interval is not None
    for figure in (found.smooth_ece, found.ece_debiased, found.log_loss, found.brier):
        assert figure is not None
        assert figure.interval is None


def test_a_label_that_is_none_is_named_and_does_not_count(tmp_path: Path) -> None:
    path = _recording(tmp_path / "a.jsonl", 30)
    lines = path.read_text().splitlines()
    lines[4] = re.sub(r'"correct": \w+', '"correct": NaN', lines[4])
    path.write_text("\n".join(lines) + "\n")

    found = rows_from_recordings([path], BALANCED)

    assert sum(row.loss is not None for row in found.rows) == 29
    assert found.bad == ["a.jsonl line 5: 'correct' must be true, false or null, got nan"]


def test_rows_of_one_slice_share_its_names_so_that_millions_fit_into_memory(tmp_path: Path) -> None:
    rows = rows_from_recordings([_recording(tmp_path / "fit.jsonl", 40)], BALANCED).rows

    assert len({id(row.slices) for row in rows}) == 2
    assert {row.slices["domain"] for row in rows} == {"law", "art"}


def test_without_a_label_the_error_says_where_labels_belong(tmp_path: Path) -> None:
    path = _recording(tmp_path / "a.jsonl", 5, label=False)

    with pytest.raises(NotEnoughLabels, match="'correct'"):
        fit(rows_from_recordings([path], BALANCED), BALANCED, FitOrder())


def test_one_label_is_enough_for_a_file_with_the_prior(tmp_path: Path) -> None:
    found = fit(
        rows_from_recordings([_recording(tmp_path / "a.jsonl", 1)], BALANCED), BALANCED, TENTH
    )

    assert found.estimator.method.value == "prior"
    assert found.reasons[0].labels_needed == 22


def test_groups_are_reported_with_their_own_accuracy(tmp_path: Path) -> None:
    rows = rows_from_recordings([_recording(tmp_path / "a.jsonl", 600)], BALANCED)

    found = fit(rows, BALANCED, FitOrder(group_by="domain"))

    by_group = {g.group: g for g in found.by_group}
    assert set(by_group) == {"art", "law"}
    assert by_group["law"].accuracy < by_group["art"].accuracy
    for group in by_group.values():
        assert abs(group.mean_after - group.accuracy) < 0.05


def test_a_certificate_for_each_group_shares_delta_out(tmp_path: Path) -> None:
    rows = rows_from_recordings([_recording(tmp_path / "a.jsonl", 600)], BALANCED)
    order = FitOrder(
        promises=(Promise(band="answer", alpha=0.25),), group_by="domain", certify_by_group=True
    )

    found = fit(rows, BALANCED, order)

    assert found.certificate is not None
    assert {b.group for b in found.certificate.bands} == {"art", "law"}
    gates = {name: found.gate(name) for name in ("art", "law", "")}
    assert gates["art"] is not None
    assert gates["art"].answer is not None
    # Of a group that no label is of, nothing is known.
    assert gates[""] is not None
    assert gates[""].answer is None


def test_a_log_is_fitted_on_its_labels_and_the_client_uses_the_file(tmp_path: Path) -> None:
    policy = load_policy("balanced")
    url = f"sqlite:///{tmp_path}/log.db"
    _label_the_demo(url, policy)

    with open_log(url, create=False) as log:
        rows = rows_from_log(log.records(), log.labels(), policy)
    save_calibration(fit(rows, policy, FitOrder()), tmp_path / "fitted.json")

    with UncertainLLM("replay/demo", policy=tmp_path / "fitted.json", log=None) as llm:
        reply = llm.ask("What is the capital of Australia?")
    assert reply.confidence.status is ConfidenceStatus.CALIBRATED
    assert reply.warnings == ()


def test_picked_labels_calibrate_and_certify_nothing(tmp_path: Path) -> None:
    policy = load_policy("balanced").model_copy(
        update={"audit": BALANCED.audit.model_copy(update={"rate": 0.0})}
    )
    url = f"sqlite:///{tmp_path}/log.db"
    _label_the_demo(url, policy)
    with open_log(url, create=False) as log:
        picked = rows_from_log(log.records(), log.labels(), policy)
        drawn = rows_from_log(log.records(), log.labels(), policy, all_drawn=True)

    found = fit(picked, policy, FitOrder(promises=(Promise(band="answer", alpha=0.4),)))
    sure = fit(drawn, policy, FitOrder(promises=(Promise(band="answer", alpha=0.4),)))

    assert found.estimator == sure.estimator
    assert [r.why for r in found.reasons] == ["labels_picked"]
    assert sure.certificate is not None


def test_decisions_of_another_pipeline_are_left_out_and_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/log.db"
    _label_the_demo(url, load_policy("balanced"), n=3)
    other = load_policy("cautious")

    with open_log(url, create=False) as log:
        found = rows_from_log(log.records(), log.labels(), other)

    assert (len(found.rows), found.n_other_pipeline) == (0, 3)


def test_of_two_kinds_of_answers_the_one_with_more_labels_is_fitted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/log.db"
    policy = load_policy("balanced")
    ids = _label_the_demo(url, policy, n=4)
    with open_log(url) as log:
        records = [
            record.model_copy(update={"mode": "annotate"}) if record.id != ids[0] else record
            for record in log.records()
        ]

        found = rows_from_log(records, log.labels(), policy)

    assert (found.binding.answer, len(found.rows), found.n_other_pipeline) == ("first", 3, 1)


def test_a_person_outweighs_a_judge_and_the_newest_person_counts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/log.db"
    policy = load_policy("balanced")
    ids = _label_the_demo(url, policy, n=1)
    with open_log(url) as log:
        for day, (loss, source) in enumerate([(1.0, "human"), (0.0, "judge:x")], start=2):
            log.add_label(_label(ids[0], loss, source=source, day=day))

        found = rows_from_log(log.records(), log.labels(), policy)

    assert [row.loss for row in found.rows] == [1.0]


def _label_the_demo(url: str, policy: Policy, *, n: int = 60) -> list[str]:
    ids = []
    with UncertainLLM("replay/demo", policy=policy, log=url) as llm:
        for question in demo_questions()[:n]:
            reply = llm.ask(question.question)
            index = reply.evidence.answer_index
            assert index is not None
            ids.append((reply.id, question.is_right(index)))
    with open_log(url) as log:
        for record_id, is_right in ids:
            log.add_label(_label(record_id, 0.0 if is_right else 1.0))
    return [record_id for record_id, _ in ids]


def _label(record_id: str, loss: float, *, source: str = "human", day: int = 1) -> Label:
    moment = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day)
    return Label(record_id=record_id, loss=loss, source=source, created_at=moment)


def test_every_figure_has_an_interval_that_holds_it(tmp_path: Path) -> None:
    rows = rows_from_recordings([_recording(tmp_path / "a.jsonl", 200)], BALANCED)

    found = fit(rows, BALANCED, FitOrder())

    for figures in (found.before, found.after):
        assert figures.n == 200
        for figure in (figures.accuracy, figures.log_loss, figures.brier, figures.auroc):
            assert figure is not None
            assert figure.interval is not None
            assert figure.interval[0] <= figure.value <= figure.interval[1]
    assert math.fsum(band.share.value for band in found.at_cuts) == pytest.approx(1.0)


def test_the_table_of_actions_takes_what_costs_least_where_the_promise_bars(
    tmp_path: Path,
) -> None:
    """A hedge costs more here than looking again: nothing should be hedged, barred or not."""
    costs = Costs(wrong=10, hedge=5, verify=2, abstain=3)
    policy = BALANCED.model_copy(update={"decide": Decide(costs=costs)})
    rows = rows_from_recordings([_recording(tmp_path / "a.jsonl", 300)], policy)

    found = fit(rows, policy, FitOrder(promises=(Promise(band="answer", alpha=0.001),)))

    shares = {band.action: band.n for band in found.at_cuts}
    assert (shares["answer"], shares["hedge"]) == (0, 0)
    assert shares["verify"] > 100


def test_labels_of_refusals_count_and_shape_no_probability(tmp_path: Path) -> None:
    found = rows_from_recordings([_recording(tmp_path / "fit.jsonl", 200)], BALANCED)
    plain = fit(found, BALANCED, TENTH)
    refusing = [replace(row, is_declined=True, loss=0.0) for row in found.rows[:40]]
    more = replace(found, rows=[*found.rows, *refusing])

    made = fit(more, BALANCED, TENTH)

    assert (made.n_labels, made.n_declined) == (240, 40)
    assert made.estimator.map == plain.estimator.map
    assert sum(band.n for band in made.at_cuts) == 240
    abstained = {band.action: band.n for band in made.at_cuts}["abstain"]
    assert abstained >= 40


def test_labels_of_refusals_alone_fit_nothing_and_say_so(tmp_path: Path) -> None:
    found = rows_from_recordings([_recording(tmp_path / "fit.jsonl", 30)], BALANCED)
    refusing = replace(found, rows=[replace(row, is_declined=True) for row in found.rows])

    with pytest.raises(NotEnoughLabels, match="the model declined in 30"):
        fit(refusing, BALANCED, TENTH)
