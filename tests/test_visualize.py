"""Score maps lie where they should on the frame, to the pixel."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc import SiamFC, Tracker
from siamfc.crops import CropRegion
from siamfc.score_map import upsampled_cells
from siamfc.tracker import ScoreMaps
from siamfc.visualize import draw_scores, heat_over_frame
from tests.clips import short_clip

GREY = np.full((120, 160, 3), 90, dtype=np.uint8)


def single_peak(region: CropRegion, row: int, column: int) -> ScoreMaps:
    maps = np.zeros((1, 17, 17), dtype=np.float32)
    maps[0, row, column] = 1
    cells = upsampled_cells(17, 16, "corners")
    return ScoreMaps(maps, np.zeros((cells, cells), np.float32), region, 0, (row * 16.0, column * 16.0))


@pytest.mark.parametrize(("row", "column"), [(8, 8), (4, 11), (12, 6)])
def test_the_heat_of_a_cell_lies_on_the_centre_of_its_window(mobilenetv2: SiamFC, row: int, column: int) -> None:
    config = Tracker(mobilenetv2).config
    region = CropRegion(80.0, 60.0, side_px=110.0, crop_size=255)
    heat = heat_over_frame(GREY, single_peak(region, row, column), config, stride=8, limits=(0, 1))
    weight = np.abs(heat.astype(float) - GREY).sum(axis=2)
    ys, xs = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    center = (xs * weight).sum() / weight.sum(), (ys * weight).sum() / weight.sum()
    window_center = region.to_frame(8 * column + 63.5, 8 * row + 63.5)
    assert center == pytest.approx(window_center, abs=0.25)


def test_the_score_picture_shows_frame_exemplar_and_map(mobilenetv2: SiamFC) -> None:
    clip = short_clip(2)
    tracker = Tracker(mobilenetv2, keep_maps=True)
    tracker.init(clip.render(0), clip.boxes[0])
    result = tracker.update(clip.render(1))
    exemplar = np.full((127, 127, 3), (10, 200, 30), dtype=np.uint8)
    picture = draw_scores(clip.render(1), result, exemplar=exemplar, config=tracker.config, stride=8, limits=(0.0, 1.0))
    assert picture.shape == (180, 240 + 90, 3)
    assert picture[60, 290].tolist() == [10, 200, 30]
    assert picture[90:, 240:].std() > 5
