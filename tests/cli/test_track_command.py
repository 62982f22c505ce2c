"""``siamfc track`` end to end, and one clear line for every bad input."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from siamfc.cli.main import app
from siamfc.video import open_source, read_image
from tests.clips import box_text, short_clip, write_images, write_video

CLIP = short_clip(6)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", CLIP)


@pytest.fixture(autouse=True)
def _no_display(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)


def track(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["track", *map(str, arguments)])


def complaint(*arguments: str | Path) -> str:
    """The one line that a bad input gives."""
    result = track(*arguments)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("siamfc:")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.output
    return lines[0]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_video_gives_boxes_videos_and_a_table(video: Path, tmp_path: Path) -> None:
    result = track(video, "--box", box_text(CLIP), "--output", tmp_path / "out", "--overlay", "--scores")
    assert result.exit_code == 0, result.output
    assert len(rows(tmp_path / "out" / "boxes.csv")) == 6
    for name, width in (("overlay.mp4", 240), ("scores.mp4", 240 + 90)):
        with open_source(tmp_path / "out" / name) as frames:
            shapes = [frame.image.shape for frame in frames]
        assert shapes == [(180, width, 3)] * 6
    for word in ("decode", "crop", "embed", "correlate", "post-process", "write", "frames a second", "sha256", "cpu"):
        assert word in result.stderr


def test_results_go_to_a_folder_named_after_the_source_and_are_not_overwritten(video: Path, tmp_path: Path) -> None:
    assert track(video, "--box", box_text(CLIP), "--stop", "2").exit_code == 0
    assert (tmp_path / "track-clip" / "boxes.txt").is_file()
    assert "--overwrite" in complaint(video, "--box", box_text(CLIP))
    assert track(video, "--box", box_text(CLIP), "--stop", "2", "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("otb.txt", "{x1},{y1},{w},{h}\n1,1,1,1\n"),
        ("tabs.txt", "{x1}\t{y1}\t{w}\t{h}\r\n"),
        ("vot.txt", "{x},{y},{r},{y},{r},{b},{x},{b}\n"),
        ("boxes.csv", "\ufeffframe,x,y,width,height\r\n0,{x},{y},{w},{h}\r\n"),
    ],
)
def test_a_box_file_of_any_layout_gives_the_boxes_of_the_box(video: Path, tmp_path: Path, name: str, text: str) -> None:
    x, y, w, h = 60, 40, 30, 50
    numbers = {"x": x, "y": y, "w": w, "h": h, "x1": x + 1, "y1": y + 1, "r": x + w, "b": y + h}
    (tmp_path / name).write_text(text.format(**numbers), encoding="utf-8", newline="")
    assert track(video, "--box", f"{x},{y},{w},{h}", "-o", tmp_path / "a").exit_code == 0
    assert track(video, "--box-file", tmp_path / name, "-o", tmp_path / "b").exit_code == 0
    assert rows(tmp_path / "a" / "boxes.csv") == rows(tmp_path / "b" / "boxes.csv")


def test_a_box_file_for_another_frame_is_told_apart(video: Path, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("frame,x,y,width,height\n3,60,40,30,50\n", encoding="utf-8")
    assert "--start 3" in complaint(video, "--box-file", tmp_path / "b.csv")
    assert track(video, "--box-file", tmp_path / "b.csv", "--start", "3").exit_code == 0


def test_without_box_and_display_the_first_frame_is_written_with_rulers(video: Path, tmp_path: Path) -> None:
    line = complaint(video, "--start", "2")
    assert "--box X,Y,WIDTH,HEIGHT" in line
    picture = read_image(tmp_path / "track-clip" / "first-frame.png")
    assert picture.shape[0] > 180
    assert sorted(path.name for path in (tmp_path / "track-clip").iterdir()) == ["first-frame.png"]


def test_settings_are_taken_from_a_name_a_file_and_the_command_line(video: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("tracker: {num_scales: 1}\n", encoding="utf-8")
    box = ("--box", box_text(CLIP))
    for name, config in (("paper", "track-paper-5s"), ("file", tmp_path / "mine.yaml")):
        result = track(video, *box, "--config", config, "--set", "tracker.window_influence=0.3", "-o", tmp_path / name)
        assert result.exit_code == 0, result.output
        text = (tmp_path / name / "boxes.json").read_text(encoding="utf-8")
        assert '"window_influence": 0.3' in text
        assert f'"num_scales": {5 if name == "paper" else 1}' in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere.mp4", "--box", "1,2,3,4"), "nowhere.mp4"),
        (("VIDEO", "--box", "1,2,3"), "four numbers"),
        (("VIDEO", "--box", "1,2,x,4"), "four numbers"),
        (("VIDEO", "--box", "1,2,0,4"), "above zero"),
        (("VIDEO", "--box", "nan,2,3,4"), "finite"),
        (("VIDEO", "--box", "900,2,3,4"), "outside the frame"),
        (("VIDEO", "--box", "1,2,9,9", "--set", "tracker.num_scale=5"), "did you mean 'num_scales'"),
        (("VIDEO", "--box", "1,2,9,9", "--config", "track-papr"), "track-paper-5s"),
        (("VIDEO", "--box", "1,2,9,9", "--weights", "none"), "mobilenetv2-imagenet"),
        (("VIDEO", "--box", "1,2,9,9", "--device", "cuda:7"), "cuda:7"),
        (("VIDEO", "--box", "1,2,9,9", "--start", "99"), "99"),
        (("VIDEO", "--select"), "display"),
        (("VIDEO", "--box", "1,2,9,9", "--show"), "display"),
        (("VIDEO", "--box-file", "none.txt"), "none.txt"),
        (("EMPTY", "--box", "1,2,3,4"), "image"),
    ],
)
def test_bad_input_is_one_line_that_says_what_is_wrong(
    video: Path, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"VIDEO": video, "EMPTY": tmp_path / "empty"}
    assert expected in complaint(*(places.get(argument, argument) for argument in arguments))


def test_two_ways_to_give_the_box_exclude_each_other(video: Path) -> None:
    result = track(video, "--box", "1,2,3,4", "--select")
    assert result.exit_code == 2
    assert "exclude" in result.output


def test_a_truncated_video_keeps_what_was_tracked_and_fails(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "frames", CLIP)
    (folder / "5.png").write_bytes((folder / "5.png").read_bytes()[:100])
    line = complaint(folder, "--box", box_text(CLIP), "-o", tmp_path / "out")
    assert "5.png" in line
    assert "4 frames before" in line
    assert len(rows(tmp_path / "out" / "boxes.csv")) == 4


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_program_keeps_whole_files(tmp_path: Path, name: str) -> None:
    write_video(tmp_path / "long.mp4", short_clip(400))
    command = [sys.executable, "-m", "siamfc", "track", "long.mp4", "--box", box_text(CLIP), "--overlay"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "track-long").glob(".overlay*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(getattr(signal, name))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    found = rows(tmp_path / "track-long" / "boxes.csv")
    assert 1 <= len(found) < 400
    with open_source(tmp_path / "track-long" / "overlay.mp4") as frames:
        assert abs(len(list(frames)) - len(found)) <= 1
    assert not list((tmp_path / "track-long").glob(".*"))


def test_the_launcher_in_tools_is_the_same_command(video: Path, tmp_path: Path) -> None:
    launcher = Path(__file__).parents[2] / "tools" / "track.py"
    command = [sys.executable, str(launcher), str(video), "--box", box_text(CLIP), "--stop", "2"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert len(rows(tmp_path / "track-clip" / "boxes.csv")) == 2
