"""The cross-correlation equals the loop, for each way of combining exemplars and searches."""

from __future__ import annotations

import pytest
import torch

from siamfc.correlation import cross_correlate, exemplar_gradient
from tests.reference.correlation import correlate_by_loops


def _features(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("N", "B"), [(1, 1), (3, 3), (1, 4), (2, 1), (4, 1), (2, 2)])
@pytest.mark.parametrize("sizes", [((3, 3), (7, 7)), ((2, 4), (5, 9)), ((5, 5), (5, 5)), ((1, 1), (3, 2))])
def test_the_correlation_equals_the_loop_over_pairs_and_places(N, B, sizes):
    exemplars, searches = _features(N, 6, *sizes[0]), _features(B, 6, *sizes[1], seed=1)
    expected = correlate_by_loops(exemplars, searches)
    came = cross_correlate(exemplars, searches)
    assert came.shape == expected.shape
    torch.testing.assert_close(came, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("N", "B"), [(1, 1), (2, 1), (4, 1), (1, 3), (3, 3)])
@pytest.mark.parametrize("channels", [1, 5])
def test_with_a_dilation_an_exemplars_cells_meet_every_nth_cell_of_the_search(N, B, channels):
    z, x = _features(N, channels, 2, 3), _features(B, channels, 6, 9, seed=1)
    came = cross_correlate(z, x, dilation=3)
    assert came.shape == (max(N, B), 3, 3)
    for row in range(3):
        for column in range(3):
            expected = (z * x[:, :, row : row + 4 : 3, column : column + 7 : 3]).sum(dim=(1, 2, 3))
            torch.testing.assert_close(came[:, row, column], expected)


def test_each_pair_is_scored_as_if_it_were_alone():
    exemplars, searches = _features(4, 8, 3, 3), _features(4, 8, 6, 6, seed=1)
    alone = [cross_correlate(exemplars[b : b + 1], searches[b : b + 1])[0] for b in range(4)]
    torch.testing.assert_close(cross_correlate(exemplars, searches), torch.stack(alone), rtol=1e-12, atol=1e-12)


def test_shifting_the_search_shifts_the_map():
    exemplar, search = _features(1, 5, 3, 3), _features(1, 5, 12, 14, seed=1)
    whole = cross_correlate(exemplar, search)
    shifted = cross_correlate(exemplar, search[..., 2:, 3:])
    torch.testing.assert_close(shifted, whole[:, 2:, 3:], rtol=1e-12, atol=1e-12)


def test_channels_last_and_strided_features_give_the_same_map():
    exemplars, searches = _features(3, 8, 3, 3), _features(3, 8, 7, 7, seed=1)
    plain = cross_correlate(exemplars, searches)
    last = cross_correlate(
        exemplars.to(memory_format=torch.channels_last), searches.to(memory_format=torch.channels_last)
    )
    torch.testing.assert_close(last, plain, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("N", "B"), [(1, 1), (2, 2), (1, 2), (2, 1)])
def test_the_gradient_equals_finite_differences(N, B):
    exemplars, searches = _features(N, 2, 2, 2).requires_grad_(), _features(B, 2, 4, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(cross_correlate, (exemplars, searches))


@pytest.mark.parametrize(
    ("exemplars", "searches"),
    [
        ((2, 4, 3, 3), (3, 4, 5, 5)),  # counts
        ((1, 4, 3, 3), (1, 5, 5, 5)),  # channels
        ((1, 4, 6, 3), (1, 4, 5, 5)),  # height
        ((1, 4, 3, 6), (1, 4, 5, 5)),  # width
    ],
)
def test_features_that_do_not_go_together_are_refused_with_both_shapes(exemplars, searches):
    with pytest.raises(ValueError, match="cannot slide over") as caught:
        cross_correlate(torch.zeros(exemplars), torch.zeros(searches))
    assert str(exemplars) in str(caught.value)
    assert str(searches) in str(caught.value)


def test_a_dilated_exemplar_larger_than_the_search_is_refused():
    with pytest.raises(ValueError, match="cannot slide over"):
        cross_correlate(torch.zeros(1, 4, 3, 3), torch.zeros(1, 4, 5, 4), dilation=2)


@pytest.mark.parametrize("sizes", [((3, 3), (7, 7)), ((2, 4), (5, 9)), ((5, 5), (5, 5)), ((1, 1), (3, 2))])
def test_the_exemplars_gradient_is_autograds(sizes):
    exemplar, searches = _features(1, 6, *sizes[0]).requires_grad_(), _features(3, 6, *sizes[1], seed=1)
    came = cross_correlate(exemplar, searches)
    weights = _features(*came.shape, seed=2)
    (came * weights).sum().backward()
    torch.testing.assert_close(exemplar_gradient(weights, searches), exemplar.grad)
