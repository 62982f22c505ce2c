"""What the tracker makes of scenes: standing still, moving, leaving, very small, very large; and of real frames."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import Box, center_distance, intersection_over_union
from siamfc.checkpoint import load_model, model_names
from siamfc.config import TrackerConfig, load_config
from siamfc.data.rendered import render_clip
from siamfc.opencv import cv2
from siamfc.tracker.tracker import Tracker
from tests.scenes import EYE, carry, pan, zoom

# Boxes of every eighth frame of render_clip(seed=3, num_frames=41, frame_size=(240, 320)), default settings, shipped
# weights mobilenetv2-imagenet. Made with _golden_run() below; make them anew only where a change is meant to move them.
GOLDEN = [
    (272.97, 151.27, 40.28, 50.78),
    (267.96, 134.80, 40.28, 50.78),
    (258.29, 116.19, 40.28, 50.78),
    (242.92, 94.74, 40.29, 50.80),
    (227.88, 76.48, 40.29, 50.80),
    (207.33, 56.72, 43.02, 54.25),
]


def _boxes(model, frames, box, config=None):
    return np.array([result.box for result in Tracker(model, config).track(frames, box)])


# Standing still


@pytest.mark.parametrize(("num_scales", "num_frames"), [(3, 50), (5, 50), (1, 10)])
def test_a_static_scene_gives_a_static_box(mobilenetv2, photograph, num_scales, num_frames):
    boxes = _boxes(mobilenetv2, [photograph] * num_frames, EYE, TrackerConfig(num_scales=num_scales))
    np.testing.assert_allclose(boxes, np.tile(EYE, (num_frames, 1)), atol=1e-9)


@pytest.mark.parametrize("num_scales", [3, 5])
def test_a_static_scene_gives_a_static_box_in_the_compat_response_too(mobilenetv2, photograph, num_scales):
    config = load_config("track-compat", overrides=[f"tracker.num_scales={num_scales}"])
    boxes = _boxes(mobilenetv2, [photograph] * 50, EYE, config)
    # An even map has no cell at its centre: the nearest are a quarter of a crop pixel off, the next three quarters.
    # A pixel of this target's search crop is 0.84 px of the frame.
    np.testing.assert_allclose(boxes[:, :2], np.tile(EYE[:2], (50, 1)), atol=0.75 * 0.85)
    np.testing.assert_array_equal(boxes[:, 2:], np.tile(EYE[2:], (50, 1)))
    assert np.abs(boxes[25:, :2].mean(axis=0) - boxes[1:25, :2].mean(axis=0)).max() < 0.1  # it does not drift


@pytest.mark.parametrize(
    "box",
    [
        (180, 60, 150, 200),
        (400, 500, 3, 3),
        (270.5, 200.25, 3, 40),
        (0, 0, 60, 60),
        (-100, -100, 900, 900),
        (100, 100, 1e-3, 1e-3),
        (-1e8, -1e8, 2e8, 2e8),
    ],
    ids=str,
)
def test_a_still_target_of_any_size_and_place_stays(mobilenetv2, photograph, box):
    boxes = _boxes(mobilenetv2, [photograph] * 6, box)
    np.testing.assert_allclose(boxes, np.tile(np.array(box, dtype=float), (6, 1)), rtol=1e-9, atol=1e-9)


def test_a_still_target_over_the_frames_corner_stays_about_there(mobilenetv2, photograph):
    box = Box(-20, 550, 60, 80)
    boxes = _boxes(mobilenetv2, [photograph] * 15, box)
    # Half of what is searched is the fill, whose score pulls at the peak: a pixel or two of the crop, 1.1 px each.
    assert center_distance(boxes, box).max() < 2
    np.testing.assert_array_equal(boxes[10:], boxes[9:-1])  # and comes to rest


@pytest.mark.parametrize("alignment", ["corners", "edges"])
@pytest.mark.parametrize("grey", [0, 117, 255])
def test_a_frame_of_one_colour_says_nothing_and_the_box_stays(mobilenetv2, grey, alignment):
    flat = np.full((300, 400, 3), grey, dtype=np.uint8)
    boxes = _boxes(mobilenetv2, [flat] * 6, (100, 100, 50, 50), TrackerConfig(response_alignment=alignment))
    np.testing.assert_allclose(boxes, np.tile([100, 100, 50, 50], (6, 1)), atol=1e-9)


@pytest.mark.parametrize("alignment", ["corners", "edges"])
def test_a_camera_that_goes_black_keeps_the_box_and_finds_the_target_again(mobilenetv2, photograph, alignment):
    frames = [photograph] * 2 + [np.zeros_like(photograph)] * 10 + [photograph] * 5
    boxes = _boxes(mobilenetv2, frames, EYE, TrackerConfig(response_alignment=alignment))
    np.testing.assert_allclose(boxes, np.tile(EYE, (17, 1)), atol=1)


@pytest.mark.parametrize("search_size", [251, 257, 260, 263])
def test_search_sizes_off_the_strides_grid_stay_centered(mobilenetv2, photograph, search_size):
    boxes = _boxes(mobilenetv2, [photograph] * 20, EYE, TrackerConfig(search_size=search_size))
    error_px = center_distance(boxes, EYE)
    # No window lies where the exemplar does; the nearest are up to half a stride off, 4 crop pixels of about 0.84 px.
    assert error_px.max() < 0.5 * 8
    assert error_px[-5:].mean() < error_px.max() + 0.1
    np.testing.assert_allclose(boxes[:, 2:], np.tile(EYE[2:], (20, 1)), rtol=0.06)


# Moving


@pytest.mark.parametrize("alignment", ["corners", "edges"])
@pytest.mark.parametrize("step", [(3, 2), (-3, -2), (5, -2)])
def test_a_pure_translation_is_followed_within_two_pixels(mobilenetv2, photograph, step, alignment):
    scene = pan(photograph, [(80 + step[0] * number, 70 + step[1] * number) for number in range(12)])
    boxes = _boxes(mobilenetv2, scene.frames, scene.boxes[0], TrackerConfig(response_alignment=alignment))
    # A cell of the score map is 8 crop pixels of about 0.84 px; the cosine window pulls back a little.
    errors_px = center_distance(boxes, scene.boxes)
    assert errors_px.max() < 2
    assert errors_px.mean() < 1.25
    np.testing.assert_allclose(boxes[:, 2:], np.tile(EYE[2:], (12, 1)), rtol=0.05)


def test_a_target_carried_over_a_still_background_is_followed(mobilenetv2, photograph):
    scene = carry(photograph, [(30 + 6 * number, 40 + 4 * number) for number in range(25)])
    boxes = _boxes(mobilenetv2, scene.frames, scene.boxes[0])
    assert center_distance(boxes, scene.boxes).max() < 3
    assert intersection_over_union(boxes, scene.boxes).min() > 0.8


@pytest.mark.parametrize("rate", [1.015, 1 / 1.015])
def test_growing_and_shrinking_are_followed(mobilenetv2, photograph, rate):
    scene = zoom(photograph, [rate**number for number in range(25)])
    boxes = _boxes(mobilenetv2, scene.frames, scene.boxes[0])
    # One step of the scale search is 3.75 %, taken over by 59 %: the size lags by a few steps.
    np.testing.assert_allclose(boxes[:, 2:], np.array(scene.boxes)[:, 2:], rtol=0.08)
    assert center_distance(boxes, scene.boxes).max() < 1


def test_a_target_of_three_pixels_is_followed(mobilenetv2):
    noise = np.random.default_rng(0).integers(60, 120, (120, 160, 3), dtype=np.uint8)
    background = cv2.GaussianBlur(noise, (0, 0), 3)
    frames, truth = [], [Box(40 + 2 * number, 50 + number, 3, 3) for number in range(15)]
    for x, y, width, height in truth:
        frames.append(background.copy())
        frames[-1][y : y + height, x : x + width] = (250, 240, 30)
    assert center_distance(_boxes(mobilenetv2, frames, truth[0]), truth).max() < 0.5


def test_a_target_larger_than_the_frame_is_followed(mobilenetv2, photograph):
    scene = pan(photograph, [(60 + 4 * number, 60 + 3 * number) for number in range(12)])
    truth = [Box(box.x - 200, box.y - 200, 450, 450) for box in scene.boxes]
    assert truth[0].width > 320
    boxes = _boxes(mobilenetv2, scene.frames, truth[0])
    # A crop pixel is 7 px here, a cell of the score map 57; the camera moves by 55 px in all.
    assert center_distance(boxes, truth).max() < 57 / 2
    assert intersection_over_union(boxes, truth).min() > 0.8


def test_a_target_that_leaves_is_awaited_inside_the_frame_and_found_when_it_returns(mobilenetv2, photograph):
    way_out = [(200 + 8 * number, 100) for number in range(18)]
    scene = carry(photograph, way_out + way_out[::-1])
    boxes = _boxes(mobilenetv2, scene.frames, scene.boxes[0])
    centers = boxes[:, :2] + boxes[:, 2:] / 2
    assert scene.boxes[17].x > 320  # wholly outside
    assert np.isfinite(boxes).all()
    assert (centers >= 0).all()
    assert (centers <= [320, 280]).all()
    assert intersection_over_union(boxes, scene.boxes)[-5:].min() > 0.8


@pytest.mark.parametrize(("full_contrast", "leaps"), [(0.0, True), (0.8, False)])
def test_a_target_that_is_covered_is_waited_for_where_the_map_has_less_contrast(photograph, full_contrast, leaps):
    covered = photograph.copy()
    around = covered[140:232, 176:272]
    around[:] = around.mean(axis=(0, 1))
    settings = {"tracker": {"full_contrast": full_contrast, "lost_score": 0, "filter_influence": 0}}
    frames = [*[photograph] * 3, *[covered] * 10, *[photograph] * 2]
    boxes = _boxes(load_model("mobilenetv2", device="cpu"), frames, EYE, settings)
    away = center_distance(boxes, [EYE] * len(boxes))
    if leaps:  # to the other eye
        assert away[3] > 50
        assert away[-1] > 50
    else:
        assert away[3:13].max() < 15
        assert away[-1] < 2


def _height_beside(clip, influence):
    """In the last frame: the score map's highest cell well beside the target, as a share of the target's."""
    tracker = Tracker("mobilenetv2", {"tracker": {"filter_influence": influence}}, keep_maps=True)
    *_, last = tracker.track(clip, clip.boxes[0])
    assert intersection_over_union(last.box, clip.boxes[-1]) > 0.7
    score_map = last.maps.score_maps[0] - last.maps.score_maps[0].mean()
    peak = np.unravel_index(score_map.argmax(), score_map.shape)
    beside = np.hypot(*(np.indices(score_map.shape) - np.reshape(peak, (2, 1, 1)))) > 5
    return score_map[beside].max() / score_map.max()


def test_a_look_alike_beside_the_target_is_seen_less_with_a_filter():
    clip = render_clip(seed=0, num_frames=96)  # at its end a look-alike is near the target
    plain = _height_beside(clip, 0.0)
    assert plain > 0.15
    assert _height_beside(clip, 0.4) < 0.6 * plain


@pytest.mark.parametrize(("limit", "factors"), [("max_scale", (1.0, 3.0)), ("min_scale", (1.0, 1 / 3))])
def test_the_size_stays_within_its_limits(mobilenetv2, photograph, limit, factors):
    bound = 1.2 if limit == "max_scale" else 0.8
    scene = zoom(photograph, np.geomspace(*factors, 18))
    tracker = Tracker(mobilenetv2, TrackerConfig(**{limit: bound}))
    scales = [result.scale for result in tracker.track(scene.frames, scene.boxes[0])]
    assert scales[-1] == bound
    assert (np.array(scales) <= bound).all() if limit == "max_scale" else (np.array(scales) >= bound).all()


def test_nothing_grows_or_shrinks_without_end_on_noise(mobilenetv2):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (90, 120, 3), dtype=np.uint8) for _ in range(30)]
    config = TrackerConfig(scale_penalty=1.0, scale_damping=1.0, scale_step=1.5, min_scale=0.5, max_scale=2.0)
    tracker = Tracker(mobilenetv2, config)
    results = list(tracker.track(frames, (40, 30, 30, 30)))
    assert all(0.5 <= result.scale <= 2 for result in results)
    assert np.isfinite([(*result.box, result.score) for result in results]).all()


@pytest.mark.parametrize("factors", [(0.5, 0.5), (2.0, 2.0), (1.5, 0.75)])
def test_a_frame_of_another_size_is_the_same_view_at_another_resolution(mobilenetv2, photograph, factors):
    by_x, by_y = factors
    other = cv2.resize(photograph, None, fx=by_x, fy=by_y, interpolation=cv2.INTER_AREA)
    boxes = _boxes(mobilenetv2, [photograph, other, other, other, photograph, photograph], EYE)
    expected = np.array([EYE.x * by_x, EYE.y * by_y, EYE.width * by_x, EYE.height * by_y])
    for box in boxes[1:4]:
        # Stretched by two, the view is not quite the exemplar's any more.
        assert float(intersection_over_union(box, expected)) > (0.9 if by_x == by_y else 0.7)
    assert intersection_over_union(boxes[4:], EYE).min() > 0.8


# Stored and real sequences


def _golden_run(model):
    clip = render_clip(seed=3, num_frames=41, frame_size=(240, 320))
    return clip.boxes[::8], _boxes(model, clip, clip.boxes[0])[::8]


def test_a_rendered_clip_gives_the_stored_boxes(mobilenetv2):
    truth, boxes = _golden_run(mobilenetv2)
    # Other processors add in another order (AVX2 made these boxes, AVX-512 is up to 1.2 px off): on a near-tie a peak
    # moves by one cell, half a crop pixel, 0.4 px here, and a size by what is taken over of a scale step, 2 %, 1 px.
    np.testing.assert_allclose(boxes, GOLDEN, atol=1.5)
    assert intersection_over_union(boxes, truth).min() > 0.7


@pytest.mark.parametrize("name", model_names())
def test_every_shipped_model_follows_a_rendered_object(name):
    truth, boxes = _golden_run(load_model(name, device="cpu"))
    assert intersection_over_union(boxes, truth).min() > 0.5


@pytest.mark.parametrize(("across", "down"), [(1.5, 1.0), (1.0, 1.5), (1.5, 1.5)])
def test_frames_of_another_shape_stretch_the_box_with_them(photograph, across, down):
    tracker = Tracker(load_model("mobilenetv2", device="cpu"))
    tracker.init(photograph, EYE)
    stretched = cv2.resize(photograph, None, fx=across, fy=down)
    for _ in range(15):
        box = tracker.update(stretched).box
    assert intersection_over_union(box, Box(EYE.x * across, EYE.y * down, EYE.width * across, EYE.height * down)) > 0.9


@pytest.mark.parametrize(
    ("weights", "name", "num_frames", "least"),
    [
        ("mobilenetv2", "Crossing", 100, 0.6),
        ("mobilenetv2", "Car4", 40, 0.6),
        ("mobilenetv2-imagenet", "Crossing", 100, 0.6),
        ("mobilenetv2-imagenet", "Car4", 40, 0.6),
        ("alexnet", "Crossing", 60, 0.6),
    ],
)
def test_a_real_sequence_is_followed(shared_data, weights, name, num_frames, least):
    folder = shared_data / "otb" / name
    if not folder.is_dir():
        pytest.skip(f"no sequence {name} in {folder.parent}")
    lines = (folder / "groundtruth_rect.txt").read_text().split("\n")[:num_frames]
    truth = [Box.from_one_based(*map(float, line.replace(",", " ").split())) for line in lines]
    frames = (cv2.imread(str(path)) for path in sorted((folder / "img").glob("*.jpg"))[:num_frames])
    results = Tracker(load_model(weights, device="cpu"), color_order="bgr").track(frames, truth[0])
    overlaps = intersection_over_union([result.box for result in results], truth)
    assert len(overlaps) == num_frames
    assert overlaps.mean() >= least
