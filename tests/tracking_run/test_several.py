"""A run of several targets: who is where, from which frame on, in Python and on disk."""

from __future__ import annotations

import csv
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from siamfc import SiamFC, StoppedEarly, TargetStart, Tracker, load_config, track_video
from siamfc.boxes import Box
from siamfc.errors import BoxError, OutputError, SiamfcError
from siamfc.results import result_files
from siamfc.tracking_run.starts import RunTargets
from siamfc.video import open_source, read_image
from tests.clips import short_clip, write_images, write_lossless, write_video

CLIP = short_clip(6)
OTHER = Box(150, 100, 30, 40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_images(tmp_path_factory.mktemp("several") / "frames", CLIP)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def alone(model: SiamFC, box: Box, first: int = 0) -> list[Box]:
    return [result.box for result in Tracker(model).track((CLIP.render(n) for n in range(first, 6)), box)]


def test_each_target_has_the_boxes_it_has_alone(folder: Path, mobilenetv2: SiamFC) -> None:
    targets = {"main": CLIP.boxes[0], 7: OTHER}
    run = track_video(folder, targets, model=mobilenetv2)
    for name, box in targets.items():
        assert [row.box for row in run.frames if row.id == name] == alone(mobilenetv2, box)
    assert (len(run.frames), run.num_frames, run.complete) == (12, 6, True)


def test_a_list_of_boxes_is_counted_from_0(folder: Path, mobilenetv2: SiamFC) -> None:
    run = track_video(folder, [CLIP.boxes[0], list(OTHER)], model=mobilenetv2, stop=2)
    assert [(row.number, row.id) for row in run.frames] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_target_begins_in_its_frame(folder: Path, mobilenetv2: SiamFC) -> None:
    starts = [TargetStart("early", CLIP.boxes[0]), TargetStart("late", OTHER, 3)]
    run = track_video(folder, starts, model=mobilenetv2)
    assert [row.number for row in run.frames if row.id == "late"] == [3, 4, 5]
    assert [row.box for row in run.frames if row.id == "late"] == alone(mobilenetv2, OTHER, first=3)
    assert [row.box for row in run.frames if row.id == "early"] == alone(mobilenetv2, CLIP.boxes[0])


def test_frames_before_the_first_target_have_no_row_and_are_in_the_video(
    folder: Path, tmp_path: Path, mobilenetv2: SiamFC
) -> None:
    run = track_video(folder, [TargetStart("late", OTHER, 4)], model=mobilenetv2, output=tmp_path / "o", overlay=True)
    assert [row.number for row in run.frames] == [4, 5]
    with open_source(tmp_path / "o" / "overlay.mp4") as frames:
        assert len(list(frames)) == 6


def test_the_files_name_the_targets(folder: Path, tmp_path: Path, mobilenetv2: SiamFC) -> None:
    out = tmp_path / "out"
    targets = {"main": CLIP.boxes[0], 7: OTHER}
    run = track_video(folder, targets, model=mobilenetv2, output=out, overlay=True, scores=True)
    names = ["boxes-7.txt", "boxes-main.txt", "boxes.csv", "boxes.json"]
    assert sorted(path.name for path in out.iterdir()) == [*names, "overlay.mp4", "scores-7.mp4", "scores-main.mp4"]
    assert sorted(path.name for path in run.files) == sorted(path.name for path in out.iterdir())
    table = rows(out / "boxes.csv")
    assert list(table[0]) == ["frame", "time", "id", "x", "y", "width", "height", "score", "scale"]
    assert [row["id"] for row in table] == ["main", "7"] * 6
    report = json.loads((out / "boxes.json").read_text(encoding="utf-8"))
    assert [frame["id"] for frame in report["frames"]] == ["main", 7] * 6
    for name in targets:
        expected = np.array([row.box for row in run.frames if row.id == name])
        one_based = np.loadtxt(out / f"boxes-{name}.txt", delimiter=",")
        assert np.allclose(one_based - [1, 1, 0, 0], expected, atol=1e-4)
        in_table = [
            [float(row[key]) for key in ("x", "y", "width", "height")] for row in table if row["id"] == str(name)
        ]
        assert np.allclose(in_table, expected, atol=1e-4)
    for video in ("scores-7.mp4", "scores-main.mp4"):
        with open_source(out / video) as frames:
            assert len(list(frames)) == 6


def test_each_target_has_its_colour_in_the_overlay(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    from siamfc.drawing import target_color
    from siamfc.tracker.track_result import TrackResult
    from siamfc.video import Frame
    from siamfc.visualize.overlays import TargetsPainter

    colors = [target_color(number) for number in range(12)]
    assert len(set(colors)) == 12
    painter, frame = TargetsPainter(), Frame(5, None, None, np.zeros((240, 320, 3), np.uint8))
    painter.paint(frame, {"gone": TrackResult(Box(1, 1, 5, 5), 0, 0, 1)})
    picture = painter.paint(frame, {"a": TrackResult(Box(50, 60, 100, 90), 0, 0, 1)})
    # It keeps its colour, whoever else is there; a smooth line is mixed a little with what is below.
    assert np.abs(picture[100, 50] / picture[100, 50].max() - np.array(target_color(1)) / 255).max() < 0.05
    assert not frame.image.any()


def test_one_target_gives_the_same_files_however_it_is_given(folder: Path, tmp_path: Path, mobilenetv2: SiamFC) -> None:
    for name, box in (("single", CLIP.boxes[0]), ("several", {"dog": CLIP.boxes[0]})):
        track_video(folder, box, model=mobilenetv2, output=tmp_path / name, scores=True)
    names = sorted(path.name for path in (tmp_path / "single").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "several").iterdir())
    assert names == ["boxes.csv", "boxes.json", "boxes.txt", "scores.mp4"]
    for name in ("boxes.csv", "boxes.txt"):
        assert (tmp_path / "single" / name).read_bytes() == (tmp_path / "several" / name).read_bytes()


def test_the_observer_sees_all_targets_and_can_stop(folder: Path, mobilenetv2: SiamFC) -> None:
    seen = []

    def observe(frame, results):
        seen.append((frame.number, list(results)))
        return "stop" if frame.number == 2 else None

    run = track_video(folder, {"a": CLIP.boxes[0], "b": OTHER}, model=mobilenetv2, observe=observe)
    assert seen == [(0, ["a", "b"]), (1, ["a", "b"]), (2, ["a", "b"])]
    assert (run.complete, run.num_frames) == (False, 3)


def test_results_of_an_earlier_run_are_kept(folder: Path, tmp_path: Path, mobilenetv2: SiamFC) -> None:
    (tmp_path / "boxes-b.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"boxes-b\.txt"):
        track_video(folder, {"a": CLIP.boxes[0], "b": OTHER}, model=mobilenetv2, output=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["boxes-b.txt"]


def test_overwriting_leaves_no_file_of_the_earlier_run_and_touches_no_other(
    folder: Path, tmp_path: Path, mobilenetv2: SiamFC
) -> None:
    out = tmp_path / "out"
    track_video(
        folder, {"a": CLIP.boxes[0], 7: OTHER}, model=mobilenetv2, output=out, overlay=True, scores=True, stop=2
    )
    for name in ("boxes-notes.txt", "scores-mine.mp4"):
        (out / name).write_text("mine", encoding="utf-8")
    track_video(folder, {"A": OTHER, "b": OTHER}, model=mobilenetv2, output=out, scores=True, stop=2, overwrite=True)
    always = {"boxes-notes.txt", "scores-mine.mp4", "boxes.csv", "boxes.json"}
    names = {"boxes-A.txt", "boxes-b.txt", "scores-A.mp4", "scores-b.mp4"}
    assert {path.name for path in out.iterdir()} == always | names
    track_video(folder, OTHER, model=mobilenetv2, output=out, overlay=True, stop=2, overwrite=True)
    assert {path.name for path in out.iterdir()} == always | {"boxes.txt", "overlay.mp4"}
    # What was read stays, too.
    track_video(out / "overlay.mp4", {"c": OTHER, "d": OTHER}, model=mobilenetv2, output=out, overwrite=True)
    assert {path.name for path in out.iterdir()} == always | {"boxes-c.txt", "boxes-d.txt", "overlay.mp4"}


def test_a_run_that_cannot_start_leaves_what_an_earlier_one_wrote(
    folder: Path, tmp_path: Path, mobilenetv2: SiamFC
) -> None:
    out, broken = tmp_path / "out", tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    targets = {"a": CLIP.boxes[0], 7: OTHER}
    track_video(folder, targets, model=mobilenetv2, output=out, overlay=True, scores=True, stop=2)
    before = {path: path.read_bytes() for path in out.iterdir()}
    for source, box in ((folder, Box(5000, 0, 9, 9)), (broken, OTHER), (tmp_path / "none.mp4", OTHER)):
        with pytest.raises(SiamfcError):
            track_video(source, box, model=mobilenetv2, output=out, overwrite=True)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ([TargetStart("a", OTHER), TargetStart("a", OTHER)], "two targets are called a"),
        ([TargetStart("1", OTHER), TargetStart(1, OTHER)], "two targets are called 1"),
        ([TargetStart("a/b", OTHER)], "'a/b'"),
        ([TargetStart("a", OTHER, 6)], "frame 6"),
        ([TargetStart("a", Box(0, 0, 0, 1))], "above zero"),
        ({"far": Box(5000, 0, 10, 10)}, "outside the frame"),
    ],
)
def test_targets_that_cannot_be_followed_are_refused(folder: Path, mobilenetv2: SiamFC, starts, expected: str) -> None:
    with pytest.raises(BoxError, match=expected):
        track_video(folder, starts, model=mobilenetv2)


@pytest.mark.parametrize(("start", "every", "frame"), [(2, 1, 1), (0, 2, 3), (0, 1, 5)])
def test_a_target_that_begins_in_a_frame_that_is_not_read_is_refused(
    folder: Path, mobilenetv2: SiamFC, start: int, every: int, frame: int
) -> None:
    starts = [TargetStart("a", OTHER), TargetStart("late", OTHER, frame)]
    with pytest.raises(BoxError, match=f"begins in frame {frame}"):
        track_video(folder, starts, model=mobilenetv2, start=start, every=every, stop=5)


def test_a_target_whose_frame_never_comes_is_told_and_the_others_are_kept(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    video, out = write_lossless(tmp_path / "clip.mkv", CLIP), tmp_path / "out"
    starts = [TargetStart("a", OTHER), TargetStart("late", OTHER, 100)]
    with pytest.raises(StoppedEarly, match=r"target late begins in frame 100, .* the last was frame 5") as caught:
        track_video(video, starts, model=mobilenetv2, output=out, overlay=True)
    assert (caught.value.run.num_frames, caught.value.run.complete) == (6, False)
    assert [row["id"] for row in rows(out / "boxes.csv")] == ["a"] * 6
    assert sorted(path.name for path in out.iterdir()) == ["boxes-a.txt", "boxes.csv", "boxes.json", "overlay.mp4"]
    with pytest.raises(BoxError, match="target late begins in frame 100"):
        track_video(video, starts[1:], model=mobilenetv2, output=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_run_stopped_before_a_target_begins_says_nothing_of_it(folder: Path, mobilenetv2: SiamFC) -> None:
    starts = [TargetStart("a", OTHER), TargetStart("late", OTHER, 4)]
    run = track_video(folder, starts, model=mobilenetv2, observe=lambda frame, results: "stop")
    assert (run.num_frames, run.complete) == (1, False)


def test_a_video_that_breaks_off_keeps_all_targets(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    folder = write_images(tmp_path / "frames", CLIP)
    (folder / "4.png").write_bytes(b"no picture")
    with pytest.raises(StoppedEarly, match=r"4\.png") as caught:
        track_video(folder, {"a": CLIP.boxes[0], "b": OTHER}, model=mobilenetv2, output=tmp_path / "out")
    assert caught.value.run.num_frames == 3
    assert len(rows(tmp_path / "out" / "boxes.csv")) == 6


@pytest.mark.parametrize("how", ["to the end", "stopped", "interrupted", "bad box"])
def test_no_thread_is_left_however_a_run_ends(tmp_path: Path, mobilenetv2: SiamFC, how: str) -> None:
    video = write_video(tmp_path / "clip.mp4", short_clip(20))
    before = set(threading.enumerate())  # some of them may be ending

    def observe(frame, result):
        if how == "interrupted" and frame.number == 2:
            raise KeyboardInterrupt
        return "stop" if how == "stopped" else None

    box = Box(5000, 0, 5, 5) if how == "bad box" else CLIP.boxes[0]
    config = load_config(overrides=["tracker.num_scales=1"])
    try:
        track_video(video, box, model=mobilenetv2, config=config, observe=observe)
    except (KeyboardInterrupt, BoxError) as error:
        assert how in ("interrupted", "bad box"), error  # noqa: PT017
    assert set(threading.enumerate()) <= before


def test_what_a_user_gives_is_sorted_out() -> None:
    one = [1.0, 2.0, 3.0, 4.0]
    for given in (one, tuple(one), np.array(one), Box(*one), iter(one), map(str, one)):
        targets = RunTargets.of(given)
        assert (targets.several, targets.starts) == (False, [TargetStart(0, Box(*one))])
    for given in ([one, one], np.array([one, one]), (tuple(one), Box(*one))):
        targets = RunTargets.of(given)
        assert (targets.several, targets.ids) == (True, [0, 1])
    assert RunTargets.of({"a": one}).several
    assert RunTargets.of(lambda frame: Box(*one)).starts == []
    for nothing in ([], {}, "1,2,3,4", None, [1, 2, 3]):
        with pytest.raises(BoxError):
            RunTargets.of(nothing)


def test_a_file_of_one_target_is_named_as_ever() -> None:
    assert result_files(["dog"]) == result_files([]) == ["boxes.csv", "boxes.json", "boxes.txt"]


def test_the_runtime_and_its_precision_are_told(folder: Path, tmp_path: Path, mobilenetv2: SiamFC) -> None:
    assert read_image(folder / "1.png").shape[2] == 3
    track_video(folder, CLIP.boxes[0], model=mobilenetv2, runtime="torch", output=tmp_path / "out", stop=2)
    report = json.loads((tmp_path / "out" / "boxes.json").read_text(encoding="utf-8"))
    assert report["runtime"] == {"name": "torch", "precision": "fp32"}
