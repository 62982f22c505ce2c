"""``siamfc visualize`` end to end, and one line for everything that is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from siamfc.cli.main import app
from siamfc.cli.visualize import ViewName
from siamfc.video import read_image
from siamfc.visualize.panels import VIEWS
from tests.clips import box_text, short_clip, write_images
from tests.data.trees import write_text

CLIP = short_clip(5)
BOX = box_text(CLIP)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_images(tmp_path_factory.mktemp("clip") / "Clip" / "img", CLIP)


@pytest.fixture(autouse=True)
def _in_an_empty_folder_without_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)


def visualize(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["visualize", *map(str, arguments)])


def complaint(*arguments: str | Path) -> str:
    """The one line that a bad input gives."""
    result = visualize(*arguments)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("siamfc:")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.output
    return lines[0]


def test_chosen_frames_become_pictures_and_curves_in_a_folder_named_by_the_source(images: Path, tmp_path: Path) -> None:
    csv = "frame,x,y,width,height\n" + "".join(
        f"{number},{','.join(map(str, box))}\n" for number, box in enumerate(CLIP.boxes)
    )
    truth = write_text(tmp_path / "truth.csv", csv)
    result = visualize(
        images, "--truth", truth, "--frames", "1,3-4", "--view", "overlay", "--view", "raw", "--npy", "--png"
    )
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "maps-Clip").iterdir()}
    assert {"overlay-000001.png", "raw-000004.png", "raw-000003.npy", "frames.json", "curves.png"} <= names
    assert not any("000002" in name for name in names)
    assert "centre error" in result.stdout
    assert read_image(tmp_path / "maps-Clip" / "overlay-000003.png").shape[0] == 180
    assert "--overwrite" in complaint(images, "--truth", truth, "--frames", "1")


def test_a_sequence_of_a_dataset_brings_frames_and_truth(images: Path, tmp_path: Path) -> None:
    boxes = "".join(",".join(str(value) for value in box.to_one_based()) + "\n" for box in CLIP.boxes)
    write_text(images.parent / "groundtruth_rect.txt", boxes)
    data = f"otb:{images.parent.parent}"
    result = visualize("--data", data, "--sequence", "Clip", "--frames", "2", "-o", "out", "--limits=-1,4")
    assert result.exit_code == 0, result.output
    assert "colours from -1 to 4" in result.stdout
    assert (tmp_path / "out" / "panel-000002.png").is_file()
    shutil.copytree(images.parent, images.parent.parent / "Dog")
    assert "2 sequences: choose one by --sequence (Clip, Dog" in complaint("--data", data, "--frames", "2")
    assert "did you mean Clip" in complaint("--data", data, "--sequence", "Clop", "--frames", "2")


def test_a_pair_of_images_is_one_picture(images: Path, tmp_path: Path) -> None:
    truth = ",".join(f"{value:.1f}" for value in CLIP.boxes[4])
    result = visualize(images / "1.png", "--box", BOX, "--search", images / "5.png", "-o", "out", "--truth", truth)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "panel-000000.png").is_file()
    assert "centre error" in result.stdout


def test_bad_input_is_one_line(images: Path, tmp_path: Path) -> None:
    one = images / "1.png"
    write_text(tmp_path / "none.txt", "nan,nan,nan,nan\n")
    assert "does not exist" in complaint("nowhere.mp4", "--box", BOX)
    assert "finite" in complaint(images, "--box", "nan,1,2,3")
    assert "X,Y,W,H" in complaint(images, "--box", "1,2,x,3")
    assert "no frame 5" in complaint(images, "--box", BOX, "--frames", "1,5")
    assert "not '1;2'" in complaint(images, "--box", BOX, "--frames", "1;2")
    assert "ends before it begins" in complaint(images, "--box", BOX, "--frames", "9-3")
    assert "has no known box" in complaint(images)
    assert "has no known box" in complaint(images, "--truth", "none.txt")
    assert "lies outside" in complaint(images, "--box", "900,900,10,10")
    assert "LOW,HIGH" in complaint(images, "--box", BOX, "--limits", "1")
    assert "finite" in complaint(images, "--box", BOX, "--limits", "1,nan")
    assert "cannot be read" in complaint(one, "--box", BOX, "--search", "nowhere.png")
    assert "unknown setting" in complaint(images, "--box", BOX, "--set", "tracker.scales=3")
    assert not list(tmp_path.glob("maps-*"))


def test_what_does_not_go_together_shows_the_usage(images: Path) -> None:
    for wrong in ([], [images, "--data", "otb:x"], [images, "--search", "b.png"], [images, "--view", "heat"]):
        result = visualize(*wrong)
        assert result.exit_code == 2
        assert "Usage" in result.stderr


def test_the_views_offered_are_those_there_are() -> None:
    assert tuple(name.value for name in ViewName) == VIEWS
