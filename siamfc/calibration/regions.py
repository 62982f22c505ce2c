"""Regions of videos as a tracker searches them: with the target, with another video's, and beside the target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from siamfc.boxes import Box
from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.data.usable import Track
from siamfc.errors import CalibrationError, SourceError
from siamfc.frames import Image

_EXEMPLARS = 5  # a target
_FRAMES = 10  # a target, beside those
_SHIFT_PX = 32  # farthest that a target lies off the middle of its region, search pixels a side
_POOL = 8  # regions that each target lends to the others
_ATTEMPTS = 30
_LEAST_CONTENT = 0.7  # share of a region that shows the picture


class RegionKind(Enum):
    """What a region shows."""

    TARGET = "target"
    STRANGER = "other video"
    ELSEWHERE = "same video"  # at the same scale, and no window of it touches the target


@dataclass(frozen=True)
class Given:
    """A frame in which the target is given; it is read when asked for.

    Attributes:
        track: The target's.
        place: Which of the track's frames.
    """

    track: Track
    place: int

    def read(self) -> tuple[Image, Box]:
        """The frame, (H, W, 3), and the target in it.

        Raises:
            SourceError: It cannot be read.
        """
        try:
            frame = self.track.sequence.frame(int(self.track.places[self.place]))
        except SourceError as error:
            raise SourceError(f"{self.track.name}: {error}") from error
        return frame, Box(*self.track.boxes[self.place].tolist())


@dataclass(frozen=True)
class TargetRegions:
    """One target, and regions to look for it in.

    Attributes:
        name: The track's.
        given: Frames in which it is given.
        regions: For each kind, which of ``given`` to look for, and where, (search_size, search_size, 3). A kind can
            be missing: beside a target that fills the frame there is nothing.
    """

    name: str
    given: list[Given]
    regions: dict[RegionKind, list[tuple[int, Image]]]


def draw_regions(
    tracks: Sequence[Track],
    config: TrackerConfig,
    *,
    count: int,
    seed: int = 0,
    observe: Callable[[int, int], None] | None = None,
) -> list[TargetRegions]:
    """For each track, ``count`` regions of each kind, the same for the same seed.

    Args:
        tracks: Of two videos or more.
        config: Sizes of crops.
        count: Regions a kind and target.
        seed: Of the choice of frames and places.
        observe: Told how many tracks are done, and of how many.

    Raises:
        CalibrationError: All tracks are of one video.
        SourceError: A frame cannot be read.
    """
    if len({track.video for track in tracks}) < 2:
        raise CalibrationError("scores are calibrated on targets of at least two videos")
    drawn: list[tuple[TargetRegions, list[Image]]] = []
    for number, track in enumerate(tracks):
        drawn.append(_draw_own(track, config, count, np.random.default_rng((seed, number))))
        if observe:
            observe(number + 1, len(tracks))
    for number, (target, _) in enumerate(drawn):
        rng = np.random.default_rng((seed, number, 1))
        others = [
            each for at, (_, pool) in enumerate(drawn) if tracks[at].video != tracks[number].video for each in pool
        ]
        chosen = rng.integers(len(others), size=count)
        target.regions[RegionKind.STRANGER] = [
            (at % len(target.given), others[int(each)]) for at, each in enumerate(chosen)
        ]
    return [target for target, _ in drawn]


def _draw_own(
    track: Track, config: TrackerConfig, count: int, rng: np.random.Generator
) -> tuple[TargetRegions, list[Image]]:
    """A target with the regions of its own video, and some of them that show it, for the others."""
    order = rng.permutation(len(track))
    given_at, searched_at = order[:_EXEMPLARS], order[_EXEMPLARS : _EXEMPLARS + _FRAMES]
    if not len(searched_at):
        searched_at = given_at  # a track of few frames is looked for in the same ones
    given = [Given(track, int(place)) for place in given_at]
    regions: dict[RegionKind, list[tuple[int, Image]]] = {RegionKind.TARGET: [], RegionKind.ELSEWHERE: []}
    shares = np.bincount(np.arange(count) % len(searched_at), minlength=len(searched_at))
    for place, share in zip(searched_at, shares, strict=True):
        frame, box = Given(track, int(place)).read()
        for kind, cut in ((RegionKind.TARGET, _around), (RegionKind.ELSEWHERE, _beside)):
            for _ in range(share):
                found = cut(frame, box, config, rng)
                if found is not None:
                    regions[kind].append((len(regions[kind]) % len(given), found))
    pool = [image for _, image in regions[RegionKind.TARGET][:: max(count // _POOL, 1)]]
    return TargetRegions(track.name, given, {kind: each for kind, each in regions.items() if each}), pool


def _around(frame: Image, box: Box, config: TrackerConfig, rng: np.random.Generator) -> Image:
    side = _search_side(box, config)
    shift_x, shift_y = rng.uniform(-_SHIFT_PX, _SHIFT_PX, 2) * side / config.search_size
    x, y = box.center
    return crop(frame, CropRegion(x + shift_x, y + shift_y, side, config.search_size), mean_color(frame))


def _beside(frame: Image, box: Box, config: TrackerConfig, rng: np.random.Generator) -> Image | None:
    """A region of the frame that shows nothing of the target; None where none was found."""
    side, (height, width) = _search_side(box, config), frame.shape[:2]
    for _ in range(_ATTEMPTS):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        left, top = x - side / 2, y - side / 2
        apart = left >= box.x + box.width or left + side <= box.x or top >= box.y + box.height or top + side <= box.y
        seen = max(min(left + side, width) - max(left, 0), 0) * max(min(top + side, height) - max(top, 0), 0)
        if apart and seen >= _LEAST_CONTENT * side**2:
            return crop(frame, CropRegion(x, y, side, config.search_size), mean_color(frame))
    return None


def _search_side(box: Box, config: TrackerConfig) -> float:
    return context_side(box, config.context_amount) * config.search_size / config.exemplar_size
