"""Pairs of crops from frames that the user names: what quantisation learns its ranges from and is measured on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from siamfc.crops import CropRegion, crop, mean_color
from siamfc.errors import SourceError
from siamfc.frames import Image

_SIDES = (0.12, 0.45)  # of an exemplar, as shares of the frame's shorter side: small to large targets
_LARGEST_SHIFT_PX = 48  # of the search's centre, search pixels: where targets lie in the next frame, and farther


class CropPair(NamedTuple):
    """An exemplar (1, 3, h, w) and a search that holds it away from its centre (1, 3, H, W); float32, 0..255."""

    exemplar: Tensor
    search: Tensor


def crop_pairs(source: str, count: int, *, exemplar_px: int = 127, search_px: int = 255) -> list[CropPair]:
    """Pairs from as many frames, evenly spread; place and size in the frame are drawn, the same every time.

    Args:
        source: ``LAYOUT:PATH`` of a dataset, or what `siamfc.video.open_source` takes.
        count: How many pairs; fewer where there are fewer frames.
        exemplar_px: Side of exemplars.
        search_px: Side of searches.

    Raises:
        SourceError: The source cannot be opened or read.
    """
    rng = np.random.default_rng(0)
    return [_draw_pair(frame, rng, exemplar_px, search_px) for frame in _frames(source, count)]


def _draw_pair(frame: Image, rng: np.random.Generator, exemplar_px: int, search_px: int) -> CropPair:
    height, width = frame.shape[:2]
    fill = mean_color(frame)
    side = min(height, width) * math.exp(rng.uniform(*np.log(_SIDES)))
    x, y = rng.uniform((side / 2, side / 2), (width - side / 2, height - side / 2)).tolist()
    shift_x, shift_y = (rng.uniform(-1, 1, 2) * _LARGEST_SHIFT_PX * side / exemplar_px).tolist()
    around = side * search_px / exemplar_px * float(rng.uniform(0.95, 1.05))
    exemplar = crop(frame, CropRegion(x, y, side, exemplar_px), fill)
    search = crop(frame, CropRegion(x + shift_x, y + shift_y, around, search_px), fill)
    return CropPair(_as_batch(exemplar), _as_batch(search))


def _as_batch(picture: Image) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def _frames(source: str, count: int) -> Iterator[Image]:
    from siamfc.data.datasets import LAYOUTS

    if source.partition(":")[0] in LAYOUTS:
        yield from _dataset_frames(source, count)
        return
    from siamfc.video import open_source

    with open_source(source) as frames:
        total = frames.frame_count
    every = max(1, total // count) if total else 1
    given = 0
    with open_source(source, every=every) as frames:
        for frame in frames:
            yield frame.image
            given += 1
            if given == count:
                return
    if not given:
        raise SourceError(f"{source} gave no frame to calibrate on")


def _dataset_frames(source: str, count: int) -> Iterator[Image]:
    from siamfc.data.datasets import open_dataset

    dataset = open_dataset(source)
    shares = np.diff(np.linspace(0, count, len(dataset) + 1).round().astype(int))
    for index in np.flatnonzero(shares).tolist():
        sequence = dataset[index]
        places = np.linspace(0, len(sequence), int(shares[index]), endpoint=False).astype(int)
        yield from (sequence.frame(place) for place in sorted(set(places.tolist())))
