"""A training step beside the plain one of public ports: fp32, NCHW, a grouped convolution as correlation. In turn.

    python tools/measure_training_step.py [--backbone alexnet] [--batch 8] [--frozen N] [--rounds 3] [--device cpu]

All sides get the same random crops and the same loss; medians of all steps, and their ratio. bf16 mixed precision
stands beside fp32 where the processor or GPU has instructions for it; without them a step takes minutes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from siamfc.config import LabelConfig, ModelConfig, OptimiserConfig
from siamfc.folding import fold_batch_norms
from siamfc.model import SiamFC, build_model
from siamfc.runtimes.torch_runtime import why_not_in_torch
from siamfc.training.labels import positive_cells
from siamfc.training.loss import logistic_loss, pair_losses
from siamfc.training.optimisation import build_optimiser, choose_trained, parameter_groups, set_learning_rate
from siamfc.training.scoring_pairs import PairScorer

Step = Callable[[], None]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", choices=("alexnet", "mobilenetv2"), default="alexnet")
    parser.add_argument("--batch", type=int, default=8, help="pairs a step")
    parser.add_argument("--frozen", type=int, default=0, help="first layers that our sides leave as they are")
    parser.add_argument("--rounds", type=int, default=3, help="how often all sides take their turn")
    parser.add_argument("--steps", type=int, default=3, help="steps a turn, after one that does not count")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    sides = {
        "plain": plain_step(given.backbone, given.batch, given.device),
        "ours, norms trained": our_step(given, "train"),
        "ours, norms folded": our_step(given, "folded"),
    }
    problem = why_not_in_torch("bf16", torch.device(given.device))
    if problem:
        print(f"without bf16: {problem}")
    else:
        sides["ours, folded, bf16"] = our_step(given, "folded", bf16=True)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(given.rounds):
        for name, step in sides.items():
            times[name] += timed(step, given.steps, given.device)
    reference = statistics.median(times["plain"])
    for name, values in times.items():
        median = statistics.median(values)
        speed = f"{1000 * median:8.0f} ms a step  {given.batch / median:7.1f} pairs/s  {reference / median:5.2f} x"
        print(f"{name:22}{speed}")


def timed(step: Step, count: int, device: str) -> list[float]:
    """Seconds of each of ``count`` steps."""
    step()
    seconds = []
    for _ in range(count):
        _wait(device)
        began = time.perf_counter()
        step()
        _wait(device)
        seconds.append(time.perf_counter() - began)
    return seconds


def plain_step(backbone: str, batch: int, device: str) -> Step:
    """What public ports do in each step."""
    model = build_model(ModelConfig(backbone=backbone)).to(device).train()
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9, weight_decay=5e-4)
    exemplars, searches, positive = material(model, batch, device)

    def step() -> None:
        exemplar_features, search_features = model.embed(exemplars), model.embed(searches)
        B, C, H, W = search_features.shape
        maps = F.conv2d(search_features.reshape(1, B * C, H, W), exemplar_features, groups=B)[0]
        loss = logistic_loss(model.gain * maps + model.bias, positive).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def our_step(given: argparse.Namespace, norms: str, *, bf16: bool = False) -> Step:
    """The step of `siamfc.training.running`, without photometry, which the plain side has not either."""
    batch, device = given.batch, given.device
    model = build_model(ModelConfig(backbone=given.backbone)).to(device).eval()
    config = OptimiserConfig(name="sgd", train_gain=False, clip_norm=0, frozen_layers=given.frozen)
    if norms == "folded":
        fold_batch_norms(model)
    choose_trained(model, config)
    model.train(norms == "train")
    scorer: nn.Module = PairScorer(model, group_size=1)
    scorer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = build_optimiser(parameter_groups(model, frozenset(), config), config)
    set_learning_rate(optimiser, 1e-6)
    exemplars, searches, positive = material(model, batch, device)
    exemplars = exemplars.contiguous(memory_format=torch.channels_last)
    searches = searches.contiguous(memory_format=torch.channels_last)
    strangers = torch.zeros(batch, 1, dtype=torch.bool, device=device)
    label = LabelConfig(ranking_weight=0, group_size=1)

    def step() -> None:
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
            maps = scorer(exemplars, searches).maps
        losses = pair_losses(maps.float(), positive, positive.float(), strangers, label)
        loss = losses.total.mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def material(model: SiamFC, batch: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Random crops of 127 and 239 px, as the authors train on, and the label at the centre."""
    rng = torch.Generator().manual_seed(0)
    exemplars, searches = (torch.rand(batch, 3, size, size, generator=rng) * 255 for size in (127, 239))
    centers = torch.full((batch, 2), 119.5)
    positive = positive_cells(centers, search_size=239, exemplar_size=127, stride=model.stride, radius=16)
    return exemplars.to(device), searches.to(device), positive.to(device)


def _wait(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
