from __future__ import annotations

import numpy as np
import pytest
from ranking_quality import FIGURES, Draws, as_ranked, best_of, draw_together, figures_of, mean_of

ACCURACY, AUROC = FIGURES.index("accuracy"), FIGURES.index("auroc")


def test_an_answer_without_a_score_is_ranked_last() -> None:
    ranked = as_ranked([0.3, None, 0.0], [True, False, True])

    assert list(np.argsort(ranked.scores)) == [1, 2, 0]


def test_scores_that_are_all_missing_tie() -> None:
    ranked = as_ranked([None, None], [True, False])

    assert figures_of(ranked.scores, ranked.right)[AUROC] == pytest.approx(0.5)


def test_figures_of_a_perfect_ranking_are_those_counted_by_hand() -> None:
    figures = dict(
        zip(
            FIGURES,
            figures_of(np.array([0.9, 0.8, 0.2, 0.1]), np.array([1.0, 1, 0, 0])),
            strict=True,
        )
    )

    # Risk at 1, 2, 3, 4 answers is 0, 0, 1/3, 1/2; a half of all are kept at no risk.
    assert figures["accuracy"] == 0.5
    assert figures["auroc"] == 1.0
    assert figures["selective_50"] == 1.0
    assert figures["selective_80"] < 1.0


def test_rows_of_one_question_are_drawn_together() -> None:
    ranked = {"system": as_ranked([0.1, 0.9, 0.2, 0.8], [True, True, False, False])}

    draws = draw_together(ranked, ["one", "one", "two", "two"], n_resamples=50, seed=1)["system"]

    assert set(draws.resampled[:, ACCURACY]) == {0.0, 0.5, 1.0}


def test_a_system_differs_from_itself_by_nothing_on_every_resample() -> None:
    ranked = as_ranked([0.1, 0.9, 0.2, 0.8, 0.4, 0.3], [True, True, False, False, True, False])

    drawn = draw_together({"a": ranked, "b": ranked}, list("abcdef"), n_resamples=30, seed=3)

    gap = drawn["a"].minus(drawn["b"]).estimate("auroc")
    assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_datasets_weigh_the_same_in_the_mean() -> None:
    def constant(value: float) -> Draws:
        return Draws(np.full(len(FIGURES), value), np.full((5, len(FIGURES)), value))

    assert mean_of([constant(0.2), constant(0.6)]).estimate("aurc").value == pytest.approx(0.4)


@pytest.mark.parametrize(("figure", "best"), [("auroc", "high"), ("augrc", "low")])
def test_the_best_is_the_lowest_where_lower_is_better(figure: str, best: str) -> None:
    draws = {
        "low": Draws(np.full(len(FIGURES), 0.1), np.zeros((1, len(FIGURES)))),
        "high": Draws(np.full(len(FIGURES), 0.9), np.zeros((1, len(FIGURES)))),
    }

    assert best_of(draws, figure) == best
