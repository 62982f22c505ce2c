"""The embedding in 8-bit integers: its graph quantised on crops, and what that changes."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from siamfc.model import SiamFC
from siamfc.runtimes.calibration import CropPair
from siamfc.runtimes.libraries import need
from siamfc.runtimes.onnx_graph import IMAGES
from siamfc.runtimes.runtime import Runtime
from siamfc.score_map import find_peak, upsample

_UPSAMPLING = 16


@dataclass(frozen=True)
class QuantisationReport:
    """What 8 bits change on the calibration's own crops, against full precision.

    Attributes:
        pairs: How many exemplars were searched for.
        median_deviation: Of the score maps: the largest difference in a map as a share of its range, median of all.
        largest_deviation: The same, of the worst map.
        median_peak_shift_px: How far the peak moved, search pixels, to 0.5.
        largest_peak_shift_px: The same, of the worst map.
        peaks_moved: Share of the maps whose peak moved by more than a stride.
    """

    pairs: int
    median_deviation: float
    largest_deviation: float
    median_peak_shift_px: float
    largest_peak_shift_px: float
    peaks_moved: float


def quantise(graph: bytes, pairs: Sequence[CropPair]) -> bytes:
    """A serialised graph that computes what another does in 8 bits.

    Weights are scaled by channel, activations by the ranges that they have on the crops. Weights use seven of the
    eight bits: on processors without VNNI two products of full range would overflow.
    """
    quantization = need("onnxruntime.quantization", extra="onnx")

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc, name-defined]  # no types
        def __init__(self) -> None:
            self._batches = iter([picture for pair in pairs for picture in pair])

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self._batches, None)
            return None if batch is None else {IMAGES: batch.contiguous().numpy()}

    with tempfile.TemporaryDirectory() as folder, _quiet_root_logger():
        exact, path = Path(folder) / "exact.onnx", Path(folder) / "embedding.onnx"
        exact.write_bytes(graph)
        quantization.quantize_static(
            exact,
            path,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return path.read_bytes()


@torch.inference_mode()
def compare(model: SiamFC, exact: Runtime, other: Runtime, pairs: Sequence[CropPair]) -> QuantisationReport:
    """What another runtime's score maps and peaks differ by from an exact one's."""
    deviations, shifts = [], []
    for exemplar, search in pairs:
        statistics = model.channel_statistics(search) if model.config.standardisation == "first_search" else None
        kernel = model.exemplar_kernel(model.embed(exemplar, statistics), statistics)
        maps = [kernel.score_maps(runtime.embed(search)) for runtime in (exact, other)]
        score_range = float(maps[0].max() - maps[0].min())
        deviations.append(float((maps[0] - maps[1]).abs().max()) / score_range if score_range else 0.0)
        peaks = [np.array(find_peak(upsample(each, _UPSAMPLING, "corners")[0])) for each in maps]
        shifts.append(float(np.hypot(*(peaks[0] - peaks[1]))) * model.stride / _UPSAMPLING)
    return QuantisationReport(
        pairs=len(pairs),
        median_deviation=float(np.median(deviations)),
        largest_deviation=max(deviations),
        median_peak_shift_px=float(np.median(shifts)),
        largest_peak_shift_px=max(shifts),
        peaks_moved=float(np.mean([shift > model.stride for shift in shifts])),
    )


@contextmanager
def _quiet_root_logger() -> Iterator[None]:
    """The library advises through the root logger; what it says does not concern a graph written here."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
