"""Frames to an H.264 video in an MP4 file that browsers and players show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from siamfc.errors import OutputError
from siamfc.frames import Image, as_rgb_frame
from siamfc.opencv import cv2
from siamfc.video.encoder import Encoder, Timeline
from siamfc.video.pyav import av

if TYPE_CHECKING:
    from typing_extensions import Self


class VideoWriter:
    """A video, written whole or not at all; a context manager.

    The frames are collected under a temporary name in the same folder, which becomes ``path`` on `close`.
    Leaving a ``with`` block closes, by an exception too: what was written until then is kept as a whole
    video. Where no frame was written, no file appears.

    Args:
        path: Name of the file, ``*.mp4``; its folder is made with the first frame where it is missing.
        frame_rate: Frames per second for frames without a time.
        overwrite: Replace a file that is there.

    Raises:
        OutputError: ``path`` exists and ``overwrite`` is not set, is a folder or does not end in ``.mp4``, or
            ``frame_rate`` is not a number above zero.
    """

    def __init__(self, path: Path | str, *, frame_rate: float, overwrite: bool = False) -> None:
        self._path = Path(path).expanduser()
        self._overwrite = overwrite
        self._check_path()
        self._timeline = Timeline(frame_rate)
        # Absolute: libav takes a relative `a:b.mp4` for a protocol.
        self._temporary = self._path.with_name(f".{self._path.name}.{uuid4().hex[:8]}.part").absolute()
        self._encoder: Encoder | None = None
        self._size = (0, 0)  # (height, width) of the first frame
        self._is_closed = False

    def write(self, image: Image, time_s: float | None = None) -> None:
        """Adds a frame.

        A frame of another size than the first is scaled to fit into it, with black bars where the shapes
        differ. An odd width or height, which H.264 lacks, is evened by repeating the last column or row.

        Args:
            image: (H, W, 3) ``uint8`` RGB.
            time_s: When it is shown, in seconds on any clock; the first frame's becomes 0. A time that is
                not after the previous frame's is moved just behind it; where the clock jumped back by more
                than a second, the video goes on from there. None: one frame period after the previous
                frame.

        Raises:
            OutputError: The video is closed, the disk is full, the file cannot be made, or no encoder takes
                frames of this size. Nothing is left of the file.
            FrameError: ``image`` is not a picture.
        """
        if self._is_closed:
            raise OutputError(f"{self._path} is closed, no frame can be added to it")
        image = as_rgb_frame(image)
        tick = self._timeline.tick_of(time_s)
        with self._guarded():
            self._encode(image, tick)

    def close(self) -> None:
        """Finishes the file and gives it its name; may be called twice.

        Raises:
            OutputError: The disk is full, or another file took the name meanwhile. Nothing is left of this
                one.
        """
        if not self._is_closed:
            self._is_closed = True
            if self._encoder is not None:
                with self._guarded():
                    self._encoder.finish()
                    self._check_path()
                    self._temporary.replace(self._path)
                    self._encoder = None

    def abort(self) -> None:
        """Drops what was written; no file is left."""
        self._is_closed = True
        if self._encoder is not None:
            self._encoder.abandon()
            self._encoder = None
        with suppress(OSError):  # it may never have been made, and its folder neither
            self._temporary.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_path(self) -> None:
        path = self._path
        if path.suffix.lower() != ".mp4":
            raise OutputError(f"a video is written as .mp4, not as {path.name!r}; name it {path.stem}.mp4")
        if path.is_dir():
            raise OutputError(f"{path} is a folder; name a file for the video")
        if path.exists() and not self._overwrite:
            raise OutputError(f"{path} exists already: allow overwriting, or name another place")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Where the step inside fails, nothing is left and the user learns why.

        An interrupted `write` leaves what came before it to `close`.
        """
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error
        except BaseException:
            if self._is_closed or self._encoder is None:
                self.abort()
            raise

    def _encode(self, image: Image, tick: int) -> None:
        if self._encoder is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            height, width = self._size = image.shape[:2]
            even = (height + height % 2, width + width % 2)
            self._encoder = Encoder(self._temporary, even, self._timeline)
        self._encoder.add(_evened(_fitted(image, self._size)), tick)


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """The image scaled into (height, width), centred on black."""
    if image.shape[:2] == size:
        return image
    height, width = size
    scale = min(height / image.shape[0], width / image.shape[1])
    inner_height = max(1, round(image.shape[0] * scale))
    inner_width = max(1, round(image.shape[1] * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + inner_height, left : left + inner_width] = cv2.resize(
        image, (inner_width, inner_height), interpolation=interpolation
    )
    return canvas


def _evened(image: Image) -> Image:
    """The image with an even height and width."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
