"""The photograph that rendered clips are made of, and what is cut from it: portrait, ribbon, backdrop."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from siamfc.data.cutouts import Cutout, Floats, as_floats, as_uint8
from siamfc.errors import EnvironmentProblem
from siamfc.frames import Image, as_rgb_frame
from siamfc.opencv import cv2

Color = tuple[int, int, int]

# Where things are in the photograph, in its pixels.
_PHOTO_SIZE = (600, 512)
_PORTRAIT_CENTER, _PORTRAIT_SEMI_AXES = (262.0, 185.0), (140.0, 178.0)  # (x, y): cap to collar
_MEDAL_RIBBON = (slice(502, 511), slice(352, 452))
_FLAG = ((slice(20, 240), slice(0, 136)), (slice(60, 345), slice(0, 132)))  # stars; stars and stripes
_MEDALS = (slice(488, 526), slice(330, 452))

_RIM_SHARE = 0.075  # of the medallion's radius
_MARGIN_PX = 8  # transparent border of a cutout


@lru_cache(maxsize=1)
def load_photo() -> Image:
    """Grace Hopper's portrait (US Navy, public domain) as matplotlib ships it: (600, 512, 3) RGB, read-only.

    Raises:
        EnvironmentProblem: This matplotlib came without its sample pictures, or with another one.
    """
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    photo = cv2.imread(str(path)) if path.is_file() else None
    if photo is None or photo.shape[:2] != _PHOTO_SIZE:
        raise EnvironmentProblem(
            f"rendered clips are made of matplotlib's sample picture of 512 x 600 px, and {path} is not it; "
            "pip install --force-reinstall matplotlib"
        )
    rgb = as_rgb_frame(as_uint8(photo), "bgr")
    rgb.setflags(write=False)
    return rgb


def medallion_semi_axes() -> tuple[float, float]:
    """Half width and half height of `build_medallion`'s ellipse at scale 1, rim included."""
    return _PORTRAIT_SEMI_AXES


@lru_cache(maxsize=8)  # the target is the same in every clip
def build_medallion(*, rim: Color, mirrored: bool = False, duotone: tuple[Color, Color] | None = None) -> Cutout:
    """The portrait as an ellipse with a rim; ``duotone`` recolours it from dark to light."""
    half_width, half_height = _PORTRAIT_SEMI_AXES
    height, width = round(2 * half_height) + 2 * _MARGIN_PX, round(2 * half_width) + 2 * _MARGIN_PX
    shift_x, shift_y = (center - side / 2 for center, side in zip(_PORTRAIT_CENTER, (width, height), strict=True))
    to_photo = np.array([[1, 0, shift_x], [0, 1, shift_y]])
    face = cv2.warpAffine(
        load_photo(), to_photo, (width, height), flags=cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    face = face * 0.92  # leaves room for brighter light
    if mirrored:
        face = face[:, ::-1]
    if duotone is not None:
        face = _duotone(as_uint8(face), *duotone)
    outside = _ellipse_distance(height, width, half_width, half_height)
    rim_px = _RIM_SHARE * half_width
    middle = 1 - np.abs(outside + rim_px / 2) / (rim_px / 2)  # 0 at the rim's borders, 1 between
    shaded = np.multiply.outer(0.72 + 0.28 * np.clip(middle, 0, 1) ** 0.5, np.array(rim, np.float32))
    on_rim = np.clip(outside + rim_px + 0.5, 0, 1)[..., None]
    colors = face * (1 - on_rim) + np.minimum(shaded, 255) * on_rim
    return Cutout.from_layers(colors.astype(np.float32), np.clip(0.5 - outside, 0, 1).astype(np.float32))


def build_ribbon(length_px: int, width_px: int, rng: np.random.Generator) -> Cutout:
    """An upright band in the stripes of the medal ribbons, for covering things; ``rng`` picks the stripes."""
    row = load_photo()[_MEDAL_RIBBON].mean(axis=0, keepdims=True)
    first = int(rng.integers(row.shape[1] - 32))
    half = row[:, first : first + 32].astype(np.float32)
    row = np.concatenate([half, half[:, ::-1]], axis=1)
    height, width = length_px + 2 * _MARGIN_PX, width_px + 2 * _MARGIN_PX
    stripes = cv2.resize(row.transpose(1, 0, 2), (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    across = np.abs(x - width / 2) - width_px / 2
    along = np.abs(y - height / 2) - length_px / 2
    weave = 1 + 0.06 * np.sin(x * np.pi / 2) * np.sin(y * np.pi / 2)
    roundness = 1.05 - 0.35 * np.clip(1 + across / (width_px / 2), 0, 1) ** 3
    colors = np.clip(stripes * (weave * roundness)[..., None], 0, 255)
    opacity = np.clip(0.5 - across, 0, 1) * np.clip(0.5 - along, 0, 1)
    return Cutout.from_layers(colors.astype(np.float32), opacity.astype(np.float32))


def build_backdrop(size: tuple[int, int], rng: np.random.Generator) -> Image:
    """A picture (height, width) of parts of the photograph, enlarged, mirrored, turned and recoloured."""
    height, width = size
    first = int(rng.integers(len(_FLAG)))
    second = (_FLAG[1 - first], _MEDALS)[rng.integers(2)]
    layers = [_enlarge(load_photo()[region], size, rng) for region in (_FLAG[first], second)]
    coarse = rng.standard_normal((4, 5)).astype(np.float32)
    clouds = as_floats(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    share = 1 / (1 + np.exp(-4 * clouds - 1.5))  # mostly the first
    blended = cv2.blendLinear(layers[0], layers[1], share, 1 - share)
    focused = cv2.GaussianBlur(blended, (0, 0), float(rng.uniform(0.003, 0.006)) * height)
    return _recolor(as_uint8(focused), hue_deg=float(rng.uniform(-30, 20)), saturation=float(rng.uniform(0.55, 0.9)))


def _enlarge(texture: Image, size: tuple[int, int], rng: np.random.Generator) -> Image:
    """A texture turned and enlarged around a random centre, continued by its mirror image."""
    height, width = size
    zoom = height / texture.shape[0] * rng.uniform(0.9, 1.4)
    angle = rng.uniform(-40, 40)
    to_texture = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1 / zoom)
    to_texture[:, 2] += (rng.uniform(0, 1, 2) * texture.shape[1::-1] - (width / 2, height / 2)).tolist()
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    enlarged = cv2.warpAffine(
        np.ascontiguousarray(texture),
        to_texture,
        (width, height),
        flags=flags,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return as_uint8(enlarged)


def _recolor(rgb: Image, *, hue_deg: float, saturation: float) -> Image:
    """All hues turned, all saturations multiplied."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + hue_deg / 2) % 180  # OpenCV's circle of hues has 180 steps
    hsv[..., 1] *= saturation
    return as_uint8(cv2.cvtColor(as_uint8(hsv), cv2.COLOR_HSV2RGB))


def _duotone(rgb: Image, dark: Color, light: Color) -> Image:
    """A picture's brightness, shown between two colours."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] / 255
    return as_uint8((1 - grey) * np.array(dark) + grey * np.array(light))


def _ellipse_distance(height: int, width: int, half_width: float, half_height: float) -> Floats:
    """Distance of each pixel's centre from an ellipse in the middle, positive outside; first order."""
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    x, y = x - width / 2, y - height / 2
    radius = np.sqrt((x / half_width) ** 2 + (y / half_height) ** 2)
    slope = np.sqrt((x / half_width**2) ** 2 + (y / half_height**2) ** 2) / np.maximum(radius, 1e-6)
    return np.asarray((radius - 1) / np.maximum(slope, 1e-6), dtype=np.float32)
