"""What the maps' files say is what the tracker saw, and where."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from siamfc import SiamFC, Tracker, open_source
from siamfc.boxes import Box
from siamfc.errors import ConfigError, FrameError, OutputError, SourceError
from siamfc.video import FrameSource, read_image
from siamfc.visualize.runs import visualize_pair, visualize_video
from tests.clips import short_clip, write_images, write_video

CLIP = short_clip(6)


@pytest.fixture
def source(tmp_path: Path) -> FrameSource:
    return open_source(write_images(tmp_path / "frames", CLIP))


def test_arrays_and_places_are_those_of_the_tracker(source: FrameSource, tmp_path: Path, mobilenetv2: SiamFC) -> None:
    run = visualize_video(
        source, CLIP.boxes[0], output=tmp_path / "o", frames=[2, 4], formats=["npy"], model=mobilenetv2
    )
    tracker = Tracker(mobilenetv2, keep_maps=True)
    results = list(tracker.track((CLIP.render(number) for number in range(5)), CLIP.boxes[0]))
    assert [row.box for row in run.rows] == [result.box for result in results]
    told = json.loads((tmp_path / "o" / "frames.json").read_text())
    for number in (2, 4):
        maps = results[number].maps
        raw = np.load(tmp_path / "o" / f"raw-{number:06d}.npy")
        assert np.array_equal(raw, maps.score_maps)
        assert np.array_equal(np.load(tmp_path / "o" / f"response-{number:06d}.npy"), maps.response)
        # The peak's place, by the file's own words, is the box's centre: nothing is left to guess.
        frame = told["frames"][number]
        place, (row, column) = frame["upsampled"], maps.peak
        found = (place["x"] + column * place["step"], place["y"] + row * place["step"])
        assert found == pytest.approx(results[number].box.center, abs=1e-3)
        assert frame["peak_in_frame"] == pytest.approx(found)
    assert sorted(path.name for path in (tmp_path / "o").iterdir() if path.suffix == ".png") == ["curves.png"]


def test_names_and_plain_numbers_will_do(source: FrameSource, tmp_path: Path, mobilenetv2: SiamFC) -> None:
    common = {"frames": [2], "formats": ["npy"]}
    first = visualize_video(source, CLIP.boxes[0], output=tmp_path / "o", model=mobilenetv2, **common)
    name, numbers = str(tmp_path / "frames"), list(CLIP.boxes[0])
    again = visualize_video(
        name, numbers, output=str(tmp_path / "p"), model="mobilenetv2-imagenet", config="track-default", **common
    )
    assert again.rows == first.rows


@pytest.mark.parametrize(
    ("wanted", "said"),
    [({"formats": ["jpg"]}, "no format 'jpg'"), ({"views": []}, "empty"), ({"formats": []}, "empty")],
)
def test_what_would_write_nothing_is_refused(source: FrameSource, tmp_path: Path, wanted: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        visualize_video(source, CLIP.boxes[0], output=tmp_path / "o", **wanted)


def test_pictures_of_a_pair_are_taken_as_frames_are(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    image, later, box = CLIP.render(0), CLIP.render(3), CLIP.boxes[0]
    rgb = visualize_pair(image, box, later, output=tmp_path / "rgb", formats=["npy"], model=mobilenetv2)
    bgr = visualize_pair(
        image[..., ::-1], list(box), later[..., ::-1], output=str(tmp_path / "bgr"), formats=["npy"],
        model=mobilenetv2, color_order="bgr",
    )  # fmt: skip
    assert rgb.rows == bgr.rows
    with pytest.raises(FrameError, match=r"255 \* frame"):
        visualize_pair(image / 255, box, later, output=tmp_path / "float", model=mobilenetv2)


def test_all_frames_become_a_video_on_one_colour_scale(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    video = open_source(write_video(tmp_path / "c.mp4", CLIP))
    run = visualize_video(
        video, CLIP.boxes[0], output=tmp_path / "o", views=["overlay"], formats=["mp4"], model=mobilenetv2,
        truth=lambda frame: CLIP.boxes[frame.number],
    )  # fmt: skip
    with open_source(tmp_path / "o" / "overlay.mp4") as written:
        assert sum(1 for _ in written) == 6
    assert run.scale.low < min(row.score for row in run.rows[1:]) <= run.scale.high
    assert max(row.center_error_px for row in run.rows) < 10
    assert [path.name for path in run.files] == ["overlay.mp4", "frames.json", "curves.png"]


def test_a_single_frame_that_is_not_searched_is_a_picture_too(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    source = open_source(write_images(tmp_path / "one", short_clip(1)))
    run = visualize_video(source, CLIP.boxes[0], output=tmp_path / "o", model=mobilenetv2)
    assert run.scale is None
    assert read_image(tmp_path / "o" / "panel-000000.png").std() > 5


def test_a_pair_of_images_is_a_picture_with_the_object_found(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    run = visualize_pair(
        CLIP.render(0), CLIP.boxes[0], CLIP.render(5), output=tmp_path, truth=CLIP.boxes[5], model=mobilenetv2
    )
    assert run.rows[0].center_error_px < 10
    assert read_image(tmp_path / "panel-000000.png").std() > 5


def test_frames_that_are_not_there_are_refused_before_any_work(
    source: FrameSource, tmp_path: Path, mobilenetv2: SiamFC
) -> None:
    for frames in ([2, 6], [-1], []):
        with pytest.raises(SourceError, match="frame"):
            visualize_video(source, CLIP.boxes[0], output=tmp_path / "o", frames=frames, model=mobilenetv2)
    assert not (tmp_path / "o").exists()


def test_frames_of_every_other_one_are_drawn_by_their_number(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    source = open_source(write_images(tmp_path / "frames", CLIP), every=2)
    run = visualize_video(source, CLIP.boxes[0], output=tmp_path / "o", frames=[4], model=mobilenetv2)
    assert [row.frame for row in run.rows] == [0, 2, 4]
    assert (tmp_path / "o" / "panel-000004.png").is_file()
    for number in (3, 6):
        with pytest.raises(SourceError, match=f"no frame {number} .* every 2, before 6"):
            visualize_video(source, CLIP.boxes[0], output=tmp_path / "p", frames=[number], model=mobilenetv2)
    assert not (tmp_path / "p").exists()


def test_nothing_is_overwritten_unasked(source: FrameSource, tmp_path: Path, mobilenetv2: SiamFC) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "frames.json").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputError, match="--overwrite"):
        visualize_video(source, CLIP.boxes[0], output=tmp_path / "o", model=mobilenetv2)
    assert (tmp_path / "o" / "frames.json").read_text(encoding="utf-8") == "keep"
    with pytest.raises(ConfigError, match="no view"):
        visualize_pair(CLIP.render(0), Box(1, 1, 9, 9), CLIP.render(0), output=tmp_path / "p", views=["heat"])
