"""``siamfc track --select`` and ``--show`` with its keys, driven by a real mouse and keyboard under Xvfb."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from siamfc.window import shown_size
from tests.clips import SIZE, box_text, short_clip, write_video

LIMIT_S = 60
SHOWN = shown_size(*SIZE)  # (height, width) of the window's picture
ZOOM = SHOWN[1] / SIZE[1]


class Session:
    """The program in a process of its own, and the hands of its user."""

    def __init__(self, display: str, folder: Path, *arguments: str) -> None:
        self.environment = {**os.environ, "DISPLAY": display}
        self.deadline = time.monotonic() + LIMIT_S
        command = [sys.executable, "-m", "siamfc", "track", "clip.mp4", "-o", "out", *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, env=self.environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )

    def xdotool(self, *arguments: object) -> str:
        command = ["xdotool", *map(str, arguments)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=LIMIT_S).stdout

    def window(self) -> str:
        """The id of the window, once the first frame is in it."""
        while time.monotonic() < self.deadline and self.process.poll() is None:
            for window in self.xdotool("search", "--onlyvisible", "--name", "siamfc").split():
                if f"WIDTH={SHOWN[1]}\nHEIGHT={SHOWN[0]}\n" in self.xdotool("getwindowgeometry", "--shell", window):
                    self.xdotool("windowfocus", "--sync", window)
                    return window
            time.sleep(0.05)
        return pytest.fail(f"no window: {self.end()}")

    def draw(self, window: str, x: int, y: int, width: int, height: int) -> None:
        """Draw a box, given in frame pixels, and take it."""
        near, far = (round(x * ZOOM), round(y * ZOOM)), (round((x + width) * ZOOM), round((y + height) * ZOOM))
        self.xdotool("mousemove", "--window", window, *near, "mousedown", 1)
        self.xdotool("mousemove", "--window", window, (near[0] + far[0]) // 2, (near[1] + far[1]) // 2)
        self.xdotool("mousemove", "--window", window, *far)
        self.xdotool("mouseup", 1)
        time.sleep(0.3)
        self.xdotool("key", "Return")

    def end(self) -> tuple[int, str]:
        """Exit code and what stood on standard error, once the program ended."""
        try:
            _, stderr = self.process.communicate(timeout=max(self.deadline - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, stderr = self.process.communicate()
            pytest.fail(f"did not end in {LIMIT_S} s: {stderr}")
        return self.process.returncode, stderr


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", short_clip(600))


@pytest.fixture
def folder(tmp_path: Path, video: Path) -> Path:
    shutil.copy(video, tmp_path)
    return tmp_path


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / "boxes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_box_drawn_in_the_window_is_tracked(display: str, folder: Path) -> None:
    session = Session(display, folder, "--select", "--stop", "3")
    session.draw(session.window(), 60, 40, 50, 70)
    code, stderr = session.end()
    assert code == 0, stderr
    first = rows(folder)[0]
    assert [float(first[name]) for name in ("x", "y", "width", "height")] == pytest.approx([60, 40, 50, 70], abs=2)
    assert len(rows(folder)) == 3


def test_giving_up_the_selection_is_one_line_and_exit_code_2(display: str, folder: Path) -> None:
    session = Session(display, folder, "--select")
    session.window()
    time.sleep(0.3)
    session.xdotool("key", "c")
    code, stderr = session.end()
    assert code == 2
    assert "no box was drawn" in stderr


def test_space_pauses_r_selects_anew_and_q_quits_with_the_results_kept(display: str, folder: Path) -> None:
    session = Session(display, folder, "--show", "--box", box_text(short_clip(1)))
    window = session.window()
    session.xdotool("key", "space")
    time.sleep(0.5)
    session.xdotool("key", "r")
    time.sleep(0.5)
    session.draw(window, 20, 30, 100, 90)
    time.sleep(0.5)
    session.xdotool("key", "q")
    code, stderr = session.end()
    assert code == 0, stderr
    report = json.loads((folder / "out" / "boxes.json").read_text(encoding="utf-8"))
    assert report["stopped"] == "stopped by the user"
    widths = [float(row["width"]) for row in rows(folder)]
    assert len(widths) < 600
    # The box drawn anew is larger than what the tracker had, by more than a scale step.
    assert any(after / before > 1.2 for before, after in pairwise(widths))
