"""What is searched for: an image of an object, or a box in an image; turned, and cropped to the network's size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box, as_box, clip_box
from siamfc.crops import Color, context_side, mean_color, sample
from siamfc.errors import BoxError, MatchError
from siamfc.frames import ColorOrder, Image, as_rgb_frame
from siamfc.matching.scaled_picture import halved

_MIN_SIDE_PX = 4  # below, a crop shows the interpolation rather than an object
_ONE_COLOR = 2  # grey levels: compression makes one colour differ by so much


@dataclass(frozen=True, eq=False)
class Exemplar:
    """An object to search for.

    Attributes:
        image: (H, W, 3) uint8 RGB; build it with `as_exemplar` from anything else.
        box: The object, pixels of the image; may reach over its edge.
        name: What to call it.
    """

    image: Image
    box: Box
    name: str = ""

    def side(self, context_amount: float) -> float:
        """Side of the square that becomes the crop, pixels of the image; see `siamfc.crops.context_side`."""
        return context_side(self.box, context_amount)

    def crop(self, side_px: float, crop_size: int, rotation_deg: float = 0.0) -> Image:
        """The square of ``side_px`` around the object, with the object turned by ``rotation_deg``.

        Outside the image it shows the image's mean colour.

        Returns:
            (crop_size, crop_size, 3) uint8.
        """
        return cut_square(
            self.image, self.box.center, side_px, crop_size, rotation_deg=rotation_deg, fill=mean_color(self.image)
        )

    def bounds(self, rotation_deg: float) -> tuple[float, float]:
        """Width and height, pixels of the image, of the upright bounds of the turned box."""
        cos, sin = abs(math.cos(math.radians(rotation_deg))), abs(math.sin(math.radians(rotation_deg)))
        return self.box.width * cos + self.box.height * sin, self.box.width * sin + self.box.height * cos


def cut_square(
    image: Image,
    center: tuple[float, float],
    side_px: float,
    crop_size: int,
    *,
    rotation_deg: float = 0.0,
    fill: Color,
) -> Image:
    """The square of ``side_px`` around a point (x, y) of an image, with what it shows turned by ``rotation_deg``.

    It is resampled as `siamfc.matching.scaled_picture.ScaledPicture` resamples the picture that is searched. Only what
    the square covers is touched.

    Returns:
        (crop_size, crop_size, 3) uint8.
    """
    step = side_px / crop_size  # image pixels per crop pixel
    halvings = max(0, math.floor(math.log2(step)))
    corner, source = _reduced_around(image, center, side_px, halvings) if halvings else (np.zeros(2), image)
    # The crop is turned back, so that the object in it turns forward: from the x axis towards the y axis.
    cos, sin = math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))
    turn = np.array([[cos, sin], [-sin, cos]]) * step
    shift = np.array(center) - corner - turn @ (crop_size / 2, crop_size / 2)
    return sample(source, np.column_stack([turn, shift]) / 2**halvings, crop_size, fill)


def _reduced_around(
    image: Image, center: tuple[float, float], side_px: float, halvings: int
) -> tuple[NDArray[np.float64], Image]:
    """The part of an image that a turned square touches, reduced by whole blocks, and its corner (x, y)."""
    block, reach = 1 << halvings, side_px * math.sqrt(0.5)
    height, width = image.shape[:2]
    (left, right), (top, bottom) = (
        (max(math.floor((at - reach) / block) - 1, 0) * block, max((math.ceil((at + reach) / block) + 1) * block, 0))
        for at in center
    )
    part = image[min(top, height - 1) : max(bottom, 1), min(left, width - 1) : max(right, 1)]
    return np.array([min(left, width - 1), min(top, height - 1)], dtype=np.float64), halved(part, halvings)


def as_exemplar(
    image: Exemplar | NDArray[Any],
    box: Box | None = None,
    *,
    name: str = "",
    color_order: ColorOrder = "rgb",
) -> Exemplar:
    """An exemplar from an image and a box in it; without a box, the whole image is the object.

    Raises:
        BoxError: Not four finite numbers, no area, or outside the image.
        FrameError: Not a picture.
        MatchError: A side below 4 pixels, or one colour.

    Example:
        >>> picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        >>> as_exemplar(picture).box
        Box(x=0.0, y=0.0, width=60.0, height=40.0)
    """
    if isinstance(image, Exemplar):
        return image
    pixels = as_rgb_frame(image, color_order)
    height, width = pixels.shape[:2]
    checked = as_box(box if box is not None else (0, 0, width, height))
    called = f"the exemplar {name}".rstrip()
    inside = clip_box(checked, width, height)
    if inside is None:
        numbers = ",".join(f"{value:g}" for value in checked)
        raise BoxError(f"{called}: the box {numbers} lies outside the image of {width} x {height} pixels")
    if min(checked.width, checked.height) < _MIN_SIDE_PX:
        raise MatchError(
            f"{called} is {checked.width:g} x {checked.height:g} px: at least {_MIN_SIDE_PX} a side are needed"
        )
    top, left = math.floor(inside.y), math.floor(inside.x)
    part = pixels[top : math.ceil(inside.y + inside.height), left : math.ceil(inside.x + inside.width)]
    if int(np.ptp(part.reshape(-1, 3), axis=0).max()) <= _ONE_COLOR:
        raise MatchError(f"{called} is of one colour: there is nothing in it to be found again")
    return Exemplar(pixels, checked, name)
