"""Every runtime sees what torch sees: the same score maps, and in the end the same boxes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from siamfc.correlation import cross_correlate
from siamfc.runtimes.choosing import choose_runtime
from siamfc.runtimes.trial import AGREEMENT, deviation, trial_input
from siamfc.tracker.tracker import Tracker
from tests.clips import short_clip

LIBRARIES = {"torch": "torch", "onnxruntime": "onnxruntime", "openvino": "openvino"}


@pytest.fixture(params=LIBRARIES)
def name(request):
    pytest.importorskip(LIBRARIES[request.param], reason=f"{request.param} is an optional library")
    if request.param != "torch":
        pytest.importorskip("onnx", reason="the graphs are written with onnx")
    return request.param


def _plain_maps(model, kernel, searches):
    with torch.inference_mode():
        return cross_correlate(kernel.weight, model.features(searches)) + kernel.offset[:, None, None]


@pytest.mark.parametrize("batch", [1, 3])
def test_score_maps_are_those_of_the_plain_network(either_model, name, batch):
    kernel, searches = trial_input(either_model, num_scales=batch)
    runtime = choose_runtime(either_model, name)
    maps = kernel.score_maps(runtime.embed(searches))
    assert (runtime.name, runtime.precision) == (name, "fp32")
    assert maps.dtype == torch.float32
    assert deviation(_plain_maps(either_model, kernel, searches), maps) < AGREEMENT


def test_sizes_and_batches_may_change_from_call_to_call(mobilenetv2, name):
    runtime = choose_runtime(mobilenetv2, name)
    generator = torch.Generator().manual_seed(1)
    kept = []
    for shape in ((1, 3, 127, 127), (2, 3, 255, 200), (1, 3, 127, 127)):
        images = torch.rand(shape, generator=generator) * 255
        with torch.inference_mode():
            kept.append((mobilenetv2.features(images), runtime.embed(images)))
    # Compared at the end: what a later call gives must not overwrite what an earlier one gave.
    assert max(deviation(expected, found) for expected, found in kept) < AGREEMENT


def test_images_may_be_bytes_in_any_layout(mobilenetv2, name):
    picture = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 140, 150, 3), dtype=np.uint8))
    runtime = choose_runtime(mobilenetv2, name)
    as_bytes = runtime.embed(picture.permute(0, 3, 1, 2))
    assert deviation(runtime.embed(picture.permute(0, 3, 1, 2).float().contiguous()), as_bytes) < 1e-6


def test_images_too_small_for_the_network_are_refused(mobilenetv2, name):
    with pytest.raises(ValueError, match="at least 59 px"):
        choose_runtime(mobilenetv2, name).embed(torch.zeros(1, 3, 40, 127))


def test_a_runtime_in_use_can_be_copied_and_sent(mobilenetv2, name):
    images = torch.full((1, 3, 127, 127), 90.0)
    runtime = choose_runtime(mobilenetv2, name)
    expected = runtime.embed(images)
    for other in (copy.deepcopy(runtime), pickle.loads(pickle.dumps(runtime))):
        torch.testing.assert_close(other.embed(images), expected, rtol=1e-5, atol=1e-5)


def test_whole_runs_give_the_same_boxes(mobilenetv2, name):
    clip = short_clip(12)
    expected, found = (
        [result.box for result in Tracker(mobilenetv2, runtime=runtime).track(clip, clip.boxes[0])]
        for runtime in (PlainRuntime(mobilenetv2), choose_runtime(mobilenetv2, name))
    )
    assert np.abs(np.array(expected) - np.array(found)).max() < 0.01


class PlainRuntime:
    """The network as it was trained, with nothing done to make it fast."""

    name, precision = "plain", "fp32"

    def __init__(self, model):
        self.model = model

    def embed(self, images):
        return self.model.features(images)


def test_a_signal_finds_its_stack_after_openvino_was_let_go_in_another_thread():
    """Its CPU plugin moves the signal stack of the thread that loads it into memory of its own."""
    pytest.importorskip("openvino", reason="openvino is not installed (extra openvino)")
    code = """
import gc, os, signal, threading
import torch
import siamfc
from siamfc.runtimes.choosing import choose_runtime
kept = [choose_runtime(siamfc.load_model("mobilenetv2-imagenet", device="cpu"), "openvino")]
kept[0].embed(torch.zeros(1, 3, 127, 127))
thread = threading.Thread(target=kept.clear)
thread.start()
thread.join()
gc.collect()
signal.signal(signal.SIGUSR1, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGUSR1)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr
