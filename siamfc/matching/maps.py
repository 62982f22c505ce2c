"""Calibrated similarity maps of one picture: one a scale, each knowing where in the picture its cells lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.config import MatchConfig
from siamfc.matching.peaks import local_maxima, refine, thin_out

Array = NDArray[np.float64]
Map = NDArray[np.float32]

_LEAST_SPAN = 1e-3  # in a picture that is all object, nothing stands out
_NEAR_MISS = 0.1  # of the score, that lying between the grid's windows costs an object at most, nearly always
_ROUNDING = 1e-6  # pixels
_BAND_ROWS = 512  # of the picture, worked on at a time where a map is brought to its resolution


@dataclass(frozen=True)
class Pattern:
    """One turn of one exemplar, as the picture is searched for it.

    Attributes:
        exemplar: Which exemplar.
        rotation: Degrees, from the x axis towards the y axis.
        size: Width and height of its upright bounds at scale 1, picture pixels.
        size_in_crop: The same in exemplar pixels.
        levels: Which levels it is searched at, by their place in the list of levels.
        scales: Its scale at each of those.
    """

    exemplar: int
    rotation: float
    size: tuple[float, float]
    size_in_crop: tuple[float, float]
    levels: range
    scales: tuple[float, ...]

    def box_size(self, level: int) -> tuple[float, float]:
        """Width and height of what is searched for at one of its levels, picture pixels."""
        scale = self.scales[level - self.levels.start]
        return scale * self.size[0], scale * self.size[1]


@dataclass(frozen=True)
class LevelMap:
    """The maps of all patterns at one size of the picture.

    Attributes:
        values: (N, rows, columns), not a number where a pattern does not fit or is not searched.
        origin: Picture position (x, y) of the centre of the first cell's window.
        step: Picture pixels a cell.
    """

    values: Map
    origin: tuple[float, float]
    step: float

    def cut(self, pattern: int, box_size: tuple[float, float], picture_size: tuple[int, int]) -> None:
        """Forget, in place, where a box (width, height) would leave the picture (height, width) by more than a cell."""
        for axis, (length, side) in enumerate(zip(picture_size, box_size[::-1], strict=True)):
            centers = self.origin[1 - axis] + self.step * np.arange(self.values.shape[1 + axis])
            outside = (centers < side / 2 - self.step) | (centers > length - side / 2 + self.step)
            self.values[pattern][outside if axis == 0 else (slice(None), outside)] = np.nan

    def at(self, pattern: int, points: Array) -> Array:
        """Values of a pattern's map at picture positions (P, 2), bilinear; not a number outside."""
        x, y = (points - self.origin).T / self.step
        return _bilinear(self.values[pattern], y, x)


class Peak(NamedTuple):
    """A place that matches: its box in picture pixels, its score, its scale, and which pattern it shows."""

    box: Box
    score: float
    scale: float
    pattern: int


def find_peaks(levels: list[LevelMap], patterns: list[Pattern], config: MatchConfig) -> list[Peak]:
    """The places that reach the threshold, or nearly so, none of them overlapping a better one, best first."""
    found = [
        _peaks_of_level(levels, level, number, pattern, config)
        for number, pattern in enumerate(patterns)
        for level in pattern.levels
    ]
    rows = np.concatenate(found)  # (P, 7): x, y, width, height, score, scale, pattern
    kept = thin_out(rows[:, :4], rows[:, 4], max_overlap=config.max_overlap, at_most=2 * config.max_matches)
    return [Peak(Box(*row[:4]), row[4], row[5], int(row[6])) for row in rows[kept].tolist()]


def _peaks_of_level(levels: list[LevelMap], level: int, number: int, pattern: Pattern, config: MatchConfig) -> Array:
    """The peaks (P, 7) of one pattern at one level, refined in place and scale."""
    here = levels[level]
    centers, score = _refined_places(here, number, config.threshold - _NEAR_MISS)
    neighbours = (
        levels[other].at(number, centers) if other in pattern.levels else np.full(len(score), np.nan)
        for other in (level - 1, level + 1)
    )
    smaller, larger = neighbours
    offset, rise = refine(smaller, score, larger)
    scales = pattern.scales[level - pattern.levels.start] * 2 ** (offset / config.scales_per_octave)
    sizes = scales[:, None] * pattern.size
    # Rounding and a parabola can go above the exemplar's own score.
    score = np.minimum(score + rise, 1.0)
    rows = np.column_stack([centers - sizes / 2, sizes, score, scales, np.full(len(score), number)])
    better_elsewhere = np.fmax(smaller, larger) > score
    return np.asarray(rows[~better_elsewhere])


def _refined_places(level: LevelMap, number: int, threshold: float) -> tuple[Array, Array]:
    """Picture positions (P, 2) and scores (P,) of the peaks of a pattern's map."""
    rows, columns = local_maxima(level.values[number], threshold)
    padded = np.pad(level.values[number].astype(np.float64), 1, constant_values=np.nan)
    r, c = rows + 1, columns + 1
    at = padded[r, c]
    offset_y, rise_y = refine(padded[r - 1, c], at, padded[r + 1, c])
    offset_x, rise_x = refine(padded[r, c - 1], at, padded[r, c + 1])
    places = np.column_stack([columns + offset_x, rows + offset_y])
    return places * level.step + level.origin, at + rise_x + rise_y


def calibrate(levels: list[LevelMap], patterns: int) -> Array:
    """Bring each pattern's maps, in place, to 1 for the exemplar itself and 0 for the picture's usual window.

    The usual window is the median over all places and scales: it is the background, as long as less than half of the
    picture shows the object.

    Returns:
        The usual similarity of each pattern, (N,).
    """
    usual = np.zeros(patterns)
    for number in range(patterns):
        known = np.concatenate([_some(level.values[number]) for level in levels])
        usual[number] = np.median(known) if known.size else 0.0
        for level in levels:
            level.values[number] = calibrated(level.values[number], usual[number])
    return usual


def calibrated(similarity: NDArray[Any], usual: NDArray[Any] | np.float64) -> NDArray[Any]:
    """Cosine similarities as scores: 1 stays 1, the picture's usual similarity becomes 0.

    Example:
        >>> calibrated(np.array([1.0, 0.2]), np.array([0.2, 0.2])).tolist()
        [1.0, 0.0]
    """
    return np.asarray((similarity - usual) / np.maximum(1.0 - usual, _LEAST_SPAN))


def full_map(levels: list[LevelMap], patterns: list[Pattern], size: tuple[int, int]) -> Map:
    """At every pixel of a picture (height, width) the best score of a box centred on it.

    Returns:
        (H, W), not a number where no box fits.
    """
    best = np.full(size, np.nan, np.float32)
    for number, pattern in enumerate(patterns):
        for index in pattern.levels:
            level, (width, height) = levels[index], pattern.box_size(index)
            rows, columns = _centers_of_fitting(height, size[0]), _centers_of_fitting(width, size[1])
            x = (np.arange(columns.start, columns.stop) + 0.5 - level.origin[0]) / level.step
            for top in range(rows.start, rows.stop, _BAND_ROWS):
                band = slice(top, min(top + _BAND_ROWS, rows.stop))
                y = (np.arange(band.start, band.stop) + 0.5 - level.origin[1]) / level.step
                found = _bilinear(level.values[number], y[:, None], x[None])
                best[band, columns] = np.fmax(best[band, columns], found)
    return best


def _centers_of_fitting(side: float, length: int) -> slice:
    """The pixels on which a box of this side can be centred without leaving a picture of this length.

    Example:
        >>> _centers_of_fitting(4.0, 10), _centers_of_fitting(3.0, 10), _centers_of_fitting(11.0, 10)
        (slice(2, 8, None), slice(1, 9, None), slice(5, 5, None))
    """
    first = math.ceil(side / 2 - 0.5 - _ROUNDING)
    last = math.floor(length - side / 2 - 0.5 + _ROUNDING)
    return slice(first, last + 1) if first <= last else slice(length // 2, length // 2)


def _some(values: Map) -> Map:
    """The known values of a map; of a large one every n-th, which is enough for a median."""
    every = max(1, values.size // 200_000)
    chosen = values.ravel()[::every]
    return chosen[~np.isnan(chosen)]


def _bilinear(values: Map, y: Array, x: Array) -> Array:
    """Values at rows y and columns x, which are broadcast; up to half a cell outside the border's value."""
    height, width = values.shape
    inside = (y >= -0.5) & (y <= height - 0.5) & (x >= -0.5) & (x <= width - 0.5)
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
    bottom, far = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    upper = values[top, left] * (1 - right) + values[top, far] * right
    lower = values[bottom, left] * (1 - right) + values[bottom, far] * right
    return np.where(inside, upper * (1 - down) + lower * down, np.nan)
