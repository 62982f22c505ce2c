"""What is changed at random about a crop: where it is cut, through one affine map, and what its colours become."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.config import AugmentationConfig
from siamfc.crops import context_side

Role = Literal["exemplar", "search"]

_LEAST_PART_PX = 6.0
_LARGEST_PART = 1.15
_PART_STRETCH = 0.4  # of the logarithm of the square root of its aspect


class Geometry(NamedTuple):
    """Where the target lies in a crop, and through which map it is seen.

    Attributes:
        shift_x: Target's centre right of the crop's, crop pixels.
        shift_y: Below it.
        scale_x: Frame pixels a crop pixel, in times what the target's size asks for; above 1 the target is smaller.
        scale_y: The same downwards.
        rotation_deg: Turn of the crop's axes in the frame.
        mirrored: Left and right exchanged.
    """

    shift_x: float = 0.0
    shift_y: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0
    rotation_deg: float = 0.0
    mirrored: bool = False

    def crop_to_frame(self, box: Box, *, context_amount: float, exemplar_size: int, size: int) -> NDArray[np.float64]:
        """The map (2, 3) from crop pixels to frame pixels, for `siamfc.crops.sample`.

        The target's centre goes to ``size / 2 + shift``; without changes it is the tracker's own crop.
        """
        frame_px = context_side(box, context_amount) / exemplar_size
        cos, sin = self._turn()
        across, down = frame_px * self.scale_x * (-1.0 if self.mirrored else 1.0), frame_px * self.scale_y
        xx, xy, yx, yy = cos * across, -sin * down, sin * across, cos * down  # turned after it was stretched
        (left, top), (x, y) = (size / 2 + self.shift_x, size / 2 + self.shift_y), box.center
        return np.array([[xx, xy, x - xx * left - xy * top], [yx, yy, y - yx * left - yy * top]])

    def size_in_crop(self, box: Box, *, context_amount: float, exemplar_size: int) -> tuple[float, float]:
        """Width and height, crop pixels, of the box around the target as it is seen; turned, it counts as an ellipse.

        Few targets fill the corners of their boxes, and the box around a turned box would be larger than they are.
        """
        frame_px = context_side(box, context_amount) / exemplar_size
        cos, sin = self._turn()
        # Turned in the frame first, then stretched.
        width, height = math.hypot(cos * box.width, sin * box.height), math.hypot(sin * box.width, cos * box.height)
        return width / (frame_px * self.scale_x), height / (frame_px * self.scale_y)

    def _turn(self) -> tuple[float, float]:
        angle = math.radians(self.rotation_deg)
        return math.cos(angle), math.sin(angle)


class Part(NamedTuple):
    """A box given by a target's: a part of it, or more than it; lengths in the target's width and height.

    Attributes:
        right: From the target's centre to the part's.
        down: Likewise.
        width: Of the part.
        height: Of the part.
    """

    right: float
    down: float
    width: float
    height: float

    def of(self, box: Box) -> Box:
        """The part of this target; at least `_LEAST_PART_PX` wide and high."""
        (x, y), width, height = box.center, box.width * self.width, box.height * self.height
        return Box.from_center(
            x + self.right * box.width,
            y + self.down * box.height,
            max(width, _LEAST_PART_PX),
            max(height, _LEAST_PART_PX),
        )


class Photometry(NamedTuple):
    """What happens to a crop's colours; the defaults change nothing.

    Attributes:
        brightness: Factor on all colours.
        contrast: Factor on the distance from the mean grey of the crop.
        saturation: Factor on the distance of each pixel from its own grey; 0 is grey.
        color_shift: Added to red, green and blue, of 255.
        blur_sigma_px: Deviation of a Gaussian blur, crop pixels; 0: none.
        motion_px: Length of a blur along a line, crop pixels, odd; 1: none.
        motion_deg: Direction of that line.
        patch: left, top, right, bottom of a patch of one colour, crop pixels; empty where all are 0.
        patch_color: Its colour, 0..255.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    color_shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    blur_sigma_px: float = 0.0
    motion_px: int = 1
    motion_deg: float = 0.0
    patch: tuple[int, int, int, int] = (0, 0, 0, 0)
    patch_color: tuple[float, float, float] = (0.0, 0.0, 0.0)


class PairChoices(NamedTuple):
    """What both crops of a pair share."""

    mirrored: bool
    grey: bool


def draw_shared(rng: np.random.Generator, config: AugmentationConfig) -> PairChoices:
    """Whether the pair is mirrored, and whether it is grey."""
    return PairChoices(rng.random() < config.flip_share, rng.random() < config.grey_share)


def draw_part(rng: np.random.Generator, config: AugmentationConfig, *, same_frame: bool) -> Part | None:
    """The part of the target that takes its place in both crops, ``part_share`` as often; else None.

    In one and the same frame every part of a target moves as the whole does, so parts may be small there and lie
    at the edge; in two frames they are nearly the whole.

    Args:
        rng: The pair's generator; drawn from only where parts are asked for.
        config: How often.
        same_frame: Whether both crops are of one frame.
    """
    if not config.part_share or rng.random() >= config.part_share:
        return None
    farthest, least = (0.3, 0.45) if same_frame else (0.12, 0.65)
    right, down = rng.uniform(-farthest, farthest, 2).tolist()
    size = math.exp(rng.uniform(math.log(least), math.log(_LARGEST_PART)))
    stretch = math.exp(rng.uniform(-_PART_STRETCH, _PART_STRETCH))
    return Part(right, down, size * stretch, size / stretch)


def draw_geometry(
    rng: np.random.Generator,
    config: AugmentationConfig,
    role: Role,
    *,
    mirrored: bool,
    size: int,
    border_px: float,
) -> Geometry:
    """A crop's geometry.

    Args:
        rng: The pair's generator.
        config: Ranges.
        role: Which of the two crops.
        mirrored: From `draw_shared`.
        size: Side of the crop.
        border_px: Distance from the target's centre to the nearest border of the picture, crop pixels at scale 1.
    """
    shift = config.exemplar_shift_px if role == "exemplar" else config.search_shift_px
    scale = config.exemplar_scale if role == "exemplar" else config.search_scale
    # Even in the logarithm, so that growing and shrinking are alike.
    scale = math.exp(rng.uniform(-1, 1) * math.log1p(scale))
    stretch_x, stretch_y = (math.exp(value * math.log1p(config.stretch)) for value in rng.uniform(-1, 1, 2).tolist())
    turn = rng.uniform(-1, 1) * config.rotation_deg
    across, down = rng.uniform(-1, 1, 2).tolist()
    if config.shift_within_picture:
        # The crop's farthest corner, turned and stretched, still lies in the picture.
        spread = abs(math.cos(math.radians(turn))) + abs(math.sin(math.radians(turn)))
        shift = min(shift, max(border_px / (scale * max(stretch_x, stretch_y) * spread) - size / 2, 0.0))
    return Geometry(across * shift, down * shift, scale * stretch_x, scale * stretch_y, turn, mirrored)


# Principal axes of ImageNet's colours with their deviations (Krizhevsky et al. 2012, section 4.1), for 0..1.
_COLOR_AXES = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
_COLOR_DEVIATIONS = np.array([0.2175, 0.0188, 0.0045]) ** 0.5


def draw_photometry(
    rng: np.random.Generator, config: AugmentationConfig, role: Role, size: int, exemplar_size: int, *, grey: bool
) -> Photometry:
    """A crop's photometry; ``size`` is its side, ``exemplar_size`` the exemplar's, by which patches are measured."""
    bright, contrast, saturation = rng.uniform(-1, 1, 3).tolist()
    shift = 255 * _COLOR_AXES @ (_COLOR_DEVIATIONS * rng.normal(0, 1, 3) * config.color_jitter)
    if grey:  # as a shift of the colours would have made it, had it come first
        shift = np.full(3, shift.mean())
    blurred, sigma = rng.random() < config.blur_share, rng.uniform(0.3, max(config.blur_sigma_px, 0.3))
    moving = config.motion_blur_share and rng.random() < config.motion_blur_share
    motion_px = 2 * int(rng.integers(1, (config.motion_blur_px + 1) // 2)) + 1 if moving else 1
    motion_deg = float(rng.uniform(0, 180)) if moving else 0.0
    hidden, patch = rng.random() < config.occlusion_share, _draw_patch(rng, config, size, exemplar_size)
    color = rng.uniform(0, 255, 3).tolist()
    return Photometry(
        brightness=1 + config.brightness * bright,
        contrast=1 + config.contrast * contrast,
        saturation=0.0 if grey else 1 + config.saturation * saturation,
        color_shift=(float(shift[0]), float(shift[1]), float(shift[2])),
        blur_sigma_px=float(sigma) if blurred else 0.0,
        motion_px=motion_px,
        motion_deg=motion_deg,
        patch=patch if hidden and role == "search" else (0, 0, 0, 0),
        patch_color=(color[0], color[1], color[2]),
    )


def _draw_patch(
    rng: np.random.Generator, config: AugmentationConfig, size: int, exemplar_size: int
) -> tuple[int, int, int, int]:
    width, height = rng.uniform(0.1, max(config.occlusion_size, 0.1), 2) * exemplar_size
    x, y = rng.uniform(0.3 * size, 0.7 * size, 2)
    return int(x - width / 2), int(y - height / 2), int(x + width / 2), int(y + height / 2)
