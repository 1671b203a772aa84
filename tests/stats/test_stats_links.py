from __future__ import annotations

import numpy as np
import pytest

from uncertain_llm.stats.links import compressed_logit, log_odds, sigmoid
from uncertain_llm.stats.scalars import sigmoid_of


def test_sigmoid_is_exact_at_the_ends_and_undoes_log_odds() -> None:
    probabilities = np.array([1e-300, 1e-9, 0.2, 0.5, 1 - 1e-9])

    np.testing.assert_allclose(sigmoid(log_odds(probabilities)), probabilities, rtol=1e-12)
    assert sigmoid([-1e308, 1e308]).tolist() == [0.0, 1.0]


def test_compressed_logit_keeps_the_order_of_scores_near_one() -> None:
    scores = [0.0, 1e-6, 0.5, 0.999, 0.9999, 1.0]

    feature = compressed_logit(scores)

    assert np.all(np.diff(feature) > 0)
    np.testing.assert_allclose(feature, -compressed_logit(1 - np.array(scores)), atol=1e-12)


def test_sigmoid_of_one_number_is_the_array_form() -> None:
    values = [-800.0, -3.0, 0.0, 2.5, 800.0]

    assert [sigmoid_of(value) for value in values] == pytest.approx(sigmoid(values).tolist())


def test_log_odds_of_a_certainty_are_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        log_odds([1.0])
