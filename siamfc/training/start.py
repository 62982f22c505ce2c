"""Where a run starts: layers that the initial model has begin with its weights, the others fresh and to scale."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from siamfc.config import ModelConfig, TrainConfig
from siamfc.errors import TrainingError
from siamfc.folding import fold
from siamfc.model import SiamFC, build_model, usable_statistics
from siamfc.training.labels import batch_labels
from siamfc.training.loading import PairBatch
from siamfc.training.loss import logistic_loss
from siamfc.training.scoring_pairs import PairScorer


class Start(NamedTuple):
    """A model to train.

    Attributes:
        model: In evaluation mode.
        fresh: Names of parameters that no initial weights were there for.
    """

    model: SiamFC
    fresh: frozenset[str]


def build_start(config: ModelConfig, init: SiamFC | None, *, seed: int) -> Start:
    """The network of these settings, begun with another's weights where both have a layer of one name and shape.

    One that is cut where the shallow level of the other is begins with that level.

    Args:
        config: What the network shall be.
        init: The model to begin with; None: everything is fresh.
        seed: Of fresh weights.

    Raises:
        TrainingError: ``init`` shares nothing with the network.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(config).eval()
        if isinstance(model.neck, nn.Conv2d):
            _start_neck(model.neck)
    fresh = set(dict(model.named_parameters()))
    if init is not None:
        shared = _shared_weights(init, model)
        if not any(name.startswith("backbone.") for name in shared):
            raise TrainingError(
                f"the initial weights ({init.config.backbone}) share no layer with the network to train "
                f"({config.backbone}): take others with --init, or another model.backbone"
            )
        model.load_state_dict({**model.state_dict(), **shared})
        fresh -= shared.keys()
    return Start(model, frozenset(fresh))


def _shared_weights(init: SiamFC, model: SiamFC) -> dict[str, Tensor]:
    """What of a model's weights another has a place for; a box regression is taken whole or not at all."""
    wanted = model.state_dict()
    # The bias and gain of a network with other features mean nothing here.
    beside = {name: getattr(model.config, name) for name in ("box_regression", "regression_border_px", "calibrated")}
    same_head = init.config.model_copy(update=beside) == model.config
    shared = {
        name: value
        for name, value in _weights_by_level(init, model.config).items()
        if name in wanted and value.shape == wanted[name].shape and (same_head or name not in ("gain", "bias"))
    }
    regression = {name for name in wanted if name.startswith("box_regression.")}
    if not regression <= shared.keys():
        shared = {name: value for name, value in shared.items() if name not in regression}
    return shared


def _weights_by_level(init: SiamFC, config: ModelConfig) -> dict[str, Tensor]:
    """A model's weights; where one level of two is wanted, the shallow one, under the names of a level by itself."""
    weights = init.state_dict()
    if config.shallow_block or config.last_block != init.config.shallow_block:
        return weights
    inner = "backbone.shallow."
    shallow = {name.replace(inner, "backbone.features."): value for name, value in weights.items() if inner in name}
    return {**weights, **shallow}


def _start_neck(neck: nn.Conv2d) -> None:
    """As near to doing nothing as its shape allows: orthonormal rows, the identity where channels stay as many."""
    if neck.in_channels == neck.out_channels:
        nn.init.dirac_(neck.weight)
    else:
        nn.init.orthogonal_(neck.weight)
    assert neck.bias is not None
    nn.init.zeros_(neck.bias)


@torch.no_grad()
def measure_channel_statistics(model: SiamFC, searches: Iterable[Tensor]) -> None:
    """Set the buffers of a model with ``fixed`` standardisation from search crops, each (B, 3, H, W)."""
    folded = fold(model)
    total = torch.zeros_like(model.channel_mean, dtype=torch.float64)
    squares, count = torch.zeros_like(total), 0
    for images in searches:
        features = folded.features(images).double()
        total = total + features.sum(dim=(0, 2, 3))
        squares = squares + features.square().sum(dim=(0, 2, 3))
        count += features.numel() // features.shape[1]
    mean = total / count
    deviation = (squares / count - mean**2).clamp_min(0).sqrt()
    usable = usable_statistics(mean[None], deviation[None])
    model.channel_mean.copy_(usable.mean[0])
    model.channel_deviation.copy_(usable.deviation[0])


def fit_gain_and_bias(correlations: Tensor, positive: Tensor, *, steps: int = 60) -> tuple[float, float]:
    """Gain and bias with which the paper's loss is least on given correlations: a start without wasted steps.

    Args:
        correlations: (B, h, w) plain correlations, without gain and bias.
        positive: (B, h, w) bool.
        steps: Of L-BFGS, over the two numbers.

    Returns:
        gain, bias; the gain is above zero.
    """
    values = correlations.detach().double()
    spread = float(values.std().clamp_min(1e-12))
    scaled = values / spread
    log_gain = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_gain, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = logistic_loss(log_gain.exp() * scaled + bias, positive).mean()
        torch.autograd.backward(loss)
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return float(log_gain.detach().exp()) / spread, float(bias.detach())


@torch.no_grad()
def fit_head(model: SiamFC, batches: list[PairBatch], config: TrainConfig) -> None:
    """Set gain and bias of a model to what `fit_gain_and_bias` finds on these batches."""
    scores, labels = [], []
    scorer = PairScorer(
        model, group_size=1, context_weight=config.tracker.context_weight, border_px=config.exemplar_border_px
    )
    model.gain.fill_(1.0)
    model.bias.fill_(0.0)
    for batch in batches:
        scores.append(scorer(batch.exemplars, batch.searches, sizes=batch.sizes[:, 0]).maps[:, 0])
        labels.append(batch_labels(batch, config, model.stride).positive)
    with torch.enable_grad():
        gain, bias = fit_gain_and_bias(torch.cat(scores), torch.cat(labels))
    model.gain.fill_(gain)
    model.bias.fill_(bias)
