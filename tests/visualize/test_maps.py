"""Score maps lie where they should on the frame, to the pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from siamfc import SiamFC, Tracker, load_config
from siamfc.boxes import Box
from siamfc.crops import CropRegion
from siamfc.score_map import upsampled_cells
from siamfc.tracker.track_result import ScoreMaps, TrackResult
from siamfc.visualize.heat import ColorScale
from siamfc.visualize.maps import draw_pair, draw_scores, heat_over_frame, upsampled_maps, windowed_scores
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
    maps = single_peak(region, row, column)
    heat = heat_over_frame(GREY, maps, config, stride=8, scale=ColorScale(0, 1))
    nothing = replace(maps, score_maps=np.zeros_like(maps.score_maps))
    empty = heat_over_frame(GREY, nothing, config, stride=8, scale=ColorScale(0, 1))
    weight = np.abs(heat.astype(float) - empty).sum(axis=2)
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
    picture = draw_scores(
        clip.render(1), result, exemplar=exemplar, config=tracker.config, stride=8, scale=ColorScale(0, 1)
    )
    assert picture.shape == (180, 240 + 90, 3)
    assert picture[60, 290].tolist() == [10, 200, 30]
    assert picture[90:, 240:].std() > 5


@pytest.mark.parametrize(("height", "width"), [(8, 12), (21, 64), (3, 720), (1, 1), (54, 96)])
def test_the_score_picture_of_a_small_frame_leaves_out_what_has_no_room(height: int, width: int) -> None:
    frame = np.full((height, width, 3), 90, dtype=np.uint8)
    exemplar = np.full((127, 127, 3), (10, 200, 30), dtype=np.uint8)
    maps = single_peak(CropRegion(width / 2, height / 2, side_px=40.0, crop_size=255), 8, 8)
    result = TrackResult(Box(0, 0, width, height), 0.98, 1.0, 1.0, maps)
    config = load_config().tracker
    picture = draw_scores(frame, result, exemplar=exemplar, config=config, stride=8, scale=ColorScale(0, 1))
    side = max(height // 2, 1)
    assert picture.shape == (height, width + side, 3)
    assert (picture[:side, width:] == (10, 200, 30)).all()  # no part of its name


def test_names_beside_a_large_frame_grow_with_it(mobilenetv2: SiamFC) -> None:
    exemplar = np.full((127, 127, 3), 90, dtype=np.uint8)
    result = Tracker(mobilenetv2).init(GREY, Box(40, 30, 50, 20))
    config = load_config().tracker
    heights = []
    for height in (720, 2160):
        frame = np.full((height, 2 * height, 3), 90, dtype=np.uint8)
        picture = draw_scores(frame, result, exemplar=exemplar, config=config, stride=8, scale=None)
        heights.append(np.ptp(np.nonzero((picture[: height // 2, 2 * height :] != 90).any(axis=(1, 2)))[0]))
    assert heights[1] > 3.5 * heights[0]


@pytest.mark.parametrize(("influence", "full_contrast"), [(0.0, 0), (0.3, 0), (1.0, 0), (0.3, 10)])
def test_windowed_scores_have_the_peak_of_the_response(
    mobilenetv2: SiamFC, influence: float, full_contrast: float
) -> None:
    clip = short_clip(3)
    config = load_config(overrides=[f"tracker.window_influence={influence}", f"tracker.full_contrast={full_contrast}"])
    tracker = Tracker(mobilenetv2, config, keep_maps=True)
    tracker.init(clip.render(0), clip.boxes[0])
    tracker.update(clip.render(1))
    maps = tracker.update(clip.render(2)).maps
    windowed = windowed_scores(maps, tracker.config)
    assert windowed.argmax() == maps.response.argmax()
    if influence == 0:  # no window: the chosen scale's map, penalised or not
        np.testing.assert_allclose(windowed, upsampled_maps(maps, tracker.config)[maps.scale_index], atol=0.1)


def test_a_pair_shows_both_crops_the_peak_and_the_true_centre() -> None:
    exemplar = np.full((127, 127, 3), (10, 200, 30), dtype=np.uint8)
    search = np.full((255, 255, 3), (200, 30, 10), dtype=np.uint8)
    scores = np.zeros((17, 17))
    scores[3, 12] = 1
    row = draw_pair(exemplar, search, scores, center=(127.5, 127.5), stride=8)
    without = draw_pair(exemplar, search, None, center=None, stride=8, note="negative")
    assert row.shape == without.shape
    assert row.shape[0] == 22 + 255
    assert (without == (10, 200, 30)).all(axis=2).sum() > 10_000
    # The ring of the peak stands around its window's centre, in the search crop beside the exemplar.
    left = 127 + 4
    changed = (row[:, left : left + 255] != (200, 30, 10)).any(axis=2)
    changed = changed[22:]  # below the names
    ys, xs = np.nonzero(changed)
    ring = xs > 145
    assert (xs[ring].mean() + 0.5, ys[ring].mean() + 0.5) == pytest.approx((8 * 12 + 63.5, 8 * 3 + 63.5), abs=0.6)


def test_the_names_of_a_pair_lie_above_its_pictures_not_over_them() -> None:
    exemplar, search = np.full((63, 63, 3), 90, np.uint8), np.full((95, 95, 3), 90, np.uint8)
    row = draw_pair(exemplar, search, np.full((5, 5), 0.7), center=None, stride=8, scale=ColorScale(0, 1))
    strip, pictures = row[:22], row[22:]
    assert strip.max() > 200
    assert (pictures[:24, 72 : 72 + 95] == 90).all()  # the search crop, above the ring at the map's first cell
    assert len(np.unique(pictures[:24, 72 + 2 * 99 + 24 : 72 + 2 * 99 + 95].reshape(-1, 3), axis=0)) == 1  # the map


def test_rows_of_one_scale_can_be_compared() -> None:
    crop = np.zeros((127, 127, 3), np.uint8)
    search = np.zeros((255, 255, 3), np.uint8)
    low, high = np.full((17, 17), 0.2), np.full((17, 17), 0.8)
    rows = [draw_pair(crop, search, m, center=None, stride=8, scale=ColorScale(0, 1)) for m in (low, high)]
    assert rows[1].astype(int).sum() > rows[0].astype(int).sum()
