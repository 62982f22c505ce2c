"""Which runtime computes: by name, by an exported folder, or the fastest whose results are the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from siamfc.data.folders import nearest
from siamfc.errors import ConfigError, EnvironmentProblem
from siamfc.model import SiamFC
from siamfc.runtimes.libraries import is_installed
from siamfc.runtimes.runtime import Runtime
from siamfc.runtimes.torch_runtime import TorchRuntime
from siamfc.runtimes.trial import AGREEMENT, deviation, trial_input

_NEEDS = {"torch": (), "onnxruntime": ("onnxruntime", "onnx"), "openvino": ("openvino", "onnx")}
_TRIAL_S = 1.0
_LEAST_GAIN = 0.03  # below it, torch stays: a difference of noise should not change who computes


def choose_runtime(model: SiamFC, name: str = "torch", precision: str = "fp32") -> Runtime:
    """The runtime of this name for a model, ready to be given to a `siamfc.tracker.tracker.Tracker`.

    Args:
        model: On the device to compute on; folded here.
        name: ``torch``, ``onnxruntime``, ``openvino``; ``auto`` for the fastest of those that are installed, after a
            trial of a second; or a folder that ``siamfc export`` wrote.
        precision: ``fp32``, ``bf16`` or ``fp16``. ``auto`` compares in fp32 only. A folder has its own.

    Raises:
        EnvironmentProblem: A library that is not installed, an exported folder of another model, or a device or
            processor that cannot.
        ConfigError: No such runtime or precision.

    Example:
        >>> from siamfc.checkpoint import load_model
        >>> choose_runtime(load_model(device="cpu")).name
        'torch'
    """
    if name == "auto":
        if precision != "fp32":
            raise ConfigError(f"--runtime auto compares runtimes in fp32; for {precision} name one of {_names()}")
        return fastest_runtime(model)
    if name == "torch":
        return TorchRuntime(model, precision=precision)
    if name == "onnxruntime":
        from siamfc.runtimes.onnx_runtime import OnnxRuntime

        return OnnxRuntime(model, precision=precision)
    if name == "openvino":
        from siamfc.runtimes.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(model, precision=precision)
    if Path(name).expanduser().is_dir():
        from siamfc.runtimes.exported import load_exported

        return load_exported(model, Path(name).expanduser(), precision=precision)
    raise ConfigError(
        f"no runtime {name!r}{nearest(name, [*_NEEDS, 'auto'])}: it is auto, {_names()}, or a folder that "
        "'siamfc export' wrote"
    )


def installed_runtimes() -> list[str]:
    """Names of the runtimes whose libraries are installed, torch first."""
    return [name for name, libraries in _NEEDS.items() if all(map(is_installed, libraries))]


def fastest_runtime(model: SiamFC, *, seconds: float = _TRIAL_S) -> Runtime:
    """The fastest installed fp32 runtime on three search crops whose score maps agree with torch's; torch on a tie.

    A runtime that cannot be built or fails is left out.
    """
    reference = TorchRuntime(model)
    names = [name for name in installed_runtimes() if name != reference.name]
    if model.device.type != "cpu" or not names:
        return reference
    kernel, searches = trial_input(model)
    maps = kernel.score_maps(reference.embed(searches))
    runtimes: list[Runtime] = [reference]
    for name in names:
        try:
            runtime = choose_runtime(model, name)
            # Libraries load, and compile for each size, at the first images of it.
            found = kernel.score_maps(runtime.embed(searches))
        except (EnvironmentProblem, RuntimeError):
            continue
        if deviation(maps, found) <= AGREEMENT:
            runtimes.append(runtime)
    times = _times([partial(runtime.embed, searches) for runtime in runtimes], seconds)
    best = min(range(len(runtimes)), key=times.__getitem__)
    return runtimes[best] if times[best] < (1 - _LEAST_GAIN) * times[0] else reference


def _times(sides: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """Least seconds of each, run in turn for that long in all, three rounds at least: other work only adds to it."""
    times: list[list[float]] = [[] for _ in sides]
    ends = time.perf_counter() + seconds
    while len(times[0]) < 3 or time.perf_counter() < ends:
        for side, row in zip(sides, times, strict=True):
            began = time.perf_counter()
            side()
            row.append(time.perf_counter() - began)
    return [min(row) for row in times]


def _names() -> str:
    return ", ".join(_NEEDS)
