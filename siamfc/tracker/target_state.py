"""Where a target is and how large: what is carried from frame to frame, and how a frame changes it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from siamfc.boxes import Box, clip_box
from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion, context_side
from siamfc.errors import BoxError


@dataclass(frozen=True)
class TargetState:
    """A target between two frames; positions and sizes in frame pixels.

    Attributes:
        center: (x, y).
        given_size: (width, height) in the frame in which it was given.
        first_size: The same in pixels of the last frame, where frames have become larger or smaller.
        scale: Present size over first size; where width and height grew apart, the square root of both ratios'
            product.
        aspect: Square root of the present ratio of width to height over the first one.
        search_side: Side of the search region at scale 1.
        frame_size: (height, width) of the last frame.
    """

    center: tuple[float, float]
    given_size: tuple[float, float]
    first_size: tuple[float, float]
    scale: float
    search_side: float
    frame_size: tuple[int, int]
    aspect: float = 1.0

    @classmethod
    def of(cls, box: Box, frame_size: tuple[int, int], config: TrackerConfig) -> TargetState:
        """The target as it is given.

        Raises:
            BoxError: The box lies wholly outside the frame.

        Example:
            >>> TargetState.of(Box(0, 0, 40, 40), (240, 320), TrackerConfig()).center
            (20.0, 20.0)
        """
        height, width = frame_size
        if clip_box(box, width, height) is None:
            numbers = ",".join(f"{value:g}" for value in box)
            raise BoxError(f"the box {numbers} lies outside the frame of {width} x {height} pixels")
        return cls(
            center=box.center,
            given_size=(box.width, box.height),
            first_size=(box.width, box.height),
            scale=1.0,
            search_side=context_side(box, config.context_amount) * config.search_size / config.exemplar_size,
            frame_size=frame_size,
        )

    @property
    def box(self) -> Box:
        """In frame pixels; its centre is inside the frame."""
        width, height = self.first_size
        return Box.from_center(*self.center, width * self.scale * self.aspect, height * self.scale / self.aspect)

    def fitted_to(self, frame_size: tuple[int, int]) -> TargetState:
        """The same place and size in a frame of another size, which is the same view at another resolution."""
        if frame_size == self.frame_size:
            return self
        by_y, by_x = (new / old for new, old in zip(frame_size, self.frame_size, strict=True))
        return replace(
            self,
            center=(self.center[0] * by_x, self.center[1] * by_y),
            first_size=(self.first_size[0] * by_x, self.first_size[1] * by_y),
            search_side=self.search_side * (by_x * by_y) ** 0.5,
            frame_size=frame_size,
        )

    def search_region(self, scale_factor: float, search_size: int) -> CropRegion:
        """The square around the target in which it is looked for at ``scale_factor`` times its present size."""
        side = self.search_side * self.scale
        return CropRegion(*self.center, side * scale_factor, search_size)

    def moved(self, shift: tuple[float, float], scale_factor: float, config: TrackerConfig) -> TargetState:
        """The target where it was found: its centre inside the frame, its scale within the limits.

        Args:
            shift: (x, y), frame pixels.
            scale_factor: Found size over present size; ``scale_damping`` of the change is taken over.
            config: For damping and limits.
        """
        scale = self.scale * (1 + config.scale_damping * (scale_factor - 1))
        return replace(self._shifted(shift), scale=min(max(scale, config.min_scale), config.max_scale))

    def reshaped(self, shift: tuple[float, float], scale: float, aspect: float, config: TrackerConfig) -> TargetState:
        """The target where it was found, with a size and aspect of its own; each side within the limits of a scale.

        Args:
            shift: (x, y), frame pixels.
            scale: As the attribute.
            aspect: As the attribute.
            config: For limits and context.
        """
        wide, high = (min(max(side, config.min_scale), config.max_scale) for side in (scale * aspect, scale / aspect))
        scale, aspect = math.sqrt(wide * high), math.sqrt(wide / high)
        width, height = self.first_size
        side = context_side(Box(0, 0, width * aspect, height / aspect), config.context_amount)
        return replace(
            self._shifted(shift),
            scale=scale,
            aspect=aspect,
            search_side=side * config.search_size / config.exemplar_size,
        )

    def placed(self, center: tuple[float, float]) -> TargetState:
        """The target in the same size elsewhere: at (x, y), frame pixels, or where the frame is nearest to that."""
        (x, y), (height, width) = center, self.frame_size
        return replace(self, center=(min(max(x, 0.0), width), min(max(y, 0.0), height)))

    def _shifted(self, shift: tuple[float, float]) -> TargetState:
        return self.placed((self.center[0] + shift[0], self.center[1] + shift[1]))
