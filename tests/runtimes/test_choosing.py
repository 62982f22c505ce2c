"""Runtimes by name: what is there, what is not, and what auto takes."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest
import torch

from siamfc.errors import ConfigError, EnvironmentProblem
from siamfc.folding import fold
from siamfc.runtimes import choosing, frozen, torch_runtime
from siamfc.runtimes.choosing import choose_runtime, fastest_runtime, installed_runtimes
from siamfc.runtimes.embedding import Embedding
from siamfc.runtimes.torch_runtime import TorchRuntime
from siamfc.runtimes.trial import deviation, trial_input


@pytest.mark.parametrize(("name", "library"), [("onnxruntime", "onnxruntime"), ("openvino", "openvino")])
def test_a_missing_library_is_told_with_the_extra_that_brings_it(mobilenetv2, monkeypatch, name, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(EnvironmentProblem, match=r"not installed: pip install 'siamfc\[") as told:
        choose_runtime(mobilenetv2, name)
    assert "\n" not in str(told.value)
    assert ("onnx" if name == "onnxruntime" else "openvino") in str(told.value)


def test_an_unknown_runtime_is_told_with_the_nearest(mobilenetv2):
    with pytest.raises(ConfigError, match="did you mean openvino"):
        choose_runtime(mobilenetv2, "openvin")


@pytest.mark.parametrize("name", ["torch", "auto"])
def test_an_unknown_precision_is_refused(mobilenetv2, name):
    with pytest.raises(ConfigError, match="fp32"):
        choose_runtime(mobilenetv2, name, "fp8")


def test_half_precision_is_refused_where_the_processor_would_be_slower(mobilenetv2, monkeypatch):
    monkeypatch.setattr(torch_runtime, "_cpu_has", lambda _: False)
    with pytest.raises(EnvironmentProblem, match="no fp16 arithmetic"):
        choose_runtime(mobilenetv2, "torch", "fp16")


def test_half_precision_sees_nearly_the_same(mobilenetv2, monkeypatch):
    monkeypatch.setattr(torch_runtime, "_cpu_has", lambda _: True)
    kernel, searches = trial_input(mobilenetv2, num_scales=1)
    exact, half = (choose_runtime(mobilenetv2, "torch", precision) for precision in ("fp32", "bf16"))
    maps = [kernel.score_maps(runtime.embed(searches)) for runtime in (exact, half)]
    assert half.precision == "bf16"
    assert maps[1].dtype == torch.float32
    assert deviation(*maps) < 0.05  # bf16 has 8 bits; on this scene it is 0.01


def test_auto_takes_the_quickest_that_agrees(mobilenetv2, monkeypatch):
    class Quick(TorchRuntime):
        name, error = "quick", 0.0

        def embed(self, images):
            features = super().embed(images)
            return features + self.error * torch.linspace(0, 1, features.shape[-1])

    quick = Quick(mobilenetv2)
    monkeypatch.setattr(choosing, "installed_runtimes", lambda: ["torch", "quick"])
    named = choosing.choose_runtime
    monkeypatch.setattr(
        choosing, "choose_runtime", lambda model, name: quick if name == "quick" else named(model, name)
    )
    monkeypatch.setattr(choosing, "_times", lambda sides, _: [1.0, 0.5][: len(sides)])
    assert choose_runtime(mobilenetv2, "auto").name == "quick"
    quick.error = 0.1
    assert choose_runtime(mobilenetv2, "auto").name == "torch"


def test_auto_stays_with_torch_on_a_tie_and_where_others_fail(mobilenetv2, monkeypatch):
    class Failing(TorchRuntime):
        def embed(self, images):
            if images.shape[-1] > 127:
                raise RuntimeError("not at this size")
            return super().embed(images)

    def broken(*_):
        raise EnvironmentProblem("not today")

    monkeypatch.setattr(choosing, "_times", lambda sides, _: [1.0, *[0.99] * (len(sides) - 1)])
    assert fastest_runtime(mobilenetv2).name == "torch"
    monkeypatch.setattr(choosing, "installed_runtimes", lambda: ["torch", "openvino"])
    monkeypatch.setattr(choosing, "choose_runtime", lambda *_: Failing(mobilenetv2))
    assert fastest_runtime(mobilenetv2).name == "torch"
    monkeypatch.setattr(choosing, "choose_runtime", broken)
    assert fastest_runtime(mobilenetv2).name == "torch"


def test_torch_is_always_there_and_first():
    assert installed_runtimes()[0] == "torch"


def test_what_was_recorded_is_shared_by_equal_weights_only(mobilenetv2):
    other = fold(mobilenetv2)
    with torch.no_grad():
        next(other.backbone.parameters()).mul_(1.5)
    shared, same, different = (frozen.freeze(Embedding(model)) for model in (mobilenetv2, fold(mobilenetv2), other))
    assert shared is same
    assert shared is not different


def test_recording_warns_of_nothing_and_falls_back_to_the_plain_network(mobilenetv2, monkeypatch):
    def gone(*_):
        raise AttributeError("torch.jit is no more")

    embedding = Embedding(mobilenetv2)
    with torch.no_grad():
        next(embedding.parameters()).mul_(1.25)  # weights that nothing was recorded for
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert frozen.freeze(embedding) is not embedding
    with torch.no_grad():
        next(embedding.parameters()).mul_(1.25)
    monkeypatch.setattr(frozen, "_record", gone)
    assert frozen.freeze(embedding) is embedding


def test_the_optional_libraries_are_not_imported_unasked():
    code = """
import sys, siamfc.tracker.tracker, siamfc.runtimes.choosing
assert not {'onnx', 'onnxruntime', 'openvino'} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
