from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from siamfc.boxes import Box, intersection_over_union
from siamfc.checkpoint import load_model
from siamfc.config import TrackerConfig
from siamfc.tracker.multi_tracker import MultiTracker
from siamfc.tracker.redetection import Redetection, Sightings, redetects
from siamfc.tracker.target_state import TargetState
from siamfc.tracker.tracker import Tracker
from tests.scenes import EMBLEM, pan

HERE, FAR, AWAY = (0, 0), (190, 0), (0, 300)  # corners of the view; from the last the emblem is not seen
SETTINGS = {"tracker": {"lost_score": 0.2}}


@pytest.fixture(scope="module")
def model():
    return load_model("mobilenetv2", device="cpu")


@pytest.fixture(scope="module")
def leap(photograph):
    """An emblem that stays for four frames, and then is out of reach of a search around its old place."""
    return pan(photograph, [HERE] * 4 + [FAR] * 8, target=EMBLEM)


def _overlaps(model, scene, settings) -> list[float]:
    results = Tracker(model, settings).track(scene.frames, scene.boxes[0])
    return [intersection_over_union(result.box, box) for result, box in zip(results, scene.boxes, strict=True)]


def test_a_target_that_leaps_out_of_reach_is_found_again(model, leap):
    overlaps = _overlaps(model, leap, SETTINGS)
    assert min(overlaps[:4]) > 0.7
    assert min(overlaps[-4:]) > 0.8


def test_without_the_setting_it_stays_lost(model, leap):
    assert max(_overlaps(model, leap, {"tracker": {"lost_score": 0}})[4:]) == 0


def test_a_target_that_is_gone_is_not_found_elsewhere_and_its_score_says_so(model, photograph):
    scene = pan(photograph, [HERE] * 4 + [AWAY] * 10, target=EMBLEM)
    results = [*Tracker(model, SETTINGS).track(scene.frames, scene.boxes[0])]
    assert all(result.score > 0.6 for result in results[:4])
    assert all(result.score < 0.6 for result in results[4:])


def test_a_target_that_comes_back_elsewhere_is_found(model, photograph):
    scene = pan(photograph, [HERE] * 4 + [AWAY] * 6 + [FAR] * 10, target=EMBLEM)
    assert min(_overlaps(model, scene, SETTINGS)[-4:]) > 0.8


def test_in_a_frame_of_another_size_it_is_looked_for_in_its_size_there(model, leap):
    large = [np.repeat(np.repeat(frame, 2, axis=0), 2, axis=1) for frame in leap.frames]
    frames = [*leap.frames[:4], *large[4:]]
    results = [*Tracker(model, SETTINGS).track(frames, leap.boxes[0])]
    true = Box(*(2 * value for value in leap.boxes[-1]))
    assert intersection_over_union(results[-1].box, true) > 0.6


@pytest.mark.parametrize("batch_targets", [1, 2, None])
def test_many_targets_are_found_as_each_alone(model, leap, batch_targets, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)  # so that each has a thread where it can
    boxes = [leap.boxes[0], Box(150, 60, 40, 40)]
    many = MultiTracker(model, SETTINGS, batch_targets=batch_targets)
    for box in boxes:
        many.add(leap.frames[0], box)
    together = [many.update(frame) for frame in leap.frames[1:]]
    for number, box in enumerate(boxes):
        alone = [*Tracker(model, SETTINGS).track(leap.frames, box)][1:]
        np.testing.assert_allclose(
            [result.box for result in alone], [results[number].box for results in together], atol=1e-2
        )


def test_a_score_that_is_not_calibrated_does_not_tell(alexnet):
    assert not redetects(alexnet, TrackerConfig(lost_score=0.2))


@pytest.fixture
def redetection(model):
    return Redetection(model, TrackerConfig(lost_score=0.2, sure_score=0.6, lost_crops=3))


@pytest.fixture
def state():
    return TargetState.of(Box(280, 180, 80, 80), (480, 640), TrackerConfig())


@pytest.mark.parametrize(
    ("scores", "lost"),
    [
        ([0.9, 0.1], True),
        ([0.9, 0.4, 0.1], True),
        ([0.9, 0.4, 0.3, 0.1, 0.0], False),  # it changes its looks
        ([0.9, 0.1, 0.3, 0.5], True),  # not yet sure
        ([0.9, 0.1, 0.7], False),
        ([0.9, 0.3, 0.3], False),
        ([0.1], True),  # surely there where it was given
    ],
)
def test_a_target_is_lost_where_its_score_falls_at_once(redetection, state, scores, lost):
    sightings = Sightings(state)
    assert [redetection.observe(sightings, state, score) for score in scores][-1] is lost


def test_it_was_last_seen_where_its_score_was_high(redetection, state):
    sightings = Sightings(state)
    moved = state.placed((100, 90))
    for place, score in ((moved, 0.6), (state, 0.59), (state, 0.1)):
        redetection.observe(sightings, place, score)
    assert sightings.last == moved


def test_a_round_of_crops_covers_the_frame_from_the_inside_out_and_begins_anew(redetection, state):
    sightings = Sightings(state, is_lost=True)
    rounds = []
    while not rounds or sightings.looks < 100:
        regions = redetection.regions(sightings, (480, 640))
        assert len(regions) == 3
        rounds += regions
    step = 17 * 8 * rounds[0].frame_px_per_crop_px
    centers = [(region.center_x, region.center_y) for region in rounds]
    assert centers[0] == state.center
    count = centers.index(centers[0], 1)
    assert len(set(centers[:count])) == count
    distances = [max(abs(x - 320), abs(y - 220)) for x, y in centers[:count]]
    assert all(later > sooner - 1e-9 for sooner, later in pairwise(distances))
    # Every place of the frame is the centre of a window of one of the crops.
    for x in range(0, 641, 20):
        for y in range(0, 481, 20):
            assert any(max(abs(x - own_x), abs(y - own_y)) <= step / 2 + 1e-9 for own_x, own_y in centers[:count])


@pytest.mark.parametrize(
    ("frame_size", "side", "count"),
    [((60, 80), 40, 1), ((480, 640), 80, 15), ((1080, 1920), 20, 49)],  # the last: three rings, and no further
)
def test_no_place_is_looked_at_twice_at_once(model, frame_size, side, count):
    many = Redetection(model, TrackerConfig(lost_score=0.2, lost_crops=64))
    height, width = frame_size
    state = TargetState.of(Box.from_center(width / 2, height / 2, side, side), frame_size, TrackerConfig())
    regions = many.regions(Sightings(state, is_lost=True), frame_size)
    assert len({(region.center_x, region.center_y) for region in regions}) == len(regions) == count


def test_a_target_given_with_its_centre_outside_is_looked_for_at_the_edge(model, leap):
    settings = {"exemplar_size": 255, "search_size": 271, "size_from": "scales", "lost_score": 1.0, "sure_score": 1.0}
    tracker = Tracker(model, {"tracker": settings})
    tracker.init(leap.frames[0], (-170, 60, 200, 10))
    assert np.isfinite(tracker.update(leap.frames[0]).box).all()
