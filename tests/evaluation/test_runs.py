"""Runs on disk: resumed after a kill, never mixed, spread over processes, not stopped by one bad sequence."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.data import open_dataset
from siamfc.data.frame_reader import FrameReader
from siamfc.data.sequence import VideoFrames
from siamfc.errors import EnvironmentProblem, OutputError, SiamfcError, TrackerError
from siamfc.evaluation import Evaluation, Workers, evaluate
from siamfc.evaluation.run_folder import prepare_run_folder
from siamfc.evaluation.runs import Progress
from siamfc.frames import Image
from siamfc.opencv import cv2
from siamfc.video import VideoWriter, open_source
from tests.data.trees import write_image, write_rows, write_text
from tests.evaluation.tiny import NAMES, Reacting, write_got10k, write_module, write_otb, write_vot
from tests.scenes import Picture, pan

# A tracker with a clock that ticks the same in every run, so that even times can be compared, and that kills its
# process: in its n-th update, or when the n-th file is about to be given its name.
_MORTAL = """
import itertools, os, signal
import siamfc.evaluation.protocols as protocols
from tests.evaluation.tiny import Reacting

ticks = itertools.count()
protocols.perf_counter = lambda: next(ticks) / 4
UPDATES, FILES = (int(os.environ.get(name, -1)) for name in ("DIE_IN_UPDATE", "DIE_AT_FILE"))
updates, files = itertools.count(1), itertools.count(1)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Mortal(Reacting):
    def update(self, frame):
        if next(updates) == UPDATES:
            die()
        return super().update(frame)

rename = os.replace
def replace(source, target):
    if next(files) == FILES:
        die()
    rename(source, target)
os.replace = replace
"""


class Counting(Reacting):
    """Counts how often trackers were built and started in this process."""

    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        self.counts["built"] += 1

    def init(self, frame: Image, box: Box) -> None:
        self.counts["started"] += 1
        super().init(frame, box)


class Breaking(Reacting):
    """Raises in pictures of the shade 123, and follows the rest."""

    def update(self, frame: Image) -> Box:
        if frame[0, 0, 0] == 123:
            raise ZeroDivisionError("a fault of its own")
        return super().update(frame)


class Interrupted(Reacting):
    """Ctrl-C in the third sequence."""

    started = 0

    def init(self, frame: Image, box: Box) -> None:
        Interrupted.started += 1
        if Interrupted.started == 3:
            raise KeyboardInterrupt
        super().init(frame, box)


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write_otb(tmp_path / "data")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def boxes_of(evaluation: Evaluation, sequence: str) -> list[list[float]]:
    row = next(row for row in evaluation.trackers[0].sequences if row.sequence.name == sequence)
    return next(iter(row.runs.values())).boxes.tolist()


def test_a_run_killed_at_any_moment_and_started_again_is_byte_for_byte_an_unbroken_one(
    data: str, tmp_path: Path
) -> None:
    write_module(tmp_path, _MORTAL, "mortal")

    def run(output: str, **death: int) -> int:
        code = (
            "import sys; from siamfc.evaluation import evaluate; "
            "evaluate(sys.argv[1], trackers='python:mortal:Mortal', output=sys.argv[2])"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
        environment |= {name: str(number) for name, number in death.items()}
        command = [sys.executable, "-c", code, data, output]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=False).returncode

    assert run("unbroken") == 0
    # 18 updates in three sequences; run.json, then times and boxes of each, then two reports.
    dice = random.Random(4)
    deaths = [
        {"DIE_AT_FILE": 1},  # run.json has a temporary name
        {"DIE_IN_UPDATE": dice.randint(2, 4)},  # inside the first sequence
        {"DIE_AT_FILE": 1},  # its times have a temporary name
        {"DIE_AT_FILE": 2},  # its boxes have one
        {"DIE_IN_UPDATE": 5 + dice.randint(2, 5)},  # inside the second
        {"DIE_AT_FILE": dice.randint(2, 4)},
        {"DIE_AT_FILE": 2},  # between the two reports, or before them
    ]
    for death in deaths:
        assert run("broken", **death) == -signal.SIGKILL, death
    assert run("broken") == 0
    unbroken, broken = contents(tmp_path / "unbroken"), contents(tmp_path / "broken")
    assert unbroken == broken
    assert {"report.json", "report.html"} < unbroken.keys()


def test_finished_runs_are_not_made_again(data: str, tmp_path: Path) -> None:
    Counting.counts.clear()
    first = evaluate(data, trackers=Counting, output=tmp_path / "out")
    assert Counting.counts == {"built": 1, "started": 3}
    (tmp_path / "out" / "results" / "Counting" / "ope" / "Bee.txt").unlink()
    steps: list[Progress] = []
    again = evaluate(data, trackers=Counting, output=tmp_path / "out", observe=steps.append)
    assert Counting.counts == {"built": 2, "started": 4}
    assert [(step.done, step.total, step.sequence) for step in steps] == [(2, 3, None), (3, 3, "Bee")]
    assert boxes_of(first, "Bee") == boxes_of(again, "Bee")


def test_two_workers_give_the_boxes_of_one_at_equal_threads(photograph: Picture, tmp_path: Path) -> None:
    for name, step in (("slow", 3), ("fast", 9)):
        scene = pan(photograph, [(100 - step * number, 80) for number in range(5)])
        for number, frame in enumerate(scene.frames):
            _, picture = cv2.imencode(".png", frame[..., ::-1])
            write_bytes(tmp_path / name / f"{number}.png", picture.tobytes())
        rows = [(number, *box) for number, box in enumerate(scene.boxes)]
        write_rows(tmp_path / name / "boxes.csv", [("frame", "x", "y", "width", "height"), *rows])
    options = {"trackers": "siamfc", "device": "cpu"}
    one = evaluate(f"plain:{tmp_path}", **options, workers=Workers(1, threads=1))  # type: ignore[arg-type]
    two = evaluate(f"plain:{tmp_path}", **options, workers=Workers(2, threads=1))  # type: ignore[arg-type]
    for name in ("slow", "fast"):
        assert boxes_of(one, name) == boxes_of(two, name)
        assert len({tuple(box) for box in boxes_of(one, name)}) == 5


def test_each_worker_has_its_share_of_the_cores() -> None:
    assert Workers().threads_each is None
    assert Workers(threads=3).threads_each == 3
    assert Workers(1000).threads_each == 1
    assert Workers(2, cluster="auto").threads_each == 1
    with pytest.raises(SiamfcError, match="workers is 1 or more, not 0"):
        Workers(0)


def test_one_bad_sequence_does_not_stop_the_others(tmp_path: Path) -> None:
    data = write_otb(tmp_path / "data", ("Ant", "Bee", "Cow", "Dog", "Eel"), frames=4)
    (tmp_path / "data" / "Ant" / "img" / "0003.png").write_bytes(b"no picture")
    write_rows(tmp_path / "data" / "Bee" / "groundtruth_rect.txt", [(0, 0, 0, 0)] * 5)
    write_rows(tmp_path / "data" / "Cow" / "groundtruth_rect.txt", [(1, 1, 4, 4)] * 3)
    write_image(tmp_path / "data" / "Dog" / "img" / "0002.png", shade=123)
    tracker = evaluate(data, trackers=Breaking, output=tmp_path / "out").trackers[0]
    assert list(tracker.problems) == ["Ant", "Bee", "Cow", "Dog"]
    assert "0003.png" in tracker.problems["Ant"]
    assert "true box" in tracker.problems["Bee"]
    assert "3 boxes, but 6 frames" in tracker.problems["Cow"]
    assert "raised ZeroDivisionError: a fault of its own (test_runs.py, line" in tracker.problems["Dog"]
    assert [row.sequence.name for row in tracker.sequences] == ["Eel"]
    assert not (tmp_path / "out" / "results" / "Breaking" / "ope" / "Dog.txt").exists()


def test_a_tracker_that_cannot_be_built_ends_the_evaluation(data: str) -> None:
    def fail() -> Reacting:
        raise OSError("no weights")

    with pytest.raises(TrackerError, match=r"fail could not be built \(OSError: no weights\)"):
        evaluate(data, trackers=fail)


def test_ctrl_c_keeps_the_finished_sequences(data: str, tmp_path: Path) -> None:
    Interrupted.started = 0
    with pytest.raises(KeyboardInterrupt):
        evaluate(data, trackers=Interrupted, output=tmp_path)
    assert sorted(path.name for path in (tmp_path / "results").rglob("*.txt") if "time" not in path.name) == [
        "Ant.txt",
        "Bee.txt",
    ]
    assert not list(tmp_path.rglob("*.part"))


def test_results_of_other_settings_are_never_mixed_in(data: str, tmp_path: Path) -> None:
    def run(scales: int, **more: object) -> None:
        settings = [f"tracker.num_scales={scales}"]
        evaluate(data, overrides=settings, device="cpu", sequences=["Ant"], output=tmp_path / "out", **more)  # type: ignore[arg-type]

    run(1)
    run(1)
    with pytest.raises(OutputError, match=r"tracker\.settings\.num_scales was 1 and is now 3.*--overwrite"):
        run(3)
    run(3, name="three")
    run(3, overwrite=True)
    record = json.loads((tmp_path / "out" / "results" / "mobilenetv2" / "ope" / "run.json").read_text())
    assert record["tracker"]["settings"]["num_scales"] == 3
    assert record["pixel_base"] == 1
    assert len(record["tracker"]["sha256"]) == 64


@pytest.mark.parametrize("protocol", ["ope", "vot"])
def test_runs_on_other_data_of_the_same_names_are_never_mixed_in(tmp_path: Path, protocol: str) -> None:
    def run(data: str, *names: str, **more: Any) -> None:
        evaluate(data, trackers=Reacting, protocol=protocol, sequences=names, output=tmp_path / "out", **more)

    first, other = write_otb(tmp_path / "first"), write_otb(tmp_path / "other")
    truth = tmp_path / "other" / "Bee" / "groundtruth_rect.txt"
    lines = truth.read_text().splitlines()
    lines[-1 if protocol == "vot" else 0] = "5,6,9,9"  # VOT's later starts depend on all boxes
    truth.write_text("\n".join(lines))
    run(first, "Bee")
    run(other, "Ant")
    with pytest.raises(OutputError, match=r"holds runs on other data: Bee had another number of frames, or.*--overw"):
        run(other, "Ant", "Bee")
    run(first, "Ant", "Bee", "Cow")
    run(other, "Bee", overwrite=True)
    known = json.loads((tmp_path / "out" / "results" / "Reacting" / protocol / "sequences.json").read_text())
    assert list(known) == ["Bee"]


def test_a_folder_with_files_of_unknown_origin_is_not_used(data: str, tmp_path: Path) -> None:
    write_text(tmp_path / "results" / "Reacting" / "ope" / "Ant.txt", "1,2,3,4\n")
    with pytest.raises(OutputError, match=r"holds files, but no run\.json"):
        evaluate(data, trackers=Reacting, output=tmp_path)


def test_a_result_that_no_longer_fits_the_data_is_that_sequences_problem(data: str, tmp_path: Path) -> None:
    evaluate(data, trackers=Reacting, output=tmp_path / "out")
    write_text(tmp_path / "out" / "results" / "Reacting" / "ope" / "Bee.txt", "1,2,3,4\n")
    tracker = evaluate(data, trackers=Reacting, output=tmp_path / "out").trackers[0]
    assert "has 1 lines, and 7 were expected" in tracker.problems["Bee"]


def test_a_report_of_somebody_else_is_not_replaced(data: str, tmp_path: Path) -> None:
    write_text(tmp_path / "report.json", "{}")
    with pytest.raises(OutputError, match=r"report\.json would be replaced, and is not ours"):
        evaluate(data, trackers=Reacting, output=tmp_path)
    assert not (tmp_path / "results").exists()


def test_each_protocol_has_the_files_its_toolkit_reads(tmp_path: Path) -> None:
    got10k, vot = write_got10k(tmp_path / "got10k", NAMES[:1]), write_vot(tmp_path / "vot", NAMES[:1])
    otb = write_otb(tmp_path / "otb", NAMES[:1], frames=24)
    for data, protocol in ((otb, "ope"), (otb, "tre"), (otb, "sre"), (got10k, None), (vot, None)):
        evaluate(data, protocol=protocol, trackers=Reacting, name="r", output=tmp_path / "out")
    root = tmp_path / "out" / "results" / "r"
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    expected = {f"{protocol}/run.json" for protocol in ("ope", "tre", "sre", "got10k", "vot")}
    expected |= {"ope/Ant.txt", "ope/times/Ant_time.txt"}
    expected |= {"got10k/Ant/Ant_001.txt", "got10k/times/Ant/Ant_001_time.txt"}
    expected |= {"vot/baseline/Ant/Ant_001.txt", "vot/baseline/Ant/Ant_001_time.value"}
    assert expected <= files
    assert sum(name.startswith("sre/Ant/Ant_sre-") for name in files) == 12
    assert sum(name.startswith("tre/times/Ant/Ant_tre-") for name in files) == 5  # 24 frames leave five starts
    codes = (root / "vot" / "baseline" / "Ant" / "Ant_001.txt").read_text().splitlines()
    assert codes[0] == "1"
    assert codes[codes.index("2") : codes.index("2") + 6] == ["2", "0", "0", "0", "0", "1"]


def test_repetitions_are_made_of_trackers_that_depend_on_chance(tmp_path: Path) -> None:
    data = write_got10k(tmp_path / "data", NAMES[:1])
    row = evaluate(data, trackers=Reacting, repetitions=3).trackers[0].sequences[0]
    assert list(row.runs) == ["001", "002", "003"]
    with pytest.raises(SiamfcError, match="ope is run once"):
        evaluate(data, protocol="ope", trackers=Reacting, repetitions=3)


@pytest.fixture
def video(tmp_path: Path) -> VideoFrames:
    with VideoWriter(tmp_path / "clip.mp4", frame_rate=25) as writer:
        for shade in range(0, 200, 20):
            writer.write(np.full((32, 48, 3), shade, np.uint8))
    return VideoFrames(tmp_path / "clip.mp4", 10)


def test_a_video_is_decoded_once_whatever_frames_are_asked_for(
    video: VideoFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr("siamfc.video.open_source", lambda path: opened.append(path) or open_source(path))
    with FrameReader(video) as frames:
        shades = [int(frames[index].mean()) for index in (0, 1, 5, 9)]
    assert np.abs(np.array(shades) - [0, 20, 100, 180]).max() < 6  # the codec and its colour ranges round
    assert len(opened) == 1
    with pytest.raises(ValueError, match="asked for after frame 9"):
        frames[3]


def test_a_video_that_ends_early_is_an_error(video: VideoFrames) -> None:
    with FrameReader(VideoFrames(video.path, 12)) as frames, pytest.raises(SiamfcError, match="has 10 frames, not 12"):
        frames[11]


def test_a_sequence_in_a_video_is_run_from_its_first_box_on(tmp_path: Path, video: VideoFrames) -> None:
    rows = [("frame", "x", "y", "width", "height"), *((index, 4, 5, 8, 6) for index in range(2, 10))]
    write_rows(tmp_path / "clip" / "boxes.csv", rows)
    video.path.rename(tmp_path / "clip" / "clip.mp4")
    row = evaluate(f"plain:{tmp_path / 'clip'}", trackers=Reacting).trackers[0].sequences[0]
    assert row.runs["ope"].states.tolist() == [0, 0, 1] + [3] * 7
    assert row.score is not None


@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not installed (extra cluster)")
def test_a_cluster_gives_the_boxes_of_one_process(data: str, tmp_path: Path) -> None:
    code = (
        "import sys; from siamfc.evaluation import Workers, evaluate; from tests.evaluation.tiny import Reacting; "
        "evaluate(sys.argv[1], trackers=Reacting, output=sys.argv[2], workers=Workers(2, cluster='local'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    # In a process of its own: Ray leaves threads and warnings behind.
    subprocess.run([sys.executable, "-c", code, data, str(tmp_path / "out")], env=environment, check=True, timeout=180)
    alone = evaluate(data, trackers=Reacting)
    spread = evaluate(data, results=[tmp_path / "out"])
    for name in NAMES:
        assert boxes_of(alone, name) == boxes_of(spread, name)


@pytest.mark.skipif(bool(importlib.util.find_spec("ray")), reason="Ray is installed")
def test_without_ray_a_cluster_says_how_to_install_it(data: str) -> None:
    with pytest.raises(EnvironmentProblem, match=r"pip install 'siamfc\[cluster\]'"):
        evaluate(data, trackers=Reacting, workers=Workers(2, cluster="local"))


def test_opening_a_dataset_again_changes_nothing(data: str, tmp_path: Path) -> None:
    by_text = evaluate(data, trackers=Reacting)
    by_dataset = evaluate(open_dataset(data), trackers=Reacting)
    assert by_text.split == by_dataset.split == NAMES
    assert boxes_of(by_text, "Cow") == boxes_of(by_dataset, "Cow")


def test_overwriting_removes_what_a_kill_left_of_an_earlier_removal(tmp_path: Path) -> None:
    folder, old = tmp_path / "ope", tmp_path / ".ope.0123abcd.old"
    for path in (folder, old):
        write_text(path / "left.txt", "x")
    prepare_run_folder(folder, {}, {}, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["ope"]
    assert not (folder / "left.txt").exists()
