"""How weights move: parameter groups, the rate's way down, the running mean of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from siamfc.config import OptimiserConfig
from siamfc.model import SiamFC


def choose_trained(model: SiamFC, config: OptimiserConfig) -> None:
    """Mark what is trained: not the first ``frozen_layers`` of the backbone, and the gain only if asked for."""
    model.requires_grad_(requires_grad=True)
    for layer in backbone_layers(model)[: config.frozen_layers]:
        layer.requires_grad_(requires_grad=False)
    model.gain.requires_grad_(config.train_gain)


def backbone_layers(model: SiamFC) -> list[nn.Module]:
    """The backbone's layers in order, as ``frozen_layers`` counts them; those of a shallow level alone come last."""
    layers = [layer for chain in model.backbone.chains for layer in chain]
    return list(dict.fromkeys(layers))


def begun_in_backbone(model: SiamFC, fresh: frozenset[str]) -> list[str]:
    """Names of the backbone's trained parameters whose layers began with weights, not with random numbers."""
    return [
        name
        for name, value in model.named_parameters()
        # A convolution that a norm was folded into has a bias that `fresh` does not name.
        if value.requires_grad and name.startswith("backbone.") and f"{name.rpartition('.')[0]}.weight" not in fresh
    ]


def parameter_groups(model: SiamFC, fresh: frozenset[str], config: OptimiserConfig) -> list[dict[str, object]]:
    """Groups for a torch optimiser: factor on the rate and decay by what a parameter is.

    Biases and norms have no decay. Fresh layers learn ``new_layers_factor`` times as fast where there are others that
    are not fresh; biases ``bias_factor`` times. The gain moves in proportion to its own size, which is tiny.
    """
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    mixed = any(name not in fresh for name in trained if name not in ("gain", "bias"))
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, value in trained.items():
        factor = config.new_layers_factor if mixed and name in fresh else 1.0
        factor *= config.bias_factor if name.endswith("bias") else 1.0
        factor *= float(value.detach()) if name == "gain" else 1.0
        decay = config.weight_decay if value.ndim > 1 else 0.0
        groups.setdefault((factor, decay), []).append(value)
    return [{"params": values, "factor": factor, "weight_decay": decay} for (factor, decay), values in groups.items()]


def build_optimiser(groups: Iterable[dict[str, object]], config: OptimiserConfig) -> torch.optim.Optimizer:
    """The optimiser of these settings over the groups."""
    if config.name == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.momentum, 0.999))


def learning_rate(config: OptimiserConfig, *, step: int, steps_per_epoch: int, epochs: int) -> float:
    """The rate of a step, counted from 0.

    ``geometric`` is the authors': the first epoch has ``learning_rate``, the last ``final_learning_rate``, each epoch
    the same factor of the one before. ``cosine`` falls in each step.

    Example:
        >>> paper = OptimiserConfig(schedule="geometric", learning_rate=1e-2, final_learning_rate=1e-5, warmup_steps=0)
        >>> [round(learning_rate(paper, step=epoch, steps_per_epoch=1, epochs=50), 7) for epoch in (0, 1, 49)]
        [0.01, 0.0086851, 1e-05]
    """
    first, last = config.learning_rate, config.final_learning_rate
    if config.schedule == "geometric":
        rate = first * math.pow(last / first, step // steps_per_epoch / max(epochs - 1, 1))
    else:
        done = step / max(steps_per_epoch * epochs - 1, 1)
        rate = last + (first - last) * (1 + math.cos(math.pi * done)) / 2
    return rate * min(1.0, (step + 1) / max(config.warmup_steps, 1))


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give each group this rate times its own factor."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


class WeightAverage:
    """A running mean of the trained weights, which young runs take to quickly: decay ``(1 + t) / (10 + t)`` at most.

    Args:
        model: Whose weights.
        decay: Share of the old mean that a step keeps; 0: the mean is the weights themselves.
        start: Weights that the run begins with, by name, of which the weights written keep a share.
        start_share: That share; 0: they are the mean alone.
    """

    def __init__(self, model: nn.Module, decay: float, *, start: Iterable[str] = (), start_share: float = 0.0) -> None:
        self._decay = decay
        self._model = model
        self._start_share = start_share
        self._start: dict[str, Tensor] = {}
        if start_share:
            weights = dict(model.named_parameters())
            self._start = {name: weights[name].detach().clone() for name in start}
        self.weights: dict[str, Tensor] = {}
        if decay:
            self.weights = {
                name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad
            }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights as they are after a step, counted from 0."""
        if not self._decay:
            return
        decay = min(self._decay, (1 + step) / (10 + step))
        now = dict(self._model.named_parameters())
        torch._foreach_lerp_(list(self.weights.values()), [now[name].detach() for name in self.weights], 1 - decay)

    def averaged_state(self) -> dict[str, Tensor]:
        """The model's state with the mean, and the start's share, in the place of trained weights.

        Networks that one start was trained into can be mixed with it, weight by weight, and the mixture is often
        better than either where the material is new (Wortsman et al. 2022, WiSE-FT).
        """
        state = {**self._model.state_dict(), **self.weights}
        mixed = {name: torch.lerp(state[name], value, self._start_share) for name, value in self._start.items()}
        return {**state, **mixed}
