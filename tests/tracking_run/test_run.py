"""A run over a video: what it returns, what lies on disk, and what is kept when it breaks off."""

from __future__ import annotations

import csv
import json
import multiprocessing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from siamfc import SiamFC, StoppedEarly, Tracker, load_config, track_video
from siamfc.boxes import Box, intersection_over_union
from siamfc.drawing import draw_box
from siamfc.errors import BoxError, OutputError, SiamfcError, SourceError
from siamfc.tracker.track_result import TrackResult
from siamfc.video import Frame, open_source
from tests.clips import short_clip, write_images, write_lossless, write_video


def boxes_of(path: Path) -> list[list[float]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [[float(row[name]) for name in ("x", "y", "width", "height")] for row in csv.DictReader(file)]


def test_the_run_gives_the_boxes_of_the_tracker_alone(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip()
    folder = write_images(tmp_path / "frames", clip)
    run = track_video(folder, clip.boxes[0], model=mobilenetv2)
    alone = list(Tracker(mobilenetv2).track(clip, clip.boxes[0]))
    assert [row.box for row in run.frames] == [result.box for result in alone]
    assert run.complete
    assert run.files == []
    assert intersection_over_union([row.box for row in run.frames], clip.boxes).mean() > 0.7


def test_which_frames_is_said_where_a_source_is_opened(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip(3)
    with (
        open_source(write_images(tmp_path / "frames", clip)) as source,
        pytest.raises(SourceError, match="open already"),
    ):
        track_video(source, clip.boxes[0], model=mobilenetv2, stop=2)
    with pytest.raises(SourceError, match=r"siamfc.Tracker\(...\).track"):
        track_video([clip.render(0)], clip.boxes[0], model=mobilenetv2)


def test_a_frame_that_cannot_be_read_keeps_the_results_before_it(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip()
    folder = write_images(tmp_path / "frames", clip)
    (folder / "6.png").write_bytes(b"no picture")
    with pytest.raises(StoppedEarly, match=r"6\.png") as caught:
        track_video(folder, clip.boxes[0], model=mobilenetv2, output=tmp_path / "out", overlay=True)
    assert len(caught.value.run.frames) == 5
    assert not caught.value.run.complete
    assert len(boxes_of(tmp_path / "out" / "boxes.csv")) == 5
    report = json.loads((tmp_path / "out" / "boxes.json").read_text(encoding="utf-8"))
    assert report["complete"] is False
    assert "6.png" in report["stopped"]
    assert (tmp_path / "out" / "overlay.mp4").stat().st_size > 0


def test_ctrl_c_keeps_the_results_before_it(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip()

    def press(frame: Frame, result: TrackResult) -> None:
        if frame.number == 3:
            raise KeyboardInterrupt

    video = write_video(tmp_path / "clip.mp4", clip)
    with pytest.raises(KeyboardInterrupt):
        track_video(video, clip.boxes[0], model=mobilenetv2, output=tmp_path / "out", scores=True, observe=press)
    assert len(boxes_of(tmp_path / "out" / "boxes.csv")) == 4
    assert (tmp_path / "out" / "scores.mp4").stat().st_size > 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "boxes.csv",
        "boxes.json",
        "boxes.txt",
        "scores.mp4",
    ]


def test_nothing_is_overwritten_unasked_and_nothing_is_computed_for_it(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip(3)
    folder = write_images(tmp_path / "frames", clip)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "boxes.json").write_text("mine", encoding="utf-8")
    seen: list[int] = []
    with pytest.raises(OutputError, match=r"boxes\.json"):
        track_video(
            folder,
            clip.boxes[0],
            model=mobilenetv2,
            output=tmp_path / "out",
            observe=lambda frame, result: seen.append(frame.number),
        )
    assert seen == []
    assert (tmp_path / "out" / "boxes.json").read_text(encoding="utf-8") == "mine"
    track_video(folder, clip.boxes[0], model=mobilenetv2, output=tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "boxes.json").read_text(encoding="utf-8") != "mine"


def test_a_box_outside_the_first_frame_is_an_error_and_leaves_no_file(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    folder = write_images(tmp_path / "frames", short_clip(2))
    with pytest.raises(BoxError, match="outside the frame"):
        track_video(folder, (5000, 0, 10, 10), model=mobilenetv2, output=tmp_path / "out", overlay=True)
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_the_observer_can_stop_the_run_and_start_the_target_anew(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip()
    anew = Box(5, 5, 30, 30)

    def answer(frame: Frame, result: TrackResult) -> object:
        return {2: anew, 4: "stop"}.get(frame.number)

    run = track_video(write_images(tmp_path / "frames", clip), clip.boxes[0], model=mobilenetv2, observe=answer)
    assert len(run.frames) == 5
    assert not run.complete
    assert (run.frames[2].box, run.frames[2].scale) == (anew, 1)
    assert (run.frames[3].box.width, run.frames[3].scale) == pytest.approx((30, 1), rel=0.1)


def test_the_videos_show_a_target_taken_anew_from_its_frame_on(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip, anew = short_clip(4), Box(150, 100, 60, 50)
    out = tmp_path / "out"
    track_video(
        write_images(tmp_path / "frames", clip), clip.boxes[0], model=mobilenetv2, output=out,
        overlay=True, scores=True, observe=lambda frame, result: anew if frame.number == 2 else None,
    )  # fmt: skip
    with open_source(out / "overlay.mp4") as frames:
        shown = [frame.image.astype(float) for frame in frames][2]
    boxed = clip.render(2).copy()
    draw_box(boxed, anew)
    there = np.abs(shown - boxed.astype(float))[95:155, 145:215]
    assert there.mean() < 0.5 * np.abs(shown - clip.render(2))[95:155, 145:215].mean()
    with open_source(out / "scores.mp4") as frames:
        exemplars = [frame.image[:90, 240:].astype(float) for frame in frames]
    changes = [np.abs(after - before).mean() for before, after in pairwise(exemplars)]
    assert changes[1] > 20
    assert max(changes[0], changes[2]) < 3


def test_a_new_box_that_is_none_keeps_the_frame_as_it_was_found(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip(4)
    with pytest.raises(StoppedEarly, match="outside the frame") as caught:
        track_video(
            write_images(tmp_path / "frames", clip), clip.boxes[0], model=mobilenetv2,
            observe=lambda frame, result: Box(5000, 0, 9, 9) if frame.number == 2 else None,
        )  # fmt: skip
    alone = list(Tracker(mobilenetv2).track(clip, clip.boxes[0]))
    assert [row.box for row in caught.value.run.frames] == [result.box for result in alone[:3]]


def test_the_box_can_be_chosen_when_the_first_frame_is_seen(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip(3)
    shown: list[int] = []

    def choose(frame: Frame) -> Box:
        shown.append(frame.number)
        return clip.boxes[1]

    run = track_video(write_images(tmp_path / "f", clip), choose, model=mobilenetv2, start=1)
    assert shown == [1]
    assert run.frames[0].box == clip.boxes[1]


def test_start_stop_and_every_keep_the_frames_numbers(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip(9)
    video = write_video(tmp_path / "clip.mp4", clip, frame_rate=10)
    run = track_video(
        video, clip.boxes[2], model=mobilenetv2, start=2, stop=8, every=2, output=tmp_path / "out", overlay=True
    )
    assert [row.number for row in run.frames] == [2, 4, 6]
    assert [row.time_s for row in run.frames] == pytest.approx([0.2, 0.4, 0.6])


def test_the_three_files_tell_the_same_boxes(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip(4)
    run = track_video(write_video(tmp_path / "c.mp4", clip), clip.boxes[0], model=mobilenetv2, output=tmp_path / "out")
    expected = np.array([row.box for row in run.frames])
    assert np.allclose(boxes_of(tmp_path / "out" / "boxes.csv"), expected, atol=1e-4)
    report = json.loads((tmp_path / "out" / "boxes.json").read_text(encoding="utf-8"))
    assert np.allclose([frame["box"] for frame in report["frames"]], expected, atol=1e-4)
    assert report["model"]["sha256"] == mobilenetv2.info.sha256
    assert report["tracker"] == load_config().tracker.model_dump()
    one_based = np.loadtxt(tmp_path / "out" / "boxes.txt", delimiter=",")
    assert np.allclose(one_based - [1, 1, 0, 0], expected, atol=1e-4)


def test_a_full_disk_is_one_clear_error(tmp_path: Path, mobilenetv2: SiamFC, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *args: object, **kwargs: object) -> int:
        raise OSError(28, "No space left on device")

    clip = short_clip(2)
    folder = write_images(tmp_path / "frames", clip)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="No space left"):
        track_video(folder, clip.boxes[0], model=mobilenetv2, output=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_run_needs_no_files_beside_it_when_names_have_spaces_and_umlauts(
    tmp_path: Path, mobilenetv2: SiamFC
) -> None:
    clip = short_clip(3)
    video = write_video(tmp_path / "mein Vögel [1] film.mp4", clip)
    run = track_video(video, clip.boxes[0], model=mobilenetv2, output=tmp_path / "Ergebnis für 日本", overlay=True)
    assert len(run.frames) == 3
    assert all(path.is_file() for path in run.files)


def _track_in_worker(folder: Path) -> list[Box]:
    clip = short_clip(3)
    return [row.box for row in track_video(folder, clip.boxes[0], model="mobilenetv2-imagenet", device="cpu").frames]


def test_spawned_worker_processes_track(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "frames", short_clip(3))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(_track_in_worker, (folder,))
    assert np.allclose(there, _track_in_worker(folder), atol=1e-3)


def test_a_lossless_video_gives_the_very_boxes_of_its_frames(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    clip = short_clip()
    from_video = track_video(write_lossless(tmp_path / "lossless.mkv", clip), clip.boxes[0], model=mobilenetv2)
    from_images = track_video(write_images(tmp_path / "frames", clip), clip.boxes[0], model=mobilenetv2)
    assert [row.box for row in from_video.frames] == [row.box for row in from_images.frames]


def test_memory_does_not_grow_with_the_frames(mobilenetv2: SiamFC) -> None:
    resource = pytest.importorskip("resource", reason="counts the process's memory as POSIX does")
    clip = short_clip(2)
    tracker = Tracker(mobilenetv2, load_config(overrides=["tracker.num_scales=1"]))
    tracker.init(clip.render(0), clip.boxes[0])
    peaks = []
    for _ in range(3):
        for _ in range(100):
            tracker.update(clip.render(1))
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    # One kept score map or crop a frame would be 100 x 0.2 MB at the least.
    assert peaks[-1] - peaks[0] < 8 * 1024  # KiB


def test_every_error_of_a_run_is_of_the_package(tmp_path: Path) -> None:
    for source, model in ((tmp_path / "none.mp4", "mobilenetv2-imagenet"), (tmp_path, "no-such-model")):
        with pytest.raises(SiamfcError):
            track_video(source, (0, 0, 5, 5), model=model, device="cpu")
