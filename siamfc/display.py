"""Whether windows can be opened here, and the first one opened only after that is known.

OpenCV's Qt aborts the whole process where the display cannot be reached, and hangs where PyAV was loaded before it. So
the first window of a process is tried in another one, and what happens there is told in one sentence here.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from siamfc.errors import EnvironmentProblem
from siamfc.opencv import cv2

TRIAL_LIMIT_S = 20.0
"""Longest wait for the trial window, seconds; importing OpenCV from a cold network disk takes several."""

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


def open_window(name: str) -> None:
    """Open a resizable window of this name, which OpenCV's other calls then take.

    Raises:
        EnvironmentProblem: No window can be opened here; the message is `why_no_window`'s.
    """
    if _has_opened.is_set():
        cv2.namedWindow(name, _FLAGS)
        return
    with _trial(os.environ.get("DISPLAY", ""), os.environ.get("WAYLAND_DISPLAY", "")) as problem:
        if problem is not None:
            raise EnvironmentProblem(problem)
        with _environment(_qt_settings()):
            cv2.namedWindow(name, _FLAGS)
    _has_opened.set()
