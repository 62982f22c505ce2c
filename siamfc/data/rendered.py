"""Short clips, rendered from a real photograph, in which the target's true box is known in every frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.data.choreography import Array, change_light, pan_camera, pass_near, pass_over, wander
from siamfc.data.cutouts import Cutout, Pose, as_uint8
from siamfc.data.photograph import (
    Color,
    build_backdrop,
    build_medallion,
    build_ribbon,
    medallion_semi_axes,
)
from siamfc.errors import ConfigError
from siamfc.frames import Image
from siamfc.opencv import cv2

_MIN_SIDE_PX = 64
_GRAIN_MEAN, _GRAIN_DEVIATION = 8, 2.5
_GRAIN_SHIFTS = 32

_TARGET_RIM: Color = (246, 236, 214)
_DUOTONES: tuple[tuple[Color, Color], ...] = (
    ((38, 20, 60), (255, 214, 170)),
    ((8, 42, 58), (226, 244, 232)),
    ((60, 16, 24), (255, 232, 196)),
    ((20, 44, 22), (244, 240, 190)),
    ((16, 22, 66), (250, 206, 224)),
)
_LOOK_ALIKE_RIMS: tuple[Color, ...] = ((214, 176, 92), (196, 204, 214), (226, 140, 110))


class _Actor(NamedTuple):
    cutout: Cutout
    shadow: Cutout
    poses: Array  # (N, 4), columns as in Pose

    def draw(self, frame: Image, number: int) -> None:
        pose, aside = Pose(*self.poses[number].tolist()), 0.02 * min(frame.shape[:2])
        lower_right = pose._replace(center_x=pose.center_x + aside / 2, center_y=pose.center_y + aside)
        self.shadow.draw(frame, lower_right)
        self.cutout.draw(frame, pose)


class _Scene(NamedTuple):
    """Everything that frames are drawn from; N is the number of frames."""

    backdrop: Image  # larger than the frame: the camera pans over it
    corners: Array  # (N, 2) x, y of the frame's corner on the backdrop
    look_alike: _Actor
    target: _Actor
    ribbon: _Actor
    light: Array  # (N, 3) factors for R, G, B
    grain: Image  # (H + shifts, W + shifts, 3), around _GRAIN_MEAN
    grain_corners: NDArray[np.int64]  # (N, 2) row, column


@dataclass(frozen=True)
class RenderedClip:
    """A clip in which an oval portrait moves; build one with `render_clip`.

    The portrait wanders over most of the frame, grows or shrinks by a factor of two and tilts, under changing
    light and a panning camera. A ribbon passes over it once, and a look-alike passes near it once. The frames
    are drawn when asked for, in any order, and are the same each time.

    Attributes:
        seed: What the clip was built from.
        frame_size: (height, width), pixels.
        boxes: The true box of the target in each frame, frame pixels: the bounds of the tilted ellipse, rim
            included and shadow not, exact to a fraction of a pixel. A covered target keeps its box.

    Example:
        >>> clip = render_clip(seed=1, num_frames=3, frame_size=(120, 160))
        >>> [image.shape for image in clip], len(clip.boxes)
        ([(120, 160, 3), (120, 160, 3), (120, 160, 3)], 3)
    """

    seed: int
    frame_size: tuple[int, int]
    boxes: tuple[Box, ...]
    _scene: _Scene = field(repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[Image]:
        return (self.render(number) for number in range(len(self)))

    def render(self, number: int) -> Image:
        """Frame ``number``, (H, W, 3) uint8 RGB.

        Raises:
            IndexError: The clip has no such frame; they count from 0.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"the clip has frames 0 to {len(self) - 1}, not {number}")
        scene = self._scene
        frame = _look_through_camera(scene.backdrop, scene.corners[number], self.frame_size)
        for actor in (scene.look_alike, scene.target, scene.ribbon):
            actor.draw(frame, number)
        row, column = scene.grain_corners[number]
        height, width = self.frame_size
        grain = scene.grain[row : row + height, column : column + width]
        return _expose(frame, scene.light[number], grain)


def render_clip(seed: int = 0, *, num_frames: int = 120, frame_size: tuple[int, int] = (360, 480)) -> RenderedClip:
    """The clip of this seed: another path, size, light, backdrop and timing for each.

    The target's pace is the same whatever the length, so a short clip shows less of the way. It is at most
    about 6 px a frame at 480 x 360, in proportion in other sizes; the scale changes by at most 1 % a frame.

    Args:
        seed: Zero or more.
        num_frames: One or more; the ribbon and the look-alike pass at fixed shares of the clip.
        frame_size: (height, width), pixels, each at least 64.

    Raises:
        ConfigError: A number out of range.

    Example:
        >>> render_clip(seed=3).boxes == render_clip(seed=3).boxes
        True
    """
    if seed < 0:
        raise ConfigError(f"the seed of a rendered clip is zero or more, not {seed}")
    if num_frames < 1:
        raise ConfigError(f"a rendered clip has one frame or more, not {num_frames}")
    if min(frame_size) < _MIN_SIDE_PX:
        height, width = frame_size
        raise ConfigError(f"a rendered frame has sides of at least {_MIN_SIDE_PX} px, not {width} x {height}")
    rng = np.random.default_rng(seed)
    target_poses = wander(rng, num_frames, frame_size, medallion_semi_axes())
    scene = _build_scene(rng, target_poses, frame_size)
    boxes = tuple(_ellipse_bounds(Pose(*row)) for row in target_poses.tolist())
    return RenderedClip(seed, frame_size, boxes, scene)


def _build_scene(rng: np.random.Generator, target_poses: Array, frame_size: tuple[int, int]) -> _Scene:
    num_frames, (height, width) = len(target_poses), frame_size
    half_width, half_height = medallion_semi_axes()
    target = build_medallion(rim=_TARGET_RIM)
    look_alike = build_medallion(
        rim=_LOOK_ALIKE_RIMS[rng.integers(len(_LOOK_ALIKE_RIMS))],
        mirrored=True,
        duotone=_DUOTONES[rng.integers(len(_DUOTONES))],
    )
    share = rng.uniform(0.3, 0.37)
    ribbon = build_ribbon(round(3.2 * half_height), round(2 * half_width * share), rng)
    near = pass_near(rng, target_poses, frame_size, reach=half_height, late=bool(rng.integers(2)))
    over = pass_over(rng, target_poses, width_share=share, half_width=half_width)
    room = (round(0.3 * height), round(0.3 * width))
    grain_size = (height + _GRAIN_SHIFTS, width + _GRAIN_SHIFTS, 3)
    grain = rng.normal(_GRAIN_MEAN, _GRAIN_DEVIATION, grain_size)
    return _Scene(
        backdrop=build_backdrop((height + room[0], width + room[1]), rng),
        corners=pan_camera(rng, num_frames, room),
        look_alike=_Actor(look_alike, look_alike.shadow(), near),
        target=_Actor(target, target.shadow(), target_poses),
        ribbon=_Actor(ribbon, ribbon.shadow(), over),
        light=change_light(rng, num_frames),
        grain=np.clip(np.rint(grain), 0, 255).astype(np.uint8),
        grain_corners=rng.integers(_GRAIN_SHIFTS, size=(num_frames, 2)),
    )


def _look_through_camera(backdrop: Image, corner: Array, frame_size: tuple[int, int]) -> Image:
    """The frame-sized part of the backdrop at a corner (x, y), between pixels where need be."""
    (left, top), (height, width) = np.floor(corner).astype(int), frame_size
    right_share, lower_share = (corner - (left, top)).tolist()
    view = backdrop[top : top + height + 1, left : left + width + 1]
    # Two weighted sums: three times as fast as warpAffine for a plain shift.
    view = as_uint8(cv2.addWeighted(view[:, :-1], 1 - right_share, view[:, 1:], right_share, 0))
    return as_uint8(cv2.addWeighted(view[:-1], 1 - lower_share, view[1:], lower_share, 0))


def _expose(frame: Image, light: Array, grain: Image) -> Image:
    """What a camera makes of the scene: a light blur, the light's colour, grain."""
    blurred = cv2.GaussianBlur(frame, (3, 3), 0.6)
    lit = np.multiply.outer(np.arange(256), light) - _GRAIN_MEAN
    table = np.clip(np.rint(lit), 0, 255).astype(np.uint8)[:, None]
    return as_uint8(cv2.add(cv2.LUT(blurred, table), grain))


def _ellipse_bounds(pose: Pose) -> Box:
    cos, sin = math.cos(math.radians(pose.angle_deg)), math.sin(math.radians(pose.angle_deg))
    half_width, half_height = (pose.scale * axis for axis in medallion_semi_axes())
    return Box.from_center(
        pose.center_x,
        pose.center_y,
        2 * math.hypot(half_width * cos, half_height * sin),
        2 * math.hypot(half_width * sin, half_height * cos),
    )
