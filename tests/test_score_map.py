"""From score map to peak: what a cell means, upsampling, scale penalty, window, ties."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from siamfc.score_map import (
    apply_window,
    bicubic_matrix,
    cosine_window,
    displacement_px,
    find_peak,
    penalise_scales,
    score_map_cells,
    score_map_position,
    upsample,
    upsampled_cells,
)

ALIGNMENTS = ["corners", "edges"]
EXACT = {"rtol": 0, "atol": 1e-12}


def _maps(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _bump(cells, center, dtype=torch.float32):
    """A smooth hill (cells, cells) whose top is at ``center``, in cells, on both axes."""
    place = torch.arange(cells, dtype=torch.float64) - center
    return torch.exp(-(place[:, None] ** 2 + place[None] ** 2) / 18).to(dtype)


# What a cell means


@pytest.mark.parametrize(
    ("search_px", "exemplar_px", "cells"),
    [(255, 127, 17), (239, 127, 15), (127, 127, 1), (134, 127, 1), (135, 127, 2), (251, 127, 16), (126, 127, 0)],
)
def test_a_map_has_a_cell_for_every_window_that_fits(search_px, exemplar_px, cells):
    assert score_map_cells(search_px, exemplar_px, 8) == cells
    fitting = [left for left in range(0, search_px, 8) if left + exemplar_px <= search_px]
    assert len(fitting) == cells


@pytest.mark.parametrize("search_px", [239, 251, 255, 256, 260, 400])
def test_a_cells_displacement_is_that_of_its_windows_center(search_px):
    for cell in (0, 3, 8.5):
        window_center, image_center = 8 * cell + 127 / 2, search_px / 2
        came = displacement_px(cell, search_px=search_px, exemplar_px=127, stride=8)
        assert came == pytest.approx(window_center - image_center)


def test_the_papers_map_has_its_center_on_a_cell():
    assert displacement_px((17 - 1) / 2, search_px=255, exemplar_px=127, stride=8) == 0


# Upsampling


@pytest.mark.parametrize("shape", [(1, 17, 17), (3, 17, 17), (2, 5, 9), (1, 4, 1), (1, 1, 1)])
@pytest.mark.parametrize("factor", [1, 2, 16])
def test_upsampling_equals_torchs_bicubic(shape, factor):
    maps = _maps(*shape)
    size = tuple((cells - 1) * factor + 1 for cells in shape[1:])
    by_corners = F.interpolate(maps[:, None], size=size, mode="bicubic", align_corners=True)[:, 0]
    torch.testing.assert_close(upsample(maps, factor, "corners"), by_corners, **EXACT)
    by_edges = F.interpolate(maps[:, None], scale_factor=factor, mode="bicubic", align_corners=False)[:, 0]
    torch.testing.assert_close(upsample(maps, factor, "edges"), by_edges, **EXACT)


def test_float32_upsampling_differs_from_float64_by_rounding_alone():
    maps = _maps(3, 17, 17) * 5 - 100  # an offset as large as logits of untrained features have
    for alignment in ALIGNMENTS:
        # float32 holds -100 to 8e-6; the products add a few such errors.
        torch.testing.assert_close(
            upsample(maps.float(), 16, alignment).double(), upsample(maps, 16, alignment), rtol=0, atol=3e-5
        )


def test_seventeen_cells_become_257_or_272():
    assert upsample(_maps(1, 17, 17), 16, "corners").shape == (1, 257, 257)
    assert upsample(_maps(1, 17, 17), 16, "edges").shape == (1, 272, 272)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("cells", [1, 2, 16, 17])
@pytest.mark.parametrize("factor", [1, 3, 16])
def test_the_center_of_the_upsampled_map_is_the_center_of_the_map(cells, factor, alignment):
    middle = (upsampled_cells(cells, factor, alignment) - 1) / 2
    assert score_map_position(middle, factor, alignment) == pytest.approx((cells - 1) / 2)


def test_the_compat_map_is_centered_between_cells_135_and_136():
    assert (upsampled_cells(17, 16, "edges") - 1) / 2 == 135.5
    assert score_map_position(135.5, 16, "edges") == 8


def test_with_corners_aligned_the_cells_of_the_map_are_kept():
    maps = _maps(2, 17, 17)
    torch.testing.assert_close(upsample(maps, 16, "corners")[:, ::16, ::16], maps, **EXACT)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_upsampling_a_linear_map_gives_each_cell_its_position(alignment):
    ramp = torch.arange(17.0, dtype=torch.float64).expand(1, 17, 17)
    upsampled = upsample(ramp, 16, alignment)[0, 100]
    inner = range(40, 220)  # the border is repeated, so the outer cells are bent
    expected = [score_map_position(cell, 16, alignment) for cell in inner]
    # torch's bicubic (a = -0.75) waves around a straight line by up to 0.048 cells, and meets it at every half cell.
    np.testing.assert_allclose(upsampled[40:220], expected, atol=0.05)
    assert float(upsampled[40:200].mean()) == pytest.approx(np.mean(expected[:160]), abs=1e-3)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("value", [0.0, -0.0657, 1234.567, -3e4])
def test_a_map_of_one_value_stays_exactly_one_value(alignment, dtype, value):
    upsampled = upsample(torch.full((3, 17, 17), value, dtype=dtype), 16, alignment)
    assert (upsampled == torch.tensor(value, dtype=dtype)).all()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_upsampling_weights_sum_to_one_and_cannot_be_changed(alignment):
    matrix = bicubic_matrix(17, 16, alignment)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-14)
    with pytest.raises(ValueError, match="read-only"):
        matrix[0, 0] = 1


# Scale penalty


def test_the_present_scale_is_not_penalised_and_the_others_are_alike():
    responses = penalise_scales(torch.ones(5, 4, 4).index_fill(2, torch.tensor(0), 0.0), 0.9)
    np.testing.assert_allclose(responses.amax(dim=(1, 2)), [0.9, 0.9, 1.0, 0.9, 0.9])


@pytest.mark.parametrize("offset", [0.0, -10.0, -1000.0, 1000.0])
def test_a_scale_change_is_never_rewarded_whatever_the_sign_of_the_scores(offset):
    one = _maps(1, 9, 9) + offset
    highest = penalise_scales(one.repeat(3, 1, 1), 0.97).amax(dim=(1, 2))
    assert highest.argmax() == 1
    assert (highest[[0, 2]] < highest[1]).all()


def test_the_penalty_is_the_same_for_scores_of_any_offset():
    responses = _maps(3, 9, 9)
    torch.testing.assert_close(
        penalise_scales(responses - 500, 0.9), penalise_scales(responses, 0.9), rtol=0, atol=1e-12
    )


def test_a_clearly_better_scale_wins_over_the_penalty():
    responses = torch.stack([_bump(9, 4), _bump(9, 4), 1.1 * _bump(9, 4)]) - 7
    assert penalise_scales(responses, 0.97).amax(dim=(1, 2)).argmax() == 2


def test_penalised_responses_are_never_negative():
    assert penalise_scales(_maps(3, 9, 9) - 50, 0.9).min() == 0


def test_one_scale_alone_is_not_penalised():
    responses = _maps(1, 9, 9)
    torch.testing.assert_close(penalise_scales(responses, 0.5), responses - responses.min())


def test_the_given_responses_are_left_as_they_were():
    responses = _maps(3, 9, 9)
    before = responses.clone()
    apply_window(penalise_scales(responses, 0.5)[0], 0.2)
    torch.testing.assert_close(responses, before, rtol=0, atol=0)


# Cosine window


@pytest.mark.parametrize("shape", [(257, 257), (272, 272), (17, 33), (3, 3), (2, 2), (1, 5), (1, 1)])
def test_the_window_sums_to_one_and_is_symmetric(shape):
    window = cosine_window(*shape)
    assert window.shape == shape
    assert window.sum() == pytest.approx(1)
    np.testing.assert_allclose(window, window[::-1, ::-1], atol=1e-18)


def test_the_window_is_highest_in_the_middle_and_zero_at_the_border():
    window = cosine_window(257, 257)
    assert np.unravel_index(window.argmax(), window.shape) == (128, 128)
    assert window[0].max() == window[:, -1].max() == 0


def test_a_windowed_response_sums_to_one():
    for influence in (0.0, 0.176, 1.0):
        assert float(apply_window(_maps(33, 33), influence).sum()) == pytest.approx(1)


def test_full_influence_leaves_the_window_and_none_the_response():
    response = _maps(33, 33)
    np.testing.assert_allclose(apply_window(response, 1.0), cosine_window(33, 33), atol=1e-15)
    above = response - response.min()
    torch.testing.assert_close(apply_window(response, 0.0), above / above.sum())


def test_of_two_equal_peaks_the_one_nearer_the_middle_wins():
    response = torch.maximum(_bump(65, 20), _bump(65, 36)) + torch.maximum(_bump(65, 20).T, _bump(65, 36).T)
    assert find_peak(apply_window(response, 0.3)) == (36, 36)


@pytest.mark.parametrize("value", [0.0, -5.0, 3e4])
@pytest.mark.parametrize(("cells", "middle"), [(257, 128.0), (272, 135.5)])
def test_where_the_response_says_nothing_the_window_decides_for_the_middle(cells, middle, value):
    response = apply_window(torch.full((cells, cells), value), 0.176)
    assert torch.isfinite(response).all()
    assert find_peak(response) == (middle, middle)


# Peaks and ties


def test_a_single_highest_cell_is_the_peak():
    response = torch.zeros(9, 12)
    response[3, 7] = 1
    assert find_peak(response) == (3, 7)


@pytest.mark.parametrize(
    ("cells", "peak"),
    [
        ([(4, 4), (4, 5), (5, 4), (5, 5)], (4.5, 4.5)),
        ([(4, 4), (4, 5)], (4, 4.5)),
        ([(4, 4), (5, 4)], (4.5, 4)),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], (0.5, 0.5)),
        ([(8, 11), (7, 11)], (7.5, 11)),
    ],
)
def test_neighbours_that_share_the_maximum_give_their_mean(cells, peak):
    response = torch.zeros(9, 12)
    for cell in cells:
        response[cell] = 1
    assert find_peak(response) == peak


def test_three_equal_neighbours_are_no_even_maps_center():
    response = torch.zeros(9, 12)
    response[4, 4] = response[4, 5] = response[5, 4] = 1
    assert find_peak(response) == (4, 4)


def test_equal_peaks_far_apart_are_not_averaged():
    response = torch.zeros(9, 12)
    response[2, 2] = response[6, 9] = 1
    assert find_peak(response) == (2, 2)


def test_neighbours_that_differ_by_more_than_rounding_are_not_averaged():
    response = torch.zeros(9, 12)
    response[4, 4], response[4, 5] = 1.0, 1.0 - 1e-4
    assert find_peak(response) == (4, 4)


def test_neighbours_that_differ_by_rounding_share_the_maximum():
    response = torch.zeros(9, 12)
    response[4, 4], response[4, 5] = 1.0, float(np.nextafter(np.float32(1), np.float32(2)))
    assert find_peak(response) == (4, 4.5)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("influence", [0.0, 0.176])
@pytest.mark.parametrize("offset", [0.0, -20.0])
@pytest.mark.parametrize("cells", [17, 18])
def test_a_centered_peak_moves_nothing(cells, alignment, influence, offset):
    score_maps = torch.stack([0.9 * _bump(cells, (cells - 1) / 2), _bump(cells, (cells - 1) / 2)]) + offset
    responses = upsample(score_maps, 16, alignment)
    row, column = find_peak(apply_window(responses[1], influence))
    search_px = 127 + 8 * (cells - 1)
    for cell in (row, column):
        position = score_map_position(cell, 16, alignment)
        assert displacement_px(position, search_px=search_px, exemplar_px=127, stride=8) == 0


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("cell", [5.0, 7.75, 10.5])
def test_a_peak_between_cells_is_found_where_it_is(alignment, cell):
    row, column = find_peak(upsample(_bump(17, cell, torch.float64)[None], 16, alignment)[0])
    # Upsampled cells are 1/16 apart, and torch's bicubic (a = -0.75) draws a flat top towards whole cells.
    assert score_map_position(row, 16, alignment) == pytest.approx(cell, abs=2 / 16)
    assert score_map_position(column, 16, alignment) == pytest.approx(cell, abs=2 / 16)
