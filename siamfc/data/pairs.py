"""Pairs to learn from, each determined by seed, epoch and its number in the epoch (section 2.3 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from siamfc.config import PairConfig
from siamfc.data.mixture import Source
from siamfc.data.usable import Track
from siamfc.errors import SourceError


class PairKind(IntEnum):
    """What the search crop shows."""

    POSITIVE = 0  # the target
    NEGATIVE = 1  # another video's target
    HARD_NEGATIVE = 2  # the target's own frame, beside the target


@dataclass(frozen=True)
class View:
    """One frame of one track; ``place`` counts the track's fit frames."""

    track: Track
    place: int


@dataclass(frozen=True)
class Pair:
    """Two frames and what they are to each other.

    Attributes:
        exemplar: Where the exemplar is cut.
        search: Where the search crop is cut.
        kind: Whether the search shows the exemplar's target.
    """

    exemplar: View
    search: View
    kind: PairKind


def pair_generator(seed: int, epoch: int, number: int, attempt: int = 0) -> np.random.Generator:
    """The generator from which everything random about one pair is drawn, whoever draws it and when."""
    return np.random.default_rng((seed, epoch, number, attempt))


class PairSampler:
    """Draws pairs: a dataset by weight, a video evenly, two of its frames near in time, in either order.

    Args:
        sources: What to draw from.
        config: How.

    Raises:
        SourceError: Negative pairs are asked for, and all tracks are of one video.
    """

    def __init__(self, sources: tuple[Source, ...], config: PairConfig) -> None:
        self._sources = sources
        self._config = config
        weights = np.array([source.weight for source in sources])
        self._shares = np.cumsum(weights / weights.sum())
        if config.negative_share > 0 and len({track.video for source in sources for track in source.tracks}) < 2:
            raise SourceError("negative pairs need tracks of two videos or more, and all are of one")

    def draw(self, rng: np.random.Generator) -> Pair:
        """The pair that this generator gives; it is left where the pair's augmentation goes on drawing."""
        track = self._draw_track(rng)
        first = int(rng.integers(len(track)))
        second = self._draw_partner(track, first, rng)
        if rng.random() < 0.5:
            first, second = second, first
        kind, search = self._draw_kind(rng), View(track, second)
        if kind is PairKind.NEGATIVE:
            other = self._draw_other(track, rng)
            search = View(other, int(rng.integers(len(other))))
        return Pair(View(track, first), search, kind)

    def _draw_track(self, rng: np.random.Generator) -> Track:
        index = min(int(np.searchsorted(self._shares, rng.random(), side="right")), len(self._sources) - 1)
        tracks = self._sources[index].tracks
        return tracks[int(rng.integers(len(tracks)))]

    def _draw_other(self, track: Track, rng: np.random.Generator) -> Track:
        while True:
            other = self._draw_track(rng)
            if other.video != track.video:
                return other

    def _draw_partner(self, track: Track, place: int, rng: np.random.Generator) -> int:
        """Another fit frame at most ``max_frame_gap`` away in time; the same one where there is no other."""
        gap = self._config.max_frame_gap
        numbers = track.numbers
        # Numbers ascend in every layout that has time; where they do not, this is a scan all the same.
        near = np.flatnonzero(np.abs(numbers - numbers[place]) <= gap)
        near = near[near != place]
        return int(near[rng.integers(len(near))]) if near.size else place

    def _draw_kind(self, rng: np.random.Generator) -> PairKind:
        share = rng.random()
        if share < self._config.negative_share:
            return PairKind.NEGATIVE
        if share < self._config.negative_share + self._config.hard_negative_share:
            return PairKind.HARD_NEGATIVE
        return PairKind.POSITIVE
