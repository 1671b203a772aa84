"""What is promised of answers shown after a second look, from labels to the client."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom
from verified_world import Shown, drawn, second_looks, shown_after, shown_from

from uncertain_llm import UncertainLLM
from uncertain_llm.core.chat import Request
from uncertain_llm.core.decision import Action, ReasonCode, Support, Verdict
from uncertain_llm.core.errors import FingerprintMismatch, NotEnoughLabels, PolicyError
from uncertain_llm.core.response import DecisionRecord, Label, Response
from uncertain_llm.evaluation.fit import FitOrder, fit
from uncertain_llm.evaluation.fit_rows import FitRow, FitRows, rows_from_log, rows_from_recordings
from uncertain_llm.evaluation.fit_verified import set_apart
from uncertain_llm.policy import (
    CalibrationFile,
    Cuts,
    Decide,
    OnMismatch,
    Policy,
    Verification,
)
from uncertain_llm.policy.certificate import CertifiedBand
from uncertain_llm.policy.certify import Promise
from uncertain_llm.providers.replay_model import ReplayModel
from uncertain_llm.storage.calibration_files import save_calibration
from uncertain_llm.storage.decision_log import open_log
from uncertain_llm.storage.policy_files import load_policy

DOUBTFUL = Policy(name="doubtful", decide=Decide(cuts=Cuts(answer=0.85, hedge=0.7, verify=0.15)))
BOLD = Policy(name="bold", decide=Decide(cuts=Cuts(answer=0.85, hedge=0.5, verify=0.15)))
ALPHA, DELTA = 0.2, 0.2


def _order(alpha: float, *, answer: float = 0.15, delta: float = DELTA) -> FitOrder:
    promises = (Promise(band="answer", alpha=answer), Promise(band="verified", alpha=alpha))
    return FitOrder(promises=promises, delta=delta)


def _verified(file: CalibrationFile) -> CertifiedBand | None:
    return None if file.certificate is None else file.certificate.band("verified")


def _plug_in(file: CalibrationFile, rows: FitRows) -> float:
    """The lowest threshold that merely looks good on the labels that certify."""
    scores, losses = second_looks(file, set_apart(rows, seed=0)[1])
    order = np.argsort(-scores, kind="stable")
    risks = np.cumsum(losses[order]) / np.arange(1, scores.size + 1)
    # Of equal scores the last counts: a threshold lets all of them through.
    is_last = np.append(np.diff(scores[order]) != 0, True)
    good = scores[order][(risks <= ALPHA) & is_last]
    return float(good[-1]) if good.size else 1.0


def _draws(n: int) -> tuple[list[Shown], list[Shown]]:
    """What certified and plug-in thresholds show, over draws of the labels."""
    certified, plugged = [], []
    for seed in range(n):
        rows = drawn(1000, np.random.default_rng([seed, 7]))
        file = fit(rows, DOUBTFUL, _order(ALPHA))
        certified.append(shown_after(file))
        plugged.append(shown_from(file, _plug_in(file, rows)))
    return certified, plugged


def _n_broken(found: Sequence[Shown]) -> int:
    return sum(shown.risk > ALPHA for shown in found)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_promise_of_second_looks_is_broken_on_at_most_its_share_of_the_draws() -> None:
    certified, plugged = _draws(200)

    share = DELTA / 2
    assert sum(shown.share > 0 for shown in certified) > 5
    assert binom.sf(_n_broken(certified) - 1, len(certified), share) > 0.01
    # A threshold that merely looks good on these labels breaks it far more often.
    assert binom.sf(_n_broken(plugged) - 1, len(plugged), share) < 1e-6


def test_a_few_draws_do_not_contradict_the_promise_of_second_looks() -> None:
    certified, _ = _draws(12)

    assert any(shown.share > 0 for shown in certified)
    assert binom.sf(_n_broken(certified) - 1, len(certified), DELTA / 2) > 0.01


def test_labels_set_apart_shape_nothing_but_the_second_threshold() -> None:
    rows = drawn(1200, np.random.default_rng(1))
    apart = {id(row) for row in set_apart(rows, seed=0)[1]}
    turned = [_turned(row) if id(row) in apart else row for row in rows.rows]

    straight = fit(rows, DOUBTFUL, _order(0.4))
    other = fit(replace(rows, rows=turned), DOUBTFUL, _order(0.4))

    assert straight.estimator == other.estimator
    assert straight.policy == other.policy
    assert _verified(straight) is not None
    assert _verified(other) is None


def _turned(row: FitRow) -> FitRow:
    assert row.loss is not None
    assert row.again is not None
    assert row.again.loss is not None
    again = replace(row.again, loss=1.0 - row.again.loss)
    return replace(row, loss=1.0 - row.loss, again=again)


def test_the_answers_to_one_question_never_lie_on_both_sides() -> None:
    rows = drawn(90, np.random.default_rng(2))
    asked = [replace(row, question=f"q{place % 30}") for place, row in enumerate(rows.rows)]

    kept, apart = set_apart(replace(rows, rows=asked), seed=0)

    assert (len(kept.rows), len(apart)) == (45, 45)
    assert {row.question for row in kept.rows}.isdisjoint({row.question for row in apart})


def test_each_promise_gets_its_part_of_delta() -> None:
    found = fit(drawn(1200, np.random.default_rng(5)), DOUBTFUL, _order(0.4))

    assert found.certificate is not None
    assert found.certificate.delta == DELTA
    assert [band.delta for band in found.certificate.bands] == [DELTA / 2, DELTA / 2]
    assert (found.n_rows, found.n_labels, found.n_set_apart) == (1200, 1200, 600)


def test_an_answer_without_its_second_look_counts_as_shown_and_wrong() -> None:
    rows = drawn(1200, np.random.default_rng(3))
    some = [replace(r, again=None) if i % 90 == 0 else r for i, r in enumerate(rows.rows)]

    whole = _verified(fit(rows, DOUBTFUL, _order(0.45)))
    holes = _verified(fit(replace(rows, rows=some), DOUBTFUL, _order(0.45)))

    assert whole is not None
    assert holes is not None
    assert holes.look is not None
    assert holes.look.n_missing > 2
    assert holes.n_wrong >= holes.look.n_missing
    assert holes.risk_bound > whole.risk_bound  # type: ignore[operator]  # neither is an average


def test_without_any_second_look_the_reason_says_what_to_record() -> None:
    rows = drawn(300, np.random.default_rng(4))
    first_only = replace(rows, rows=[replace(row, again=None) for row in rows.rows])

    found = fit(first_only, DOUBTFUL, _order(0.3))

    (reason,) = [reason for reason in found.reasons if reason.band == "verified"]
    assert reason.why == "not_looked_again"
    assert "verify.extra_samples" in reason.sentence()
    assert found.is_promise_broken


def test_where_nothing_is_in_doubt_the_reason_says_so() -> None:
    sure = Policy(name="sure", decide=Decide(cuts=Cuts(answer=0.1, hedge=0.1, verify=0.1)))

    found = fit(drawn(300, np.random.default_rng(4)), sure, _order(0.3, answer=0.4))

    assert [reason.why for reason in found.reasons if reason.band == "verified"] == [
        "none_in_doubt"
    ]


def test_too_few_labels_of_answers_in_doubt_are_told_with_how_many_would_do() -> None:
    found = fit(drawn(250, np.random.default_rng(6)), DOUBTFUL, _order(0.4))

    (reason,) = [reason for reason in found.reasons if reason.band == "verified"]
    sentence = reason.sentence()
    assert "labels of answers in doubt" in sentence
    assert "labels of such answers would do" in sentence
    assert reason.labels_needed is not None
    assert reason.labels_needed > reason.n_labels


def test_second_looks_may_be_promised_where_nothing_can_be_of_first_ones() -> None:
    found = fit(drawn(1200, np.random.default_rng(3)), DOUBTFUL, _order(0.35, answer=0.01))

    gate = found.gate("")
    assert _verified(found) is not None
    assert [reason.band for reason in found.reasons] == ["answer"]
    assert gate is not None
    assert not gate.lets_answer(1.0)
    assert shown_after(found).share > 0


def test_second_looks_alone_need_a_fitted_file() -> None:
    order = FitOrder(promises=(Promise(band="verified", alpha=0.3),))

    with pytest.raises(PolicyError, match="fit with --alpha first"):
        fit(drawn(60, np.random.default_rng(6)), DOUBTFUL, order)


def _line(number: int, rng: np.random.Generator) -> dict[str, object]:
    """A question with seven replies: the last four are surer and better, or echo the first."""
    sure, echoes = rng.random(), rng.random() < 0.5
    samples: list[dict[str, object]] = []
    for place in range(7):
        is_better = place > 2 and not echoes
        is_right = bool(rng.random() < (0.95 if is_better else 0.3 + 0.65 * sure))
        answer = "7" if is_right else str(rng.integers(101, 104))
        if place > 2 and echoes:
            answer, is_right = str(samples[0]["answer"]), bool(samples[0]["correct"])
        stated = 0.4 + 0.5 * sure + 0.1 * is_better + rng.normal(0, 0.05)
        stated = round(float(np.clip(stated, 0, 1)), 2)
        text = f"The number is {answer}."
        samples.append({"text": text, "answer": answer, "confidence": stated, "correct": is_right})
    return {
        "dataset": "made",
        "task": "math_numeric",
        "model": "m",
        "id": str(number),
        "question": f"What is number {number}?",
        "samples": samples,
    }


def _recorded(path: Path, n: int, *, seed: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    lines = [_line(number, rng) for number in range(n)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return lines


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted")
    _recorded(folder / "made.jsonl", 2000, seed=0)
    found = rows_from_recordings([folder / "made.jsonl"], BOLD, look_again=True)
    save_calibration(fit(found, BOLD, _order(0.3, answer=0.1)), folder / "fitted.json")
    return folder / "fitted.json"


def _run(policy: Policy | Path, lines: list[dict[str, object]], **parts: object) -> list[Response]:
    model = ReplayModel(lines, name="m")
    with UncertainLLM(model, policy=policy, log=None, **parts) as llm:
        return [llm.ask(str(line["question"]), task=str(line["task"])) for line in lines]


def test_a_second_look_below_its_threshold_is_not_shown(fitted: Path, tmp_path: Path) -> None:
    lines = _recorded(tmp_path / "fresh.jsonl", 700, seed=1)
    band = _verified(load_policy(fitted).calibration)  # type: ignore[arg-type]  # it was read
    assert band is not None

    looked = [r for r in _run(fitted, lines) if r.decision.action is Action.VERIFY]

    shown = [r for r in looked if r.delivered in (Action.ANSWER, Action.HEDGE)]
    held = [r for r in looked if r.final_decision.reason is ReasonCode.VERIFIED_NOT_CERTIFIED]
    assert len(shown) > 20
    assert held
    assert all(r.confidence.score >= band.threshold for r in shown)
    for response in held:
        assert response.delivered is Action.ABSTAIN
        cuts = response.final_decision.cuts
        assert cuts["score"] < cuts["certified_verified"] == band.threshold
        assert response.final_decision.probability_used >= cuts["hedge"]


def test_what_is_shown_after_a_second_look_keeps_the_promise(fitted: Path, tmp_path: Path) -> None:
    lines = _recorded(tmp_path / "fresh.jsonl", 1500, seed=2)

    wrong = [
        response.answer != "The number is 7."
        for response in _run(fitted, lines)
        if response.decision.action is Action.VERIFY and response.delivered is not Action.ABSTAIN
    ]

    assert len(wrong) > 50
    assert np.mean(wrong) <= 0.3


@pytest.mark.parametrize("alpha", [0.3, 0.4])
def test_the_client_shows_what_the_labels_were_counted_for(tmp_path: Path, alpha: float) -> None:
    """The rows set apart, run through the client: as many shown, and wrong, as certified."""
    lines = _recorded(tmp_path / "made.jsonl", 2000, seed=0)
    rows = rows_from_recordings([tmp_path / "made.jsonl"], BOLD, look_again=True)
    found = fit(rows, BOLD, _order(alpha, answer=0.1))
    save_calibration(found, tmp_path / "fitted.json")
    band, apart = _verified(found), {id(row) for row in set_apart(rows, seed=0)[1]}
    tested = [line for line, row in zip(lines, rows.rows, strict=True) if id(row) in apart]
    assert band is not None

    looked = [
        r for r in _run(tmp_path / "fitted.json", tested) if r.decision.action is Action.VERIFY
    ]

    shown = [r for r in looked if r.delivered is not Action.ABSTAIN]
    assert len(looked) == band.n_labels
    assert len(shown) == band.n_accepted
    assert sum(r.answer != "The number is 7." for r in shown) == band.n_wrong


def test_with_other_cuts_nothing_is_shown_after_a_second_look_and_a_warning_says_why(
    fitted: Path, tmp_path: Path
) -> None:
    lines = _recorded(tmp_path / "fresh.jsonl", 60, seed=1)
    own = BOLD.model_copy(update={"calibration": load_policy(fitted).calibration})

    found = _run(own, lines)

    looked = [r for r in found if r.decision.action is Action.VERIFY]
    assert looked
    assert {r.delivered for r in looked} == {Action.ABSTAIN}
    assert all("other cuts, another number of replies" in r.warnings[0] for r in found)
    assert any(r.delivered is Action.ANSWER for r in found)


def test_a_policy_may_refuse_to_run_with_other_second_looks_than_those_labelled(
    fitted: Path,
) -> None:
    policy = load_policy(fitted)
    strict = policy.model_copy(
        update={
            "decide": policy.decide.model_copy(update={"on_mismatch": OnMismatch.REFUSE}),
            "verify": Verification(extra_samples=5),
        }
    )
    lines = [_line(0, np.random.default_rng(0))]

    with pytest.raises(FingerprintMismatch, match="looks again"):
        _run(strict, lines)
    _run(strict.model_copy(update={"verify": policy.verify}), lines)


class Agrees:
    name = "agrees"

    def verify(self, request: Request, text: str) -> Verdict:
        return Verdict(support=Support.SUPPORTED, verifier=self.name)


def test_a_verifier_that_no_label_is_about_gets_nothing_shown(fitted: Path) -> None:
    rng = np.random.default_rng(9)

    found = _run(fitted, [_line(number, rng) for number in range(60)], verifier=Agrees())

    looked = [r for r in found if r.decision.action is Action.VERIFY]
    assert {r.final_decision.reason for r in looked} == {ReasonCode.VERIFIED_NOT_CERTIFIED}
    assert all("another verifier" in r.warnings[0] for r in found)


class Checks:
    """A verifier that finds most right answers, lets some wrong ones pass, and often cannot say."""

    name = "checks"

    def verify(self, request: Request, text: str) -> Verdict:
        luck = random.Random(str(request.messages)).random()
        is_right = text == "The number is 7."
        if luck < 0.2:
            return Verdict(support=Support.UNDECIDED, verifier=self.name)
        found = Support.SUPPORTED if is_right is (luck < 0.95) else Support.CONTRADICTED
        return Verdict(support=found, verifier=self.name)


def _logged(
    folder: Path, policy: Policy | Path, n: int, *, seed: int, **parts: object
) -> tuple[list[DecisionRecord], list[Label]]:
    """Decisions of a client about fresh questions, each with the label of its answer."""
    lines = _recorded(folder / f"{seed}.jsonl", n, seed=seed)
    url = f"sqlite:///{folder}/{seed}.db"
    with UncertainLLM(ReplayModel(lines, name="m"), policy=policy, log=url, **parts) as llm:
        for line in lines:
            llm.ask(str(line["question"]), task=str(line["task"]))
    with open_log(url, create=False) as log:
        records = list(log.records())
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    labels = [
        Label(
            record_id=record.id,
            loss=float(record.answer != "The number is 7."),
            source="human",
            created_at=moment,
        )
        for record in records
    ]
    return records, labels


def test_a_log_tells_both_looks_of_what_was_looked_at_again(tmp_path: Path) -> None:
    records, labels = _logged(tmp_path, BOLD, 60, seed=3)

    found = rows_from_log(records, labels, BOLD, all_drawn=True, look_again=True)
    recorded = rows_from_recordings([tmp_path / "3.jsonl"], BOLD, look_again=True)

    pairs = list(zip(found.rows, recorded.rows, strict=True))
    looked = [(row, twin) for row, twin in pairs if row.again is not None]
    assert len(looked) == sum(r.decision.action is Action.VERIFY for r in records) > 10
    for row, twin in looked:
        assert (row.values, row.n_samples, row.again) == (twin.values, 3, twin.again)


ALONE = FitOrder(promises=(Promise(band="verified", alpha=0.3),))


@pytest.fixture(scope="module")
def first_looks(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """A fitted file that promises something of answers, and nothing of second looks."""
    folder = tmp_path_factory.mktemp("first")
    _recorded(folder / "made.jsonl", 800, seed=0)
    rows = rows_from_recordings([folder / "made.jsonl"], BOLD, n_samples=3)
    order = FitOrder(promises=(Promise(band="answer", alpha=0.1),), delta=0.05)
    save_calibration(fit(rows, BOLD, order), folder / "fitted.json")
    return load_policy(folder / "fitted.json")


def test_a_log_of_a_fitted_file_certifies_what_its_verifier_supports_and_changes_nothing_else(
    tmp_path: Path, first_looks: Policy
) -> None:
    records, labels = _logged(tmp_path, first_looks, 1200, seed=5, verifier=Checks())
    rows = rows_from_log(
        records, labels, first_looks, all_drawn=True, look_again=True, by_policy=True
    )

    found = fit(rows, first_looks, ALONE)

    before = first_looks.calibration
    assert isinstance(before, CalibrationFile)
    assert before.certificate is not None
    assert (found.estimator, found.policy) == (before.estimator, before.policy)
    assert found.certificate is not None
    answer, supported = found.certificate.bands
    assert (answer,) == before.certificate.bands
    assert found.certificate.delta == pytest.approx(0.05 + 0.1)
    assert supported.look is not None
    assert (supported.look.verifier, supported.look.support) == ("checks", Support.SUPPORTED)
    assert supported.look.n_missing == 0
    # Of the undecided too many are wrong; what a verifier supports is promised all the same.
    assert [reason.support for reason in found.reasons] == [Support.UNDECIDED]
    assert not found.is_promise_broken


def test_the_client_shows_only_verdicts_that_something_was_certified_of(
    tmp_path: Path, first_looks: Policy
) -> None:
    records, labels = _logged(tmp_path, first_looks, 1200, seed=5, verifier=Checks())
    rows = rows_from_log(
        records, labels, first_looks, all_drawn=True, look_again=True, by_policy=True
    )
    save_calibration(fit(rows, first_looks, ALONE), tmp_path / "verified.json")
    fresh = _recorded(tmp_path / "fresh.jsonl", 600, seed=6)

    looked = [
        r
        for r in _run(tmp_path / "verified.json", fresh, verifier=Checks())
        if r.decision.action is Action.VERIFY
    ]

    shown = [r for r in looked if r.delivered is not Action.ABSTAIN]
    assert len(shown) > 20
    assert {r.verdict.support for r in shown if r.verdict} == {Support.SUPPORTED}
    assert np.mean([r.answer != "The number is 7." for r in shown]) <= 0.3
    undecided = [r for r in looked if r.verdict and r.verdict.support is Support.UNDECIDED]
    assert {r.final_decision.reason for r in undecided} == {ReasonCode.VERIFIED_NOT_CERTIFIED}


def test_decisions_before_the_fitted_file_certify_nothing_about_it(
    tmp_path: Path, first_looks: Policy
) -> None:
    records, labels = _logged(tmp_path, BOLD, 30, seed=7)

    found = rows_from_log(
        records, labels, first_looks, all_drawn=True, look_again=True, by_policy=True
    )

    assert (len(found.rows), found.n_other_pipeline) == (0, 30)
    with pytest.raises(NotEnoughLabels, match="30 others do not count"):
        fit(found, first_looks, ALONE)


def test_a_log_without_replies_cannot_tell_first_looks_and_says_so(tmp_path: Path) -> None:
    records, labels = _logged(tmp_path, BOLD, 30, seed=6, store="hash")

    with pytest.raises(NotEnoughLabels, match="hash-only"):
        rows_from_log(records, labels, BOLD, all_drawn=True, look_again=True)


def test_a_log_of_a_fitted_file_certifies_further_replies_too(
    tmp_path: Path, first_looks: Policy
) -> None:
    records, labels = _logged(tmp_path, first_looks, 900, seed=8)
    rows = rows_from_log(
        records, labels, first_looks, all_drawn=True, look_again=True, by_policy=True
    )

    found = fit(rows, first_looks, FitOrder(promises=(Promise(band="verified", alpha=0.4),)))

    band = _verified(found)
    assert band is not None
    assert band.look is not None
    assert (band.look.verifier, band.look.n_replies, band.look.n_missing) == (None, (7, 7), 0)
    assert band.n_labels > 100
