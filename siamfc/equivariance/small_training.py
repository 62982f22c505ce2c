"""The small network and its fully connected rival, trained on rendered pairs; seeded, a minute on one core."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.boxes import Box
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.data import render_clip
from siamfc.equivariance.small_network import EXEMPLAR_PX, SEARCH_PX, STRIDE, SmallNetwork, Variant
from siamfc.frames import Image

CELLS = (SEARCH_PX - EXEMPLAR_PX) // STRIDE + 1

_CLIPS, _FRAMES = 8, 12  # rendered once; pairs are drawn from them
_FRAME_SIZE, _CLIP_FRAMES = (240, 320), 120
_LARGEST_SHIFT_PX = 28  # of the target off the search crop's middle; the map's edge is at 32
_POSITIVE_RADIUS = 1.5  # cells
_BATCH = 8
_RATE = 2e-3
_HEAD_RATE, _HEAD_BATCH = 3e-4, 16

Watcher = Callable[[str, int, int], None]
"""Told what is trained, the steps done and their number."""


class _Still(NamedTuple):
    image: Image
    target: Box


class _Pair(NamedTuple):
    exemplar: Tensor  # (3, e, e)
    search: Tensor  # (3, s, s)
    cell: tuple[float, float]  # row and column of the target on the map


def train_small_network(*, steps: int, seed: int, watch: Watcher) -> SmallNetwork:
    """A small network that finds things again: half of them the clips' target, half any part of a frame."""
    rng, clips = np.random.default_rng(seed), _render()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it for modules
    optimiser = torch.optim.Adam(network.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=max(steps, 2))
    for step in range(steps):
        pairs = [_draw_pair(rng, clips, any_part=bool(rng.integers(2))) for _ in range(_BATCH)]
        exemplars = network.embed(_batch([pair.exemplar for pair in pairs]), Variant())
        searches = network.embed(_batch([pair.search for pair in pairs]), Variant())
        maps = network.score(exemplars, searches)
        _step(optimiser, _logistic_loss(maps, [pair.cell for pair in pairs]))
        schedule.step()
        watch("small network", step + 1, steps)
    return network.eval().requires_grad_(requires_grad=False)


def train_fully_connected_head(network: SmallNetwork, *, steps: int, seed: int, watch: Watcher) -> nn.Linear:
    """A layer from all features of a search to all cells, in place of the correlation, trained to find the target.

    The network's own weights stay as they are. The layer learns its one exemplar by heart.
    """
    rng, clips = np.random.default_rng(seed), _render()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inputs = network.embed(torch.zeros(1, 3, SEARCH_PX, SEARCH_PX), Variant()).numel()
        head = nn.Linear(inputs, CELLS**2)
    optimiser = torch.optim.Adam(head.parameters(), lr=_HEAD_RATE)
    for step in range(steps):
        pairs = [_draw_pair(rng, clips, any_part=False) for _ in range(_HEAD_BATCH)]
        with torch.no_grad():
            features = network.embed(_batch([pair.search for pair in pairs]), Variant())
        maps = head(features.flatten(1)).view(-1, CELLS, CELLS)
        _step(optimiser, _logistic_loss(maps, [pair.cell for pair in pairs]))
        watch("fully connected head", step + 1, steps)
    return head.eval().requires_grad_(requires_grad=False)


@lru_cache(maxsize=1)
def _render() -> list[list[_Still]]:
    numbers = range(0, _CLIP_FRAMES, _CLIP_FRAMES // _FRAMES)
    clips = [render_clip(seed, num_frames=_CLIP_FRAMES, frame_size=_FRAME_SIZE) for seed in range(_CLIPS)]
    return [[_Still(clip.render(number), clip.boxes[number]) for number in numbers] for clip in clips]


def _draw_pair(rng: np.random.Generator, clips: list[list[_Still]], *, any_part: bool) -> _Pair:
    clip = clips[rng.integers(len(clips))]
    first, second = clip[rng.integers(len(clip))], clip[rng.integers(len(clip))]
    boxes = first.target, second.target
    if any_part:  # of one frame, found again in the same frame
        second, side = first, float(rng.uniform(30, 80))
        height, width = first.image.shape[:2]
        box = Box.from_center(float(rng.uniform(40, width - 40)), float(rng.uniform(40, height - 40)), side, side)
        boxes = box, box
    shift = rng.uniform(-_LARGEST_SHIFT_PX, _LARGEST_SHIFT_PX, 2).tolist()
    exemplar = _cut(first.image, boxes[0], EXEMPLAR_PX, (0.0, 0.0))
    search = _cut(second.image, boxes[1], SEARCH_PX, (shift[0], shift[1]))
    middle = (CELLS - 1) / 2
    return _Pair(exemplar, search, (middle + shift[1] / STRIDE, middle + shift[0] / STRIDE))


def _cut(image: Image, box: Box, size: int, shift: tuple[float, float]) -> Tensor:
    """The crop (3, size, size) in which the box's centre lies ``shift`` (x, y) crop pixels off the middle."""
    scale = context_side(box, 0.5) / EXEMPLAR_PX
    (x, y), (right, down) = box.center, shift
    region = CropRegion(x - right * scale, y - down * scale, size * scale, size)
    return torch.from_numpy(crop(image, region, mean_color(image))).permute(2, 0, 1).float()


def _batch(crops: list[Tensor]) -> Tensor:
    """(B, 3, h, w), channels last, in which the CPU's convolutions are five times as fast backwards."""
    return torch.stack(crops).to(memory_format=torch.channels_last)


def _logistic_loss(maps: Tensor, cells: list[tuple[float, float]]) -> Tensor:
    """The paper's: mean over the map, positive and negative cells weighing one half each."""
    places = torch.arange(CELLS, dtype=torch.float32)
    at = torch.tensor(cells)
    squared = (places[None, :, None] - at[:, 0, None, None]) ** 2 + (places[None, None] - at[:, 1, None, None]) ** 2
    labels = (squared <= _POSITIVE_RADIUS**2).float()
    positives = labels.sum(dim=(1, 2), keepdim=True)
    weights = torch.where(labels > 0, 0.5 / positives, 0.5 / (CELLS**2 - positives))
    return F.binary_cross_entropy_with_logits(maps, labels, weights, reduction="sum") / len(maps)


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch's stubs
    optimiser.step()
