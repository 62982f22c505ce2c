"""The kernel is the ridge regression's, whichever way its samples came, and first samples keep their share."""

from __future__ import annotations

import pytest
import torch

from siamfc.correlation import cross_correlate
from siamfc.tracker.kernel_regression import KernelRegression


def _samples(count, seed=0):
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(count, 4, 9, 8, generator=random, dtype=torch.float64)
    return features, torch.randn(count, 7, 6, generator=random, dtype=torch.float64)


def _exact(features, maps, shares, regularisation):
    """The same by one system of linear equations."""
    windows = features.unfold(2, 3, 1).unfold(3, 3, 1)  # (K, C, 7, 6, 3, 3)
    rows = windows.permute(0, 2, 3, 1, 4, 5).reshape(len(features), -1, 4 * 9)
    square = torch.einsum("k,kij,kil->jl", shares, rows, rows) + regularisation * torch.eye(36, dtype=torch.float64)
    right = torch.einsum("k,kij,ki->j", shares, rows, maps.flatten(1))
    return torch.linalg.solve(square, right).view(1, 4, 3, 3)


def _regression(features, maps, *, room=3, least_first_share=0.0):
    return KernelRegression(features, maps, room=room, least_first_share=least_first_share, regularisation=0.1)


def test_the_kernel_is_that_of_the_normal_equations():
    features, maps = _samples(5)
    regression = _regression(features, maps)
    regression.solve(36)
    shares = torch.full((5,), 0.2, dtype=torch.float64)
    torch.testing.assert_close(regression.kernel, _exact(features, maps, shares, 0.1))


def test_a_kernel_that_made_the_maps_is_found_again():
    features, _ = _samples(5)
    kernel = torch.randn(1, 4, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    regression = KernelRegression(
        features, cross_correlate(kernel, features), room=0, least_first_share=0, regularisation=0
    )
    regression.solve(60)
    torch.testing.assert_close(regression.kernel, kernel)


@pytest.mark.parametrize("least", [0.0, 0.7])
def test_a_new_sample_has_its_share_and_the_first_keep_theirs(least):
    features, maps = _samples(4)
    regression = _regression(features[:2], maps[:2], least_first_share=least)
    regression.add(features[2], maps[2], 0.2)
    regression.add(features[3], maps[3], 0.2)
    regression.solve(60)
    shares = torch.tensor([0.32, 0.32, 0.16, 0.2], dtype=torch.float64)
    if least:
        shares = torch.tensor([0.35, 0.35, 0.3 * 0.16 / 0.36, 0.3 * 0.2 / 0.36], dtype=torch.float64)
    torch.testing.assert_close(regression.kernel, _exact(features, maps, shares, 0.1))


def test_a_sample_without_a_share_changes_nothing():
    features, maps = _samples(3)
    regression = _regression(features[:2], maps[:2])
    regression.add(features[2], maps[2], 0.0)
    regression.solve(60)
    shares = torch.full((2,), 0.5, dtype=torch.float64)
    torch.testing.assert_close(regression.kernel, _exact(features[:2], maps[:2], shares, 0.1))


def test_in_a_full_memory_the_new_one_takes_the_place_of_what_counts_least():
    features, maps = _samples(5)
    regression = _regression(features[:1], maps[:1], room=2)
    for number, share in ((1, 0.1), (2, 0.5), (3, 0.5)):
        regression.add(features[number], maps[number], share)
    regression.solve(60)
    kept, shares = [0, 3, 2], torch.tensor([0.45, 0.5, 0.5], dtype=torch.float64)
    shares[[0, 2]] *= 0.5 / shares[[0, 2]].sum()
    torch.testing.assert_close(regression.kernel, _exact(features[kept], maps[kept], shares, 0.1))


def test_a_few_steps_from_the_last_kernel_come_nearer_than_from_none():
    features, maps = _samples(6)
    warm = _regression(features[:5], maps[:5])
    warm.solve(36)
    warm.add(features[5], maps[5], 0.02)
    exact = _exact(features, maps, torch.tensor([0.196] * 5 + [0.02], dtype=torch.float64), 0.1)
    warm.solve(3)
    cold = _regression(features[:5], maps[:5])
    cold.add(features[5], maps[5], 0.02)
    cold.solve(3)
    assert (warm.kernel - exact).norm() < 0.2 * (cold.kernel - exact).norm()


def test_features_that_are_all_zero_give_a_kernel_of_zero():
    regression = _regression(torch.zeros(2, 4, 9, 8), torch.ones(2, 7, 6))
    regression.solve(10)
    assert not regression.kernel.any()
