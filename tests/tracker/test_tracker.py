"""The tracker's surface: what it takes, what it gives, what it refuses, and that every setting counts."""

from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch

from siamfc.boxes import Box
from siamfc.checkpoint import load_model, save_checkpoint
from siamfc.config import Config, ModelConfig, TrackerConfig, load_config
from siamfc.crops import context_side
from siamfc.errors import BoxError, CheckpointError, ConfigError, FrameError
from siamfc.model import SiamFC
from siamfc.opencv import cv2
from siamfc.provenance import Provenance
from siamfc.tracker.track_result import ScoreMaps, TrackResult
from siamfc.tracker.tracker import Tracker
from tests.regressions import saying, with_regression
from tests.scenes import EMBLEM, pan, zoom


@pytest.fixture(scope="module")
def scene(photograph):
    """A camera that moves by 4 px a frame."""
    return pan(photograph, [(60 + 3 * step, 50 + 2 * step) for step in range(6)])


def _boxes(model, scene, config=None, **options):
    return np.array([result.box for result in Tracker(model, config, **options).track(scene.frames, scene.boxes[0])])


@pytest.fixture(scope="module")
def expected(mobilenetv2, scene):
    """Boxes with default settings, from RGB frames."""
    return _boxes(mobilenetv2, scene)


# What it gives


def test_the_first_result_is_the_box_as_given(mobilenetv2, scene):
    result = Tracker(mobilenetv2).init(scene.frames[0], scene.boxes[0])
    expected = TrackResult(Box(*map(float, scene.boxes[0])), result.score, result.logit, scale=1.0, maps=None)
    assert result == expected
    assert result.score == pytest.approx(1)  # the exemplar is like itself


def test_results_are_plain_numbers_and_frozen(mobilenetv2, scene):
    for result in Tracker(mobilenetv2).track(scene.frames[:2], scene.boxes[0]):
        assert isinstance(result.box, Box)
        assert {type(number) for number in (*result.box, result.score, result.logit, result.scale)} == {float}
        with pytest.raises(dataclasses.FrozenInstanceError):
            result.scale = 2.0


@pytest.mark.parametrize("search_size", [255, 260, 263])
def test_the_first_score_is_the_exemplars_at_its_own_place(mobilenetv2, scene, search_size):
    config = TrackerConfig(search_size=search_size)
    tracker = Tracker(mobilenetv2, config)
    first = tracker.init(scene.frames[0], scene.boxes[0])
    if search_size == 255:  # there the grid of windows meets the exemplar's own
        again = tracker.update(scene.frames[0])
        assert (again.score, again.logit) == pytest.approx((first.score, first.logit), rel=1e-4)
    moved = tracker.update(scene.frames[3])
    assert moved.logit < first.logit
    assert moved.score < first.score


def test_the_scale_is_the_boxs_size_over_its_first(mobilenetv2, photograph):
    scene = zoom(photograph, [1.02**step for step in range(6)])
    for result in Tracker(mobilenetv2).track(scene.frames, scene.boxes[0]):
        assert result.box.width == pytest.approx(scene.boxes[0].width * result.scale)
        assert result.box.height == pytest.approx(scene.boxes[0].height * result.scale)
    assert result.scale > 1.02


def test_score_maps_are_kept_when_asked_for(mobilenetv2, scene):
    tracker = Tracker(mobilenetv2, keep_maps=True)
    assert tracker.init(scene.frames[0], scene.boxes[0]).maps is None
    before = scene.boxes[0].center
    result = tracker.update(scene.frames[1])
    maps = result.maps
    assert isinstance(maps, ScoreMaps)
    assert (maps.score_maps.shape, maps.score_maps.dtype) == ((3, 17, 17), np.float32)
    assert (maps.response.shape, maps.response.dtype) == ((257, 257), np.float32)
    assert maps.response[tuple(map(round, maps.peak))] == maps.response.max()
    assert maps.response.sum() == pytest.approx(1, abs=1e-4)
    assert maps.region.crop_size == 255
    assert (maps.region.center_x, maps.region.center_y) == pytest.approx(before)
    # The peak, through the crop and back to the frame, is the new centre: 257 cells, 2 to a crop pixel, around 127.5.
    x, y = maps.region.to_frame(*(127.5 + (cell - 128) / 2 for cell in maps.peak[::-1]))
    assert result.box.center == pytest.approx((x, y))


def test_without_asking_no_maps_are_kept_and_nothing_else_differs(mobilenetv2, scene):
    for plain, with_maps in zip(
        Tracker(mobilenetv2).track(scene.frames, scene.boxes[0]),
        Tracker(mobilenetv2, keep_maps=True).track(scene.frames, scene.boxes[0]),
        strict=True,
    ):
        assert plain.maps is None
        assert plain == dataclasses.replace(with_maps, maps=None)


def test_the_compat_response_has_272_cells(mobilenetv2, scene):
    tracker = Tracker(mobilenetv2, load_config("track-compat"), keep_maps=True)
    tracker.init(scene.frames[0], scene.boxes[0])
    assert tracker.update(scene.frames[1]).maps.response.shape == (272, 272)


@pytest.mark.parametrize(("search_size", "cells"), [(251, 16), (255, 17), (260, 17)])
def test_windows_that_leave_the_search_crop_are_not_looked_at(mobilenetv2, scene, search_size, cells):
    tracker = Tracker(mobilenetv2, TrackerConfig(search_size=search_size), keep_maps=True)
    tracker.init(scene.frames[0], scene.boxes[0])
    maps = tracker.update(scene.frames[1]).maps
    assert maps.score_maps.shape == (3, cells, cells)
    assert maps.response.shape == (16 * (cells - 1) + 1,) * 2


def test_track_is_init_and_updates(mobilenetv2, scene, expected):
    tracker = Tracker(mobilenetv2)
    by_hand = [tracker.init(scene.frames[0], scene.boxes[0]).box]
    by_hand += [tracker.update(frame).box for frame in scene.frames[1:]]
    np.testing.assert_array_equal(by_hand, expected)


def test_track_takes_any_iterable_and_looks_at_a_frame_when_its_result_is_asked_for(mobilenetv2, scene):
    seen = []
    frames = (seen.append(number) or frame for number, frame in enumerate(scene.frames))
    results = Tracker(mobilenetv2).track(frames, scene.boxes[0])
    assert seen == []
    next(results)
    next(results)
    assert seen == [0, 1]
    assert list(Tracker(mobilenetv2).track([], scene.boxes[0])) == []


def test_the_same_frames_give_the_same_boxes_every_time(mobilenetv2, scene, expected):
    np.testing.assert_array_equal(_boxes(mobilenetv2, scene), expected)


def test_a_tracker_can_start_again_and_two_do_not_disturb_each_other(mobilenetv2, scene, expected):
    again, other = Tracker(mobilenetv2), Tracker(mobilenetv2)
    again.init(scene.frames[4], (10, 10, 30, 40))
    again.update(scene.frames[5])
    other.init(scene.frames[0], (200, 200, 30, 40))
    boxes = [again.init(scene.frames[0], scene.boxes[0]).box]
    for frame in scene.frames[1:]:
        other.update(frame)
        boxes.append(again.update(frame).box)
    np.testing.assert_array_equal(boxes, expected)


def test_changing_the_model_later_changes_no_tracker(mobilenetv2, scene, expected):
    model = copy.deepcopy(mobilenetv2)
    tracker = Tracker(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    boxes = [result.box for result in tracker.track(scene.frames, scene.boxes[0])]
    np.testing.assert_array_equal(boxes, expected)


def test_the_clock_names_the_stages_of_a_frame(mobilenetv2, scene):
    tracker = Tracker(mobilenetv2)
    list(tracker.track(scene.frames[:2], scene.boxes[0]))
    assert set(tracker.clock.seconds) == {"crop", "embed", "correlate", "post-process"}


# What it takes


def test_bgr_frames_give_the_boxes_of_rgb_frames(mobilenetv2, scene, expected):
    swapped = scene._replace(frames=[frame[..., ::-1] for frame in scene.frames])
    np.testing.assert_array_equal(_boxes(mobilenetv2, swapped, color_order="bgr"), expected)
    assert not np.array_equal(_boxes(mobilenetv2, swapped), expected)


def test_a_wrong_colour_order_is_refused(mobilenetv2, scene):
    with pytest.raises(FrameError, match="color_order"):
        Tracker(mobilenetv2, color_order="RGB").init(scene.frames[0], scene.boxes[0])


@pytest.mark.parametrize("kind", [Box._make, list, tuple, np.array, np.float32, lambda box: map(str, box)])
def test_a_box_may_be_any_four_numbers(mobilenetv2, scene, kind):
    result = Tracker(mobilenetv2).init(scene.frames[0], kind(scene.boxes[0]))
    assert result.box == scene.boxes[0]
    assert type(result.box) is Box


def test_sixteen_bits_alpha_and_views_give_the_boxes_of_plain_frames(mobilenetv2, scene, expected):
    alpha = np.full((*scene.frames[0].shape[:2], 1), 9, dtype=np.uint8)
    for change in (
        lambda frame: frame.astype(np.uint16) * 257,
        lambda frame: np.concatenate([frame, alpha], axis=2),
        lambda frame: np.asfortranarray(frame),
    ):
        changed = scene._replace(frames=[change(frame) for frame in scene.frames])
        np.testing.assert_array_equal(_boxes(mobilenetv2, changed), expected)


def test_grey_frames_are_tracked_as_grey_pictures_in_three_channels(mobilenetv2, scene):
    grey = [frame[..., 1] for frame in scene.frames]
    in_colour = scene._replace(frames=[np.repeat(frame[..., None], 3, axis=2) for frame in grey])
    np.testing.assert_array_equal(_boxes(mobilenetv2, scene._replace(frames=grey)), _boxes(mobilenetv2, in_colour))
    sixteen_bits = scene._replace(frames=[frame.astype(np.uint16) * 257 for frame in grey])
    np.testing.assert_array_equal(_boxes(mobilenetv2, sixteen_bits), _boxes(mobilenetv2, in_colour))


def test_frames_are_left_as_they_were(mobilenetv2, scene):
    frames = [frame.copy() for frame in scene.frames[:2]]
    list(Tracker(mobilenetv2).track(frames, scene.boxes[0]))
    assert all(np.array_equal(frame, original) for frame, original in zip(frames, scene.frames, strict=False))


@pytest.mark.parametrize(
    "box",
    [
        (math.nan, 10, 40, 40),
        (10, math.inf, 40, 40),
        (10, 10, 0, 40),
        (10, 10, 40, -1),
        (-50, 10, 40, 40),
        (320, 10, 40, 40),
        (10, -60, 40, 60),
        (10, 280, 40, 60),
        (1, 2, 3),
        "10,10,40,40",
        None,
    ],
    ids=str,
)
def test_a_box_that_is_none_is_refused(mobilenetv2, scene, box):
    with pytest.raises(BoxError):
        Tracker(mobilenetv2).init(scene.frames[0], box)


def test_a_refused_box_names_itself_and_the_frame(mobilenetv2, scene):
    with pytest.raises(BoxError, match=r"400,10,40,40.*320 x 280"):
        Tracker(mobilenetv2).init(scene.frames[0], (400, 10, 40, 40))


def test_float_frames_are_refused_in_init_and_update(mobilenetv2, scene):
    tracker = Tracker(mobilenetv2)
    with pytest.raises(FrameError, match="float32"):
        tracker.init(scene.frames[0].astype(np.float32), scene.boxes[0])
    tracker.init(scene.frames[0], scene.boxes[0])
    with pytest.raises(FrameError, match="float64"):
        tracker.update(scene.frames[1] / 255)


def test_a_refused_frame_or_box_leaves_the_tracker_as_it_was(mobilenetv2, scene, expected):
    tracker = Tracker(mobilenetv2)
    boxes = [tracker.init(scene.frames[0], scene.boxes[0]).box]
    for frame in scene.frames[1:]:
        with pytest.raises(FrameError):
            tracker.update(frame[:0])
        with pytest.raises(BoxError):
            tracker.init(frame, (0, 0, 0, 0))
        boxes.append(tracker.update(frame).box)
    np.testing.assert_array_equal(boxes, expected)


def test_a_target_of_more_pixels_than_opencv_warps_is_followed(mobilenetv2, photograph):
    strip = cv2.resize(photograph[:200], (40000, 200))
    tracker = Tracker(mobilenetv2)
    tracker.init(strip, Box(500, 20, 39000, 150))
    box = tracker.update(strip).box
    assert box.center == pytest.approx((20000, 95), abs=0.03 * 39000)


def test_update_before_init_is_refused(mobilenetv2, scene):
    with pytest.raises(RuntimeError, match="init"):
        Tracker(mobilenetv2).update(scene.frames[0])


def test_broken_weights_are_refused_instead_of_tracking_nowhere(mobilenetv2, scene):
    model = copy.deepcopy(mobilenetv2)
    with torch.no_grad():
        model.backbone.features[3].conv[3].weight.fill_(math.inf)
    with pytest.raises(CheckpointError, match="not finite"):
        Tracker(model).init(scene.frames[0], scene.boxes[0])


# Models and settings


def _with_standardisation(model: SiamFC, mode: str, scene) -> SiamFC:
    other = SiamFC(copy.deepcopy(model.backbone), ModelConfig(standardisation=mode, gain=model.config.gain))
    if mode == "fixed":
        frame = torch.from_numpy(scene.frames[0]).permute(2, 0, 1)[None]
        statistics = model.channel_statistics(frame)
        other.channel_mean.copy_(statistics.mean.detach())
        other.channel_deviation.copy_(statistics.deviation.detach())
    return other.eval()


@pytest.mark.parametrize("mode", ["none", "fixed", "first_search"])
def test_a_model_of_each_standardisation_follows(mobilenetv2, scene, mode):
    boxes = _boxes(_with_standardisation(mobilenetv2, mode, scene), scene)
    # Half a cell of the score map is 4 crop pixels, about as many in the frame.
    np.testing.assert_allclose(boxes[:, :2], np.array(scene.boxes)[:, :2], atol=4)


def test_the_exemplar_is_taken_from_the_first_frame_and_held(mobilenetv2, scene):
    tracker = Tracker(mobilenetv2)
    tracker.init(scene.frames[0], scene.boxes[0])
    first = tracker._target.kernel
    for frame in scene.frames[1:]:
        tracker.update(frame)
    assert tracker._target.kernel is first
    tracker.init(scene.frames[3][::-1], scene.boxes[0])
    assert not torch.equal(tracker._target.kernel.offset, first.offset)


def test_outside_the_frame_is_the_first_frames_mean_colour(mobilenetv2, photograph):
    tracker, box = Tracker(mobilenetv2, keep_maps=True), (5, 200, 40, 40)
    changed = photograph.copy()
    changed[:, 300:] = 255  # far from what is searched, and a quarter of the mean
    tracker.init(photograph, box)
    plain = tracker.update(photograph).maps
    tracker.init(photograph, box)
    np.testing.assert_array_equal(tracker.update(changed).maps.score_maps, plain.score_maps)
    assert plain.region.to_frame(0, 0)[0] < 0
    tracker.init(changed, box)  # another first frame: here the colour counts
    assert not np.array_equal(tracker.update(photograph).maps.score_maps, plain.score_maps)


@pytest.mark.parametrize("num_scales", [3, 5])
def test_sizes_are_searched_one_step_apart(mobilenetv2, lively, num_scales):
    tracker = Tracker(mobilenetv2, TrackerConfig(num_scales=num_scales), keep_maps=True)
    scale = tracker.init(lively.frames[0], lively.boxes[0]).scale
    first_side = 255 / 127 * context_side(lively.boxes[0], 0.5)
    steps = set()
    for frame in lively.frames[1:]:
        result = tracker.update(frame)
        factor = result.maps.region.side_px / (first_side * scale)
        steps.add(round(math.log(factor, 1.0375), 6))
        assert result.maps.scale_index == round(math.log(factor, 1.0375)) + num_scales // 2
        assert result.scale == pytest.approx(scale * (1 + 0.59 * (factor - 1)))
        scale = result.scale
    assert steps <= set(range(-(num_scales // 2), num_scales // 2 + 1))
    assert len(steps) > 1


def test_the_other_sizes_are_searched_in_every_nth_frame_from_the_first(mobilenetv2, lively):
    tracker = Tracker(mobilenetv2, TrackerConfig(scale_every=3), keep_maps=True)
    before = tracker.init(lively.frames[0], lively.boxes[0])
    counts = []
    for frame in lively.frames[1:]:
        result = tracker.update(frame)
        counts.append(len(result.maps.score_maps))
        if counts[-1] == 1:
            assert result.scale == before.scale
            assert result.maps.scale_index == 0
        before = result
    assert counts == [3, 1, 1, 3, 1, 1, 3]


def test_a_target_taken_anew_begins_with_all_sizes(mobilenetv2, scene):
    tracker = Tracker(mobilenetv2, TrackerConfig(scale_every=3), keep_maps=True)
    for _ in range(2):
        tracker.init(scene.frames[0], scene.boxes[0])
        assert [len(tracker.update(frame).maps.score_maps) for frame in scene.frames[1:3]] == [3, 1]


def test_between_the_frames_with_all_sizes_the_place_is_found_as_with_one_size(mobilenetv2, scene):
    seldom = Tracker(mobilenetv2, TrackerConfig(scale_every=1000))
    single = Tracker(mobilenetv2, TrackerConfig(num_scales=1))
    seldom.init(scene.frames[0], scene.boxes[0])
    box = seldom.update(scene.frames[0]).box
    assert box == single.init(scene.frames[0], scene.boxes[0]).box  # a still target, found where it is
    for frame in scene.frames[1:]:
        assert seldom.update(frame).box == single.update(frame).box


def test_alexnet_follows_too(alexnet, scene):
    boxes = _boxes(alexnet, scene._replace(frames=scene.frames[:3]))
    # Random weights: it need not be good, only be run; the target moves 3 px a frame.
    assert np.isfinite(boxes).all()


CHANGES = {
    "exemplar_size": 111,
    "search_size": 259,
    "context_amount": 0.3,
    "context_weight": 0.2,
    "motion_blur": 0.5,
    "num_scales": 5,
    "scale_step": 1.06,
    "scale_penalty": 0.5,
    "scale_damping": 0.2,
    "scale_every": 3,
    "size_from": "regression",
    "regression_damping": 0.1,
    "regression_trust": 0.5,
    "regression_place": 0.9,
    "lost_score": 0.2,
    "sure_score": 1.0,
    "found_score": 1.0,
    "lost_crops": 1,
    "window_influence": 0.7,
    "full_contrast": 2.0,
    "filter_influence": 0.5,
    "filter_rate": 0.5,
    "filter_score": 1.0,
    "response_upsampling": 3,
    "response_alignment": "edges",
    "min_scale": 1.0,
    "max_scale": 1.0,
}


def test_there_is_a_change_for_every_setting():
    assert list(CHANGES) == list(TrackerConfig.model_fields)


@pytest.fixture(scope="module")
def lively(photograph):
    """Zooming in and far out again by 5 % a frame, and jerking to the side."""
    scene = zoom(photograph, [1.05**step for step in (0, 1, 2, 0, -2, -4, -6, -8)])
    return scene._replace(
        frames=[np.roll(frame, 7 * (number % 3), axis=1) for number, frame in enumerate(scene.frames)]
    )


@pytest.fixture(scope="module")
def lively_expected(mobilenetv2, lively):
    return _boxes(mobilenetv2, lively, TrackerConfig())


@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_changes_what_is_found(mobilenetv2, lively, lively_expected, photograph, name):
    settings, scene, expected = {}, lively, lively_expected
    if "regression" in f"{name} {CHANGES[name]}":
        mobilenetv2 = saying(with_regression(mobilenetv2), shift=(3.0, 1.0), size=(0.1, 0.1))
        settings = {"size_from": "scales" if name == "size_from" else "auto"}
        expected = _boxes(mobilenetv2, scene, TrackerConfig(**settings))
    if name in ("lost_score", "sure_score", "found_score", "lost_crops"):
        scene = pan(photograph, [(0, 0)] * 4 + [(190, 0)] * 2, target=EMBLEM)  # a leap out of reach
        settings = {"lost_score": 0 if name == "lost_score" else 0.2}
        expected = _boxes(mobilenetv2, scene, TrackerConfig(**settings))
    if name in ("filter_rate", "filter_score"):
        scene = lively._replace(frames=lively.frames * 2)  # it learns after ten frames
        settings = {"filter_influence": 0.9}
        expected = _boxes(mobilenetv2, scene, TrackerConfig(**settings))
    changed = _boxes(mobilenetv2, scene, TrackerConfig(**settings | {name: CHANGES[name]}))
    assert not np.array_equal(changed, expected)


def test_settings_may_be_a_section_or_the_whole(mobilenetv2, scene):
    section = TrackerConfig(window_influence=0.5)
    np.testing.assert_array_equal(
        _boxes(mobilenetv2, scene, section), _boxes(mobilenetv2, scene, Config(tracker=section))
    )


def test_without_settings_those_of_the_checkpoint_are_used(mobilenetv2, tmp_path):
    path = tmp_path / "with settings.safetensors"
    save_checkpoint(path, mobilenetv2, provenance=Provenance(), settings={"tracker": {"num_scales": 5}})
    model = load_model(path, device="cpu")
    assert Tracker(model).config == TrackerConfig(num_scales=5)
    assert Tracker(model, TrackerConfig(window_influence=0.3)).config == TrackerConfig(
        num_scales=5, window_influence=0.3
    )
    assert Tracker(model, TrackerConfig(num_scales=3)).config == TrackerConfig()
    assert Tracker(path).config == TrackerConfig(num_scales=5)
    assert Tracker(copy.deepcopy(mobilenetv2)).config == TrackerConfig()


def test_model_settings_and_runtime_may_be_given_by_name(mobilenetv2, scene, expected):
    tracker = Tracker("mobilenetv2-imagenet", "track-paper-5s", runtime="torch")
    assert tracker.config.num_scales == 5
    np.testing.assert_array_equal(_boxes("mobilenetv2-imagenet", scene, {"tracker": {}}), expected)
    with pytest.raises(ConfigError, match="did you mean openvino"):
        Tracker(mobilenetv2, runtime="openvin")
    with pytest.raises(FrameError, match="color_order"):
        Tracker(mobilenetv2, color_order="BGR")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"exemplar_size": 58, "search_size": 255}, "exemplar_size 58.*59 px"),
        ({"exemplar_size": 127, "search_size": 142}, "search_size 142.*143 px"),
        ({"exemplar_size": 255, "search_size": 127}, "search_size 127"),
    ],
)
def test_crop_sizes_that_the_network_cannot_use_are_refused(mobilenetv2, settings, named):
    with pytest.raises(ConfigError, match=named):
        Tracker(mobilenetv2, TrackerConfig(**settings))


def test_the_least_crop_sizes_that_are_allowed_run(mobilenetv2, scene):
    boxes = _boxes(mobilenetv2, scene, TrackerConfig(exemplar_size=59, search_size=75))
    assert np.isfinite(boxes).all()
