"""A camera as a source of frames, through OpenCV."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import siamfc.video.quiet  # noqa: F401
from siamfc.errors import SourceError
from siamfc.frames import as_rgb_frame
from siamfc.opencv import cv2
from siamfc.video.source import Frame, FrameSource, Span


class Camera(FrameSource):
    """The camera of this number; its frames are read as they come, once.

    ``time_s`` is when the frame was taken from the driver, counted from the first frame.

    Args:
        name: What the user called it.
        device: Number of the camera, 0 for the first.
        span: Which frames are wanted, counted from the opening.

    Raises:
        SourceError: There is no such camera or it cannot be opened; while iterating, it gives no more frames.
    """

    is_live: ClassVar[bool] = True

    def __init__(self, name: str, device: int, span: Span) -> None:
        super().__init__(name, span)
        self._capture = _open_capture(device)
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.frame_rate = rate if rate > 0 else None

    def __iter__(self) -> Iterator[Frame]:
        if not self._capture.isOpened():
            raise SourceError(f"camera {self.name} is closed; open it again to read on")
        try:
            yield from self._frames()
        finally:
            self.close()

    def _frames(self) -> Iterator[Frame]:
        number, begin_s = 0, 0.0
        while self._capture.isOpened():
            if not self._capture.grab():
                raise SourceError(f"camera {self.name} gave no frame after {number}; is it still connected?")
            now_s = time.monotonic()
            begin_s = begin_s if number else now_s
            if self.span.holds(number):
                got, image = self._capture.retrieve()
                if not got:
                    raise SourceError(f"camera {self.name} gave frame {number} in a form that cannot be read")
                yield Frame(number, now_s - begin_s, None, as_rgb_frame(image, "bgr"))
            if self.span.ends_after(number):
                return
            number += 1

    def close(self) -> None:
        """Releases the camera; an iteration under way ends."""
        self._capture.release()


def _open_capture(device: int) -> cv2.VideoCapture:
    if device < 0:
        raise SourceError(f"a camera's number is 0 or more, not {device}")
    on_linux = sys.platform.startswith("linux")
    # On Linux each camera is a file; where that is missing, asking OpenCV only makes its drivers complain.
    if on_linux and not Path(f"/dev/video{device}").exists():
        raise SourceError(f"there is no camera {device}: {_cameras_here()}")
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if on_linux else cv2.CAP_ANY)
    if not capture.isOpened():
        capture.release()
        raise SourceError(
            f"camera {device} cannot be opened: it may be in use by another program, or closed to this user"
        )
    return capture


def _cameras_here() -> str:
    numbers = sorted(int(path.name[5:]) for path in Path("/dev").glob("video[0-9]*") if path.name[5:].isdecimal())
    if not numbers:
        return "none is connected to this machine (no /dev/video*)"
    return f"this machine has {', '.join(map(str, numbers))}"
