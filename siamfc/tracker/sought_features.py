"""What is slid over a search: an exemplar with its blurred copies mixed in, and what surrounds the target weighed."""

from __future__ import annotations

import torch
from torch import Tensor

from siamfc.config import TrackerConfig
from siamfc.model import ChannelStatistics, SiamFC


def sought_features(
    model: SiamFC,
    config: TrackerConfig,
    exemplar_features: Tensor,
    size: tuple[float, float],
    *,
    blurred: Tensor | None,
    statistics: ChannelStatistics | None,
) -> Tensor:
    """The features (1, C, h, w) that are searched for, by ``motion_blur`` and ``context_weight`` of the settings.

    Args:
        model: Whose features they are.
        config: The tracker's.
        exemplar_features: (1, C, h, w), from `SiamFC.embed`, without a border.
        size: Width and height of the target, exemplar pixels.
        blurred: (N, 3, exemplar_size, exemplar_size), 0..255: copies from `motion_blurred`; None: there are none.
        statistics: As they were given to `embed`.
    """
    sought = exemplar_features
    if blurred is not None:
        copies = model.embed(blurred, statistics)
        sought = torch.lerp(exemplar_features, copies.mean(dim=0, keepdim=True), config.motion_blur)
    sizes = exemplar_features.new_tensor([size])
    return model.weigh_context(sought, sizes, config.context_weight, exemplar_px=config.exemplar_size)
