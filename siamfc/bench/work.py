"""What each stage of a frame has to do at least: operations and bytes, counted and not measured."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from siamfc.bench.machine import Machine
from siamfc.box_regression import MARGIN, BoxRegression
from siamfc.config import TrackerConfig
from siamfc.folding import fold
from siamfc.model import SiamFC
from siamfc.score_map import score_map_cells, upsampled_cells
from siamfc.tracker.box_refinement import regresses


class Work(NamedTuple):
    """The least that a stage does for one frame.

    Attributes:
        operations: Additions and multiplications.
        bytes_moved: What it must read and write when everything between is kept in caches.
    """

    operations: float
    bytes_moved: float

    def floor_s(self, machine: Machine) -> float:
        """Seconds that a machine needs for it at its float32 peak and memory rate, whichever is longer."""
        return max(self.operations / (machine.peak_gflops * 1e9), self.bytes_moved / (machine.copy_gb_per_s * 1e9))


def stage_work(model: SiamFC, config: TrackerConfig) -> dict[str, Work]:
    """By stage, of a frame; where the outer scales are searched now and then only, of the mean frame.

    Crops are read and written as bytes and turned into floats. The embedding reads its weights and crops and writes
    features. The correlation multiplies each window once. Upsampling's two products give responses that are written
    and read once. Box regression, where sizes are found by it, is part of the post-processing and searches one scale.
    What a filter that learns takes (``filter_influence``) is not counted.
    """
    num_scales, side = 1 + (config.num_scales - 1) / config.scale_every, config.search_size
    regression = None
    if regresses(model, config):
        num_scales, regression = 1, model.box_regression
    pixels = 3 * side * side * num_scales
    folded = fold(model)
    macs, features = count_macs(folded, side), _features_of_nothing(folded, side)
    cells = score_map_cells(side, config.exemplar_size, model.stride)
    exemplar = _features_of_nothing(folded, config.exemplar_size)[0].numel()
    finer = upsampled_cells(cells, config.response_upsampling, config.response_alignment)
    weights = sum(parameter.numel() for parameter in (*folded.backbone.parameters(), *folded.neck.parameters()))
    upsampling = 2 * num_scales * (finer * cells * cells + finer * finer * cells)
    return {
        "crop": Work(0, pixels * (1 + 1 + 4)),
        "embed": Work(2 * num_scales * macs, 4 * (weights + pixels + num_scales * features.numel())),
        "correlate": Work(
            2 * num_scales * cells * cells * exemplar,
            4 * (num_scales * features.numel() + exemplar + num_scales * cells * cells),
        ),
        "post-process": Work(
            upsampling + 2 * _regression_macs(regression, folded.out_channels),
            4 * num_scales * (cells * cells + 2 * finer * finer) + 4 * _weights(regression),
        ),
    }


def _weights(regression: BoxRegression | None) -> int:
    return sum(parameter.numel() for parameter in regression.parameters()) if regression else 0


def _regression_macs(regression: BoxRegression | None, channels: int) -> int:
    """Multiply-accumulates of one target's box regression: every cell with every other, and what reads them."""
    if regression is None:
        return 0
    cells = regression.cells**2
    around = (regression.cells + 2 * MARGIN) ** 2
    weights = [(value.ndim, value.numel()) for value in regression.parameters()]
    layers = sum(numel * (cells if ndim == 4 else 1) for ndim, numel in weights if ndim > 1)
    return channels * cells * around + layers


def count_macs(model: SiamFC, side: int) -> int:
    """Multiply-accumulates of all convolutions on one image of this side, pixels.

    Example:
        >>> from siamfc import ModelConfig, build_model
        >>> round(count_macs(build_model(ModelConfig(backbone="alexnet")), 255) / 1e9, 2)
        2.72
    """
    counted: list[int] = []

    def count(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        counted.append(output[0].numel() * layer.weight[0].numel())

    hooks = [layer.register_forward_hook(count) for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    try:
        _features_of_nothing(model, side)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counted)


@torch.inference_mode()
def _features_of_nothing(model: SiamFC, side: int) -> Tensor:
    """Features (1, C, h, w) of an image of zeros."""
    return model.features(torch.zeros(1, 3, side, side, device=model.device))
