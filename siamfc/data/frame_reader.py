"""The frames of a sequence for one run over it: read once, in order, each when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from siamfc.data.sequence import Frames, Sequence, VideoFrames
from siamfc.errors import SourceError
from siamfc.frames import Image

if TYPE_CHECKING:
    from typing_extensions import Self

    from siamfc.video import Frame


class FrameReader:
    """Frames by rising index; a context manager.

    An image is read when it is asked for. A video is decoded once from its start, where ``VideoFrames[i]`` would
    begin anew for each frame; frames that nobody asks for are decoded and let go.

    Args:
        frames: Of a sequence.

    Raises:
        SourceError: A frame cannot be read, or the video has fewer than it said.
        ValueError: A video's frame is asked for after a later one.

    Example:
        >>> from pathlib import Path
        >>> from siamfc.data.sequence import ImageFrames
        >>> len(FrameReader(ImageFrames(Path("img"), ("0001.jpg", "0002.jpg"))))
        2
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._open = ExitStack()
        self._decoded: Iterator[Frame] | None = None
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Image:
        if not isinstance(self._frames, VideoFrames):
            return self._frames[index]
        if index < self._next:
            raise ValueError(f"frame {index} of {self._frames.path} was asked for after frame {self._next - 1}")
        if self._decoded is None:
            from siamfc.video import open_source

            self._decoded = iter(self._open.enter_context(open_source(self._frames.path)))
        for frame in self._decoded:
            self._next = frame.number + 1
            if frame.number == index:
                return frame.image
        raise SourceError(f"{self._frames.path} has {self._next} frames, not {len(self)}")


def frame_size(sequence: Sequence) -> tuple[int, int]:
    """(height, width) of the first frame, pixels; raises SourceError where it cannot be read."""
    with FrameReader(sequence.frames) as frames:
        height, width = frames[0].shape[:2]
    return height, width
