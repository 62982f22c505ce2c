"""Pictures of what was found."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.drawing import TRACKED, TRUE
from siamfc.matching.drawing import draw_matches, heat_over_picture
from siamfc.matching.matcher import Match

GREY = np.full((120, 160, 3), 128, np.uint8)
FOUND = [Match(Box(20, 30, 40, 30), 0.9, 1.0), Match(Box(90, 60, 40, 30), 0.7, 1.0, exemplar=1)]


def test_each_match_has_a_box_in_its_exemplars_colour():
    drawn = draw_matches(GREY, FOUND, ["one", "two"])
    # Lines are smoothed, so they are nearly of their colour.
    for pixel, color in ((drawn[45, 20], TRACKED), (drawn[75, 90], TRUE)):
        np.testing.assert_allclose(pixel / pixel.max(), np.array(color) / max(color), atol=0.08)
    assert (GREY == 128).all()


def test_where_nothing_was_found_the_picture_says_so():
    assert (draw_matches(GREY, [], ["one"]) != GREY).any()


def test_the_heat_lies_where_the_score_is_high_and_its_colours_do_not_depend_on_the_picture():
    scores = np.zeros((120, 160), np.float32)
    scores[70, 100] = 1.0
    scores[:10] = np.nan
    shown = heat_over_picture(GREY, scores, [])
    assert shown.shape[0] == 120
    assert shown.shape[1] > 160
    np.testing.assert_array_equal(shown[:8, :160], GREY[:8])
    brightness = shown[12:, :160].astype(int).sum(axis=2)
    assert np.unravel_index(brightness.argmax(), brightness.shape) == (58, 100)
    halved = heat_over_picture(GREY, scores / 2, [])
    np.testing.assert_array_equal(halved[:, 160:], shown[:, 160:])


@pytest.mark.parametrize("shape", [(1100, 40), (20, 40_000)], ids=["tall", "wide"])
def test_blocks_of_a_large_picture_meet_without_a_seam(shape):
    axis = int(shape[1] > shape[0])
    scores = np.linspace(0, 1, shape[axis], dtype=np.float32)
    scores = np.broadcast_to(scores if axis else scores[:, None], shape)
    shown = heat_over_picture(np.full((*shape, 3), 90, np.uint8), scores, [])[:, : shape[1]].astype(int)
    assert np.abs(np.diff(shown, axis=axis)).max() <= 4
