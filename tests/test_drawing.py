"""Boxes and rulers lie where they should, to the pixel, and pictures are written whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.drawing import TRACKED, Rgb, draw_box, draw_rulers, draw_text, save_picture
from siamfc.errors import OutputError
from siamfc.frames import Image
from siamfc.video import read_image

GREY = np.full((120, 160, 3), 90, dtype=np.uint8)


def boxed(frame: Image, box: Box, *, color: Rgb = TRACKED, label: str = "") -> Image:
    drawn = frame.copy()
    draw_box(drawn, box, color=color, label=label)
    return drawn


def test_a_box_is_drawn_on_its_edges() -> None:
    drawn = boxed(GREY, Box(40, 30, 50, 20), color=(255, 0, 0))
    changed = np.argwhere((drawn != GREY).any(axis=2))
    near, far = changed.min(axis=0), changed.max(axis=0) + 1
    assert abs((near + far) / 2 - [40, 65]).max() <= 0.5  # the line is as thick on either side of the edges
    assert abs(near - [30, 40]).max() <= 3  # half of the line and its dark rim
    assert (drawn[40, 60] == GREY[40, 60]).all()  # the inside is free


def test_letters_cover_as_large_a_share_of_a_large_frame_as_of_one_of_720_rows() -> None:
    shares = []
    for height in (720, 900, 1080, 1440, 2160):
        frame = np.full((height, 2 * height, 3), 90, dtype=np.uint8)
        draw_text(frame, "score 0.98", (20, height // 2))
        shares.append((frame.min(axis=2) > 160).mean())
    assert min(shares[1:]) >= shares[0] > 0


@pytest.mark.parametrize("height", [360, 720, 1080, 2160])
@pytest.mark.parametrize("top", [0.0, 0.4])
def test_a_label_keeps_off_its_box_on_frames_of_any_size(height: int, top: float) -> None:
    frame = np.full((height, 2 * height, 3), 90, dtype=np.uint8)
    box = Box(0.5 * height, top * height + 5, 0.6 * height, 0.4 * height)
    labelled, bare = boxed(frame, box, label="score 0.98"), boxed(frame, box)
    letters = np.nonzero(((labelled != bare).any(axis=2) & (labelled.max(axis=2) > 150)).any(axis=1))[0]
    line = np.nonzero(bare[:, round(box.center[0])].max(axis=1) > 150)[0]
    assert letters.max() < line.min() if top else letters.min() > line.max()


@pytest.mark.parametrize(("height", "width"), [(8, 12), (1, 1), (200, 40)])
def test_a_label_larger_than_the_frame_is_left_out(height: int, width: int) -> None:
    frame, box = np.full((height, width, 3), 90, dtype=np.uint8), Box(0, 0, width, height)
    assert np.array_equal(boxed(frame, box, label="score 0.98"), boxed(frame, box))


def test_rulers_are_outside_the_picture_and_small_pictures_are_enlarged() -> None:
    small = draw_rulers(GREY)
    assert small.shape == (44 + 3 * 120, 44 + 3 * 160, 3)
    large = draw_rulers(np.zeros((1080, 1920, 3), np.uint8))
    assert large.shape == (1124, 1964, 3)


def test_a_picture_is_saved_whole_and_not_over_another(tmp_path: Path) -> None:
    path = tmp_path / "größe.png"
    picture = np.arange(30, dtype=np.uint8).reshape(2, 5, 3)
    save_picture(path, picture)
    assert np.array_equal(read_image(path), picture)
    with pytest.raises(OutputError, match="exists"):
        save_picture(path, picture)


def test_a_picture_has_no_name_that_promises_another_format(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"not as 'sheet\.jpg'; name it sheet\.png"):
        save_picture(tmp_path / "sheet.jpg", GREY)
    assert not list(tmp_path.iterdir())
