"""An exemplar is found in another picture, at its place and size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from siamfc import SiamFC
from siamfc.boxes import Box, intersection_over_union
from siamfc.config import TrackerConfig
from siamfc.errors import BoxError, FrameError
from siamfc.tracker.target_search import TargetSearch
from siamfc.visualize.maps import response_placement
from siamfc.visualize.pair_search import search_picture
from tests.clips import short_clip

CONFIG = TrackerConfig(num_scales=3, scale_step=1.2)


def test_the_object_is_found_where_it_went_and_its_map_covers_the_whole_picture(mobilenetv2: SiamFC) -> None:
    clip = short_clip(60)
    image, later = clip.render(0), clip.render(40)
    found = search_picture(mobilenetv2, CONFIG, image, clip.boxes[0], later)
    assert intersection_over_union(found.box, clip.boxes[40]) > 0.5
    assert found.maps.score_maps.shape[0] == 3
    placement = response_placement(found.maps.region, CONFIG, 8)
    rows, columns = found.maps.response.shape
    assert placement.point((0, 0)) <= (0, 0)
    right, bottom = placement.point((rows - 1, columns - 1))
    assert right >= later.shape[1]
    assert bottom >= later.shape[0]


@pytest.mark.parametrize("width", range(300, 320, 5))
def test_there_is_a_window_for_every_place_at_every_size_of_the_picture(mobilenetv2: SiamFC, width: int) -> None:
    clip = short_clip(2)
    picture = np.zeros((60, width, 3), np.uint8)
    found = search_picture(mobilenetv2, TrackerConfig(num_scales=1), clip.render(0), clip.boxes[0], picture)
    placement = response_placement(found.maps.region, CONFIG, 8)
    rows, columns = found.maps.response.shape
    (left, _), (right, _) = placement.point((0, 0)), placement.point((rows - 1, columns - 1))
    assert left <= 0
    assert right >= width


@pytest.mark.parametrize(
    "setting", [{}, {"context_weight": 0.2}, {"motion_blur": 0.5}], ids=["plain", "context", "blur"]
)
def test_what_is_searched_for_is_what_the_tracker_holds(alexnet: SiamFC, setting: dict[str, float]) -> None:
    clip, config = short_clip(2), TrackerConfig(num_scales=1, **setting)
    image, box = clip.render(0), Box.from_center(*clip.boxes[0].center, 60, 15)  # all cells centre on a square one
    found = search_picture(alexnet, config, image, box, image)
    kernel = TargetSearch(alexnet, config).start(image, box)[0].kernel
    with torch.inference_mode():
        features = alexnet.features(torch.from_numpy(found.search).permute(2, 0, 1)[None])
        expected = torch.nn.functional.conv2d(features, kernel.weight, kernel.offset)[0]
    rows, columns = found.maps.score_maps.shape[1:]
    expected = expected[:, :rows, :columns].numpy()
    np.testing.assert_allclose(found.maps.score_maps, expected, rtol=0, atol=0.01 * expected.std())


def test_a_picture_smaller_than_the_exemplar_is_searched_all_the_same(mobilenetv2: SiamFC) -> None:
    clip = short_clip(2)
    found = search_picture(mobilenetv2, CONFIG, clip.render(0), clip.boxes[0], clip.render(0)[:20, :20])
    assert np.isfinite(found.score)


def test_what_cannot_be_searched_is_said(mobilenetv2: SiamFC) -> None:
    image = short_clip(2).render(0)
    for box in (Box(500, 0, 9, 9), Box(float("nan"), 0, 9, 9), Box(0, 0, 0, 9)):
        with pytest.raises(BoxError):
            search_picture(mobilenetv2, CONFIG, image, box, image)
    with pytest.raises(FrameError, match="cut out a part"):
        search_picture(mobilenetv2, CONFIG, image, Box(9, 9, 4, 4), image)
