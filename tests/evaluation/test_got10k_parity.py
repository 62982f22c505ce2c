"""Our figures against those of the PyPI package got10k 0.1.3, from the same result files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from siamfc.evaluation.got10k_metrics import Got10kScore, got10k_score, pooled_got10k
from siamfc.evaluation.metrics import frame_errors, mean_score, one_pass_score
from siamfc.evaluation.polygons import polygon_overlap
from siamfc.evaluation.protocols import run_vot_supervised
from siamfc.evaluation.records import FrameState, Trajectory
from siamfc.evaluation.vot_metrics import vot_overlaps

pytest.importorskip("got10k", reason="the package got10k is not installed (extra dev)")
Floats = NDArray[np.float64]
WIDTH, HEIGHT = 320, 240
NAMES = ["Ball", "Cat", "Dog"]


@pytest.fixture(autouse=True)
def _wget(monkeypatch: pytest.MonkeyPatch) -> None:
    # got10k imports wget, which downloads and nothing else, and is not needed for figures.
    monkeypatch.setitem(sys.modules, "wget", ModuleType("wget"))


def true_boxes(rng: np.random.Generator, frames: int) -> Floats:
    """A target that wanders, partly over the frame's edges."""
    centers = rng.uniform([40, 40], [WIDTH - 40, HEIGHT - 40]) + rng.normal(0, 6, size=(frames, 2)).cumsum(axis=0)
    sizes = rng.uniform(30, 60, size=2) * np.exp(rng.normal(0, 0.02, size=(frames, 2)).cumsum(axis=0))
    return np.concatenate([centers - sizes / 2, sizes], axis=1)


def predicted_boxes(rng: np.random.Generator, truth: Floats) -> Floats:
    """What a middling tracker finds: close to the truth, here and there far from it."""
    noise = rng.normal(0, 1, size=truth.shape) * rng.choice([1, 5, 40], size=(len(truth), 1), p=[0.5, 0.4, 0.1])
    boxes = truth + noise
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 2)
    return boxes


def write_rows(path: Path, rows: Floats) -> Floats:
    """Write as got10k does, and give back what the file says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, rows, fmt="%.3f", delimiter=",")
    return np.loadtxt(path, delimiter=",")


class DataSet:
    """What got10k's experiments ask of a data set, without files."""

    def __init__(self, truths: dict[str, Floats], meta: dict[str, dict[str, Any]] | None = None) -> None:
        self.truths, self.meta = truths, meta
        self.seq_names = list(truths)
        self.return_meta = False

    def __len__(self) -> int:
        return len(self.truths)

    def __getitem__(self, key: int | str) -> tuple[Any, ...]:
        name = key if isinstance(key, str) else self.seq_names[key]
        files = [f"{number:04}.jpg" for number in range(len(self.truths[name]))]
        return (files, self.truths[name].copy(), *([self.meta[name]] if self.meta else []))

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return (self[name] for name in self.seq_names)


def otb_report(truths: dict[str, Floats], results: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    from got10k.experiments.otb import ExperimentOTB

    experiment = object.__new__(ExperimentOTB)  # its constructor wants the whole data set on disk, or downloads it
    experiment.dataset, experiment.nbins_iou, experiment.nbins_ce = DataSet(truths), 21, 51
    experiment.result_dir, experiment.report_dir = str(results), str(results / "reports")
    monkeypatch.setattr(ExperimentOTB, "plot_curves", lambda *_: None)
    return experiment.report(["mine"])["mine"]


def test_otb_figures_equal_those_of_got10k(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    truths = {name: true_boxes(rng, frames).round(2) for name, frames in zip(NAMES, (60, 150, 333), strict=True)}
    scores = []
    for name, truth in truths.items():
        boxes = predicted_boxes(rng, truth)
        boxes[0] = 7  # neither looks at the first row
        boxes[20:25] = np.nan  # a lost target
        scores.append(one_pass_score(write_rows(tmp_path / "mine" / f"{name}.txt", boxes), truth))
    report = otb_report(truths, tmp_path, monkeypatch)
    for name, score in zip(NAMES, scores, strict=True):
        theirs = report["seq_wise"][name]
        np.testing.assert_allclose(score.success_curve, theirs["success_curve"], atol=1e-6)
        np.testing.assert_allclose(score.precision_curve, theirs["precision_curve"], atol=1e-6)
    mean, overall = mean_score(scores), report["overall"]
    assert mean.success_auc == pytest.approx(overall["success_score"], abs=1e-6)
    assert mean.precision == pytest.approx(overall["precision_score"], abs=1e-6)
    assert mean.success_rate_50 == pytest.approx(overall["success_rate"], abs=1e-6)
    assert 0.3 < mean.success_auc < 0.9


def test_got10k_divides_by_all_frames_where_we_leave_out_those_without_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    truth = true_boxes(rng, 80)
    truth[30:50] = np.nan
    score = one_pass_score(write_rows(tmp_path / "mine" / "Ball.txt", predicted_boxes(rng, true_boxes(rng, 80))), truth)
    theirs = otb_report({"Ball": truth}, tmp_path, monkeypatch)["seq_wise"]["Ball"]
    np.testing.assert_allclose(score.success_curve * 60 / 80, theirs["success_curve"], atol=1e-6)
    np.testing.assert_allclose(score.precision_curve * 60 / 80, theirs["precision_curve"], atol=1e-6)
    assert (score.frames, score.frames_without_truth) == (60, 20)


def test_overlaps_and_centre_errors_equal_those_of_got10k() -> None:
    from got10k.utils.metrics import center_error, rect_iou

    rng = np.random.default_rng(2)
    truth = true_boxes(rng, 500)
    boxes = predicted_boxes(rng, truth)
    errors = frame_errors(boxes, truth)
    np.testing.assert_allclose(errors.overlaps, rect_iou(boxes, truth), atol=1e-12)
    np.testing.assert_allclose(errors.center_errors, center_error(boxes, truth), atol=1e-9)


def got10k_report(
    truths: dict[str, Floats], covers: dict[str, Floats], results: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    from got10k.experiments.got10k import ExperimentGOT10k

    meta = {name: {"resolution": f"({WIDTH}, {HEIGHT})", "cover": cover} for name, cover in covers.items()}
    experiment = object.__new__(ExperimentGOT10k)
    experiment.dataset, experiment.subset, experiment.nbins_iou = DataSet(truths, meta), "val", 101
    experiment.result_dir, experiment.report_dir = str(results), str(results / "reports")
    monkeypatch.setattr(ExperimentGOT10k, "plot_curves", lambda *_: None)
    return experiment.report(["mine"])["mine"]


def from_0(boxes: Floats) -> Floats:
    """Boxes of files that count pixels from 1, as GOT-10k's, counted from 0."""
    return boxes - [1, 1, 0, 0]


def test_got10k_figures_equal_those_of_got10k(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    truths = {name: true_boxes(rng, frames).round(2) for name, frames in zip(NAMES, (60, 150, 333), strict=True)}
    covers = {name: rng.integers(0, 9, size=len(truth)).astype(float) for name, truth in truths.items()}
    scores: list[Got10kScore] = []
    for name, truth in truths.items():
        runs = []
        for repetition in (1, 2, 3):
            path = tmp_path / "mine" / name / f"{name}_{repetition:03}.txt"
            boxes = write_rows(path, predicted_boxes(rng, truth))
            runs.append(got10k_score(from_0(boxes), from_0(truth), frame_size=(HEIGHT, WIDTH), cover=covers[name]))
        write_rows(tmp_path / "mine" / name / f"{name}_time.txt", np.full((len(truth), 3), 0.1))
        scores.append(pooled_got10k(runs))
    report = got10k_report(truths, covers, tmp_path, monkeypatch)
    for name, score in zip(NAMES, scores, strict=True):
        assert score.average_overlap == pytest.approx(report["seq_wise"][name]["ao"], abs=1e-6)
        assert score.success_rate_50 == pytest.approx(report["seq_wise"][name]["sr"], abs=1e-6)
    pooled, overall = pooled_got10k(scores), report["overall"]
    assert pooled.average_overlap == pytest.approx(overall["ao"], abs=1e-6)
    assert pooled.success_rate_50 == pytest.approx(overall["sr"], abs=1e-6)
    np.testing.assert_allclose(pooled.success_curve, overall["succ_curve"], atol=1e-6)
    # got10k prints no SR 0.75, but its curve holds it.
    assert pooled.success_rate_75 == pytest.approx(overall["succ_curve"][75], abs=1e-6)


def test_a_lost_target_makes_got10k_speechless_where_we_count_an_overlap_of_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = true_boxes(np.random.default_rng(4), 50)
    boxes = truth.copy()
    boxes[10:20] = np.nan
    written = write_rows(tmp_path / "mine" / "Ball" / "Ball_001.txt", boxes)
    write_rows(tmp_path / "mine" / "Ball" / "Ball_time.txt", np.full((50, 1), 0.1))
    cover = np.full(50, 8.0)
    theirs = got10k_report({"Ball": truth}, {"Ball": cover}, tmp_path, monkeypatch)["overall"]
    ours = got10k_score(from_0(written), from_0(truth), frame_size=(HEIGHT, WIDTH), cover=cover)
    assert np.isnan(theirs["ao"])
    assert ours.average_overlap == pytest.approx(39 / 49, abs=1e-3)  # the file has three decimals


class ScriptedTracker:
    """Gives the boxes of a table, frame by frame, wherever it is started; ours and got10k's at once."""

    name, is_deterministic = "mine", True

    def __init__(self, boxes: Floats) -> None:
        self.boxes = boxes

    def init(self, frame: Any, box: Any) -> None:
        pass

    def update(self, frame: Any) -> Floats:
        return self.boxes[int(np.asarray(frame)[0, 0, 0])]


def turned(boxes: Floats, degrees: float) -> Floats:
    """(N, 8) the boxes turned around their centres."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    corners = boxes[:, None, 2:] / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    corners = corners @ np.array([[cosine, sine], [-sine, cosine]]) + (boxes[:, None, :2] + boxes[:, None, 2:] / 2)
    return corners.reshape(len(boxes), 8)


def test_a_supervised_run_equals_that_of_got10k(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from got10k.datasets.vot import VOT
    from got10k.experiments import vot
    from got10k.utils.metrics import poly_iou

    rng = np.random.default_rng(5)
    boxes = true_boxes(rng, 200)
    regions = turned(boxes, 20)
    found = predicted_boxes(rng, boxes)
    found[rng.choice(np.arange(1, 200), size=25, replace=False), :2] += 500
    tracker = ScriptedTracker(found)

    experiment = object.__new__(vot.ExperimentVOT)
    experiment.dataset = DataSet({"Ball": regions}, {"Ball": {}})
    experiment.dataset._corner2rect = lambda corners: VOT._corner2rect(None, corners)
    experiment.result_dir, experiment.read_image = str(tmp_path), True
    experiment.skip_initialize, experiment.repetitions = 5, 1
    pictures = SimpleNamespace(open=lambda path: Image.new("RGB", (WIDTH, HEIGHT), (int(path[:4]), 0, 0)))
    monkeypatch.setattr(vot, "Image", pictures)
    monkeypatch.setattr(np, "NaN", np.nan, raising=False)  # gone in NumPy 2, without which got10k's VOT part stops
    experiment.run_supervised(tracker)
    lines = (tmp_path / "mine" / "baseline" / "Ball" / "Ball_001.txt").read_text().splitlines()

    frames = [np.full((HEIGHT, WIDTH, 3), number, dtype=np.uint8) for number in range(200)]
    records = list(run_vot_supervised(tracker, frames, boxes, regions=regions))
    for line, record in zip(lines, records, strict=True):
        numbers = [float(value) for value in line.split(",")]
        assert record.state == (FrameState.TRACKED if len(numbers) == 4 else int(numbers[0]))
        if record.state == FrameState.TRACKED:
            np.testing.assert_allclose(record.box, numbers, atol=1e-4)
    assert sum(record.state == FrameState.FAILED for record in records) > 5

    run = Trajectory.from_records(records, num_frames=200)
    overlaps = vot_overlaps(run, regions, frame_size=(HEIGHT, WIDTH))
    tracked = run.states == FrameState.TRACKED
    theirs = poly_iou(regions[tracked], run.boxes[tracked], bound=(WIDTH, HEIGHT))
    np.testing.assert_allclose(overlaps[tracked], theirs, atol=1e-9)
    np.testing.assert_allclose(polygon_overlap(regions, found), poly_iou(regions, found), atol=1e-9)
