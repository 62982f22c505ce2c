from __future__ import annotations

import numpy as np
import pytest
import torch

from siamfc.boxes import Box
from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion, crop
from siamfc.opencv import cv2
from siamfc.tracker.motion_blur import motion_blurred
from siamfc.tracker.target_search import TargetSearch
from siamfc.tracker.tracker import Tracker

GREY = (90.0, 90.0, 90.0)
ACROSS, DOWN, FALLING, RISING = (0, 4), (1, 5), (2, 6), (3, 7)


def _spot(size: int = 300) -> np.ndarray:
    picture = np.zeros((size, size, 3), np.uint8)
    picture[150, 150] = 255
    return picture


def test_an_even_picture_stays_as_it_is():
    frame = np.full((200, 260, 3), (10, 90, 240), np.uint8)
    blurred = motion_blurred(frame, CropRegion(130, 100, 127, 127), GREY)
    assert blurred.shape == (8, 127, 127, 3)
    assert (blurred == (10, 90, 240)).all()


def test_a_spot_becomes_lines_of_nine_and_seventeen_pixels_about_itself():
    blurred = motion_blurred(_spot(), CropRegion(150.5, 150.5, 127, 127), GREY)[..., 0] > 0
    for pair, rows, columns in ((ACROSS, (1, 1), (9, 17)), (DOWN, (9, 17), (1, 1))):
        for number, high, wide in zip(pair, rows, columns, strict=True):
            lit = np.argwhere(blurred[number])
            assert (np.ptp(lit, axis=0) + 1).tolist() == [high, wide]
            np.testing.assert_array_equal(lit.mean(axis=0), [63, 63])
    for pair, sign in ((FALLING, 1), (RISING, -1)):
        for number, length in zip(pair, (9, 17), strict=True):
            lit = np.argwhere(blurred[number])
            np.testing.assert_array_equal(lit.mean(axis=0), [63, 63])
            np.testing.assert_array_equal(np.diff(lit, axis=0), np.tile([1, sign], (len(lit) - 1, 1)))
            assert len(lit) * 2**0.5 == pytest.approx(length, abs=1.4)


def test_what_comes_in_over_the_border_is_the_frames(photograph):
    region = CropRegion(140, 120, 100, 127)
    wide = crop(photograph, CropRegion(140, 120, 100 * 143 / 127, 143), GREY)
    expected = cv2.blur(wide, (17, 1))[8:-8, 8:-8]
    found = motion_blurred(photograph, region, GREY)[ACROSS[1]]
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_without_it_nothing_is_blurred_and_with_it_the_kernel_lies_between(mobilenetv2, photograph):
    box = Box(100, 80, 60, 60)

    def kernel(share: float) -> torch.Tensor:
        return TargetSearch(mobilenetv2, TrackerConfig(motion_blur=share)).start(photograph, box)[0].kernel.weight

    sharp, half, blurred = kernel(0), kernel(0.5), kernel(1)
    torch.testing.assert_close(half, (sharp + blurred) / 2)
    assert not torch.allclose(sharp, blurred)


@pytest.mark.parametrize("kernel", [(19, 1), (1, 19)], ids=["across", "down"])
def test_a_target_that_moved_while_the_shutter_was_open_stands_out_more(mobilenetv2, photograph, kernel):
    smeared = cv2.blur(photograph, kernel)  # 15 crop pixels

    def lead(box: Box, share: float) -> float:
        """How far the target's own place is above the best of those farther off, in deviations of the map."""
        tracker = Tracker(mobilenetv2, TrackerConfig(motion_blur=share, num_scales=1), keep_maps=True)
        tracker.init(photograph, box)
        (score_map,) = tracker.update(smeared).maps.score_maps
        elsewhere = score_map.copy()
        elsewhere[5:12, 5:12] = -np.inf
        return float((score_map[8, 8] - elsewhere.max()) / score_map.std())

    boxes = [Box(x, y, 60, 60) for x, y in ((60, 60), (100, 80), (150, 70), (90, 130), (160, 140), (120, 110))]
    assert np.mean([lead(box, 0.5) - lead(box, 0) for box in boxes]) > 0.1
