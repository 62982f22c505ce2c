"""From a drawn pair to its two crops: frames read, geometry applied in one resampling, the label's place exact."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from siamfc.boxes import Box
from siamfc.config import TrainConfig
from siamfc.crops import INTERPOLATION_PX, context_side, sample
from siamfc.data.augmentation import (
    Geometry,
    PairChoices,
    Part,
    Photometry,
    Role,
    draw_geometry,
    draw_part,
    draw_photometry,
    draw_shared,
)
from siamfc.data.pairs import Pair, PairKind, PairSampler, View, pair_generator
from siamfc.data.sequence import BORDER_LEVEL
from siamfc.errors import SourceError
from siamfc.frames import Image

_MAX_ATTEMPTS = 20


class PairCrops(NamedTuple):
    """What the network is shown of one pair.

    Attributes:
        exemplar: (exemplar_size, exemplar_size, 3) uint8 RGB, and the border of box regression around it.
        search: (search_size, search_size, 3) uint8 RGB.
        center: Place (x, y) of the target's centre in the search crop, crop pixels.
        kind: What the search crop shows.
        photometry: Of exemplar and search, not yet applied.
        sizes: Width and height of the target in the exemplar and in the search, crop pixels.
        nudges: ``labels.box_windows`` places beside the target, x and y in -1..1, of which box regression is asked.
        name: The exemplar's track, for messages.
        video: Which video that is of; see `Sequence.video`.
        skipped: Frames that could not be read before this pair was drawn in their stead, each with its reason.
    """

    exemplar: Image
    search: Image
    center: tuple[float, float]
    kind: PairKind
    photometry: tuple[Photometry, Photometry]
    sizes: tuple[tuple[float, float], tuple[float, float]]
    nudges: tuple[tuple[float, float], ...]
    name: str
    video: str
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class PairReader:
    """Reads the pair of any epoch and number; small and picklable, so that every worker can have one.

    Attributes:
        sampler: Draws the frames.
        config: Sizes, augmentation and seed.
    """

    sampler: PairSampler
    config: TrainConfig

    def read(self, epoch: int, number: int) -> PairCrops:
        """The crops of pair ``number`` of an epoch, the same whoever asks.

        A pair with a frame that cannot be read is drawn anew, from the same seed, and the frame is named.

        Raises:
            SourceError: Twenty pairs in a row could not be read.
        """
        skipped: list[str] = []
        for attempt in range(_MAX_ATTEMPTS):
            rng = pair_generator(self.config.training.seed, epoch, number, attempt)
            try:
                return cut_pair(self.sampler.draw(rng), rng, self.config)._replace(skipped=tuple(skipped))
            except SourceError as error:
                skipped.append(str(error))
        raise SourceError(f"{_MAX_ATTEMPTS} pairs in a row could not be read; the last: {skipped[-1]}")


def cut_pair(pair: Pair, rng: np.random.Generator, config: TrainConfig) -> PairCrops:
    """The two crops of a pair, augmented in geometry, with the photometry still to be applied.

    Raises:
        SourceError: A frame cannot be read.
    """
    shared = draw_shared(rng, config.augmentation)
    cutter = _Cutter(rng, config, shared)
    same_frame = pair.search == pair.exemplar
    part = None
    if pair.kind is PairKind.POSITIVE:  # beside a part lies the rest of the target
        part = draw_part(rng, config.augmentation, same_frame=same_frame)
    first = _read(pair.exemplar, part)
    second = first if same_frame else _read(pair.search, part)
    exemplar = cutter.cut(first, "exemplar")
    search = cutter.cut_beside(second) if pair.kind is PairKind.HARD_NEGATIVE else cutter.cut(second, "search")
    return PairCrops(
        exemplar.image,
        search.image,
        search.center,
        pair.kind,
        (exemplar.photometry, search.photometry),
        (exemplar.size, search.size),
        tuple((x, y) for x, y in rng.uniform(-1, 1, (config.labels.box_windows, 2)).tolist()),
        pair.exemplar.track.name,
        pair.exemplar.track.video,
    )


class _Seen(NamedTuple):
    frame: Image
    box: Box
    border_px: float  # from the box's centre to where the picture ends, frame pixels; negative outside


class _Cut(NamedTuple):
    image: Image
    center: tuple[float, float]  # of the target, crop pixels
    size: tuple[float, float]  # of the target, crop pixels
    photometry: Photometry


@dataclass(frozen=True)
class _Cutter:
    rng: np.random.Generator
    config: TrainConfig
    shared: PairChoices

    def cut(self, seen: _Seen, role: Role) -> _Cut:
        """The target, somewhere about the crop's centre."""
        size = self._size(role)
        geometry = draw_geometry(
            self.rng,
            self.config.augmentation,
            role,
            mirrored=self.shared.mirrored,
            size=size,
            border_px=seen.border_px / self._frame_px_per_crop_px(seen.box),
        )
        return self._cut(seen.frame, seen.box, geometry, role)

    def cut_beside(self, seen: _Seen) -> _Cut:
        """The target's own frame, so far beside it that no window centres on it; of eight places the fullest.

        A box of the target's size in the middle of any window has nothing in common with the target's.

        Crops that hold little but the target and its surroundings have such places only near their corners; then
        part of what is shown is the fill colour.
        """
        frame, box, _ = seen
        frame_px, sizes = self._frame_px_per_crop_px(box), self.config.training
        windows = (sizes.search_size - sizes.exemplar_size) / 2  # farthest that a window's centre is off the crop's
        least_x, least_y = (windows + side / frame_px for side in (box.width, box.height))
        best, most = Geometry(shift_x=least_x, mirrored=self.shared.mirrored), -1.0
        for sideways, sign, along in self.rng.uniform(-1, 1, (8, 3)).tolist():
            far, way = 1 + abs(along), math.copysign(1.0, sign)
            if sideways > 0:
                shift = Geometry(way * least_x * far, along * least_y, mirrored=self.shared.mirrored)
            else:
                shift = Geometry(along * least_x, way * least_y * far, mirrored=self.shared.mirrored)
            share = _share_inside(frame, box, shift, frame_px, sizes.search_size)
            if share > most:
                best, most = shift, share
        return self._cut(frame, box, best, "search")

    def _cut(self, frame: Image, box: Box, geometry: Geometry, role: Role) -> _Cut:
        size, sizes = self._size(role), self.config.training
        crop_to_frame = geometry.crop_to_frame(
            box, context_amount=sizes.context_amount, exemplar_size=sizes.exemplar_size, size=size
        )
        look = draw_photometry(
            self.rng, self.config.augmentation, role, size, sizes.exemplar_size, grey=self.shared.grey
        )
        image = sample(frame, crop_to_frame, size)
        return _Cut(
            image,
            (size / 2 + geometry.shift_x, size / 2 + geometry.shift_y),
            geometry.size_in_crop(box, context_amount=sizes.context_amount, exemplar_size=sizes.exemplar_size),
            look,
        )

    def _size(self, role: Role) -> int:
        sizes = self.config.training
        return sizes.exemplar_size + 2 * self.config.exemplar_border_px if role == "exemplar" else sizes.search_size

    def _frame_px_per_crop_px(self, box: Box) -> float:
        sizes = self.config.training
        return context_side(box, sizes.context_amount) / sizes.exemplar_size


def _read(view: View, part: Part | None) -> _Seen:
    track = view.track
    frame, box = track.sequence.frame(int(track.places[view.place])), Box(*track.boxes[view.place].tolist())
    if part is not None:
        box = part.of(box)
    return _Seen(frame, box, _border_px(view, frame, box))


def _border_px(view: View, frame: Image, box: Box) -> float:
    """Distance from the box's centre to the nearest border of the picture, frame pixels; negative outside.

    A stored crop is part of a frame, whose own border may lie inside it. How far that is from the target's centre is
    stored, but not to which side: the centre of a part may lie nearer to it by as much as it is off the target's.
    """
    (x, y), (height, width) = box.center, frame.shape[:2]
    border_px = float(min(x, y, width - x, height - y)) - INTERPOLATION_PX
    stored = view.track.sequence.levels.get(BORDER_LEVEL)
    if stored is None:
        return border_px
    whole_x, whole_y = Box(*view.track.boxes[view.place].tolist()).center
    off = max(abs(x - whole_x), abs(y - whole_y))
    return min(border_px, float(stored[view.track.places[view.place]]) - off)


def _share_inside(frame: Image, box: Box, geometry: Geometry, frame_px: float, size: int) -> float:
    """Share of the crop that shows the frame, the rest being the fill colour."""
    (x, y), (height, width), half = box.center, frame.shape[:2], size / 2 * frame_px
    across = -geometry.shift_x if not geometry.mirrored else geometry.shift_x
    center_x, center_y = x + across * frame_px, y - geometry.shift_y * frame_px
    shown_x = min(center_x + half, width) - max(center_x - half, 0)
    shown_y = min(center_y + half, height) - max(center_y - half, 0)
    return float(max(shown_x, 0.0) * max(shown_y, 0.0) / (4 * half**2))
