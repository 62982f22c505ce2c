"""What can be searched for, and one clear line for what cannot."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.errors import BoxError, FrameError, MatchError
from siamfc.matching.exemplars import as_exemplar, cut_square
from siamfc.matching.scaled_picture import halved
from tests.scenes import EYE


def test_a_whole_image_is_the_object_in_its_mean_colour(photograph):
    image = photograph[160:212, 196:252]
    exemplar = as_exemplar(image)
    assert exemplar.box == Box(0, 0, 56, 52)
    shown = exemplar.crop(exemplar.side(0.5), 127)
    assert np.abs(shown[0, 0] - np.array(mean_color(image))).max() <= 1
    inner = shown[40:86, 40:86].astype(float)
    assert inner.std() > 20


def test_a_box_is_cropped_as_the_tracker_crops_it(photograph):
    exemplar = as_exemplar(photograph, EYE)
    side = context_side(EYE, 0.5)
    expected = crop(photograph, CropRegion(*EYE.center, side, 127), mean_color(photograph))
    np.testing.assert_array_equal(exemplar.crop(side, 127), expected)


def test_a_large_exemplar_is_averaged_before_it_is_sampled():
    checks = np.indices((512, 512)).sum(axis=0) % 2 * 255
    exemplar = as_exemplar(np.repeat(checks[..., None], 3, axis=2).astype(np.uint8))
    middle = exemplar.crop(512.0, 127)[30:90, 30:90]
    assert np.abs(middle.astype(float) - 127.5).max() < 2


@pytest.mark.parametrize("center", [(300, 250), (5, 590), (-400, 100), (900, 900)], ids=str)
def test_a_square_touches_only_its_part_and_shows_what_the_whole_image_reduced_would(photograph, center):
    came = cut_square(photograph, center, 500, 127, fill=(9, 8, 7))
    region = CropRegion(center[0] / 2, center[1] / 2, 250, 127)
    np.testing.assert_array_equal(came, crop(halved(photograph, 1), region, (9, 8, 7)))


def test_turned_by_90_degrees_right_goes_down(photograph):
    exemplar = as_exemplar(photograph[100:300, 100:300])
    turned = exemplar.crop(127.0, 127, rotation_deg=90).astype(int)
    expected = np.rot90(exemplar.crop(127.0, 127), -1).astype(int)
    assert np.abs(turned[1:-1, 1:-1] - expected[1:-1, 1:-1]).mean() < 1


def test_the_bounds_of_a_turned_box():
    exemplar = as_exemplar(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    assert exemplar.bounds(0) == pytest.approx((60, 40))
    assert exemplar.bounds(90) == pytest.approx((40, 60))
    assert exemplar.bounds(45) == pytest.approx((100 / 2**0.5, 100 / 2**0.5))


@pytest.mark.parametrize(
    ("image", "box", "error", "expected"),
    [
        (np.full((40, 40, 3), 90, np.uint8), None, MatchError, "one colour"),
        (np.full((1, 1, 3), 90, np.uint8), None, MatchError, "1 x 1 px: at least 4"),
        (np.zeros((0, 40, 3), np.uint8), None, FrameError, "shape"),
        (np.zeros((40, 0, 3), np.uint8), None, FrameError, "shape"),
        (np.zeros((40, 40, 3), np.float32), None, FrameError, "uint8"),
        ("PHOTO", (1, 2, float("nan"), 4), BoxError, "finite"),
        ("PHOTO", (1, 2, 0, 4), BoxError, "above zero"),
        ("PHOTO", (1, 2, 3), BoxError, "four numbers"),
        ("PHOTO", (900, 2, 30, 40), BoxError, "outside the image of 512 x 600"),
        ("PHOTO", (10, 20, 2, 40), MatchError, "2 x 40 px"),
    ],
)
def test_an_exemplar_that_cannot_be_searched_for_is_refused(photograph, image, box, error, expected):
    with pytest.raises(error, match=expected):
        as_exemplar(photograph if isinstance(image, str) else image, box)


def test_compressed_pictures_of_one_colour_count_as_one_colour():
    noise = np.random.default_rng(0).integers(89, 92, (40, 40, 3)).astype(np.uint8)
    with pytest.raises(MatchError, match="one colour"):
        as_exemplar(noise)
