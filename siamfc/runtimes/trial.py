"""What runtimes are compared on: one rendered scene, and how far two score maps are apart."""

from __future__ import annotations

import torch
from torch import Tensor

from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.model import ExemplarKernel, SiamFC

AGREEMENT = 1e-4
"""Score maps that differ by no more than this share of their range count as the same."""

_EXEMPLAR_PX, _SEARCH_PX, _CONTEXT, _SCALE_STEP = 127, 255, 0.5, 1.04


def trial_input(model: SiamFC, *, num_scales: int = 3) -> tuple[ExemplarKernel, Tensor]:
    """An exemplar's kernel and search crops (num_scales, 3, 255, 255) of a rendered scene, the same every time."""
    from siamfc.data import render_clip

    clip = render_clip(seed=0, num_frames=2)
    frame, box = clip.render(0), clip.boxes[0]
    side, steps = context_side(box, _CONTEXT), [index - num_scales // 2 for index in range(num_scales)]
    around = [side * _SEARCH_PX / _EXEMPLAR_PX * _SCALE_STEP**step for step in steps]
    exemplar, *searches = (
        torch.from_numpy(crop(frame, region, mean_color(frame))).to(model.device, model.bias.dtype)
        for region in (
            CropRegion(*box.center, side, _EXEMPLAR_PX),
            *(CropRegion(*box.center, each, _SEARCH_PX) for each in around),
        )
    )
    batch = torch.stack(searches).permute(0, 3, 1, 2)
    with torch.inference_mode():
        statistics = model.channel_statistics(batch[:1]) if model.config.standardisation == "first_search" else None
        return model.exemplar_kernel(model.embed(exemplar.permute(2, 0, 1)[None], statistics), statistics), batch


def deviation(expected: Tensor, found: Tensor) -> float:
    """Largest difference of two score maps or features, as a share of the first's range.

    Example:
        >>> deviation(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.5]))
        0.25
    """
    return float((expected - found).abs().max() / (expected.max() - expected.min()))
