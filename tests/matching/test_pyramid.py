"""The sizes at which a picture is searched: one pyramid for all exemplars."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.config import MatchConfig
from siamfc.errors import MatchError
from siamfc.matching.exemplars import as_exemplar
from siamfc.matching.pyramid import Pyramid

BOXES = [Box(100, 100, 64, 64), Box(50, 50, 150, 130), Box(30, 200, 30, 90)]


@pytest.fixture(scope="module")
def exemplars(photograph):
    return [as_exemplar(photograph, box) for box in BOXES]


def test_the_first_exemplar_has_its_own_square_and_the_others_squares_are_whole_steps_of_it(exemplars):
    pyramid = Pyramid(exemplars, MatchConfig())
    assert pyramid.sides[0] == exemplars[0].side(0.5) == 128
    steps = 4 * np.log2(np.array(pyramid.sides) / 128)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    for side, exemplar in zip(pyramid.sides, exemplars, strict=True):
        assert abs(np.log2(side / exemplar.side(0.5))) <= 0.5 / 4 + 1e-9


def test_in_each_view_each_exemplar_has_its_crops_size_at_its_scale(photograph, exemplars):
    config = MatchConfig(min_scale=0.7, max_scale=1.5)
    pyramid = Pyramid(exemplars, config)
    patterns, views = pyramid.over(photograph)
    for pattern in patterns:
        assert list(pattern.scales) == pytest.approx(config.scales)
        for level in pattern.levels:
            scale = pattern.scales[level - pattern.levels.start]
            shown = pyramid.sides[pattern.exemplar] * scale * views[level].factor
            assert shown == pytest.approx(config.exemplar_size)
            assert pattern.box_size(level)[0] == pytest.approx(BOXES[pattern.exemplar].width * scale)
    assert [view.factor for view in views] == sorted((view.factor for view in views), reverse=True)


def test_margins_let_a_box_at_the_edge_lie_in_the_middle_of_a_window(photograph, exemplars):
    config = MatchConfig()
    patterns, views = Pyramid(exemplars[:1], config).over(photograph)
    for level, view in enumerate(views):
        first_center = view.to_picture(config.exemplar_size / 2, config.exemplar_size / 2)
        width, height = patterns[0].box_size(level)
        assert first_center[0] <= width / 2
        assert first_center[1] <= height / 2


def test_scales_at_which_a_box_does_not_fit_are_left_out(photograph, exemplars):
    patterns, views = Pyramid(exemplars[1:2], MatchConfig()).over(photograph[:150, :400])
    assert max(patterns[0].scales) * 130 <= 150.5
    assert len(views) == len(patterns[0].scales) < len(MatchConfig().scales)


def test_an_exemplar_that_fits_at_no_scale_is_named_with_both_sizes(photograph, exemplars):
    expected = r"150 x 130 px does not fit into the picture of 60 x 50 px.*scale searched, 0\.5"
    with pytest.raises(MatchError, match=expected):
        Pyramid(exemplars[1:2], MatchConfig()).over(photograph[:50, :60])


def test_each_turn_of_an_exemplar_is_a_pattern(photograph, exemplars):
    patterns, _ = Pyramid(exemplars[2:], MatchConfig(rotations=(0, 90))).over(photograph)
    assert [pattern.rotation for pattern in patterns] == [0, 90]
    assert patterns[0].size == pytest.approx((30, 90))
    assert patterns[1].size == pytest.approx((90, 30))


def test_a_range_between_two_steps_is_searched_at_its_least_scale():
    assert MatchConfig(min_scale=0.9, max_scale=0.92).scales == [0.9]
