"""Windows: what works is driven by a real mouse and keyboard under Xvfb, what does not work ends in a sentence."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

import siamfc.display
import siamfc.window
from siamfc.boxes import Box
from siamfc.display import why_no_window
from siamfc.errors import EnvironmentProblem
from siamfc.opencv import cv2
from siamfc.window import Window

LIMIT_S = 30
TITLE = "fenêtre 窓 siamfc"  # OpenCV itself cannot find windows by such names
DISPLAY_WITHOUT_SERVER = ":4099"


def environment(display: str | None, **settings: str) -> dict[str, str]:
    ours = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "QT_QPA_FONTDIR", "XDG_SESSION_TYPE")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | ({} if display is None else {"DISPLAY": display}) | settings


class Program:
    """A Python program in another process; it tells what it saw with ``tell(...)``."""

    PRELUDE = """
        import json, sys
        import numpy as np
        from siamfc.display import why_no_window
        from siamfc.window import Window
        def tell(value):
            print(json.dumps(value), flush=True)
    """

    def __init__(self, code: str, display: str | None, **settings: str) -> None:
        lines = textwrap.dedent(self.PRELUDE) + textwrap.dedent(code).replace("TITLE", repr(TITLE))
        self.display = display
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", lines],
            env=environment(display, **settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.limit = threading.Timer(LIMIT_S, self.process.kill)
        self.limit.daemon = True
        self.limit.start()

    def hear(self) -> Any:
        """The next thing that the program tells."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else self.end(f"told no more, with {self.process.wait()}")

    def told(self) -> list[Any]:
        """All else that the program tells, once it ended in peace and gave no warning."""
        out, err = self.process.communicate()
        self.limit.cancel()
        assert (self.process.returncode, err) == (0, ""), out + err
        return [json.loads(line) for line in out.splitlines()]

    def end(self, reason: str) -> NoReturn:
        self.process.kill()
        self.limit.cancel()
        pytest.fail(f"{reason}: {self.process.communicate()}")

    def xdotool(self, *arguments: object) -> str:
        done = subprocess.run(
            ["xdotool", *(str(argument) for argument in arguments)],
            env=environment(self.display),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        return done.stdout

    def find_window(self, width: int, height: int, *, other_than: str = "") -> str:
        """The id of the program's window, once it has this size."""
        while True:
            if self.process.poll() is not None:
                self.end(f"ended without a window of {width} x {height}")
            for window in self.xdotool("search", "--onlyvisible", "--name", TITLE).split():
                geometry = self.xdotool("getwindowgeometry", "--shell", window)
                if window != other_than and f"WIDTH={width}\nHEIGHT={height}\n" in geometry:
                    self.xdotool("windowfocus", "--sync", window)
                    return window
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        """Presses keys one after the other; of several between two of its looks OpenCV gives the last."""
        self.xdotool("key", *keys)

    def drag(self, window: str, start: tuple[int, int], *stops: tuple[int, int]) -> None:
        self.xdotool("mousemove", "--window", window, *start, "mousedown", 1)
        for stop in stops:
            self.xdotool("mousemove", "--window", window, *stop)
        self.xdotool("mouseup", 1)

    def close(self, window: str) -> None:
        """What a window manager does for the X button: it asks the program to close the window."""
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = connection_type = ctypes.c_void_p
        x11.XInternAtom.restype = ctypes.c_ulong
        x11.XInternAtom.argtypes = [connection_type, ctypes.c_char_p, ctypes.c_int]
        x11.XSendEvent.argtypes = [connection_type, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, connection_type]
        x11.XCloseDisplay.argtypes = [connection_type]
        connection = x11.XOpenDisplay(str(self.display).encode())
        protocols, delete = (x11.XInternAtom(connection, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
        # XClientMessageEvent, in the 24 longs of an XEvent: type, serial, send_event, display, window,
        # message_type, format, data
        message = (ctypes.c_long * 24)(33, 0, 1, 0, int(window), protocols, 32, delete)
        assert x11.XSendEvent(connection, int(window), 0, 0, ctypes.byref(message))
        x11.XCloseDisplay(connection)


def test_wait_key_gives_each_key_as_one_character_and_passes_over_arrows(display: str) -> None:
    program = Program(
        """
        with Window(TITLE) as window:
            window.show(np.zeros((480, 640, 3), np.uint8))
            while (key := window.wait_key()) != "q":
                tell(key)
        """,
        display,
    )
    program.find_window(640, 480)
    keys = {"space": " ", "r": "r", "R": "r", "Return": "\n", "KP_Enter": "\n", "Escape": "\x1b", "5": "5"}
    for key, expected in keys.items():
        program.press("Left", "F1", key)
        assert program.hear() == expected
    program.press("q")
    assert program.told() == []


def test_show_gives_the_key_pressed_while_frames_run(display: str) -> None:
    program = Program(
        """
        no_key = 0
        with Window(TITLE) as window:
            while (key := window.show(np.zeros((480, 640, 3), np.uint8))) != "q":
                no_key += key is None
                if key is not None:
                    tell(key)
        tell(no_key > 0)
        """,
        display,
    )
    program.find_window(640, 480)
    program.press("space")
    assert program.hear() == " "
    program.press("q")
    assert program.told() == [True]


def test_a_window_closed_by_the_user_gives_q_everywhere_and_stays_closed(display: str) -> None:
    program = Program(
        """
        frame = np.zeros((480, 640, 3), np.uint8)
        def show_until_key(window):
            while (key := window.show(frame)) is None:
                pass
            return key
        for use in (show_until_key, Window.wait_key, lambda window: window.select_box(frame)):
            with Window(TITLE) as window:
                window.show(frame)
                tell([use(window), window.show(frame), window.wait_key(), window.select_box(frame)])
        """,
        display,
    )
    window = ""
    for _ in range(3):
        window = program.find_window(640, 480, other_than=window)
        program.close(window)
    assert program.told() == [["q", "q", "q", None]] * 2 + [[None, "q", "q", None]]


def corners(box: Sequence[float]) -> NDArray[np.float64]:
    return np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])


# height, width of the frame; width, height of its window; corners of the drag in the window; the box in the frame
DRAGS = {
    "as it is": ((480, 640), (640, 480), [(100, 50), (200, 250), (300, 200)], Box(100, 50, 200, 150)),
    "drawn from bottom right": ((480, 640), (640, 480), [(300, 200), (100, 50)], Box(100, 50, 200, 150)),
    "out of the picture": ((480, 640), (640, 480), [(500, 400), (800, 700)], Box(500, 400, 140, 80)),
    "larger than the screen": ((2160, 3840), (1280, 720), [(200, 100), (700, 400)], Box(600, 300, 1500, 900)),
    "tall": ((3000, 1000), (240, 720), [(60, 360), (120, 600)], Box(250, 1500, 250, 1000)),
    "tiny": ((120, 160), (640, 480), [(40, 80), (80, 200)], Box(10, 20, 10, 30)),
}


def test_a_box_drawn_with_the_mouse_comes_back_in_frame_pixels_whatever_the_size_of_the_frame(display: str) -> None:
    program = Program(
        f"""
        with Window(TITLE) as window:
            for height, width in {[size for size, *_ in DRAGS.values()]}:
                tell(window.select_box(np.zeros((height, width, 3), np.uint8)))
        """,
        display,
    )
    for case, (_, shown, (start, *stops), expected) in DRAGS.items():
        program.drag(program.find_window(*shown), start, *stops)
        program.press("Return")
        assert np.abs(corners(program.hear()) - corners(expected)).max() <= 2, case
    assert program.told() == []


def test_a_box_is_right_when_the_user_made_the_window_wider_than_the_frame(display: str) -> None:
    program = Program(
        """
        with Window(TITLE) as window:
            tell(window.select_box(np.zeros((480, 640, 3), np.uint8)))
        """,
        display,
    )
    program.xdotool("windowsize", program.find_window(640, 480), 1280, 480)
    window = program.find_window(1280, 480)  # bars of 320 on both sides
    program.drag(window, (420, 50), (620, 200))
    program.press("space")
    (box,) = program.told()
    assert np.abs(corners(box) - corners((100, 50, 200, 150))).max() <= 2


def test_c_or_escape_gives_no_box_and_enter_waits_for_one(display: str) -> None:
    program = Program(
        """
        frame = np.zeros((480, 640, 3), np.uint8)
        with Window(TITLE) as window:
            tell(window.select_box(frame))
            tell(window.select_box(frame))
            tell(window.show(frame))
        """,
        display,
    )
    window = program.find_window(640, 480)
    program.drag(window, (300, 200), (300, 200))  # a click is no box
    program.press("Return")
    time.sleep(0.2)  # an Enter that was taken for an answer would be told by now
    program.press("c")
    assert program.hear() is None
    program.drag(window, (100, 100), (300, 200))
    program.press("Escape")
    assert program.told() == [None, None]


def test_windows_live_beside_av_when_siamfc_is_imported_first(display: str, tmp_path: Path) -> None:
    program = Program(
        f"""
        import av
        clip = {str(tmp_path / "clip.mkv")!r}
        with av.open(clip, "w") as container:
            stream = container.add_stream("ffv1", rate=25, width=64, height=48, pix_fmt="bgr0")
            for level in range(20):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        with Window(TITLE) as window, av.open(clip) as container:
            tell([window.show(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)])
        """,
        display,
    )
    assert program.told() == [[None] * 20]


def test_with_av_imported_first_the_program_says_so_and_does_not_freeze(display: str) -> None:
    code = textwrap.dedent(
        """
        import av
        import siamfc.display
        siamfc.display.TRIAL_LIMIT_S = 2.0
        print(siamfc.display.why_no_window() or "works")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(display), capture_output=True, text=True, timeout=LIMIT_S
    )
    assert (done.returncode, done.stderr) == (0, "")
    # wheels that share one libxcb may well work; ours do not, and both answers are right where they are true
    assert "import siamfc.video, or cv2, before av" in done.stdout or done.stdout == "works\n"


def test_nothing_is_said_about_fonts_or_wayland(display: str) -> None:
    program = Program(
        """
        import os
        from siamfc.opencv import cv2
        os.environ["QT_QPA_FONTDIR"] = "/nonexistent"  # what cv2 does itself where the wheel has no fonts
        before = dict(os.environ)
        with Window(TITLE) as window:
            tell(window.show(np.zeros((480, 640, 3), np.uint8)))
        tell(dict(os.environ) == before)
        """,
        display,
        XDG_SESSION_TYPE="wayland",
        XDG_CURRENT_DESKTOP="GNOME",
        QT_QPA_PLATFORM="wayland",
        WAYLAND_DISPLAY="wayland-0",
    )
    assert program.told() == [None, True]


def test_the_trial_works_with_python_m_and_is_not_misled_by_the_current_folder(display: str, tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "żółw 目録", tmp_path / "elsewhere"
    for folder in (here, elsewhere):
        folder.mkdir()
        (folder / "say.py").write_text("from siamfc.display import why_no_window\nprint(why_no_window())")
    for name in ("cv2", "resource", "numpy"):
        (elsewhere / f"{name}.py").write_text("raise ImportError('the wrong file')")
    for command, folder in (["-m", "say"], here), ([str(here / "say.py")], elsewhere):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=environment(display),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="windows need no X display there")
@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({}, "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        ({"DISPLAY": ""}, "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        ({"DISPLAY": DISPLAY_WITHOUT_SERVER}, f"DISPLAY={DISPLAY_WITHOUT_SERVER} does not work (qt.qpa.xcb: could not"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "WAYLAND_DISPLAY=wayland-0, with no DISPLAY for X11"),
    ],
    ids=["none", "empty", "no server", "wayland only"],
)
def test_without_a_display_a_window_is_an_error_and_the_process_lives(names: dict[str, str], reason: str) -> None:
    program = Program(
        """
        from siamfc.errors import EnvironmentProblem
        tell(why_no_window())
        try:
            Window(TITLE)
        except EnvironmentProblem as problem:
            tell(str(problem))
        """,
        None,
        **names,
    )
    sentence, problem = program.told()
    assert sentence == problem
    assert sentence.startswith("No window can be opened: ")
    assert "work without a window" in sentence
    assert "\n" not in sentence
    if "qt.qpa" not in reason or "QT" in cv2.getBuildInformation():
        assert reason in sentence


def test_a_display_that_takes_the_call_and_never_speaks_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1] - 6000  # X11 over TCP: display n listens on port 6000 + n
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{number}")
        monkeypatch.setattr(siamfc.display, "TRIAL_LIMIT_S", 1.0)
        sentence = why_no_window()
    assert sentence is not None
    assert "no answer within 1 s" in sentence


def test_an_opencv_built_without_windows_is_told_from_a_missing_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", DISPLAY_WITHOUT_SERVER)
    headless = "\n  GUI:                           NONE\n\n  Media I/O:\n"
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: headless)
    sentence = why_no_window()
    assert sentence is not None
    assert "built without windows" in sentence
    assert 'pip install --force-reinstall --no-deps "opencv-python<5"' in sentence
    with pytest.raises(EnvironmentProblem, match="built without windows"):
        Window("siamfc")


def test_the_trial_is_made_once_for_a_display(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = tmp_path / "log"
    monkeypatch.setattr(siamfc.display, "_TRIAL", f"open({str(log)!r}, 'a').write('x'); print('+')")
    for name in (":5001", ":5001", ":5002", ":5001"):
        monkeypatch.setenv("DISPLAY", name)
        assert why_no_window() is None
    assert log.read_text() == "xx"


@pytest.mark.parametrize(
    ("status", "stderr", "reason"),
    [
        (
            1,
            "Traceback (most recent call last):\ncv2.error: error: (-2:Unspecified error) The function is not "
            "implemented. Rebuild the library with Windows, GTK+ 2.x or Cocoa support.",
            "built without windows",
        ),
        (
            134,
            "QFontDatabase: Cannot find font directory /cv2/qt/fonts.\nNote that Qt no longer ships fonts.\n"
            "Authorization required, but no authorization protocol specified\nqt.qpa.xcb: could not connect",
            "(Authorization required, but no authorization protocol specified)",
        ),
        (3, "QFontDatabase: Cannot find font directory /cv2/qt/fonts.\n", "(exit status 3)"),
        (4, "", "(exit status 4)"),
    ],
    ids=["no gui", "no permission", "only noise", "silence"],
)
def test_a_failed_trial_is_told_by_its_line_that_tells_most(
    monkeypatch: pytest.MonkeyPatch, status: int, stderr: str, reason: str
) -> None:
    monkeypatch.setenv("DISPLAY", f":600{status}")  # unlike any other: answers are kept
    monkeypatch.setattr(siamfc.display, "_TRIAL", f"import sys; sys.stderr.write({stderr!r}); sys.exit({status})")
    sentence = why_no_window()
    assert sentence is not None
    assert reason in sentence


def test_a_frozen_program_is_not_started_again_for_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":7001")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **settings: pytest.fail("started"))
    sentence = why_no_window()
    assert sentence is not None
    assert "sys.executable" in sentence


def test_a_red_frame_is_handed_to_opencv_as_blue_green_red() -> None:
    red = np.zeros((480, 640, 3), np.uint8)
    red[..., 0] = 255
    assert siamfc.window._as_shown(red)[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("width", [640, 20], ids=["wide", "narrower than its help"])
def test_the_help_keeps_away_from_the_pointer_and_vanishes_while_drawing(width: int) -> None:
    picture = np.full((400, width, 3), 200, np.uint8)
    drag = siamfc.window._Drag(height=400, width=width)
    drag.on_mouse(cv2.EVENT_MOUSEMOVE, 10, 390, 0, None)
    painted = drag.painted_on(picture)
    assert (painted[:20] != 200).any()
    assert (painted[200:] == 200).all()
    drag.on_mouse(cv2.EVENT_MOUSEMOVE, 10, 10, 0, None)
    assert (drag.painted_on(picture)[:200] == 200).all()
    drag.on_mouse(cv2.EVENT_LBUTTONDOWN, 10, 10, 0, None)
    drag.on_mouse(cv2.EVENT_MOUSEMOVE, 15, 100, 0, None)
    assert (drag.painted_on(picture)[120:] == 200).all()
    assert drag.painted_on(picture)[50, 10].tolist() == [0, 255, 255]
    assert (picture == 200).all()
