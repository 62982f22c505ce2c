"""Peaks looked at again in windows of their own: place, scale and score freed from the grid they were found on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.crops import Color
from siamfc.dense import DenseSiamFC
from siamfc.frames import Image
from siamfc.matching.exemplars import cut_square
from siamfc.matching.maps import Pattern, Peak
from siamfc.matching.similarity import WeighedExemplars, cosine_similarity
from siamfc.model import ChannelStatistics
from siamfc.tiles import as_batch

Array = NDArray[np.float64]

_REACH_PX = 3.0  # of the crop: how far from a peak its neighbours are looked at first
_REACH_OCTAVES = 0.125
_ROUNDING = 1e-9
_HARDLY = 0.6  # steps: who moves less has arrived, and looks nearer
_MOST_ROUNDS = 6
_DIRECTIONS = np.concatenate([np.eye(3), -np.eye(3)])


@dataclass(frozen=True)
class CloserLook:
    """A picture in which peaks are looked at again.

    Attributes:
        network: At the network's own stride.
        image: (H, W, 3), the picture.
        exemplars: Embedded as they were for the search, a row a pattern.
        patterns: What they are.
        sides: Side of each exemplar's square at scale 1, picture pixels.
        statistics: As for the search.
        exemplar_size: Side of a crop, pixels.
        scales: Least and greatest that a match may have.
        fill: Colour outside the picture.
    """

    network: DenseSiamFC
    image: Image
    exemplars: WeighedExemplars
    patterns: list[Pattern]
    sides: list[float]
    statistics: ChannelStatistics | None
    exemplar_size: int
    scales: tuple[float, float]
    fill: Color

    @torch.inference_mode()
    def at(self, peak: Peak) -> Peak:
        """The peak, moved to the best place and scale near it, with the cosine similarity of the window there.

        Around the best place so far, windows to both sides in x, y and scale are compared; a parabola through each
        three says where to look next. Once that is hardly elsewhere, it looks once more, half as far. Windows beyond
        the scales that are searched count for the parabola alone.
        """
        best = np.array([*peak.box.center, np.log2(peak.scale)])
        highest = float(self._similarity(peak.pattern, best[None])[0])
        crop_px = self.sides[self.patterns[peak.pattern].exemplar] * peak.scale / self.exemplar_size
        steps = np.array([_REACH_PX * crop_px, _REACH_PX * crop_px, _REACH_OCTAVES])
        halvings = 0
        for _ in range(_MOST_ROUNDS):
            before = best
            best, highest = self._look_around(peak.pattern, best, highest, steps)
            if np.abs((best - before) / steps).max() < _HARDLY:
                halvings, steps = halvings + 1, steps / 2
            if halvings > 1:
                break
        scale = float(2 ** best[2])
        width, height = self.patterns[peak.pattern].size
        return Peak(
            Box.from_center(float(best[0]), float(best[1]), width * scale, height * scale), highest, scale, peak.pattern
        )

    def _look_around(self, pattern: int, place: Array, at: float, steps: Array) -> tuple[Array, float]:
        """The best of a place (3,) of known similarity, its neighbours, and where they point to; and its similarity."""
        places = place + steps * _DIRECTIONS
        around = self._similarity(pattern, places)
        guess = place + steps * _tops(around[3:], at, around[:3])
        least, greatest = np.log2(self.scales)
        guess[2] = np.clip(guess[2], least, greatest)
        places = np.concatenate([place[None], places, guess[None]])
        similarity = np.concatenate([[at], around, self._similarity(pattern, guess[None])])
        allowed = (places[:, 2] >= least - _ROUNDING) & (places[:, 2] <= greatest + _ROUNDING)
        allowed[0] = True
        best = np.where(allowed, similarity, -np.inf).argmax()
        return places[best], float(similarity[best])

    def _similarity(self, pattern: int, places: Array) -> Array:
        """Cosine similarities (P,) of the windows at places (P, 3): x, y, and the logarithm of the scale to 2."""
        whole = self.sides[self.patterns[pattern].exemplar]
        windows = [
            cut_square(self.image, (x, y), whole * 2**octave, self.exemplar_size, fill=self.fill)
            for x, y, octave in places.tolist()
        ]
        features = self.network.embed_search(torch.cat([as_batch(window) for window in windows]), self.statistics)
        chosen = WeighedExemplars(*(part[pattern : pattern + 1] for part in self.exemplars))
        return cosine_similarity(self.network, chosen, features)[:, 0, 0].double().cpu().numpy()


def _tops(below: Array, at: float, above: Array) -> Array:
    """Where the parabolas through three values each have their tops, in steps, -1..1; else the better side."""
    curvature = below - 2 * at + above
    with np.errstate(divide="ignore", invalid="ignore"):
        top = (below - above) / (2 * curvature)
    return np.where(curvature < 0, np.clip(top, -1, 1), np.sign(above - below))
