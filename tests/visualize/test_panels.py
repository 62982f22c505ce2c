"""Every view of a frame shows what it says, and frames of a video give pictures of one size."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion
from siamfc.drawing import SHADE
from siamfc.tracker.track_result import ScoreMaps
from siamfc.visualize.heat import ColorScale
from siamfc.visualize.panels import VIEWS, PanelPainter, SeenFrame

CONFIG = TrackerConfig()
REGION = CropRegion(80.0, 60.0, side_px=110.0, crop_size=255)


def seen(*, searched: bool = True, truth: Box | None = None, has_window: bool = True) -> SeenFrame:
    scores = np.zeros((3, 17, 17), dtype=np.float32)
    scores[1, 8, 10] = 1
    maps = ScoreMaps(scores, np.full((257, 257), 1 / 257**2, np.float32), REGION, 1, (128.0, 160.0))
    return SeenFrame(
        image=np.full((120, 160, 3), 90, dtype=np.uint8),
        label="7",
        exemplar=np.full((127, 127, 3), (10, 200, 30), dtype=np.uint8),
        search=np.full((255, 255, 3), (200, 30, 10), dtype=np.uint8) if searched else None,
        maps=maps if searched else None,
        box=Box(70, 50, 20, 20),
        score=0.5,
        truth=truth,
        has_window=has_window,
    )


PAINTER = PanelPainter(CONFIG, 8, ColorScale(0.0, 1.0))


@pytest.mark.parametrize("view", VIEWS)
def test_frames_that_were_not_searched_have_pictures_of_the_same_size(view: str) -> None:
    searched, first = PAINTER.paint(seen(), view), PAINTER.paint(seen(searched=False), view)
    assert searched.shape == first.shape
    assert searched.dtype == np.uint8
    assert (searched != first).any()


def test_the_panel_holds_frame_exemplar_and_search_crop() -> None:
    panel = PAINTER.paint(seen(), "panel")
    for color in ((10, 200, 30), (200, 30, 10)):
        assert (panel == color).all(axis=2).sum() > 10_000


def test_the_overlay_has_the_frames_own_pixels_with_the_bar_beside_them() -> None:
    overlay = PAINTER.paint(seen(), "overlay")
    assert overlay.shape[0] == 120
    assert overlay.shape[1] > 160
    assert overlay[110, 5].tolist() == [90, 90, 90]


def test_the_true_centre_is_marked_in_green_on_frame_and_maps() -> None:
    true = seen(truth=Box.from_center(90.0, 55.0, 20, 20))
    for view in ("panel", "overlay", "raw", "upsampled", "windowed"):
        marked = PAINTER.paint(true, view).astype(int)
        green = (marked[..., 1] > marked[..., 0] + 60) & (marked[..., 1] > marked[..., 2] + 60)
        plain = PAINTER.paint(seen(), view).astype(int)
        plain_green = (plain[..., 1] > plain[..., 0] + 60) & (plain[..., 1] > plain[..., 2] + 60)
        assert green.sum() > plain_green.sum(), view


def test_a_pair_has_no_windowed_map() -> None:
    windowed = PAINTER.paint(seen(has_window=False), "windowed")
    assert (windowed[100:400, 100:400] == SHADE).all()


def test_extreme_shapes_of_frames_are_drawn() -> None:
    for height, width in ((4, 900), (900, 4)):
        base = seen()
        odd = SeenFrame(
            np.zeros((height, width, 3), np.uint8), "0", base.exemplar, base.search, base.maps, base.box, 0.0
        )
        assert PAINTER.paint(odd, "panel").shape[1] < 2500
