"""Crops: what they show, and the way back to the frame."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.crops import CropRegion, context_side, crop, mean_color
from tests.reference.crops import crop_pixel_by_pixel

FILL = (101.0, 108.0, 114.0)
# Bilinear sums are rounded once (half a level). OpenCV also rounds the places it samples to 1/32 of a frame pixel, an
# error of up to 1/64 an axis: with 15 levels between neighbours, less than half a level in all.
ONE_GREY_LEVEL = 1.0


@pytest.fixture(scope="module")
def noise():
    """Neighbouring pixels have nothing in common, so any shift shows; few grey levels, see above."""
    return np.random.default_rng(0).integers(100, 116, (48, 64, 3), dtype=np.uint8)


def test_the_context_of_a_square_of_40_is_80():
    assert context_side(Box(0, 0, 40, 40), context_amount=0.5) == 80


def test_context_follows_the_papers_equation():
    w, h = 30.0, 70.0
    p = (w + h) / 4
    assert context_side(Box(5, 5, w, h), context_amount=0.5) == pytest.approx(((w + 2 * p) * (h + 2 * p)) ** 0.5)


def test_without_context_the_square_has_the_boxs_area():
    assert context_side(Box(0, 0, 20, 45), context_amount=0) == 30


@pytest.mark.parametrize("seed", range(5))
def test_a_point_of_the_crop_survives_the_way_to_the_frame_and_back(seed):
    rng = np.random.default_rng(seed)
    region = CropRegion(*rng.uniform(-100, 900, 2), side_px=rng.uniform(1, 2000), crop_size=int(rng.integers(10, 400)))
    point = tuple(rng.uniform(-50, 450, 2))
    assert region.to_crop(*region.to_frame(*point)) == pytest.approx(point, abs=1e-9)
    assert region.to_frame(*region.to_crop(*point)) == pytest.approx(point, abs=1e-9)


def test_the_crops_corners_and_center_are_the_regions():
    region = CropRegion(100.25, 50.5, side_px=33.0, crop_size=127)
    assert region.to_frame(0, 0) == pytest.approx((100.25 - 16.5, 50.5 - 16.5))
    assert region.to_frame(63.5, 63.5) == (100.25, 50.5)
    assert region.to_frame(127, 127) == pytest.approx((100.25 + 16.5, 50.5 + 16.5))


def test_a_region_on_whole_pixels_at_scale_one_is_copied_exactly(noise):
    region = CropRegion(20.5, 30.5, side_px=15, crop_size=15)
    np.testing.assert_array_equal(crop(noise, region, FILL), noise[23:38, 13:28])


def test_a_region_over_every_border_is_the_padded_frame_exactly(noise):
    region = CropRegion(32, 24, side_px=100, crop_size=100)
    expected = np.empty((100, 100, 3), dtype=np.uint8)
    expected[:] = FILL
    expected[26:74, 18:82] = noise
    np.testing.assert_array_equal(crop(noise, region, FILL), expected)


@pytest.mark.parametrize(
    ("center", "side_px", "crop_size"),
    [
        ((30.0, 20.0), 17.0, 17),  # half a pixel off the grid
        ((30.3, 20.8), 20.0, 20),  # any part of a pixel
        ((30.3, 20.8), 7.3, 25),  # enlarged
        ((30.3, 20.8), 0.9, 8),  # less than a pixel
        ((30.3, 20.8), 31.7, 21),  # reduced by 1.5
        ((31.1, 24.2), 44.4, 10),  # reduced by 4.4
        ((2.2, 1.7), 15.5, 16),  # over the upper left corner
        ((62.9, 47.2), 15.5, 16),  # over the lower right corner
        ((62.9, 1.2), 15.5, 31),  # over a corner, enlarged
        ((32.4, 24.3), 150.0, 40),  # over all borders, reduced
        ((-5.5, 20.2), 11.6, 12),  # touching from outside
        ((32.4, 24.3), 1000.0, 51),  # the frame is three pixels of the crop
    ],
)
def test_a_crop_equals_sampling_the_continued_frame_pixel_by_pixel(noise, center, side_px, crop_size):
    region = CropRegion(*center, side_px=side_px, crop_size=crop_size)
    came = crop(noise, region, FILL).astype(np.float64)
    np.testing.assert_allclose(came, crop_pixel_by_pixel(noise, region, FILL), atol=ONE_GREY_LEVEL, rtol=0)


def _ramp(height, width, *, levels_per_px):
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.rint(np.stack([x, y, 0 * x], axis=2) * levels_per_px).astype(np.uint8)


@pytest.mark.parametrize("side_px", [60.0, 127.3, 200.2, 255.0, 511.7, 640.0])
@pytest.mark.parametrize("crop_size", [63, 127])
def test_a_crop_shows_at_each_pixel_the_place_it_claims(side_px, crop_size):
    levels_per_px = 235 / (side_px + 20)
    size = round(side_px) + 20
    region = CropRegion(9.37 + side_px / 2, 11.81 + side_px / 2, side_px, crop_size)
    x, _ = region.to_frame(np.arange(crop_size) + 0.5, 0)
    _, y = region.to_frame(0, np.arange(crop_size) + 0.5)
    cropped = crop(_ramp(size, size, levels_per_px=levels_per_px), region, FILL).astype(np.float64)
    red, green = cropped[..., 0].mean(axis=0), cropped[..., 1].mean(axis=1)
    # The ramp is rounded to bytes, and so is the crop: half a level each.
    np.testing.assert_allclose(red, x * levels_per_px, atol=1.0, rtol=0)
    np.testing.assert_allclose(green, y * levels_per_px, atol=1.0, rtol=0)
    # Over the whole crop rounding is nearly nothing, and a shift of a tenth of a crop pixel would show.
    shift_px = (red.mean() / levels_per_px - x.mean(), green.mean() / levels_per_px - y.mean())
    assert shift_px == pytest.approx((0, 0), abs=0.1 * region.frame_px_per_crop_px)


def test_a_crop_over_the_border_shows_inner_pixels_at_their_place():
    levels_per_px = 0.6
    region = CropRegion(380.2, 290.6, side_px=180.0, crop_size=90)
    x, _ = region.to_frame(np.arange(90) + 0.5, 0)
    inside = np.flatnonzero(x < 399)
    assert 0 < len(inside) < 90
    cropped = crop(_ramp(300, 400, levels_per_px=levels_per_px), region, FILL)
    red = cropped[:40, : len(inside), 0].astype(np.float64)
    np.testing.assert_allclose(red, np.broadcast_to(x[inside] * levels_per_px, red.shape), atol=1.0, rtol=0)


@pytest.mark.parametrize("flip", [np.s_[:, ::-1], np.s_[::-1, :]], ids=["left-right", "up-down"])
@pytest.mark.parametrize("side_px", [12.6, 40.0, 90.3])
def test_the_crop_of_a_mirrored_frame_is_the_mirrored_crop(noise, flip, side_px):
    height, width = noise.shape[:2]
    x, y = 23.4, 19.7
    mirrored = (width - x, y) if flip == np.s_[:, ::-1] else (x, height - y)
    plain = crop(noise, CropRegion(x, y, side_px, 25), FILL)
    other = crop(np.ascontiguousarray(noise[flip]), CropRegion(*mirrored, side_px, 25), FILL)
    np.testing.assert_allclose(other.astype(float), plain[flip].astype(float), atol=ONE_GREY_LEVEL, rtol=0)


@pytest.mark.parametrize("center", [(-50, 20), (150, 20), (30, -50), (30, 150), (1e6, -1e6)])
def test_a_region_wholly_outside_shows_the_fill(noise, center):
    cropped = crop(noise, CropRegion(*center, side_px=20.0, crop_size=31), (99.4, 120.5, 229.6))
    assert cropped.shape == (31, 31, 3)
    assert (cropped == (99, 120, 230)).all()


def test_the_fill_is_rounded_alike_inside_and_beside_the_frame(noise):
    fill = (99.4, 120.5, 229.6)
    beside = crop(noise, CropRegion(-50, 20, 20.0, 31), fill)
    over_the_border = crop(noise, CropRegion(0, 20, 40.0, 40), fill)
    np.testing.assert_array_equal(over_the_border[0, 0], beside[0, 0])


@pytest.mark.parametrize("side_px", [1e6, 1e9])
def test_a_region_far_larger_than_the_frame_is_almost_all_fill(noise, side_px):
    cropped = crop(noise, CropRegion(32, 24, side_px, crop_size=255), FILL)
    assert cropped.shape == (255, 255, 3)
    assert (cropped != np.rint(FILL)).any(axis=2).sum() <= 1


@pytest.mark.parametrize("size", [(300, 70000), (70000, 300)], ids=["wide", "tall"])
def test_a_crop_of_more_pixels_than_opencv_warps_is_sampled_at_the_same_places(size):
    line = np.rint(100 + 60 * np.sin(np.arange(max(size)) / 4000)).astype(np.uint8)
    frame = np.broadcast_to(line.reshape((1, -1, 1) if size[1] > size[0] else (-1, 1, 1)), (*size, 3))
    region = CropRegion(size[1] / 2 + 3.3, size[0] / 2 + 7.7, side_px=66000.0, crop_size=255)
    came = crop(frame, region, FILL).astype(np.float64)
    assert (came != FILL).any(axis=2).sum() >= 250
    np.testing.assert_allclose(came, crop_pixel_by_pixel(frame, region, FILL), atol=ONE_GREY_LEVEL, rtol=0)


def test_the_frame_is_left_as_it_was(noise):
    before = noise.copy()
    crop(noise, CropRegion(3, 3, 30.0, 31), FILL)
    np.testing.assert_array_equal(noise, before)


def test_frames_of_one_pixel_and_frames_that_are_views_can_be_cropped(noise):
    assert (crop(np.full((1, 1, 3), 9, np.uint8), CropRegion(0.5, 0.5, 1.0, 16), (9.0, 9.0, 9.0)) == 9).all()
    view = noise[5:40, 10:50]
    region = CropRegion(20.2, 15.1, 19.0, 21)
    np.testing.assert_array_equal(crop(view, region, FILL), crop(view.copy(), region, FILL))


def test_the_mean_colour_is_the_mean_of_each_channel(noise):
    assert mean_color(noise) == pytest.approx(tuple(noise.reshape(-1, 3).mean(axis=0)))
