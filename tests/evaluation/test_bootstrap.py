"""Bootstrap intervals over sequences."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from siamfc.evaluation.bootstrap import bootstrap_difference, bootstrap_mean


def test_the_interval_approaches_that_of_all_possible_draws() -> None:
    values = [0.1, 0.4, 0.5, 0.9, 0.95]
    means = [np.mean(draw) for draw in product(values, repeat=len(values))]
    interval = bootstrap_mean(values, rng=np.random.default_rng(1), resamples=100_000)
    # 100,000 draws leave the quantiles an error of about 0.003.
    np.testing.assert_allclose(interval[1:], np.quantile(means, [0.025, 0.975]), atol=0.01)
    assert interval.mean == pytest.approx(np.mean(values))


def test_the_interval_of_many_sequences_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(2).normal(0.6, 0.2, size=400)
    interval = bootstrap_mean(values, rng=np.random.default_rng(3))
    half = 1.96 * values.std() / 20
    np.testing.assert_allclose([interval.low, interval.high], values.mean() + np.array([-half, half]), atol=1e-3)


def test_the_same_generator_state_gives_the_same_interval() -> None:
    first, second = (bootstrap_mean([0.1, 0.2, 0.6], rng=np.random.default_rng(7)) for _ in range(2))
    assert first == second


def test_pairing_takes_out_what_is_hard_for_both() -> None:
    rng = np.random.default_rng(4)
    hardness = rng.uniform(0, 1, size=50)
    better, worse = hardness + 0.02, hardness + rng.normal(0, 0.01, size=50)
    paired = bootstrap_difference(better, worse, rng=rng)
    assert paired.low > 0
    single = bootstrap_mean(better, rng=rng)
    assert paired.high - paired.low < (single.high - single.low) / 10


def test_more_sequences_than_fit_at_once_are_drawn_in_parts() -> None:
    values = np.linspace(0, 1, 3000)
    interval = bootstrap_mean(values, rng=np.random.default_rng(5), resamples=1000)
    assert interval.low < 0.5 < interval.high


@pytest.mark.parametrize("values", [[], [[0.1]], [0.1, np.nan]])
def test_what_is_not_one_finite_number_a_sequence_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="one a sequence"):
        bootstrap_mean(values, rng=np.random.default_rng(0))


def test_two_lengths_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="one length"):
        bootstrap_difference([0.1], [0.1, 0.2], rng=np.random.default_rng(0))
