"""The pictures that the figures are measured on: a user's own, or rendered ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from siamfc.boxes import Box
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.data import render_clip
from siamfc.errors import SourceError
from siamfc.frames import Image
from siamfc.video import open_source

MARGIN_PX = 16
"""So far the search image is shifted; there is so much picture on every side of it."""

_RENDERED_SIZE = (480, 640)
_CLIP_FRAMES = 60
_FIRST_SEED = 1000  # the small network is trained on clips of other seeds


class Picture(NamedTuple):
    """A picture and the place in it that is looked for, (x, y) in its pixels."""

    image: Image
    center: tuple[float, float]


class Probe(NamedTuple):
    """What a scorer is asked.

    Attributes:
        exemplar: (3, e, e) float64, 0..255, the middle of ``canvas``.
        canvas: (3, s + 32, s + 32): the search image with `MARGIN_PX` of picture around it.
    """

    exemplar: Tensor
    canvas: Tensor

    def search(self, dx: int = 0) -> Tensor:
        """The search image, (3, s, s), taken ``dx`` pixels further right: what it shows moves left."""
        side, left = self.canvas.shape[-1] - 2 * MARGIN_PX, MARGIN_PX + dx
        return self.canvas[:, MARGIN_PX : MARGIN_PX + side, left : left + side]


def rendered_pictures(count: int) -> list[Picture]:
    """Frames of rendered clips, one a clip, around their target."""
    return [Picture(image, box.center) for image, box in _rendered_frames(count)]


def target_probes(count: int, *, exemplar_px: int, search_px: int) -> list[Probe]:
    """Probes of the same frames, reduced to the size at which the target was learned, mean colour outside the frame."""
    canvas_px, probes = search_px + 2 * MARGIN_PX, []
    for image, box in _rendered_frames(count):
        region = CropRegion(*box.center, context_side(box, 0.5) / exemplar_px * canvas_px, canvas_px)
        probes.append(_probe(crop(image, region, mean_color(image)), exemplar_px))
    return probes


def _rendered_frames(count: int) -> Iterator[tuple[Image, Box]]:
    for seed in range(_FIRST_SEED, _FIRST_SEED + count):
        clip = render_clip(seed, num_frames=_CLIP_FRAMES, frame_size=_RENDERED_SIZE)
        number = seed * 7 % _CLIP_FRAMES
        yield clip.render(number), clip.boxes[number]


def read_pictures(folder: Path, count: int, *, least_px: int) -> list[Picture]:
    """At most ``count`` images of a folder, evenly drawn from it, around their middles.

    Raises:
        SourceError: The folder is not there, holds no image, one that cannot be read, or none with sides of
            ``least_px`` or more.
    """
    with open_source(folder) as source:
        images = [frame.image for frame in source if min(frame.image.shape[:2]) >= least_px]
    if not images:
        raise SourceError(f"{folder} holds no image with sides of at least {least_px} px, which the figures need")
    places = np.unique(np.linspace(0, len(images) - 1, count).round().astype(int))
    return [Picture(images[place], (images[place].shape[1] / 2, images[place].shape[0] / 2)) for place in places]


def build_probes(pictures: Sequence[Picture], *, exemplar_px: int, search_px: int) -> list[Probe]:
    """A probe of each picture: cut around its place at its own resolution, nothing resampled, moved inside."""
    return [_build(picture, exemplar_px, search_px + 2 * MARGIN_PX) for picture in pictures]


def _build(picture: Picture, exemplar_px: int, canvas_px: int) -> Probe:
    height, width = picture.image.shape[:2]
    left = min(max(round(picture.center[0] - canvas_px / 2), 0), width - canvas_px)
    top = min(max(round(picture.center[1] - canvas_px / 2), 0), height - canvas_px)
    return _probe(picture.image[top : top + canvas_px, left : left + canvas_px], exemplar_px)


def _probe(part: Image, exemplar_px: int) -> Probe:
    canvas = torch.from_numpy(np.ascontiguousarray(part)).permute(2, 0, 1).double()
    inset = (len(part) - exemplar_px) // 2
    return Probe(canvas[:, inset : inset + exemplar_px, inset : inset + exemplar_px], canvas)
