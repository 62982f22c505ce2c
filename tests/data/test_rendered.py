from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from siamfc.boxes import Box, intersection_over_union
from siamfc.data import RenderedClip, render_clip
from siamfc.data.cutouts import Cutout, Pose
from siamfc.data.photograph import load_photo
from siamfc.errors import ConfigError, EnvironmentProblem

SEEDS = range(4)
SIZES = [(360, 480), (320, 180), (96, 400), (64, 64)]
FAR_AWAY = np.array([1e5, 0, 0, 0])


def covered(clip: RenderedClip, actor: str, number: int) -> np.ndarray:
    """How much of each pixel an actor of the clip covers, (H, W) in 0..1."""
    who = getattr(clip._scene, actor)
    return who.cutout.opacity(clip.frame_size, Pose(*who.poses[number]))


def bounds_by_moments(opacity: np.ndarray) -> Box:
    """The bounds of a filled ellipse of any tilt: half its width is twice the standard deviation of x."""
    weight = opacity.astype(np.float64) / opacity.sum()
    y, x = np.mgrid[: opacity.shape[0], : opacity.shape[1]] + 0.5
    center_x, center_y = (weight * x).sum(), (weight * y).sum()
    half_width, half_height = (
        2 * np.sqrt((weight * (place - center) ** 2).sum()) for place, center in ((x, center_x), (y, center_y))
    )
    return Box.from_center(center_x, center_y, 2 * half_width, 2 * half_height)


@pytest.fixture(scope="module", params=SEEDS)
def clip(request: pytest.FixtureRequest) -> RenderedClip:
    return render_clip(request.param)


def test_a_clip_has_an_image_and_a_box_for_each_frame():
    clip = render_clip(num_frames=5)
    images = list(clip)
    assert len(clip) == len(clip.boxes) == len(images) == 5
    assert {(image.shape, image.dtype.name) for image in images} == {((360, 480, 3), "uint8")}


def test_the_same_seed_gives_the_same_pixels_in_any_order():
    first, second = render_clip(7, num_frames=6), render_clip(7, num_frames=6)
    assert first == second
    backwards = [second.render(number) for number in reversed(range(6))]
    np.testing.assert_array_equal(np.stack(list(first)), np.stack(backwards[::-1]))


def test_another_seed_gives_another_clip():
    clips = [render_clip(seed, num_frames=2) for seed in SEEDS]
    assert len({clip.boxes for clip in clips}) == len(clips)
    assert len({clip.render(0).tobytes() for clip in clips}) == len(clips)


def test_a_clip_survives_pickling():
    clip = render_clip(num_frames=2, frame_size=(64, 64))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clip)).render(1), clip.render(1))


def test_the_box_is_the_bounds_of_the_drawn_ellipse(clip):
    for number in range(0, len(clip), 30):
        measured = bounds_by_moments(covered(clip, "target", number))
        # 8-bit opacity and OpenCV's 1/32 px interpolation grid leave a few hundredths of a pixel.
        np.testing.assert_allclose(measured, clip.boxes[number], atol=0.08)


def test_pixels_change_up_to_the_edges_of_the_box_when_the_target_is_taken_away(clip):
    scene, target = clip._scene, clip._scene.target
    no_shadow = Cutout(tuple(np.zeros_like(level) for level in target.shadow.levels))
    shown, hidden = (
        dataclasses.replace(
            clip, _scene=scene._replace(target=target._replace(shadow=no_shadow, poses=target.poses + away))
        )
        for away in (0, FAR_AWAY)
    )
    for number in (0, 20, len(clip) - 1):
        change = np.abs(shown.render(number).astype(int) - hidden.render(number)).max(axis=2)
        rows, columns = np.nonzero(change > 8)
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        x, y, width, height = clip.boxes[number]
        # The camera's blur carries the rim one pixel out of those it touches: less than two from the edge.
        np.testing.assert_allclose(seen, [x, y, x + width, y + height], atol=2.0)


@pytest.mark.parametrize("frame_size", SIZES)
def test_the_target_stays_inside_the_frame(frame_size):
    height, width = frame_size
    for seed in (1, 2):
        boxes = np.array(render_clip(seed, num_frames=240, frame_size=frame_size).boxes)
        assert boxes[:, :2].min() >= 0
        assert (boxes[:, 0] + boxes[:, 2]).max() <= width
        assert (boxes[:, 1] + boxes[:, 3]).max() <= height


@pytest.mark.parametrize("frame_size", SIZES)
def test_frames_have_the_size_asked_for(frame_size):
    clip = render_clip(3, num_frames=2, frame_size=frame_size)
    assert clip.frame_size == frame_size
    assert clip.render(1).shape == (*frame_size, 3)


@pytest.mark.parametrize("num_frames", [1, 2, 7])
def test_a_clip_may_be_very_short(num_frames):
    clip = render_clip(num_frames=num_frames)
    assert len(list(clip)) == num_frames


def test_a_box_that_never_moves_overlaps_little(clip):
    assert intersection_over_union(clip.boxes, clip.boxes[0]).mean() < 0.3


def test_a_box_that_never_changes_size_overlaps_visibly_less_than_fully(clip):
    _, _, width, height = clip.boxes[0]
    constant = [Box.from_center(*box.center, width, height) for box in clip.boxes]
    assert intersection_over_union(clip.boxes, constant).mean() < 0.7


def test_the_target_moves_and_grows_smoothly(clip):
    centers = np.array([box.center for box in clip.boxes])
    steps = np.linalg.norm(np.diff(centers, axis=0), axis=1)
    assert steps.max() < 6
    assert np.ptp(centers[:, 0]) > 0.5 * clip.frame_size[1]
    log_scale = np.log(clip._scene.target.poses[:, 2])
    assert np.abs(np.diff(log_scale)).max() < 0.0105
    assert 1.8 < np.exp(np.ptp(log_scale)) <= 2.0 + 1e-9


def test_a_ribbon_covers_part_of_the_target_for_a_dozen_frames(clip):
    shares = []
    for number in range(len(clip)):
        target = covered(clip, "target", number)
        shares.append(float((target * covered(clip, "ribbon", number)).sum() / target.sum()))
    assert 0.3 < max(shares) < 0.5
    assert 9 <= np.count_nonzero(np.array(shares) > 0.01) <= 16
    assert shares[0] == 0


def test_a_look_alike_passes_near_the_target_without_touching_it(clip):
    scene = clip._scene
    apart = np.linalg.norm(scene.look_alike.poses[:, :2] - scene.target.poses[:, :2], axis=1)
    assert (apart / [max(box[2:]) for box in clip.boxes]).min() < 1.5
    for number in range(0, len(clip), 3):
        assert (covered(clip, "target", number) * covered(clip, "look_alike", number)).max() == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"seed": -1}, "seed"),
        ({"num_frames": 0}, "one frame"),
        ({"frame_size": (63, 480)}, "480 x 63"),
    ],
)
def test_a_number_out_of_range_is_named(arguments, named):
    with pytest.raises(ConfigError, match=named):
        render_clip(**arguments)


@pytest.mark.parametrize("number", [-1, 2])
def test_a_frame_that_is_not_there_is_an_index_error(number):
    with pytest.raises(IndexError, match="0 to 1"):
        render_clip(num_frames=2, frame_size=(64, 64)).render(number)


def test_a_missing_photograph_is_one_line_that_says_what_to_do(monkeypatch, tmp_path: Path):
    load_photo.cache_clear()
    monkeypatch.setattr(matplotlib, "get_data_path", lambda: str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="install"):
        render_clip(num_frames=1)


def test_rendering_needs_no_torch():
    program = "import sys, siamfc.data as d; list(d.render_clip(num_frames=1)); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
