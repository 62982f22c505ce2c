"""The mean of several networks' weights: of runs that began with the same weights it is often better than each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch

from siamfc.errors import ConfigError
from siamfc.model import SiamFC, build_model

LEAST_COSINE = 0.8


def average_weights(models: Sequence[SiamFC]) -> SiamFC:
    """One network whose every weight is the mean of theirs, after Wortsman et al. 2022, "Model soups" (2203.05482).

    The mean of features, which it stands for, is theirs only nearby: runs have to begin with the same weights, and not
    to go far. The score has to be calibrated anew.

    Args:
        models: Two or more.

    Returns:
        The network, in evaluation mode on the CPU.

    Raises:
        ConfigError: Fewer, of different settings, or too unlike each other: a cosine below `LEAST_COSINE` between the
            weights of a layer in two of them.
    """
    if len(models) < 2:
        raise ConfigError("a mean is of two networks or more")
    configs = [model.config.model_copy(update={"calibrated": False}) for model in models]
    for config in configs[1:]:
        unlike = [name for name, value in config if value != getattr(configs[0], name)]
        if unlike:
            raise ConfigError(f"networks are averaged that are built alike, and these differ in {', '.join(unlike)}")
    if (least := least_cosine(models)) < LEAST_COSINE:
        raise ConfigError(
            f"a layer's weights in two of these networks have a cosine of {least:.2f}, too far apart for their mean to "
            "match anything: average runs that began with the same weights"
        )
    average = build_model(configs[0]).eval()
    states = [model.state_dict() for model in models]
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(value.dtype)
        for name, value in average.state_dict().items()
    }
    average.load_state_dict(mean)
    return average


def least_cosine(models: Sequence[SiamFC]) -> float:
    """The smallest cosine between the weights of a layer in two of these networks, which are built alike."""
    cosines = (
        float(torch.cosine_similarity(one.detach().flatten(), other.detach().flatten(), dim=0))
        for pair in combinations(models, 2)
        for one, other in zip(*(model.parameters() for model in pair), strict=True)
        if one.ndim > 1  # of few numbers, such as biases, it says little
    )
    return min(cosines)
