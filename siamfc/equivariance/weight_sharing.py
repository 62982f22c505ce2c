"""Weight sharing alone: a convolutional and a fully connected scorer of equal size, taught on the left half only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.data.cutouts import Pose
from siamfc.data.photograph import build_medallion, medallion_semi_axes
from siamfc.equivariance.small_training import Watcher
from siamfc.frames import Image
from siamfc.opencv import cv2

IMAGE_PX, CELLS, STRIDE = 64, 11, 4
"""Images, and the grid of places that both scorers give: cell j stands for the 21 px from 4 j on."""

_WINDOW_PX = 21
_LAST_LEFT, _FIRST_RIGHT = 4, 6  # columns; the one between belongs to neither half
_TARGET_PX = 18.0  # height of what is looked for
_HIT_CELLS = 1
_BATCH, _RATE = 32, 2e-3
_TESTS = 400


class SharingResult(NamedTuple):
    """How often each scorer's highest cell is at most one cell off the target, by half.

    Attributes:
        name: Of the scorer.
        weights: How many it has.
        left: Share of hits where it was taught.
        right: Share of hits where it never saw the target.
        chance: Share of cells that would count as a hit, on average.
    """

    name: str
    weights: int
    left: float
    right: float
    chance: float


def compare_weight_sharing(
    backgrounds: Sequence[Image], *, steps: int, seed: int, watch: Watcher
) -> list[SharingResult]:
    """Teach both the same images, the target in the left half of each; then ask for it in either half.

    Both learn to point at the target's cell (cross-entropy over the 121 cells), with the same seed, steps, batches
    and rate. What they are asked on afterwards they have not seen.

    Args:
        backgrounds: What the target is laid over: random parts of these.
        steps: Batches of 32.
        seed: Of weights and images.
        watch: Told of each step.
    """
    results = []
    for name, build in (("convolutional", _convolutional), ("fully connected", _fully_connected)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            scorer = build()
        scorer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it for modules
        rng = np.random.default_rng(seed)
        optimiser = torch.optim.Adam(scorer.parameters(), lr=_RATE)
        for step in range(steps):
            images, cells = _draw(rng, backgrounds, _BATCH, columns=(0, _LAST_LEFT))
            loss = F.cross_entropy(scorer(images).flatten(1), cells[:, 0] * CELLS + cells[:, 1])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's stubs
            optimiser.step()
            watch(f"{name} scorer", step + 1, steps)
        left, right = (
            _hits(scorer, *_draw(np.random.default_rng(seed + 1), backgrounds, _TESTS, columns=columns))
            for columns in ((0, _LAST_LEFT), (_FIRST_RIGHT, CELLS - 1))
        )
        weights = sum(parameter.numel() for parameter in scorer.parameters())
        results.append(SharingResult(name, weights, left, right, _chance()))
    return results


def _convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 24, 5, stride=2), nn.ReLU(),
        nn.Conv2d(24, 48, 5, stride=2), nn.ReLU(),
        nn.Conv2d(48, 144, 3), nn.ReLU(),
        nn.Conv2d(144, 1, 1),
    )  # fmt: skip


def _fully_connected() -> nn.Module:
    """One layer from every pixel of the image, halved twice, to every cell: a pattern of its own for each."""
    return nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(3 * (IMAGE_PX // 4) ** 2, CELLS**2))


def _draw(
    rng: np.random.Generator, backgrounds: Sequence[Image], count: int, *, columns: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Images (count, 3, 64, 64) about 0, and the target's row and column in each, (count, 2)."""
    cutout = build_medallion(rim=(246, 236, 214))
    images = np.empty((count, IMAGE_PX, IMAGE_PX, 3), np.uint8)
    cells = np.column_stack([rng.integers(0, CELLS, count), rng.integers(columns[0], columns[1] + 1, count)])
    for image, (row, column) in zip(images, cells.tolist(), strict=True):
        image[:] = _part(rng, backgrounds[int(rng.integers(len(backgrounds)))])
        x, y = (STRIDE * cell + _WINDOW_PX / 2 + float(rng.uniform(-1.5, 1.5)) for cell in (column, row))
        scale = _TARGET_PX / 2 / medallion_semi_axes()[1] * float(rng.uniform(0.85, 1.15))
        cutout.draw(image, Pose(x, y, scale, float(rng.uniform(-15, 15))))
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 128 - 1  # channels last
    return pixels, torch.from_numpy(cells)


def _part(rng: np.random.Generator, image: Image) -> Image:
    """A random square of a picture, 64 to 160 px of it, as 64 x 64."""
    height, width = image.shape[:2]
    side = int(rng.integers(IMAGE_PX, min(height, width, 160) + 1))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    part = np.ascontiguousarray(image[top : top + side, left : left + side])
    return np.asarray(cv2.resize(part, (IMAGE_PX, IMAGE_PX), interpolation=cv2.INTER_AREA), dtype=np.uint8)


@torch.inference_mode()
def _hits(scorer: nn.Module, images: Tensor, cells: Tensor) -> float:
    highest = scorer(images).flatten(1).argmax(dim=1)
    off = torch.maximum((highest // CELLS - cells[:, 0]).abs(), (highest % CELLS - cells[:, 1]).abs())
    return float((off <= _HIT_CELLS).double().mean())


def _chance() -> float:
    """Mean share of the cells that lie within a hit of a cell."""
    reach = [min(cell + _HIT_CELLS, CELLS - 1) - max(cell - _HIT_CELLS, 0) + 1 for cell in range(CELLS)]
    return float(np.mean(reach) ** 2 / CELLS**2)
