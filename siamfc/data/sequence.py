"""A sequence: frames in order, and where the target is in each; what every reader of a dataset gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box, as_box
from siamfc.errors import BoxError, SourceError
from siamfc.frames import Image

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


BORDER_LEVEL = "border_px"
"""The level of stored crops that holds each target's distance from the nearest border of the frame it was cut from."""


class CountError(SourceError):
    """Images and annotations of a sequence that are not equally many."""


class Frames(Protocol):
    """Frames of a sequence, wherever they lie; a description that is small and can be sent to another process."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int) -> Image:
        """The frame at ``index``, (H, W, 3) ``uint8`` RGB; raises SourceError where it cannot be read."""

    def __iter__(self) -> Iterator[Image]:
        """All of them, in order."""

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) each frame's place in the video it comes from, which is its time."""

    @property
    def place(self) -> str:
        """Where they lie, a folder or a file: the same for all frames of one video."""


@dataclass(frozen=True)
class ImageFrames:
    """Images of one folder, in order; a description that is small and can be sent to another process.

    Attributes:
        folder: Where they lie.
        names: Their file names.
    """

    folder: Path
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Image:
        """The frame at ``index``, (H, W, 3) ``uint8`` RGB; raises SourceError where it cannot be read."""
        from siamfc.video import read_image

        return read_image(self.path(index))

    def __iter__(self) -> Iterator[Image]:
        return (self[index] for index in range(len(self)))

    def path(self, index: int) -> Path:
        """Where the frame at ``index`` lies."""
        return self.folder / self.names[index]

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) the number that ends each name: a frame's place in the video it was taken from, so its time.

        Where a name ends in none, or two in the same, they are counted from 0.
        """
        found = [re.search(r"(\d+)$", Path(name).stem) for name in self.names]
        numbers = [int(match[1]) for match in found if match]
        distinct = len(set(numbers)) == len(self.names)
        return np.array(numbers if distinct else range(len(self.names)), dtype=np.int64)

    @property
    def place(self) -> str:
        """The folder."""
        return str(self.folder)


@dataclass(frozen=True)
class VideoFrames:
    """Frames of a video file. Read in order it is fast; ``frames[i]`` decodes everything before frame ``i``.

    Attributes:
        path: The file.
        count: How many frames it holds.
    """

    path: Path
    count: int

    @classmethod
    def of(cls, path: Path) -> VideoFrames:
        """The frames of a video; where its container does not say how many, they are counted by decoding them.

        Raises:
            SourceError: The file is no video, or breaks off.
        """
        from siamfc.video import open_source

        with open_source(path) as source:
            return cls(path, sum(1 for _ in source) if source.frame_count is None else source.frame_count)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Image:
        """The frame at ``index``, (H, W, 3) ``uint8`` RGB; raises SourceError where it cannot be read."""
        from siamfc.video import open_source

        with open_source(self.path, start=range(self.count)[index], stop=range(self.count)[index] + 1) as source:
            return next(iter(source)).image

    def __iter__(self) -> Iterator[Image]:
        from siamfc.video import open_source

        with open_source(self.path) as source:
            for frame in source:
                yield frame.image

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) the frames' numbers, from 0."""
        return np.arange(self.count, dtype=np.int64)

    @property
    def place(self) -> str:
        """The file."""
        return str(self.path)


@dataclass(frozen=True, eq=False)
class Sequence:
    """Frames and the target's box in each. Frames are read when they are asked for; iteration gives them in order.

    Attributes:
        name: Unique in its dataset.
        frames: N of them.
        boxes: (N, 4) x, y, width, height, frame pixels, 0-based; NaN where the target is not in view or was not
            annotated. (1, 4) where the dataset keeps all but the first box to itself.
        polygons: (N, 8) corners x1, y1, ..., x4, y4, or None; ``boxes`` then holds `Box.from_polygon` of each.
        flags: What the dataset says of each frame, (N,) each: absent, occluded, ...
        levels: The same in numbers, (N,) each: cover, visibility, ...
        attributes: What the dataset says of the whole: ``"OCC"``, ``"camera_motion"``, ...
        meta: Everything else it says, as text.
        origin: Tells its video from others where the place of the frames does not: each picture of a folder of stills,
            folders that hold a target each of one video. Empty where the place does.

    Raises:
        CountError: Boxes, polygons, flags or levels are not as many as the frames.
        BoxError: ``boxes`` or ``polygons`` is not of the shape said.
    """

    name: str
    frames: Frames
    boxes: Array
    polygons: Array | None = None
    flags: Mapping[str, Flags] = field(default_factory=dict)
    levels: Mapping[str, Array] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""

    def __post_init__(self) -> None:
        for what, array, width in (("boxes", self.boxes, 4), ("polygons", self.polygons, 8)):
            if array is not None and (array.ndim != 2 or array.shape[1] != width):
                raise BoxError(f"{what} of {self.name} have the shape (frames, {width}), not {array.shape}")
        if len(self.boxes) != len(self.frames) and len(self.boxes) != 1:
            raise CountError(_mismatch(self.name, len(self.boxes), "boxes", self.frames))
        if self.polygons is not None and len(self.polygons) != len(self.boxes):
            raise CountError(f"{self.name}: {len(self.polygons)} polygons, but {len(self.boxes)} boxes")
        for name, marks in (*self.flags.items(), *self.levels.items()):
            if len(marks) != len(self.frames):
                raise CountError(_mismatch(self.name, len(marks), f"marks of {name}", self.frames))

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Image]:
        return iter(self.frames)

    def frame(self, index: int) -> Image:
        """The frame at ``index``, (H, W, 3) ``uint8`` RGB."""
        return self.frames[index]

    @property
    def first_box(self) -> Box:
        """The box a tracker starts from; raises BoxError where it is missing or has no area."""
        try:
            return as_box(self.boxes[0])
        except (BoxError, IndexError) as error:
            raise BoxError(f"{self.name} has no box in its first frame: {error}") from None

    @property
    def in_view(self) -> Flags:
        """(N,) or (1,): the rows of ``boxes`` that hold a box, finite and with an area. The others count nowhere."""
        sides = self.boxes[:, 2:]
        return np.asarray(np.isfinite(self.boxes).all(axis=1) & (sides > 0).all(axis=1))

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) each frame's place in the video it comes from, which is its time."""
        return self.frames.numbers

    @property
    def video(self) -> str:
        """Which video it is of: equal for all targets of one video, or of one still, whatever they are called."""
        return self.origin or self.frames.place


def _mismatch(name: str, count: int, what: str, frames: Frames) -> str:
    text = f"{name}: {count} {what}, but {len(frames)} frames"
    if isinstance(frames, ImageFrames) and len(frames) > 1:
        numbers = frames.numbers
        gaps = np.flatnonzero(np.diff(numbers) != 1)
        text += f" ({frames.names[0]} to {frames.names[-1]} in {frames.folder}"
        text += f"; none between {frames.names[gaps[0]]} and {frames.names[gaps[0] + 1]})" if gaps.size else ")"
    return text
