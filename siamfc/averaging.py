"""The mean of several networks' weights: of runs that began with the same, often a better network than each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch

from siamfc.errors import ConfigError
from siamfc.model import SiamFC, build_model

FARTHEST = 0.6
_TINY = torch.tensor(1e-12)


def average_weights(models: Sequence[SiamFC]) -> SiamFC:
    """One network whose every number is the mean of theirs, after Wortsman et al. 2022, "Model soups" (2203.05482).

    The mean of weights computes something like the mean of features only where they are near each other: of runs that
    began with the same weights, all of them, and kept batch norm's statistics (``optimiser.batch_norm`` frozen or
    folded). The score has to be calibrated anew.

    Args:
        models: Two or more.

    Returns:
        The network, in evaluation mode on the CPU.

    Raises:
        ConfigError: Fewer, of different settings, or too unlike: a `distance` above `FARTHEST`.
    """
    if len(models) < 2:
        raise ConfigError("a mean is of two networks or more")
    configs = [model.config.model_copy(update={"calibrated": False}) for model in models]
    for config in configs[1:]:
        unlike = [name for name, value in config if value != getattr(configs[0], name)]
        if unlike:
            raise ConfigError(f"networks are averaged that are built alike, and these differ in {', '.join(unlike)}")
    farthest, layer = distance(models)
    if farthest > FARTHEST:
        raise ConfigError(
            f"{layer} differs by {farthest:.0%} of its size between two of these networks, too far for their mean to "
            "match anything: average runs that began with the same weights (--init), in all layers"
        )
    average = build_model(configs[0]).eval()
    states = [model.state_dict() for model in models]
    mean = {
        name: torch.stack([state[name].cpu().double() for state in states]).mean(dim=0).to(value.dtype)
        for name, value in average.state_dict().items()
    }
    average.load_state_dict(mean)
    return average


def distance(models: Sequence[SiamFC]) -> tuple[float, str]:
    """How far a layer's weights are apart, over the size of the larger, at most; and which layer that is.

    Args:
        models: Two or more that are built alike. Vectors, such as biases, say little and are left out.
    """
    apart = [
        (float((one - other).norm() / max(one.norm(), other.norm(), _TINY)), name)
        for pair in combinations([dict(model.named_parameters()) for model in models], 2)
        for name in pair[0]
        for one, other in [[weights[name].detach().cpu() for weights in pair]]
        if one.ndim > 1
    ]
    return max(apart)
