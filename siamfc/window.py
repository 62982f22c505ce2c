"""Windows on screen: frames shown, keys heard, a box drawn with the mouse.

All calls belong in the program's main thread, as the toolkits below OpenCV demand.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from siamfc.boxes import Box
from siamfc.display import open_window
from siamfc.frames import Image, as_bgr, as_rgb_frame
from siamfc.opencv import cv2

LARGEST_PX = (720, 1280)
"""A window opens no larger than this (height, width): it fits a laptop's screen with its bars."""

SMALLEST_WIDTH_PX = 640
"""A frame narrower than this is shown enlarged, so that a box can be drawn on it with a mouse."""

CLOSED_KEY = "q"
"""The key that is reported for a window which the user closed."""

CONFIRM_KEYS = ("\n", " ")
CANCEL_KEYS = ("c", CLOSED_KEY, "\x1b")

_HELP = ("draw a box with the mouse", "Enter: take it", "c or Esc: cancel")
_MIN_BOX_SIDE_PX = 2  # as shown; a click without a drag is no box
_YELLOW, _BLACK = (0, 255, 255), (0, 0, 0)

_window_names = (f"siamfc-{number}" for number in itertools.count())


class Window:
    r"""One window: shows frames, hears keys, lets the user draw a box.

    Keys are one-character strings: letters in lower case, so that Caps Lock does not matter, ``"\n"`` for
    either Enter key, ``" "``, ``"\x1b"`` for Esc; arrows and the like are not reported. A window that the
    user closed gives ``"q"`` from then on and does not come back::

        with Window("siamfc") as window:
            for frame in frames:
                if window.show(frame) == "q":
                    break

    Args:
        title: What the window's title bar says.

    Raises:
        EnvironmentProblem: No window can be opened here; the message is `why_no_window`'s.
    """

    def __init__(self, title: str) -> None:
        self._name = next(_window_names)  # OpenCV looks these up, in Latin-1 at places; the title is free
        self._size: tuple[int, int] | None = None
        self._was_visible = self._closed = False
        open_window(self._name)
        cv2.setWindowTitle(self._name, title)

    def __enter__(self) -> Window:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show(self, image_rgb: Image) -> str | None:
        """Shows a frame, (H, W, 3) ``uint8`` RGB, and gives the key pressed since the last call, or None.

        Raises:
            FrameError: The array is not a picture.
        """
        self._put(_as_shown(image_rgb))
        return self._next_key(wait_ms=1)

    def wait_key(self) -> str:
        """Waits for a key, with the last frame in sight, and gives it."""
        while True:
            key = self._next_key(wait_ms=50)
            if key is not None:
                return key

    def select_box(self, image_rgb: Image) -> Box | None:
        """Lets the user draw a box around the target with the left mouse button held.

        Enter or Space takes the box; drawing again replaces it; c, q, Esc or closing the window gives it up.

        Args:
            image_rgb: (H, W, 3) ``uint8`` RGB.

        Returns:
            The box in frame pixels, inside the frame; None where the user gave up.

        Raises:
            FrameError: The array is not a picture.
        """
        picture = _as_shown(image_rgb)
        drag = _Drag(height=picture.shape[0], width=picture.shape[1])
        with self._mouse(drag):
            while True:
                self._put(drag.painted_on(picture))
                key = self._next_key(wait_ms=20)
                if key in CANCEL_KEYS:
                    return None
                if key in CONFIRM_KEYS and drag.box is not None:
                    return _rescale(drag.box, from_size=picture.shape[:2], to_size=image_rgb.shape[:2])

    def close(self) -> None:
        """Closes the window; nothing happens where it is closed already."""
        if not self._is_closed():
            self._closed = True
            with contextlib.suppress(cv2.error):  # another thread or the user may have been faster
                cv2.destroyWindow(self._name)
                cv2.waitKeyEx(1)  # the toolkit removes it from the screen in here

    def _put(self, picture: Image) -> None:
        if self._is_closed():  # imshow would open it anew
            return
        size = (picture.shape[0], picture.shape[1])
        if size != self._size:
            cv2.resizeWindow(self._name, size[1], size[0])
            self._size = size
        cv2.imshow(self._name, picture)

    def _next_key(self, wait_ms: int) -> str | None:
        if self._is_closed():
            return CLOSED_KEY
        key = _key_name(cv2.waitKeyEx(wait_ms))
        return CLOSED_KEY if self._is_closed() else key

    def _is_closed(self) -> bool:
        if not self._closed:
            try:
                visible = cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) >= 1
            except cv2.error:  # Qt's answer once its last window is gone
                visible = False
            # Some toolkits cannot tell, and never say "visible": for them the window stays open.
            self._was_visible = self._was_visible or visible
            self._closed = self._was_visible and not visible
        return self._closed

    @contextlib.contextmanager
    def _mouse(self, drag: _Drag) -> Iterator[None]:
        if self._is_closed():
            yield
            return
        cv2.setMouseCallback(self._name, drag.on_mouse)
        try:
            yield
        finally:
            with contextlib.suppress(cv2.error):  # the window may be closed by now
                cv2.setMouseCallback(self._name, lambda *_: None)


@dataclass
class _Drag:
    """A box being drawn, in pixels of the picture as shown."""

    height: int
    width: int
    start: tuple[int, int] | None = None  # (x, y)
    end: tuple[int, int] = (0, 0)
    is_held: bool = False
    pointer_y: int = 0

    @property
    def box(self) -> Box | None:
        """The box so far; None after a mere click."""
        if self.start is None:
            return None
        (left, right), (top, bottom) = (sorted(ends) for ends in zip(self.start, self.end, strict=True))
        box = Box.from_corners(left, top, right, bottom)
        return box if min(box.width, box.height) >= _MIN_BOX_SIDE_PX else None

    def on_mouse(self, event: int, x: int, y: int, flags: int, data: object) -> None:  # noqa: ARG002 - OpenCV's
        """Follows a drag; positions outside the picture, which a drag can reach, count as its border."""
        point = (min(max(x, 0), self.width), min(max(y, 0), self.height))
        self.pointer_y = point[1]
        if event == cv2.EVENT_LBUTTONDOWN:
            self.start, self.is_held = point, True
        if self.is_held:
            self.end = point
        if event == cv2.EVENT_LBUTTONUP:
            self.is_held = False

    def painted_on(self, picture: Image) -> Image:
        """A copy of the picture with the box, and with help in the half where the pointer is not."""
        picture = picture.copy()
        if self.start is not None and self.box is not None:
            for color, thickness in ((_BLACK, 3), (_YELLOW, 1)):  # seen on light and on dark
                cv2.rectangle(picture, self.start, self.end, color, thickness)
        if not self.is_held:
            _write_help(picture, at_bottom=self.pointer_y < self.height / 2)
        return picture


def _write_help(picture: Image, *, at_bottom: bool) -> None:
    font, scale, line_px = cv2.FONT_HERSHEY_SIMPLEX, 0.5, 22
    line = "   ".join(_HELP)
    fits = cv2.getTextSize(line, font, scale, 1)[0][0] <= picture.shape[1] - 16
    lines = (line,) if fits else _HELP
    top = max(picture.shape[0] - line_px * len(lines) - 4, 0) if at_bottom else 0
    band = picture[top : top + line_px * len(lines) + 4]
    band[:] = band // 4
    for row, text in enumerate(lines):
        place = (8, top + line_px * (row + 1) - 5)
        cv2.putText(picture, text, place, font, scale, (255, 255, 255), 1, cv2.LINE_AA)


def _as_shown(image_rgb: Image) -> Image:
    """The picture at the size of its window, BGR."""
    frame = as_rgb_frame(image_rgb)
    height, width = shown_size(frame.shape[0], frame.shape[1])
    interpolation = cv2.INTER_AREA if height < frame.shape[0] else cv2.INTER_LINEAR
    return as_bgr(np.asarray(cv2.resize(frame, (width, height), interpolation=interpolation), dtype=np.uint8))


def shown_size(height: int, width: int) -> tuple[int, int]:
    """Size (height, width) of the window for a frame of this size: its shape, within `LARGEST_PX`.

    Example:
        >>> shown_size(2160, 3840), shown_size(480, 640), shown_size(240, 320)
        ((720, 1280), (480, 640), (480, 640))
    """
    enlarged = max(1.0, SMALLEST_WIDTH_PX / width)
    scale = min(LARGEST_PX[0] / height, LARGEST_PX[1] / width, enlarged)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _rescale(box: Box, *, from_size: tuple[int, ...], to_size: tuple[int, ...]) -> Box:
    y_scale, x_scale = to_size[0] / from_size[0], to_size[1] / from_size[1]
    return Box(box.x * x_scale, box.y * y_scale, box.width * x_scale, box.height * y_scale)


def _key_name(code: int) -> str | None:
    """The key as `Window` tells it; the toolkits' codes differ in everything but ASCII."""
    code &= 0xFFFF  # GTK puts Num Lock and the like above; -1, no key, becomes 0xFFFF
    if code in (10, 13, 0xFF0D, 0xFF8D):
        return "\n"
    if code in (27, 0xFF1B):
        return "\x1b"
    return chr(code).lower() if 32 <= code < 127 else None
