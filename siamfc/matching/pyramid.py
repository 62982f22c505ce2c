"""The sizes at which a picture is searched, shared by all exemplars so that one pass serves them all."""

from __future__ import annotations

import math
from collections.abc import Sequence

from siamfc.config import MatchConfig
from siamfc.crops import mean_color
from siamfc.errors import MatchError
from siamfc.frames import Image
from siamfc.matching.exemplars import Exemplar
from siamfc.matching.maps import Pattern
from siamfc.matching.scaled_picture import ScaledPicture

_ROUNDING_PX = 0.5  # a picture may be so much smaller than a box that is as large as it


class Pyramid:
    """For each exemplar the square that is cropped, and for a picture its views and what is searched in each.

    A view shows the first exemplar, at some scale, at the size of its crop. So that the views serve the others, too,
    their squares are rounded to whole steps of the scales: at four steps an octave, they show up to 9 % more or less
    of their surroundings.

    Attributes:
        sides: (N,) side of each exemplar's square, pixels of its image.
    """

    def __init__(self, exemplars: Sequence[Exemplar], config: MatchConfig) -> None:
        self._exemplars, self._config = exemplars, config
        steps = config.scales_per_octave
        own = [exemplar.side(config.context_amount) for exemplar in exemplars]
        self._shifts = [round(steps * math.log2(side / own[0])) for side in own]
        self.sides = [own[0] * 2 ** (shift / steps) for shift in self._shifts]

    def over(self, image: Image) -> tuple[list[Pattern], list[ScaledPicture]]:
        """What is searched for in a picture (H, W, 3), and the views that it is searched in, the finest first.

        Raises:
            MatchError: An exemplar that at no scale fits into the picture.
        """
        searched = [
            (number, rotation, self._fitting(number, rotation, image))
            for number in range(len(self._exemplars))
            for rotation in self._config.rotations
        ]
        self._check(searched, image)
        steps = sorted({step for _, _, fitting in searched for step in fitting})
        patterns = [self._pattern(*one, steps) for one in searched]
        fill = mean_color(image)
        views = [
            ScaledPicture(image, self._factor(step), margin=self._margin(patterns, level), fill=fill)
            for level, step in enumerate(steps)
        ]
        return patterns, views

    def _fitting(self, number: int, rotation: float, image: Image) -> dict[int, float]:
        """Steps of the pyramid, and the exemplar's scale at each, where its bounds fit into the picture."""
        bounds, (height, width) = self._exemplars[number].bounds(rotation), image.shape[:2]
        return {
            self._shifts[number] + step: scale
            for step, scale in enumerate(self._config.scales)
            if scale * bounds[0] <= width + _ROUNDING_PX and scale * bounds[1] <= height + _ROUNDING_PX
        }

    def _check(self, searched: list[tuple[int, float, dict[int, float]]], image: Image) -> None:
        fit = {number for number, _, fitting in searched if fitting}
        for number, exemplar in enumerate(self._exemplars):
            if number not in fit:
                least, (height, width) = self._config.scales[0], image.shape[:2]
                called = f"the exemplar {exemplar.name}".rstrip()
                raise MatchError(
                    f"{called} of {exemplar.box.width:g} x {exemplar.box.height:g} px does not fit "
                    f"into the picture of {width} x {height} px, not even at the smallest scale searched, {least:g}"
                )

    def _pattern(self, number: int, rotation: float, fitting: dict[int, float], steps: list[int]) -> Pattern:
        width, height = self._exemplars[number].bounds(rotation)
        zoom = self._config.exemplar_size / self.sides[number]
        first = steps.index(min(fitting)) if fitting else 0
        return Pattern(
            number,
            rotation,
            size=(width, height),
            size_in_crop=(width * zoom, height * zoom),
            levels=range(first, first + len(fitting)),
            scales=tuple(fitting.values()),
        )

    def _factor(self, step: int) -> float:
        """View pixels per picture pixel."""
        window = self.sides[0] * self._config.scales[0] * 2 ** (step / self._config.scales_per_octave)
        return self._config.exemplar_size / window

    def _margin(self, patterns: list[Pattern], level: int) -> tuple[int, int]:
        """Rows and columns around a view, so that a box at the picture's edge lies in the middle of a window."""
        config = self._config
        objects = [pattern.size_in_crop for pattern in patterns if level in pattern.levels]
        across, down = (min(size[side] for size in objects) for side in (0, 1))
        # A stride more, for a box that lies between the last two windows.
        rows, columns = (
            max(0, math.ceil((config.exemplar_size - side) / 2)) + config.stride for side in (down, across)
        )
        return rows, columns
