"""``siamfc track`` with several targets, and with a runtime."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from siamfc.cli.main import app
from tests.clips import box_text, short_clip, write_video

CLIP = short_clip(6)
OTHER = "150,100,30,40"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", CLIP)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def track(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["track", *map(str, arguments)])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_several_boxes_are_several_targets(video: Path, tmp_path: Path) -> None:
    result = track(video, "--box", box_text(CLIP), "--box", OTHER, "-o", "out", "--overlay", "--scores")
    assert result.exit_code == 0, result.output
    assert [row["id"] for row in rows(tmp_path / "out" / "boxes.csv")] == ["0", "1"] * 6
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("boxes-0.txt", "boxes-1.txt", "boxes.csv", "boxes.json", "overlay.mp4", "scores-0.mp4", "scores-1.mp4")
    ]
    assert "6 frames in" in result.stderr
    single = track(video, "--box", OTHER, "-o", "single")
    assert single.exit_code == 0
    assert (tmp_path / "single" / "boxes.txt").read_text() == (tmp_path / "out" / "boxes-1.txt").read_text()


def test_a_file_with_ids_names_the_targets_and_says_where_they_begin(video: Path, tmp_path: Path) -> None:
    (tmp_path / "targets.csv").write_text(f"id,x,y,width,height,frame\nmain,{box_text(CLIP)},\nlate,{OTHER},2\n")
    result = track(video, "--box-file", "targets.csv", "-o", "out")
    assert result.exit_code == 0, result.output
    found = [(row["frame"], row["id"]) for row in rows(tmp_path / "out" / "boxes.csv")]
    assert found == [("0", "main"), ("1", "main"), *((str(n), name) for n in range(2, 6) for name in ("main", "late"))]
    again = track(video, "--box-file", "out/boxes.csv", "-o", "again")  # a result can be followed anew
    assert again.exit_code == 0, again.output
    assert len(rows(tmp_path / "again" / "boxes.csv")) == len(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,x,y,width,height\na,1,2,3,4\na/b,1,2,3,4\n", "'a/b'"),
        ("id,x,y,width,height,frame\na,1,2,30,40,99\n", "frame 99"),
        ("id,x,y,width\na,1,2,3\n", "no column height"),
        ("id,x,y,width,height\na,1,2,30,40\nA,1,2,30,40\n", "two targets"),
    ],
)
def test_a_bad_file_of_targets_is_one_line(video: Path, tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "targets.csv").write_text(text)
    result = track(video, "--box-file", "targets.csv")
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("siamfc:")]
    assert expected in line


def test_boxes_and_a_file_exclude_each_other(video: Path) -> None:
    result = track(video, "--box", OTHER, "--box", OTHER, "--box-file", "targets.csv")
    assert result.exit_code == 2
    assert "exclude" in result.output


def test_the_runtime_is_chosen_and_named(video: Path, tmp_path: Path) -> None:
    result = track(video, "--box", OTHER, "--runtime", "torch", "--precision", "fp32", "-o", "out", "--stop", "2")
    assert result.exit_code == 0, result.output
    assert "torch fp32" in result.stderr
    wrong = track(video, "--box", OTHER, "--runtime", "tensorflow", "-o", "no")
    assert wrong.exit_code == 2
    assert "tensorflow" in wrong.stderr


def test_the_fast_setting_is_a_published_one(video: Path, tmp_path: Path) -> None:
    result = track(video, "--box", box_text(CLIP), "--config", "track-fast", "-o", "out")
    assert result.exit_code == 0, result.output
    assert '"scale_every": 4' in (tmp_path / "out" / "boxes.json").read_text(encoding="utf-8")
