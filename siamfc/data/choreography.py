"""Who is where in each frame of a rendered clip, and in what light: plain tables, one row a frame.

Poses are rows of center_x, center_y, scale, angle_deg in frame pixels and degrees. Paces are per ``LAP``
frames, so that a clip of any length moves alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LAP = 120
_MAX_SPEED = 5.8 / 360  # of the frame's short side a frame


def wander(
    rng: np.random.Generator, num_frames: int, frame_size: tuple[int, int], semi_axes: tuple[float, float]
) -> Array:
    """Poses (N, 4) of the target: over most of the frame, always inside it, a lap changing its size by two.

    ``semi_axes`` are its half width and half height at scale 1; it is drawn 0.17 to 0.33 of the short side.
    """
    time = np.arange(num_frames) / LAP
    height, width = frame_size
    short = min(height, width * 0.75)
    # Size and x start near an end of their range and take half a period a lap: all of it is gone through.
    log_size = 0.5 * np.log(2.0) * _wave(rng, time, rate=(0.42, 0.52), start=_near_an_end(rng))
    scale = 0.235 * short / (2 * semi_axes[0]) * np.exp(log_size)
    angle = rng.uniform(11, 15) * _wave(rng, time, rate=(0.7, 1.1))

    margin = 0.02 * short  # and the ellipse tilted by 15 degrees is wider by 2 %
    room_x = width / 2 - 1.03 * scale * semi_axes[0] - margin
    room_y = height / 2 - scale * semi_axes[1] - margin
    rate_x, rate_y = rng.uniform(0.42, 0.5), rng.uniform(0.55, 0.75)
    fastest = 2 * np.pi / LAP * np.hypot(room_x.max() * rate_x, room_y.max() * rate_y)
    pace = min(1.0, _MAX_SPEED * short / fastest)
    x = width / 2 + room_x * _wave(rng, time, rate=(rate_x * pace, rate_x * pace), start=_near_an_end(rng))
    y = height / 2 + room_y * _wave(rng, time, rate=(rate_y * pace, rate_y * pace))
    return np.column_stack([x, y, scale, angle])


def pass_over(rng: np.random.Generator, target: Array, *, width_share: float, half_width: float) -> Array:
    """Poses (N, 4) of something ``width_share`` as wide as the target that crosses it once.

    It meets the target's centre about the middle of the clip, takes some 12 frames, and flies straight on.
    ``half_width`` is the target's at scale 1.
    """
    meeting = int(rng.uniform(0.42, 0.58) * len(target))
    from_meeting = np.arange(len(target)) - meeting
    crossing = min(rng.uniform(11, 14), max(len(target) / 4, 1))  # frames
    x, y, scale, _ = target[meeting]
    heading = rng.uniform(-0.5, 0.5)  # radians from the x axis
    speed = 2 * half_width * scale * (1 + width_share) / crossing * rng.choice([-1, 1])
    target_step = np.diff(target[:, :2], axis=0, prepend=target[:1, :2])[meeting]
    step = target_step + speed * np.array([np.cos(heading), np.sin(heading)])
    tilt = np.degrees(heading) + rng.uniform(-0.8, 0.8) * from_meeting
    way = (x, y) + from_meeting[:, None] * step
    return np.column_stack([way, np.full(len(target), scale), tilt])


def pass_near(
    rng: np.random.Generator, target: Array, frame_size: tuple[int, int], *, reach: float, late: bool
) -> Array:
    """Poses (N, 4) of a look-alike of about the target's size that drifts past it without touching it.

    Args:
        rng: Where the randomness comes from.
        target: Its poses.
        frame_size: (height, width), pixels.
        reach: Half the longest extent of either, at scale 1.
        late: Whether it passes after the middle of the clip or before.

    Of many straight ways past the target, the one that comes closest to 1.1 times the distance of touching.
    """
    tries, num_frames = 256, len(target)
    frames = np.arange(num_frames, dtype=np.float64)
    meeting = int((rng.uniform(0.74, 0.86) if late else rng.uniform(0.2, 0.3)) * num_frames)
    scale = target[meeting, 2] * rng.uniform(0.9, 1.1)
    side, heading = rng.uniform(0, 2 * np.pi, (2, tries))
    speed = rng.uniform(1.5, 3.5, tries) / 360 * min(frame_size)
    touching = reach * (scale + target[:, 2])  # (N,)
    start = target[meeting, :2] + 1.1 * touching[meeting] * np.column_stack([np.cos(side), np.sin(side)])
    step = speed[:, None] * np.column_stack([np.cos(heading), np.sin(heading)])
    ways = start[:, None] + (frames - meeting)[None, :, None] * step[:, None]  # (tries, N, 2)
    gaps = (np.linalg.norm(ways - target[:, :2], axis=2) / touching).min(axis=1)
    height, width = frame_size
    beyond = np.abs(start - (width / 2, height / 2)) - (width / 2, height / 2) + 0.8 * reach * scale
    cost = np.abs(gaps - 1.1) + 10 * (gaps < 1.02) + np.clip(beyond, 0, None).sum(axis=1) / (reach * scale)
    best = ways[np.argmin(cost)]
    angle = 12 * _wave(rng, frames / LAP, rate=(0.6, 1.0))
    return np.column_stack([best, np.full(num_frames, scale), angle])


def pan_camera(rng: np.random.Generator, num_frames: int, room: tuple[int, int]) -> Array:
    """The frame's corner on the backdrop: (N, 2) x, y, within ``room``, (height, width) in pixels."""
    time = np.arange(num_frames) / LAP
    waves = np.column_stack([_wave(rng, time, rate=(0.25, 0.5)) for _ in range(2)])
    return (0.5 + 0.48 * waves) * room[::-1]


def change_light(rng: np.random.Generator, num_frames: int) -> Array:
    """Factors (N, 3) for red, green and blue: a slow gain, a faint flicker, a cast from warm to cold."""
    time = np.arange(num_frames) / LAP
    gain = 1 + 0.16 * _wave(rng, time, rate=(0.8, 1.4)) + 0.025 * _wave(rng, time, rate=(9.0, 14.0))
    warmth = 0.07 * _wave(rng, time, rate=(0.5, 1.0))
    cast = 1 + np.multiply.outer(warmth, np.array([1.0, 0.1, -1.0]))
    return np.asarray(gain[:, None] * cast)


def _wave(rng: np.random.Generator, time: Array, *, rate: tuple[float, float], start: float | None = None) -> Array:
    """A sine in -1..1 of a rate in this range, periods a lap; ``start`` is its phase in periods, else any."""
    phase = rng.uniform() if start is None else start
    return np.asarray(np.sin(2 * np.pi * (rng.uniform(*rate) * time + phase)))


def _near_an_end(rng: np.random.Generator) -> float:
    """A phase, in periods, at which a sine is close to its lowest or highest value."""
    return float(rng.choice([0.25, 0.75]) + rng.uniform(-0.05, 0.05))
