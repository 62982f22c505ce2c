"""`match` and `match_map`: what is found, where, with which score, and what is refused."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import siamfc
from siamfc.boxes import Box, intersection_over_union
from siamfc.config import MatchConfig
from siamfc.data.rendered_picture import render_picture
from siamfc.errors import ConfigError, FrameError, MatchError
from siamfc.matching.exemplars import as_exemplar
from siamfc.matching.matcher import Matcher
from siamfc.matching.one_call import match, match_map
from siamfc.opencv import cv2
from tests.scenes import EYE

HERE = {"scales": (1, 1)}


@pytest.fixture(scope="module")
def picture():
    return render_picture(4)


def overlaps(found, boxes):
    return intersection_over_union(np.array([one.box for one in found])[:, None], np.array(boxes)[None])


def test_three_copies_among_other_things_are_found_and_nothing_else(mobilenetv2, picture):
    found = match(picture.image, picture.exemplar, model=mobilenetv2)
    assert len(found) == 3
    assert (overlaps(found, picture.boxes).max(axis=0) > 0.6).all()
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one, box in zip(found, overlaps(found, picture.boxes).argmax(axis=1), strict=True):
        true_scale = picture.boxes[box].width / picture.exemplar.shape[1]
        assert one.scale == pytest.approx(true_scale, rel=0.15)
        assert (one.rotation, one.exemplar) == (0, 0)


@pytest.mark.parametrize("shift", [(0, 0), (3, 5), (4, 4)], ids=str)
def test_an_exemplar_scores_1_at_its_own_place_wherever_that_lies_to_the_grid(mobilenetv2, photograph, shift):
    box = Box(EYE.x + shift[0], EYE.y + shift[1], EYE.width, EYE.height)
    best = match(photograph[:400], as_exemplar(photograph[:400], box), model=mobilenetv2, **HERE)[0]
    assert best.score > 0.98
    assert np.abs(np.array(best.box) - np.array(box)).max() < 0.5


def test_a_match_is_found_between_the_scales_that_are_searched(mobilenetv2, photograph):
    larger = cv2.resize(photograph[80:400, 80:400], None, fx=1.3, fy=1.3)
    best = match(larger, as_exemplar(photograph, EYE), scales=(1, 2), model=mobilenetv2)[0]
    assert best.scale == pytest.approx(1.3, rel=0.03)
    expected = Box(1.3 * (EYE.x - 80), 1.3 * (EYE.y - 80), 1.3 * EYE.width, 1.3 * EYE.height)
    assert intersection_over_union(best.box, expected) > 0.93


@pytest.mark.parametrize("scales", [(1, 1), (0.5, 1), (1.3, 2)])
def test_no_match_has_a_scale_that_was_not_asked_for(mobilenetv2, photograph, scales):
    larger = cv2.resize(photograph[80:400, 80:400], None, fx=1.12, fy=1.12)
    found = match(larger, as_exemplar(photograph, EYE), scales=scales, threshold=0.3, model=mobilenetv2)
    assert found
    assert all(scales[0] - 1e-6 <= one.scale <= scales[1] + 1e-6 for one in found)


def test_a_model_in_half_precision_finds_the_same(mobilenetv2, photograph):
    whole, half = (
        match(photograph[:400], as_exemplar(photograph, EYE), model=model, **HERE)
        for model in (mobilenetv2, copy.deepcopy(mobilenetv2).half())
    )
    assert len(whole) == len(half) > 0
    assert [one.score for one in half] == pytest.approx([one.score for one in whole], abs=0.01)


def test_what_settings_do_not_say_the_checkpoint_does():
    model = siamfc.load_model("mobilenetv2", device="cpu")
    exemplar = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert Matcher(model, exemplar, MatchConfig(rotations=(0, 90))).config.threshold == 0.78


def test_exemplars_of_a_matcher_may_be_opencvs(mobilenetv2, photograph):
    exemplar, config = np.ascontiguousarray(photograph[100:260, 180:340]), MatchConfig(min_scale=1, max_scale=1)
    bgr = np.ascontiguousarray(exemplar[..., ::-1])
    (one,) = Matcher(mobilenetv2, bgr, config, color_order="bgr").search(photograph).matches()
    (same,) = Matcher(mobilenetv2, exemplar, config).search(photograph).matches()
    assert one == same


def test_objects_at_the_pictures_border_are_found(mobilenetv2, photograph):
    corner = np.ascontiguousarray(photograph[int(EYE.y) : int(EYE.y) + 200, int(EYE.x) : int(EYE.x) + 220])
    best = match(corner, as_exemplar(photograph, EYE), model=mobilenetv2, **HERE)[0]
    assert np.abs(np.array(best.box) - (0, 0, EYE.width, EYE.height)).max() < 4


def test_of_several_exemplars_the_best_is_named_at_each_place(mobilenetv2, picture):
    stranger = as_exemplar(picture.image, picture.others[0])
    found = match(picture.image, [picture.exemplar, stranger], model=mobilenetv2)
    by_exemplar = {number: [one for one in found if one.exemplar == number] for number in (0, 1)}
    assert (overlaps(by_exemplar[0], picture.boxes).max(axis=0) > 0.5).all()
    assert overlaps(by_exemplar[1][:1], picture.others[:1])[0, 0] > 0.7
    assert by_exemplar[1][0].score > 0.95


def test_exemplars_of_different_sizes_share_one_pass(mobilenetv2, photograph):
    boxes = [EYE, Box(320, 400, 150, 170)]
    matcher = Matcher(
        mobilenetv2, [as_exemplar(photograph, box) for box in boxes], MatchConfig(min_scale=1, max_scale=1)
    )
    found = matcher.search(photograph).matches()
    for number, box in enumerate(boxes):
        best = next(one for one in found if one.exemplar == number)
        assert intersection_over_union(best.box, box) > 0.85
        assert best.score > 0.9


def test_turned_objects_are_found_where_turns_are_searched(mobilenetv2, photograph):
    turned = np.ascontiguousarray(np.rot90(photograph, -1))  # clockwise
    exemplar = as_exemplar(photograph, Box(180, 120, 90, 130))
    best = match(turned, exemplar, rotations=(0, 90, 180), model=mobilenetv2, **HERE)[0]
    assert best.rotation == 90
    expected = Box(600 - 120 - 130, 180, 130, 90)
    assert intersection_over_union(best.box, expected) > 0.8


def test_the_map_is_as_large_as_the_picture_and_highest_where_the_object_is(mobilenetv2, photograph):
    part = photograph[:330, :400]
    scores = match_map(part, as_exemplar(part, EYE), model=mobilenetv2, **HERE)
    assert (scores.shape, scores.dtype) == ((330, 400), np.float32)
    row, column = np.unravel_index(np.nanargmax(scores), scores.shape)
    assert np.hypot(column + 0.5 - EYE.center[0], row + 0.5 - EYE.center[1]) < 6
    assert abs(np.nanmedian(scores)) < 0.1
    assert np.isnan(scores[3, 3])  # no box of the eye's size has its centre there
    assert np.isfinite(scores[40:-40, 40:-40]).all()


def test_a_finer_stride_changes_places_little(mobilenetv2, photograph):
    part, exemplar = photograph[80:300, 100:330], as_exemplar(photograph, EYE)
    coarse, fine = (
        match(part, exemplar, model=mobilenetv2, config=MatchConfig(stride=stride), **HERE)[0] for stride in (8, 4)
    )
    assert np.abs(np.array(coarse.box) - np.array(fine.box)).max() < 2


def test_tiles_change_nothing(mobilenetv2, picture, monkeypatch):
    options = {"model": mobilenetv2, "scales": (0.8, 1.5)}
    whole = match(picture.image, picture.exemplar, **options)
    monkeypatch.setattr("siamfc.tiles._COARSE_TILE_PX", 400)
    told = []
    tiled = match(picture.image, picture.exemplar, **options, observe=lambda *both: told.append(both))
    assert told[-1][0] == told[-1][1] > 9
    np.testing.assert_allclose([one.box for one in tiled], [one.box for one in whole], atol=1e-2)
    np.testing.assert_allclose([one.score for one in tiled], [one.score for one in whole], atol=1e-4)


def test_colour_order_and_grey_are_taken_as_the_tracker_takes_them(mobilenetv2, photograph):
    exemplar = photograph[160:212, 196:252]
    rgb = match(photograph[:330], exemplar, model=mobilenetv2, **HERE)
    bgr = match(photograph[:330, :, ::-1], exemplar[..., ::-1], color_order="bgr", model=mobilenetv2, **HERE)
    assert rgb == bgr
    grey = photograph[..., 1]
    assert match(grey[:330], grey[160:212, 196:252], model=mobilenetv2, **HERE)[0].score > 0.8


def test_no_more_matches_are_given_than_asked_for_and_none_below_the_threshold(mobilenetv2, picture):
    part, options = picture.image[:300], {"scales": (1, 1.5), "model": mobilenetv2}
    many = match(part, picture.exemplar, threshold=0.3, **options)
    assert len(many) > 2
    assert min(one.score for one in many) >= 0.3
    few = match(part, picture.exemplar, threshold=0.3, max_matches=2, **options)
    assert [one.box for one in few] == [one.box for one in many[:2]]
    assert match(part, picture.exemplar, threshold=1.0, **options) == []


def test_in_a_picture_of_one_colour_nothing_is_found(mobilenetv2, photograph):
    assert match(np.full((200, 240, 3), 130, np.uint8), as_exemplar(photograph, EYE), model=mobilenetv2) == []


@pytest.mark.parametrize(
    ("picture", "options", "error", "expected"),
    [
        (np.zeros((20, 30, 3), np.uint8), {}, MatchError, "56 x 52 px does not fit into the picture of 30 x 20 px"),
        (np.zeros((20, 0, 3), np.uint8), {}, FrameError, "shape"),
        (np.zeros((90, 90, 3), np.uint8), {"scales": (2, 1)}, ConfigError, "min_scale 2 is above max_scale 1"),
        (np.zeros((90, 90, 3), np.uint8), {"scales": (0, 1)}, ConfigError, "min_scale"),
        (np.zeros((90, 90, 3), np.uint8), {"threshold": 3}, ConfigError, "threshold"),
        (np.zeros((90, 90, 3), np.uint8), {"rotations": ()}, ConfigError, "rotations"),
        (np.zeros((90, 90, 3), np.uint8), {"config": MatchConfig(stride=3)}, ConfigError, "8, 4, 2, 1"),
        (np.zeros((90, 90, 3), np.uint8), {"config": MatchConfig(exemplar_size=40)}, ConfigError, "exemplar_size 40"),
    ],
)
def test_what_cannot_be_searched_is_refused(mobilenetv2, photograph, picture, options, error, expected):
    with pytest.raises(error, match=expected):
        match(picture, as_exemplar(photograph, EYE), model=mobilenetv2, **options)


def test_without_an_exemplar_there_is_nothing_to_search_for(mobilenetv2, photograph):
    with pytest.raises(MatchError, match="no exemplar"):
        match(photograph, [], model=mobilenetv2)


def test_it_is_the_packages_own_function_not_a_module():
    assert siamfc.match is match
    assert siamfc.match_map is match_map
