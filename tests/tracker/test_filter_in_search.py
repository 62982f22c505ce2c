"""What the step of a frame gives its filter: threads to a runtime, and the place where the target was found."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from siamfc import Tracker
from siamfc.errors import CheckpointError
from siamfc.runtimes.torch_runtime import TorchRuntime
from siamfc.tracker.online_filter import OnlineFilter
from tests.scenes import EYE, pan

SETTINGS = {"tracker": {"filter_influence": 0.4, "filter_score": 0.0}}


class Spying(TorchRuntime):
    """Remembers with how many threads it embedded, and multiplies its features."""

    def __init__(self, model, factor=1.0):
        super().__init__(model)
        self.threads, self.factor = [], factor

    def embed(self, images):
        self.threads.append(torch.get_num_threads())
        return super().embed(images) * self.factor


def test_a_runtime_has_all_threads_at_its_first_images(mobilenetv2, photograph):
    runtime, before = Spying(mobilenetv2), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        Tracker(mobilenetv2, SETTINGS, runtime=runtime).init(photograph, EYE)
    finally:
        torch.set_num_threads(before)
    assert runtime.threads[0] == 2


def test_features_that_are_not_finite_are_refused(mobilenetv2, photograph):
    with pytest.raises(CheckpointError, match="finite"):
        Tracker(mobilenetv2, SETTINGS, runtime=Spying(mobilenetv2, float("inf"))).init(photograph, EYE)


@pytest.mark.parametrize("settings", [{}, {"search_size": 259}, {"num_scales": 5, "scale_every": 2}], ids=str)
def test_it_learns_from_where_the_target_was_found(mobilenetv2, photograph, monkeypatch, settings):
    places = []
    monkeypatch.setattr(OnlineFilter, "learn", lambda own, projected, place: places.append(place))
    scene = pan(photograph, [(80 + 5 * step, 70 - 2 * step) for step in range(6)])
    tracker = Tracker(mobilenetv2, {"tracker": SETTINGS["tracker"] | settings}, keep_maps=True)
    first, *results = tracker.track(scene.frames, scene.boxes[0])
    assert len(places) == len(results)
    last = first
    for result, place in zip(results, places, strict=True):
        moved = np.subtract(result.box.center, last.box.center)
        assert moved[0] < -2  # the view pans to the right and up: the target goes to the left and down
        assert moved[1] > 0
        np.testing.assert_allclose(np.multiply(place, 8 * result.maps.region.frame_px_per_crop_px), moved, atol=1e-6)
        last = result


def test_alexnet_learns_too(alexnet, photograph):
    scene = pan(photograph, [(80 + 2 * step, 70) for step in range(12)])
    boxes = np.array([result.box for result in Tracker(alexnet, SETTINGS).track(scene.frames, scene.boxes[0])])
    # Random weights: it need not be good, only be run, past the tenth frame, after which the filter is solved anew.
    assert np.isfinite(boxes).all()
