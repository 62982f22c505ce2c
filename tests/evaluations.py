"""Little evaluations: moving boxes on grey pictures, and trackers that lose them in known frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siamfc.data.sequence import ImageFrames
from siamfc.data.sequence import Sequence as Video
from siamfc.evaluation import (
    Trajectory,
    got10k_score,
    mean_score,
    one_pass_score,
    pooled_got10k,
    vot_score,
    vot_sequence_score,
)
from siamfc.evaluation.scores import Evaluation, SequenceScore, TrackerScore
from siamfc.opencv import cv2

HEIGHT, WIDTH, FRAMES = 60, 80, 24
LOST_FROM = {"early": 6, "middle": 12, "late": 20, "never": FRAMES}
"""Frame from which a tracker of `one_pass` has lost the target, by sequence."""


def videos(folder: Path, names: Sequence[str] = tuple(LOST_FROM), *, polygons: bool = False) -> list[Video]:
    """Sequences of grey pictures in which a box moves to the right; frame 3 has no truth."""
    found = []
    for number, name in enumerate(names):
        files = tuple(f"{frame:04d}.png" for frame in range(FRAMES + 3 * number))
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        _, data = cv2.imencode(".png", np.full((HEIGHT, WIDTH, 3), 128, np.uint8))
        for file in files:
            (place / file).write_bytes(data.tobytes())
        boxes = np.array([[5.0 + frame, 20, 20, 16] for frame in range(len(files))])
        boxes[3] = np.nan
        corners = np.stack([boxes[:, 0], boxes[:, 1], boxes[:, 0] + 20, boxes[:, 1]], axis=1)
        corners = np.hstack([corners, corners[:, [2]], corners[:, [3]] + 16, corners[:, [0]], corners[:, [1]] + 16])
        attributes = ("OCC", "<fast> & far") if number % 2 else ("OCC",)
        frames = ImageFrames(place, files)
        found.append(Video(name, frames, boxes, polygons=corners if polygons else None, attributes=attributes))
    return found


def boxes_of(video: Video, *, shift: float, lost_from: int) -> NDArray[np.float64]:
    """The true boxes moved down by ``shift``, and to where nothing is from a frame on."""
    boxes = np.where(np.isnan(video.boxes), 1.0, video.boxes)
    boxes[:, 1] += shift
    boxes[lost_from:, 1] = 44
    boxes[lost_from:, 3] = 10
    return boxes


def trajectory(boxes: NDArray[np.float64], *, seconds: float = 0.02) -> Trajectory:
    states = np.full(len(boxes), 3)
    states[0] = 1
    return Trajectory(states, boxes, np.full(len(boxes), seconds))


def one_pass(
    folder: Path,
    shifts: Mapping[str, float],
    *,
    missing: Mapping[str, Mapping[str, str]] | None = None,
    fps: float | None = 50.0,
) -> Evaluation:
    """Trackers, by name, whose boxes are so many pixels too low until they are lost."""
    sequences = videos(folder)
    trackers = []
    for name, shift in shifts.items():
        problems = (missing or {}).get(name, {})
        rows = []
        for video in (video for video in sequences if video.name not in problems):
            boxes = boxes_of(video, shift=shift, lost_from=LOST_FROM[video.name])
            score = one_pass_score(boxes, video.boxes)
            rows.append(SequenceScore(video, {"ope": trajectory(boxes)}, score, fps))
        mean = mean_score([row.score for row in rows if row.score])
        trackers.append(TrackerScore(name, tuple(rows), mean, problems, {"sha256": "0" * 64}))
    shared = {"folder": "grey", "versions": {"siamfc": "1 <beta>"}}
    return Evaluation("plain", tuple(video.name for video in sequences), "ope", tuple(trackers), shared)


def got10k(folder: Path, shifts: Mapping[str, float]) -> Evaluation:
    sequences, trackers = videos(folder), []
    for name, shift in shifts.items():
        rows = []
        for video in sequences:
            runs = {
                f"{number:03d}": trajectory(boxes_of(video, shift=shift + number, lost_from=LOST_FROM[video.name]))
                for number in (1, 2)
            }
            scores = [got10k_score(run.boxes, video.boxes, frame_size=(HEIGHT, WIDTH)) for run in runs.values()]
            rows.append(SequenceScore(video, runs, pooled_got10k(scores), None))
        trackers.append(TrackerScore(name, tuple(rows), pooled_got10k([row.score for row in rows])))
    return Evaluation("got10k-val", tuple(video.name for video in sequences), "got10k", tuple(trackers))


def vot(folder: Path, failures: Mapping[str, Sequence[int]], *, interval: tuple[int, int] = (2, 20)) -> Evaluation:
    """Trackers, by name, that fail in these frames and are started again five frames later."""
    sequences, trackers = videos(folder, polygons=True), []
    for name, frames in failures.items():
        rows = []
        for number, video in enumerate(sequences):
            run = trajectory(boxes_of(video, shift=2.0, lost_from=len(video)))
            for frame in frames[: number + 1]:
                run.states[frame : frame + 6] = (2, 0, 0, 0, 0, 1)
                run.boxes[frame + 1 : frame + 5] = np.nan
                run.boxes[frame] = (50, 2, 8, 8)
            score = vot_sequence_score([run], video.polygons, frame_size=(HEIGHT, WIDTH), burn_in=2)
            rows.append(SequenceScore(video, {"baseline": run}, score, 10.0))
        trackers.append(TrackerScore(name, tuple(rows), vot_score([row.score for row in rows], interval=interval)))
    return Evaluation("vot", tuple(video.name for video in sequences), "vot", tuple(trackers))
