"""Colours mean the same score everywhere, and maps lie where their cells are."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.visualize.heat import ColorScale, Placement, color_bar, compact_map, draw_cross, lay_over, map_tile

GREY = np.full((120, 160, 3), 90, dtype=np.uint8)
SCALE = ColorScale(0.0, 1.0)


def test_a_map_of_one_value_has_one_colour_and_no_division_by_zero() -> None:
    flat = np.full((3, 4), 2.0)
    assert len(np.unique(ColorScale.of(flat).colorize(flat).reshape(-1, 3), axis=0)) == 1


def test_the_scale_of_several_maps_spans_all_finite_values() -> None:
    assert ColorScale.of(np.array([[1.0, np.nan]]), np.array([[-2.0, np.inf]]))[:2] == (-2.0, 1.0)
    assert ColorScale.of(np.array([[np.nan]]))[:2] == (0.0, 1.0)


def test_brighter_means_higher_everywhere_on_the_scale() -> None:
    brightness = SCALE.colorize(np.linspace(0, 1, 32)[None]).sum(axis=2)[0].astype(int)
    assert (np.diff(brightness) >= 0).all()


@pytest.mark.parametrize("step", [1.0, 7.3, 16.0])
def test_a_cell_is_laid_over_its_own_place_to_a_quarter_of_a_pixel(step: float) -> None:
    values = np.zeros((5, 5))
    values[3, 1] = 1
    placement = Placement(40.25, 30.5, step)
    empty = lay_over(GREY, np.zeros((5, 5)), placement, SCALE).astype(float)
    weight = np.abs(lay_over(GREY, values, placement, SCALE) - empty).sum(axis=2)
    ys, xs = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    center = (xs * weight).sum() / weight.sum(), (ys * weight).sum() / weight.sum()
    assert center == pytest.approx(placement.point((3, 1)), abs=0.25)


def test_the_picture_beyond_the_map_is_untouched_and_unknown_cells_are_not_laid_over() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    values = np.full((4, 4), 0.7)
    values[:, 2:] = np.nan
    laid = lay_over(photo, values, Placement(20.5, 20.5, 8.0), SCALE)
    outside = np.ones((60, 80), dtype=bool)
    outside[12:53, 12:37] = False
    assert (laid[outside] == photo[outside]).all()
    assert (laid[21:40, 21:28] != photo[21:40, 21:28]).any()


def test_a_part_of_a_large_picture_looks_as_that_part_alone() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    values = np.random.default_rng(2).normal(size=(9, 11))
    laid = lay_over(photo, values, Placement(250.0, 180.0, 8.0), SCALE)
    part = lay_over(photo[150:300, 220:400], values, Placement(30.0, 30.0, 8.0), SCALE)
    assert np.array_equal(laid[150:300, 220:400], part)
    beside = np.ones(photo.shape[:2], bool)
    beside[180 - 9 : 180 + 74, 250 - 9 : 250 + 90] = False
    assert np.array_equal(laid[beside], photo[beside])
    assert np.array_equal(lay_over(photo, values, Placement(600.0, 0.0, 8.0), SCALE), photo)


def test_the_peak_is_ringed_and_a_truth_outside_the_map_is_not_drawn() -> None:
    values = np.zeros((17, 17))
    plain = map_tile(values, SCALE, size=(170, 170))
    ringed = map_tile(values, SCALE, size=(170, 170), peak=(8, 8))
    beyond = map_tile(values, SCALE, size=(170, 170), truth=(40, 8))
    assert (beyond == plain).all()
    ys, xs = np.nonzero((ringed != plain).any(axis=2))
    assert (xs.mean(), ys.mean()) == pytest.approx((84.5, 84.5), abs=0.6)


def test_the_bar_goes_from_low_at_the_bottom_to_high_at_the_top_and_has_numbers_beside_it() -> None:
    bar = color_bar(ColorScale(-1, 3), 200)
    middle = bar[:, 8].sum(axis=1).astype(int)
    assert middle[11] > middle[100] > middle[188]
    assert bar[:, 25:].max() > 200


@pytest.mark.parametrize("side_px", [1, 4, 10, 24, 45, 90, 180])
def test_a_compact_map_is_a_square_of_any_size(side_px: int) -> None:
    assert compact_map(np.eye(17), SCALE, side_px=side_px, peak=(3, 3)).shape == (side_px, side_px, 3)


def test_a_small_compact_map_is_not_hidden_by_its_numbers_and_a_smaller_one_not_by_its_ring() -> None:
    small = compact_map(np.zeros((17, 17)), SCALE, side_px=45)
    assert len(np.unique(small[:, :35].reshape(-1, 3), axis=0)) == 1
    ringed = compact_map(np.zeros((17, 17)), SCALE, side_px=10, peak=(8, 8))
    assert len(np.unique(ringed.reshape(-1, 3), axis=0)) == 1


def test_a_bar_can_be_one_pixel_high() -> None:
    assert color_bar(SCALE, 1).shape[0] == 1


def test_a_cross_far_outside_the_picture_draws_nothing() -> None:
    picture = GREY.copy()
    draw_cross(picture, (1e12, -1e12), 5)
    assert (picture == GREY).all()
