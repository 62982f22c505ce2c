"""The figures are zero where a network is equivariant, and are not where it is not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from siamfc.equivariance.measures import (
    border_curve,
    invariance_curve,
    peak_errors,
    shift_curve,
    shifted_maps,
    whole_stride_error,
    window_error,
)
from siamfc.equivariance.probes import Probe, build_probes, rendered_pictures, target_probes
from siamfc.equivariance.scorers import FullyConnectedScorer, small_scorer
from siamfc.equivariance.small_network import EXEMPLAR_PX, SEARCH_PX, SmallNetwork, Variant

EXACT = 1e-12


@pytest.fixture(scope="module")
def network() -> SmallNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SmallNetwork()


@pytest.fixture(scope="module")
def probes() -> list[Probe]:
    return build_probes(rendered_pictures(1), exemplar_px=EXEMPLAR_PX, search_px=SEARCH_PX)


@pytest.mark.parametrize("pooling", ["max", "average", "none"])
def test_without_padding_the_map_is_the_sliding_window_and_shifts_by_whole_strides(
    network: SmallNetwork, probes: list[Probe], pooling: str
) -> None:
    scorer = small_scorer("x", network, Variant(pooling))
    assert window_error(scorer, probes, windows=4) < EXACT
    assert max(border_curve(scorer, probes)) < EXACT
    maps = shifted_maps(scorer, probes)
    assert whole_stride_error(maps, 4) < EXACT
    shifts, peaks = shift_curve(maps, 4), peak_errors(maps, 4)
    assert max(shifts[::4]) < EXACT
    assert min(shifts[2::4]) > 1e-3  # a part of a stride is no whole number of cells
    assert max(peaks[::4]) == 0


def test_padding_breaks_it_by_as_many_cells_from_the_border_as_the_receptive_field_reaches(
    network: SmallNetwork, probes: list[Probe]
) -> None:
    scorer = small_scorer("x", network, Variant(padded=True))
    assert window_error(scorer, probes, windows=4) > 1e-3
    assert whole_stride_error(shifted_maps(scorer, probes), 4) > 1e-3
    border = border_curve(scorer, probes)
    assert border[0] > border[1] > 0
    assert max(border[4:]) < EXACT  # 15 px on each side of a cell are four strides at most


def test_without_strides_every_shift_is_exact() -> None:
    class Roll:
        name, stride, exemplar_px, search_px = "x", 1, 3, 30

        def score_map(self, exemplar: Tensor, search: Tensor) -> Tensor:
            return search.sum(dim=0)[:-2, :-2]

    canvas = torch.rand(3, 62, 62, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    maps = shifted_maps(Roll(), [Probe(canvas[:, 29:32, 29:32], canvas)])
    assert whole_stride_error(maps, 1) == 0
    assert shift_curve(maps, 1) == [0.0] * 17
    assert peak_errors(maps, 1) == [0.0] * 17


def test_a_peak_that_stays_where_it_is_has_not_followed() -> None:
    stays = torch.zeros(17, 17, dtype=torch.float64)
    stays[8, 8] = 1
    assert peak_errors([[stays] * 17], 4)[::4] == [0.0, 4.0, 8.0, 12.0, 16.0]


def test_features_of_a_place_are_less_and_less_alike_as_the_picture_moves_on(
    network: SmallNetwork, probes: list[Probe]
) -> None:
    curve = invariance_curve(small_scorer("x", network, Variant()), probes)
    assert curve[0] == pytest.approx(1)
    assert 1 > curve[1] > curve[4] > curve[16]


def test_a_fully_connected_head_does_not_shift_with_the_picture(network: SmallNetwork) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = nn.Linear(32 * 25 * 25, 17 * 17)
    known = target_probes(1, exemplar_px=EXEMPLAR_PX, search_px=SEARCH_PX)
    maps = shifted_maps(FullyConnectedScorer("x", network, head), known)
    assert whole_stride_error(maps, 4) > 0.1
