"""Rendered clips as a dataset, so that training can be tried and tested without any files: ``synthetic``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siamfc.data.dataset import Dataset
from siamfc.data.rendered import RenderedClip, render_clip
from siamfc.data.sequence import Sequence
from siamfc.errors import SourceError
from siamfc.frames import Image

_CLIPS = 24
_FRAMES = 24
_FRAME_SIZE = (180, 240)
_FIRST_SEED = 1000  # far from the demo's, which nothing should have been trained on


@lru_cache(maxsize=64)
def _clip(seed: int) -> RenderedClip:
    return render_clip(seed, num_frames=_FRAMES, frame_size=_FRAME_SIZE)


@dataclass(frozen=True)
class RenderedFrames:
    """The frames of a rendered clip; nothing but the seed is kept, so it can be sent to another process.

    Attributes:
        seed: Of the clip.
    """

    seed: int

    def __len__(self) -> int:
        return _FRAMES

    def __getitem__(self, index: int) -> Image:
        """The frame at ``index``, (H, W, 3) ``uint8`` RGB."""
        return _clip(self.seed).render(range(_FRAMES)[index])

    def __iter__(self) -> Iterator[Image]:
        return iter(_clip(self.seed))

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) the frames' numbers, from 0."""
        return np.arange(_FRAMES, dtype=np.int64)

    @property
    def place(self) -> str:
        """The clip's seed, for they lie nowhere."""
        return f"synthetic {self.seed}"


def open_synthetic(root: Path) -> Dataset:
    """Twenty-four rendered clips of 24 frames, or as many as the path says: ``synthetic:40``.

    Raises:
        SourceError: The path is no number above zero.
    """
    text = str(root)
    if text in ("", "."):
        count = _CLIPS
    elif text.isdigit() and int(text) > 0:
        count = int(text)
    else:
        raise SourceError(f"synthetic:{text}: synthetic expects there: nothing, or a number of clips (synthetic:40)")
    return Dataset("synthetic", root, ((f"clip-{seed}", seed) for seed in range(count)), _load)


def _load(name: str, number: int) -> Sequence:
    clip = _clip(_FIRST_SEED + number)
    return Sequence(name, RenderedFrames(_FIRST_SEED + number), np.array(clip.boxes, dtype=np.float64))
