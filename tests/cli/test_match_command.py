"""``siamfc match`` end to end, and one clear line for every bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from siamfc.cli.main import app
from siamfc.data.rendered_picture import RenderedPicture, render_picture
from siamfc.drawing import save_picture
from siamfc.video import open_source, read_image
from tests.clips import box_text, short_clip, write_images, write_video

QUICK = ("--scales", "1,1")
CLIP = short_clip(3)


@pytest.fixture(scope="module")
def rendered() -> RenderedPicture:
    return render_picture(4)


@pytest.fixture
def files(rendered: RenderedPicture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_picture(tmp_path / "object.png", rendered.exemplar)
    save_picture(tmp_path / "scene.png", rendered.image)
    return tmp_path


def match(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["match", *map(str, arguments)])


def complaint(*arguments: str | Path) -> str:
    """The one line that a bad input gives."""
    result = match(*arguments)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("siamfc:")]
    assert len(lines) == 1, result.output
    assert "Traceback" not in result.output
    return lines[0]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_picture_gives_a_table_files_and_score_maps(files: Path, rendered: RenderedPicture) -> None:
    result = match("object.png", "scene.png", "--scores")
    assert result.exit_code == 0, result.output
    folder = files / "match-scene"
    names = {"matches.csv", "matches.json", "scene-matches.png", "scene-scores.npy", "scene-scores.png"}
    assert {path.name for path in folder.iterdir()} == names
    found = rows(folder / "matches.csv")
    assert len(found) == 3
    assert [row["exemplar"] for row in found] == ["object.png"] * 3
    assert "3 matches in 1 picture" in result.stderr
    assert "scene.png" in result.stdout
    assert read_image(folder / "scene-matches.png").shape == (480, 640, 3)
    assert np.load(folder / "scene-scores.npy").shape == (480, 640)
    assert read_image(folder / "scene-scores.png").shape[0] == 480
    content = json.loads((folder / "matches.json").read_text(encoding="utf-8"))
    assert content["complete"]
    assert content["model"]["sha256"]
    assert len(content["pictures"][0]["matches"]) == 3
    assert content["pictures"][0]["matches"][0]["box"] == pytest.approx(
        [float(found[0][key]) for key in ("x", "y", "width", "height")], abs=0.01
    )


def test_a_folder_is_searched_picture_by_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_images(tmp_path / "shots", CLIP)
    result = match(folder / "1.png", folder, "--box", box_text(CLIP), *QUICK, "--every", "2")
    assert result.exit_code == 0, result.output
    found = rows(tmp_path / "match-shots" / "matches.csv")
    assert next(row["picture"] for row in found if float(row["score"]) > 0.9) == "1.png"
    assert {row["frame"] for row in found} == {"0", "2"}
    assert (tmp_path / "match-shots" / "3-matches.png").is_file()


def test_a_video_gives_a_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "clip.mp4", CLIP)
    write_images(tmp_path / "frames", CLIP)
    result = match("frames/1.png", "clip.mp4", "--box", box_text(CLIP), *QUICK, "--scores", "-o", "out")
    assert result.exit_code == 0, result.output
    for name in ("clip-matches.mp4", "clip-scores.mp4"):
        with open_source(tmp_path / "out" / name) as frames:
            assert len(list(frames)) == 3
    assert sorted(path.name for path in (tmp_path / "out").glob("*.npy"))[0] == "clip-000000-scores.npy"
    assert {row["frame"] for row in rows(tmp_path / "out" / "matches.csv")} >= {"0"}


def test_several_exemplars_are_named(files: Path, rendered: RenderedPicture) -> None:
    other = ",".join(f"{value:.1f}" for value in rendered.others[0])
    result = match("scene.png", "scene.png", "--box", other, "--also", "object.png", *QUICK)
    assert result.exit_code == 0, result.output
    assert rows(files / "match-scene" / "matches.csv")[0]["exemplar"] == "scene.png"


def test_results_are_not_overwritten_unasked(files: Path) -> None:
    assert match("object.png", "scene.png", *QUICK).exit_code == 0
    assert "--overwrite" in complaint("object.png", "scene.png", *QUICK)
    assert match("object.png", "scene.png", *QUICK, "--overwrite").exit_code == 0


def test_one_bad_picture_is_named_and_the_others_are_searched(files: Path) -> None:
    (files / "broken.png").write_bytes((files / "scene.png").read_bytes()[:4000])
    save_picture(files / "tiny.png", np.zeros((9, 9, 3), np.uint8))
    result = match("object.png", "broken.png", "tiny.png", "scene.png", *QUICK, "-o", "out")
    assert result.exit_code == 2
    complaints = [line for line in result.stderr.splitlines() if line.startswith("siamfc:")]
    assert len(complaints) == 2
    assert "broken.png" in complaints[0]
    assert "tiny.png" in complaints[1]
    assert "does not fit" in complaints[1]
    content = json.loads((files / "out" / "matches.json").read_text(encoding="utf-8"))
    assert [picture["picture"] for picture in content["pictures"]] == ["scene.png"]
    assert not content["complete"]
    assert set(content["problems"]) == {"broken.png", "tiny.png"}


def test_where_no_picture_can_be_read_nothing_is_written(files: Path) -> None:
    assert "does not exist" in complaint("object.png", "nowhere.png", *QUICK, "-o", "out")
    (files / "cut.png").write_bytes((files / "scene.png").read_bytes()[:400])
    assert "cut.png" in complaint("object.png", "cut.png", *QUICK, "-o", "out")
    assert not (files / "out").exists()


def test_one_bad_picture_in_a_folder_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_images(tmp_path / "shots", short_clip(4))
    exemplar = tmp_path / "exemplar.png"
    exemplar.write_bytes((folder / "1.png").read_bytes())
    for name in ("2.png", "4.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:400])
    result = match(exemplar, folder, "--box", box_text(CLIP), *QUICK)
    assert result.exit_code == 2
    complaints = [line for line in result.stderr.splitlines() if line.startswith("siamfc:")]
    assert ["2.png" in complaints[0], "4.png" in complaints[1], len(complaints)] == [True, True, 2]
    content = json.loads((tmp_path / "match-shots" / "matches.json").read_text(encoding="utf-8"))
    assert [(picture["picture"], picture["frame"]) for picture in content["pictures"]] == [("1.png", 0), ("3.png", 2)]
    assert not content["complete"]


def test_an_interrupted_search_keeps_what_is_done(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from siamfc.matching import matcher

    search, calls = matcher.Matcher.search, []

    def interrupted(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return search(self, *arguments, **options)

    monkeypatch.setattr(matcher.Matcher, "search", interrupted)
    result = match("object.png", "scene.png", "scene.png", *QUICK, "-o", "out")
    assert result.exit_code == 130
    assert "1 picture searched before, in out" in result.stderr
    content = json.loads((files / "out" / "matches.json").read_text(encoding="utf-8"))
    assert (content["stopped"], len(content["pictures"])) == ("interrupted", 1)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("none.png", "scene.png"), "none.png"),
        (("object.png", "none.png"), "none.png"),
        (("object.png", "tiny.png"), "does not fit into the picture of 9 x 9 px"),
        (("flat.png", "scene.png"), "one colour"),
        (("pixel.png", "scene.png"), "1 x 1 px"),
        (("text.png", "scene.png"), "text.png"),
        (("object.png", "text.png"), "text.png"),
        (("object.png", "empty"), "no image"),
        (("scene.png", "scene.png", "--box", "1,2,nan,4"), "finite"),
        (("scene.png", "scene.png", "--box", "1,2,x"), "X,Y,W,H"),
        (("scene.png", "scene.png", "--box", "900,2,30,40"), "outside the image of 640 x 480"),
        (("object.png", "scene.png", "--also", "none.png"), "none.png"),
        (("object.png", "scene.png", "--scales", "1"), "MIN,MAX"),
        (("object.png", "scene.png", "--scales", "2,1"), "above max_scale"),
        (("object.png", "scene.png", "--rotations", "left"), "degrees"),
        (("object.png", "scene.png", "--threshold", "7"), "threshold"),
        (("object.png", "scene.png", "--set", "match.strid=4"), "did you mean 'stride'"),
        (("object.png", "scene.png", "--set", "match.stride=3"), "one of 8, 4, 2, 1"),
        (("object.png", "scene.png", "--weights", "none"), "no model 'none'"),
        (("object.png", "scene.png", "--weights", "text.png"), "cannot be read as safetensors"),
        (("object.png", "scene.png", "--device", "cuda:7"), "cuda:7"),
        (("object.png", "scene.png", "--start", "9"), "start 9"),
    ],
)
def test_bad_input_is_one_line_that_says_what_is_wrong(files: Path, arguments: tuple[str, ...], expected: str) -> None:
    save_picture(files / "tiny.png", np.zeros((9, 9, 3), np.uint8))
    save_picture(files / "flat.png", np.full((50, 50, 3), 77, np.uint8))
    save_picture(files / "pixel.png", np.full((1, 1, 3), 77, np.uint8))
    (files / "text.png").write_text("no picture", encoding="utf-8")
    (files / "empty").mkdir()
    assert expected in complaint(*arguments)


def test_the_help_teaches_by_examples() -> None:
    text = match("--help").output
    for words in ("siamfc match logo.png photo.jpg", "--box", "--also", "--scores", "--threshold"):
        assert words in text
    assert "the weights' own" in " ".join(text.replace("│", " ").split())
