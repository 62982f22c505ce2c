"""What is changed at random: the geometry lands where it says, nothing is seen outside the picture, ranges hold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import siamfc.crops
from siamfc.boxes import Box
from siamfc.config import AugmentationConfig
from siamfc.crops import sample
from siamfc.data.augmentation import Geometry, Photometry, draw_geometry, draw_photometry, draw_shared

SIZES = {"context_amount": 0.5, "exemplar_size": 127}


def blob(center: tuple[float, float], *, size: tuple[int, int] = (500, 620), sigma: float = 9.0) -> NDArray[np.uint8]:
    """A bright spot on black, (H, W, 3), whose centre of mass is ``center``, frame pixels."""
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    bright = 250 * np.exp(-((columns - center[0]) ** 2 + (rows - center[1]) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(bright).astype(np.uint8)[..., None], 3, axis=2)


def centroid(image: NDArray[np.uint8]) -> tuple[float, float]:
    """Centre of mass (x, y), pixels from the corner."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    weights = image[..., 0].astype(np.float64)
    return float((columns * weights).sum() / weights.sum()), float((rows * weights).sum() / weights.sum())


@pytest.mark.parametrize("side", [40.0, 63.5, 90.0])
@pytest.mark.parametrize(
    "geometry",
    [
        Geometry(),
        Geometry(shift_x=17.3, shift_y=-9.6),
        Geometry(scale_x=1.1, scale_y=1.1, shift_x=5.25),
        Geometry(scale_x=0.95, scale_y=1.08, shift_y=11.9),
        Geometry(rotation_deg=23, shift_x=-14.2, shift_y=3.3),
        Geometry(mirrored=True, shift_x=12.7, shift_y=-4.4),
        Geometry(-7.1, 21.6, 1.07, 0.93, -35, mirrored=True),
    ],
)
def test_the_target_lies_where_the_label_says_to_the_sub_pixel(geometry: Geometry, side: float) -> None:
    center = (310.37, 251.81)
    box = Box(center[0] - side / 2, center[1] - side / 2, side, side)
    image = sample(blob(center), geometry.crop_to_frame(box, size=255, **SIZES), 255)
    # OpenCV rounds positions to 1/32 frame pixel, and grey levels are whole.
    assert centroid(image) == pytest.approx((127.5 + geometry.shift_x, 127.5 + geometry.shift_y), abs=0.06)


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry(scale_x=1.1, scale_y=0.9),
        Geometry(rotation_deg=90),
        Geometry(rotation_deg=30, scale_x=0.9, scale_y=1.1),
        Geometry(rotation_deg=-50, mirrored=True),
    ],
)
def test_a_turned_targets_size_is_that_of_an_ellipse_in_its_box(geometry: Geometry) -> None:
    box = Box(260, 190, 100, 60)
    (x, y), half = box.center, (box.width / 2, box.height / 2)
    rows, columns = np.mgrid[:500, :620] + 0.5
    inside = ((columns - x) / half[0]) ** 2 + ((rows - y) / half[1]) ** 2 <= 1
    picture = np.repeat(np.where(inside, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    crop = sample(picture, geometry.crop_to_frame(box, size=255, **SIZES), 255)
    seen = np.argwhere(crop[..., 0] > 127)
    height, width = (seen.max(axis=0) - seen.min(axis=0) + 1).tolist()
    assert geometry.size_in_crop(box, **SIZES) == pytest.approx((width, height), abs=1.5)  # whole pixels at both ends


def test_a_mirrored_crop_is_the_plain_one_flipped() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    box = Box(110, 120, 60, 67)
    plain = sample(picture, Geometry(shift_x=-9).crop_to_frame(box, size=127, **SIZES), 127)
    mirrored = sample(picture, Geometry(shift_x=9, mirrored=True).crop_to_frame(box, size=127, **SIZES), 127)
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])


def test_scale_and_stretch_show_more_or_less_of_the_frame() -> None:
    box = Box(100, 100, 63.5, 63.5)  # a crop pixel is a frame pixel
    linear = Geometry(scale_x=1.2, scale_y=0.8).crop_to_frame(box, size=255, **SIZES)[:, :2]
    np.testing.assert_allclose(linear, np.diag([1.2, 0.8]))


WIDE = AugmentationConfig(search_shift_px=60, search_scale=0.15, stretch=0.1, rotation_deg=12)


def _crops_of_a_grey_frame(config: AugmentationConfig, monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.uint8]]:
    """Search crops from a grey frame whose border would show in another colour."""
    monkeypatch.setattr(siamfc.crops, "mean_color", lambda frame: (255.0, 0.0, 255.0))
    frame, box = np.full((460, 640, 3), 90, np.uint8), Box(200, 198.25, 63.5, 63.5)
    border_px = 230 - siamfc.crops.INTERPOLATION_PX
    rng = np.random.default_rng(0)
    crops = []
    for _ in range(200):
        geometry = draw_geometry(rng, config, "search", mirrored=False, size=255, border_px=border_px)
        crops.append(sample(frame, geometry.crop_to_frame(box, size=255, **SIZES), 255))
    return crops


def test_no_fill_colour_is_seen_where_shifts_stay_within_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all((crop == 90).all() for crop in _crops_of_a_grey_frame(WIDE, monkeypatch))


def test_it_is_seen_where_they_need_not(monkeypatch: pytest.MonkeyPatch) -> None:
    anywhere = WIDE.model_copy(update={"shift_within_picture": False})
    assert not all((crop == 90).all() for crop in _crops_of_a_grey_frame(anywhere, monkeypatch))


def test_a_target_at_the_border_is_not_shifted() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_geometry(rng, WIDE, "search", mirrored=False, size=255, border_px=50.0) for _ in range(20)]
    assert all((each.shift_x, each.shift_y) == (0, 0) for each in drawn)


def test_geometry_stays_in_its_ranges_and_fills_them() -> None:
    config = AugmentationConfig(search_shift_px=32, search_scale=0.1, stretch=0, rotation_deg=10, exemplar_shift_px=4)
    rng = np.random.default_rng(0)
    drawn = [draw_geometry(rng, config, "search", mirrored=False, size=255, border_px=1e6) for _ in range(1000)]
    for values, low, high in (
        ([each.shift_x for each in drawn], -32, 32),
        ([each.shift_y for each in drawn], -32, 32),
        ([each.scale_x for each in drawn], 1 / 1.1, 1.1),
        ([each.rotation_deg for each in drawn], -10, 10),
    ):
        assert low <= min(values) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < max(values) <= high
    exemplars = [draw_geometry(rng, config, "exemplar", mirrored=False, size=127, border_px=1e6) for _ in range(200)]
    assert max(abs(each.shift_x) for each in exemplars) <= 4
    assert all(each.scale_x == each.scale_y == 1 for each in exemplars)


def test_with_everything_off_a_crop_is_the_trackers_own() -> None:
    off = AugmentationConfig.shifting_only(0)
    rng = np.random.default_rng(0)
    assert draw_geometry(rng, off, "search", mirrored=False, size=255, border_px=0) == Geometry()
    look = draw_photometry(rng, off, "search", 255, 127, grey=False)
    assert look._replace(patch_color=(0.0, 0.0, 0.0)) == Photometry()
    assert not any(each for each in draw_shared(rng, off) if isinstance(each, bool))


def test_shares_are_kept_and_only_searches_are_occluded() -> None:
    config = AugmentationConfig(flip_share=0.3, grey_share=0.6, blur_share=0.2, occlusion_share=0.5)
    rng = np.random.default_rng(0)
    shared = [draw_shared(rng, config) for _ in range(2000)]
    looks = [draw_photometry(rng, config, "search", 255, 127, grey=False) for _ in range(2000)]
    for found, share in (
        (sum(each.mirrored for each in shared), 0.3),
        (sum(each.grey for each in shared), 0.6),
        (sum(each.blur_sigma_px > 0 for each in looks), 0.2),
        (sum(any(each.patch) for each in looks), 0.5),
    ):
        assert abs(found - 2000 * share) < 4 * (2000 * share * (1 - share)) ** 0.5
    assert not any(any(draw_photometry(rng, config, "exemplar", 127, 127, grey=False).patch) for _ in range(50))
    assert draw_photometry(rng, config, "search", 255, 127, grey=True).saturation == 0


@pytest.mark.parametrize("longest", [9, 10])
def test_motion_blurs_have_odd_lengths_up_to_the_greatest_and_any_direction(longest: int) -> None:
    config = AugmentationConfig(motion_blur_share=0.4, motion_blur_px=longest)
    rng = np.random.default_rng(0)
    looks = [draw_photometry(rng, config, "search", 255, 127, grey=False) for _ in range(2000)]
    moving = [look for look in looks if look.motion_px > 1]
    assert abs(len(moving) - 800) < 4 * (2000 * 0.4 * 0.6) ** 0.5
    assert {look.motion_px for look in moving} == {3, 5, 7, 9}
    assert min(look.motion_deg for look in moving) < 2
    assert max(look.motion_deg for look in moving) > 178


def test_a_grey_crop_stays_grey_where_colours_are_shifted() -> None:
    config, rng = AugmentationConfig(color_jitter=0.1), np.random.default_rng(0)
    grey, colored = (
        [draw_photometry(rng, config, "search", 255, 127, grey=grey).color_shift for _ in range(50)]
        for grey in (True, False)
    )
    assert np.ptp(grey, axis=1).max() < 1e-9
    assert np.ptp(colored, axis=1).min() > 0
    assert np.abs(grey).max() > 1


def test_brightness_contrast_and_saturation_stay_in_their_ranges() -> None:
    config = AugmentationConfig(brightness=0.3, contrast=0.2, saturation=0.1)
    rng = np.random.default_rng(0)
    looks = [draw_photometry(rng, config, "search", 255, 127, grey=False) for _ in range(500)]
    for name, reach in (("brightness", 0.3), ("contrast", 0.2), ("saturation", 0.1)):
        values = [getattr(look, name) for look in looks]
        assert 1 - reach <= min(values) < 1 - 0.95 * reach
        assert 1 + 0.95 * reach < max(values) <= 1 + reach
