"""Many targets: each is followed as if it were alone, and keeps its name."""

from __future__ import annotations

import gc
import pickle
import threading

import numpy as np
import pytest
import torch

from siamfc import MultiTracker, Tracker, TrackerConfig
from siamfc.errors import BoxError, ConfigError, FrameError
from siamfc.runtimes.choosing import choose_runtime, installed_runtimes
from siamfc.runtimes.torch_runtime import TorchRuntime
from tests.scenes import pan

OTHERS = {"tie": (150, 190, 30, 40), 7: (90, 60, 60, 60)}


@pytest.fixture(scope="module")
def scene(photograph):
    return pan(photograph, [(60 + 3 * step, 50 + 2 * step) for step in range(6)])


def alone(model, frames, box, config=None):
    return list(Tracker(model, config).track(frames, box))


class Counting(TorchRuntime):
    """Remembers the sizes of the batches that it embeds."""

    def __init__(self, model):
        super().__init__(model)
        self.batches = []

    def embed(self, images):
        self.batches.append(len(images))
        return super().embed(images)


@pytest.mark.parametrize("batch_targets", [None, 1, 8])
def test_one_target_has_exactly_the_boxes_of_the_single_tracker(mobilenetv2, scene, batch_targets):
    tracker = MultiTracker(mobilenetv2, batch_targets=batch_targets)
    name = tracker.add(scene.frames[0], scene.boxes[0])
    results = [tracker.results[name], *(tracker.update(frame)[name] for frame in scene.frames[1:])]
    assert results == alone(mobilenetv2, scene.frames, scene.boxes[0])


@pytest.mark.parametrize(
    "config",
    [
        TrackerConfig(),
        TrackerConfig(num_scales=5),
        TrackerConfig(scale_every=3),
        TrackerConfig(full_contrast=1.2),
        TrackerConfig(filter_influence=0.4),
    ],
    ids=str,
)
def test_each_of_several_has_exactly_the_boxes_it_has_alone(mobilenetv2, scene, config):
    boxes = {"eye": scene.boxes[0], **OTHERS}
    tracker = MultiTracker(mobilenetv2, config, batch_targets=1)
    for name, box in boxes.items():
        assert tracker.add(scene.frames[0], box, id=name) == name
    found = [tracker.results, *(tracker.update(frame) for frame in scene.frames[1:])]
    for name, box in boxes.items():
        assert [results[name] for results in found] == alone(mobilenetv2, scene.frames, box, config)


@pytest.mark.parametrize(("batch_targets", "full_contrast"), [(2, 0), (3, 0), (100, 0), (3, 1.2)])
def test_larger_batches_move_no_box_by_more_than_rounding_can(mobilenetv2, scene, batch_targets, full_contrast):
    boxes = {"eye": scene.boxes[0], **OTHERS}
    config = TrackerConfig(full_contrast=full_contrast)
    tracker = MultiTracker(mobilenetv2, config, batch_targets=batch_targets)
    for name, box in boxes.items():
        tracker.add(scene.frames[0], box, id=name)
    for frame in scene.frames[1:]:
        tracker.update(frame)
    for name, box in boxes.items():
        last = alone(mobilenetv2, scene.frames, box, config)[-1]
        # A cell of the response is half a crop pixel, here less than half a frame pixel.
        np.testing.assert_allclose(tracker.results[name].box, last.box, atol=0.5)
        assert tracker.results[name].score == pytest.approx(last.score, abs=0.01)


def _with_threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def one_thread():
    """Targets are searched one after the other, whatever OMP_NUM_THREADS says."""
    yield from _with_threads(1)


@pytest.fixture
def two_threads():
    yield from _with_threads(2)


@pytest.mark.parametrize("name", ["torch", "onnxruntime", "openvino"])
def test_targets_searched_at_once_are_where_each_is_alone(mobilenetv2, scene, two_threads, name):
    if name not in installed_runtimes():
        pytest.skip(f"{name} is not installed")
    boxes, others = {"eye": scene.boxes[0], **OTHERS}, threads_that_search()
    tracker = MultiTracker(mobilenetv2, runtime=choose_runtime(mobilenetv2, name))
    assert tracker.add(scene.frames[0], boxes["eye"], id="eye") == "eye"
    tracker.update(scene.frames[0])  # a single target needs no threads
    assert threads_that_search() <= others
    tracker.drop("eye")
    for target, box in boxes.items():
        tracker.add(scene.frames[0], box, id=target)
    for frame in scene.frames[1:]:
        tracker.update(frame)
    assert len(threads_that_search() - others) == 2
    assert torch.get_num_threads() == 2
    for target, box in boxes.items():
        single = Tracker(mobilenetv2, runtime=choose_runtime(mobilenetv2, name))
        last = list(single.track(scene.frames, box))[-1]
        # Rounding by another number of threads can move a peak by a cell, which is less than half a frame pixel here.
        np.testing.assert_allclose(tracker.results[target].box, last.box, atol=0.5)
        assert tracker.results[target].score == pytest.approx(last.score, abs=0.01)
    assert {"crop", "embed", "correlate", "post-process"} <= tracker.clock.seconds.keys()
    copied = pickle.loads(pickle.dumps(tracker))
    assert copied.update(scene.frames[0]).keys() == boxes.keys()


def test_threads_end_with_their_tracker(mobilenetv2, scene, two_threads):
    tracker, others = MultiTracker(mobilenetv2), threads_that_search()
    for box in (scene.boxes[0], *OTHERS.values()):
        tracker.add(scene.frames[0], box)
    tracker.update(scene.frames[1])
    threads = threads_that_search() - others
    assert len(threads) == 2
    del tracker
    gc.collect()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


def threads_that_search():
    return {thread for thread in threading.enumerate() if thread.name.startswith("siamfc-search")}


@pytest.mark.parametrize(("batch_targets", "expected"), [(1, [3, 3, 3]), (2, [6, 3]), (3, [9])])
def test_as_many_targets_are_embedded_together_as_asked_for(mobilenetv2, scene, one_thread, batch_targets, expected):
    runtime = Counting(mobilenetv2)
    tracker = MultiTracker(mobilenetv2, runtime=runtime, batch_targets=batch_targets)
    for box in (scene.boxes[0], *OTHERS.values()):
        tracker.add(scene.frames[0], box)
    tracker.update(scene.frames[1])
    assert runtime.batches == expected


def test_targets_that_search_one_scale_and_all_scales_share_a_frame(mobilenetv2, scene, one_thread):
    runtime = Counting(mobilenetv2)
    tracker = MultiTracker(mobilenetv2, TrackerConfig(scale_every=2), runtime=runtime, batch_targets=4)
    tracker.add(scene.frames[0], scene.boxes[0])
    tracker.update(scene.frames[1])
    tracker.add(scene.frames[1], OTHERS["tie"])
    tracker.update(scene.frames[2])
    assert runtime.batches == [3, 1, 3]


def test_targets_come_and_go_while_the_video_runs(mobilenetv2, scene):
    tracker = MultiTracker(mobilenetv2, batch_targets=1)
    assert tracker.ids == []
    assert tracker.update(scene.frames[0]) == {}
    assert tracker.add(scene.frames[0], scene.boxes[0]) == 0
    tracker.update(scene.frames[1])
    assert tracker.add(scene.frames[1], OTHERS["tie"], id="tie") == "tie"
    assert tracker.results["tie"].box == OTHERS["tie"]
    assert list(tracker.update(scene.frames[2])) == tracker.ids == [0, "tie"]
    tracker.drop(0)
    assert list(tracker.update(scene.frames[3])) == ["tie"]
    assert tracker.add(scene.frames[3], scene.boxes[3]) == 1  # numbers are not given twice
    late = alone(mobilenetv2, scene.frames[1:4], OTHERS["tie"])[-1]
    assert tracker.results["tie"] == late


def test_a_number_that_a_user_gave_is_not_given_again(mobilenetv2, scene):
    tracker = MultiTracker(mobilenetv2)
    assert tracker.add(scene.frames[0], scene.boxes[0], id=0) == 0
    assert tracker.add(scene.frames[0], scene.boxes[0]) == 1
    tracker.add(scene.frames[0], scene.boxes[0], id=2)
    tracker.drop(2)
    assert tracker.add(scene.frames[0], scene.boxes[0]) == 3


def test_bad_names_boxes_frames_and_batches_are_refused_and_change_nothing(mobilenetv2, scene):
    tracker = MultiTracker(mobilenetv2)
    tracker.add(scene.frames[0], scene.boxes[0], id="eye")
    with pytest.raises(BoxError, match="'eye' is followed already"):
        tracker.add(scene.frames[0], scene.boxes[0], id="eye")
    with pytest.raises(BoxError, match="outside the frame"):
        tracker.add(scene.frames[0], (5000, 0, 10, 10), id="far")
    with pytest.raises(KeyError, match="far"):
        tracker.drop("far")
    with pytest.raises(FrameError):
        tracker.update(scene.frames[1] / 255)
    assert tracker.ids == ["eye"]
    assert tracker.results["eye"].box == scene.boxes[0]
    with pytest.raises(ConfigError, match="batch_targets is 1 or more"):
        MultiTracker(mobilenetv2, batch_targets=0)


def test_a_target_without_a_number_is_refused_before_it_takes_one(mobilenetv2, scene):
    tracker = MultiTracker(mobilenetv2)
    with pytest.raises(BoxError):
        tracker.add(scene.frames[0], (0, 0, 0, 0))
    assert tracker.add(scene.frames[0], scene.boxes[0]) == 0


def test_maps_are_kept_and_bgr_is_read_as_the_single_tracker_does(mobilenetv2, scene):
    tracker = MultiTracker(mobilenetv2, color_order="bgr", keep_maps=True)
    for box in (scene.boxes[0], OTHERS["tie"]):
        tracker.add(scene.frames[0][..., ::-1], box)
    first, second = (tracker.update(scene.frames[1][..., ::-1])[name] for name in (0, 1))
    single = Tracker(mobilenetv2, keep_maps=True)
    single.init(scene.frames[0], scene.boxes[0])
    expected = single.update(scene.frames[1])
    np.testing.assert_array_equal(first.maps.score_maps, expected.maps.score_maps)
    np.testing.assert_array_equal(first.maps.response, expected.maps.response)
    tracker.update(scene.frames[2][..., ::-1])
    np.testing.assert_array_equal(first.maps.score_maps, expected.maps.score_maps)  # not overwritten by the next frame
    assert not np.array_equal(first.maps.response, second.maps.response)
