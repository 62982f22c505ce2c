"""Windows on screen, opened only after it is known that they work here.

OpenCV's Qt aborts the whole process where the display cannot be reached, and hangs where PyAV was loaded
before it. So the first window of a process is tried in another one, and what happens there is told in one
sentence here. All calls belong in the program's main thread, as the toolkits below demand.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from siamfc.boxes import Box
from siamfc.errors import EnvironmentProblem
from siamfc.frames import Image, as_rgb_frame
from siamfc.opencv import cv2

TRIAL_LIMIT_S = 20.0
"""Longest wait for the trial window, seconds; importing OpenCV from a cold network disk takes several."""

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

# GUI_NORMAL: without Qt's tool bar, whose pop-up menu takes the right mouse button.
_FLAGS = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL

# The trial sees this process's own module path, so it loads the same OpenCV however Python was started. It takes
# its window down, stays connected until it is ended, and leaves no core file where Qt aborts.
_TRIAL = """
import os, sys
sys.path[:] = {path}
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):
    pass
import {modules}
os.environ.update({settings})
cv2.namedWindow("siamfc", {flags})
cv2.destroyAllWindows()
os.write(1, b"\\n+\\n")
os.read(0, 1)
os._exit(0)
"""

_window_names = (f"siamfc-{number}" for number in itertools.count())


def why_no_window() -> str | None:
    """One sentence that says why no window can be opened here, and what to do; None where windows work.

    The first answer takes as long as importing OpenCV in a new process does; it is kept for as long as the
    environment names the same display. `Window` asks by itself.
    """
    return _why_no_window(os.environ.get("DISPLAY", ""), os.environ.get("WAYLAND_DISPLAY", ""))


@functools.cache
def _why_no_window(display: str, wayland_display: str) -> str | None:
    with _trial(display, wayland_display) as problem:
        return problem


@contextlib.contextmanager
def _trial(display: str, wayland_display: str) -> Iterator[str | None]:
    """Tries a window in another process and gives what is wrong; that process stays connected within the block.

    An X server without ``-noreset``, such as xvfb-run's, starts over when its last program leaves, and refuses
    whoever comes in that moment: this process has to connect before the trial leaves.
    """
    problem = _why_no_trial(display, wayland_display)
    if problem is not None:
        yield problem
        return
    modules = _modules_by_age()
    with tempfile.TemporaryFile() as stderr, _start_trial(modules, stderr) as process:
        started = time.monotonic()
        timer = threading.Timer(TRIAL_LIMIT_S, process.kill)
        timer.start()
        try:
            if process.stdout is not None and b"+\n" in process.stdout:  # waits for that line, or the end
                yield None
            elif time.monotonic() - started < TRIAL_LIMIT_S:
                stderr.seek(0)
                told = stderr.read().decode("utf-8", errors="replace")
                yield _why_trial_ended(display, wayland_display, told, process.wait())
            elif "av" in modules:
                yield (
                    "No window can be opened: PyAV was imported before OpenCV, which freezes OpenCV's windows; "
                    "import siamfc.video, or cv2, before av"
                )
            else:
                yield _no_such_display(display, wayland_display, f"no answer within {TRIAL_LIMIT_S:g} s")
        finally:
            timer.cancel()
            process.kill()


def _why_no_trial(display: str, wayland_display: str) -> str | None:
    if sys.platform not in ("win32", "darwin") and not (display or wayland_display):
        return (
            "No window can be opened: there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set); "
            "work without a window, or use a desktop, ssh -X or xvfb-run"
        )
    if re.search(r"^\s*GUI:\s*NONE\b", cv2.getBuildInformation(), re.MULTILINE):
        return _built_without_windows()
    if getattr(sys, "frozen", False) or not sys.executable:
        return (
            "No window can be opened: whether the display works is tried with another Python, "
            "and this program does not know one (sys.executable); work without a window"
        )
    return None


def _modules_by_age() -> str:
    # The order decides: with av first, namedWindow never returns (PyAV 18.1 and OpenCV 4.14 on Linux).
    loaded = list(sys.modules)
    return "av, cv2" if "av" in loaded and loaded.index("av") < loaded.index("cv2") else "cv2"


def _start_trial(modules: str, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    path = [entry for entry in sys.path if isinstance(entry, str)]
    code = _TRIAL.format(path=ascii(path), modules=modules, settings=ascii(_qt_settings()), flags=_FLAGS)
    return subprocess.Popen(  # noqa: S603 - this very Python runs the lines above
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _why_trial_ended(display: str, wayland_display: str, stderr: str, status: int) -> str:
    if "function is not implemented" in stderr:
        return _built_without_windows()
    # Warnings about fonts and sessions come from trials that succeed, too.
    noise = ("QFontDatabase", "Note that Qt", "Warning:")
    lines = [line.strip().rstrip(".") for line in stderr.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(noise)]
    failure = re.compile(r"could not|can't|cannot|error|required|invalid", re.IGNORECASE)
    told_most = next(filter(failure.search, lines), lines[-1] if lines else f"exit status {status}")
    return _no_such_display(display, wayland_display, told_most)


def _no_such_display(display: str, wayland_display: str, reason: str) -> str:
    if display:
        place = f"the display DISPLAY={display}"
    elif wayland_display:
        place = f"the display WAYLAND_DISPLAY={wayland_display}, with no DISPLAY for X11,"
    else:
        place = "the screen"
    return (
        f"No window can be opened: {place} does not work ({reason}); "
        "set DISPLAY to a running X11 display that you may use, or work without a window"
    )


def _built_without_windows() -> str:
    # A headless wheel over the ordinary one leaves pip believing that both are there: hence --force-reinstall.
    return (
        "No window can be opened: this OpenCV was built without windows; "
        "pip uninstall -y opencv-python-headless opencv-contrib-python-headless && "
        'pip install --force-reinstall --no-deps "opencv-python<5"'
    )


def _qt_settings() -> dict[str, str]:
    """Environment that lets the Qt inside OpenCV's wheels start in silence; empty where nothing is amiss."""
    settings = {}
    fonts = os.environ.get("QT_QPA_FONTDIR", "")
    if fonts and not Path(fonts).is_dir():
        # Some wheels name a font directory that they do not carry; matplotlib brings the same DejaVu fonts.
        matplotlib = importlib.util.find_spec("matplotlib")
        if matplotlib is not None and matplotlib.origin is not None:
            settings["QT_QPA_FONTDIR"] = str(Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf")
    plugins = Path(os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH", ""), "platforms").glob("libq*.so")
    knows_only_x11 = [plugin.name for plugin in plugins] == ["libqxcb.so"]
    asked = os.environ.get("QT_QPA_PLATFORM") or "wayland"
    if os.environ.get("DISPLAY") and knows_only_x11 and asked.startswith("wayland"):
        # On a Wayland desktop Qt asks for a plugin that the wheels lack, and warns, or aborts.
        settings |= {"QT_QPA_PLATFORM": "xcb", "XDG_SESSION_TYPE": "x11"}
    return settings


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_has_opened = threading.Event()  # once connected, a process stays so


def _open(name: str) -> None:
    if _has_opened.is_set():
        cv2.namedWindow(name, _FLAGS)
        return
    with _trial(os.environ.get("DISPLAY", ""), os.environ.get("WAYLAND_DISPLAY", "")) as problem:
        if problem is not None:
            raise EnvironmentProblem(problem)
        with _environment(_qt_settings()):
            cv2.namedWindow(name, _FLAGS)
    _has_opened.set()


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
        _open(self._name)
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
    bgr = as_rgb_frame(image_rgb)[..., ::-1]
    height, width = shown_size(bgr.shape[0], bgr.shape[1])
    interpolation = cv2.INTER_AREA if height < bgr.shape[0] else cv2.INTER_LINEAR
    shown = cv2.resize(np.ascontiguousarray(bgr), (width, height), interpolation=interpolation)
    return np.asarray(shown, dtype=np.uint8)


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
