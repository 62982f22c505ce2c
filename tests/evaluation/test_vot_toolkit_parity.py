"""Our VOT figures against those of the official toolkit (PyPI vot-toolkit 0.9.0)."""

from __future__ import annotations

from math import exp
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.evaluation.expected_overlap import expected_average_overlap, expected_overlap_curve, split_fragments
from siamfc.evaluation.polygons import polygon_overlap
from siamfc.evaluation.records import FrameState, Trajectory
from siamfc.evaluation.vot_metrics import vot_score, vot_sequence_score

try:
    import vot.region as regions
    from vot.analysis import supervised
except (ImportError, TypeError):  # attributee 0.1.10, which it wants, stops with a TypeError on Python 3.11 and later
    pytest.skip(
        "vot-toolkit cannot be imported (it is in no extra: it wants numba and Python 3.10)", allow_module_level=True
    )

SIZE = (240, 320)
Floats = NDArray[np.float64]


def random_sequence(rng: np.random.Generator, frames: int) -> tuple[Trajectory, Floats]:
    """A supervised run in whole pixels, in which the toolkit's counting is exact for upright boxes."""
    truth = np.concatenate([rng.integers(40, 120, size=(frames, 2)), rng.integers(20, 60, size=(frames, 2))], axis=1)
    boxes = truth + rng.integers(-8, 9, size=truth.shape)
    states: list[int] = []
    while len(states) < frames:
        stretch = [FrameState.TRACKED] * int(rng.integers(5, 90))
        states += [FrameState.STARTED, *stretch, FrameState.FAILED, *[FrameState.SKIPPED] * 4]
    run = Trajectory(np.array(states[:frames]), boxes.astype(float), np.full(frames, np.nan))
    return run, truth.astype(float)


def as_toolkit(run: Trajectory) -> list[Any]:
    return [
        regions.Rectangle(*box) if state == FrameState.TRACKED else regions.Special(int(state))
        for state, box in zip(run.states, run.boxes, strict=True)
    ]


def as_sequence(truth: Floats) -> Any:
    shapes = [regions.Rectangle(*box) for box in truth]
    return SimpleNamespace(groundtruth=lambda: shapes, size=(SIZE[1], SIZE[0]))


def test_accuracy_failures_and_weights_equal_those_of_the_toolkit() -> None:
    rng = np.random.default_rng(0)
    pairs = [random_sequence(rng, frames) for frames in (60, 150, 333)]
    results = []
    for run, truth in pairs:
        ours = vot_sequence_score([run], truth, frame_size=SIZE)
        theirs, _ = supervised.compute_accuracy(as_toolkit(run), as_sequence(truth), 10, True, True)
        assert ours.accuracy == pytest.approx(theirs, abs=1e-6)
        assert ours.failures == supervised.count_failures(as_toolkit(run))[0]
        results.append((theirs, ours.failures, None, len(run)))
    aggregate = supervised.AverageAccuracyRobustness().aggregate(None, [], results)
    score = vot_score([vot_sequence_score([run], truth, frame_size=SIZE) for run, truth in pairs], interval=(10, 100))
    assert score.accuracy == pytest.approx(aggregate[0], abs=1e-6)
    assert score.robustness == pytest.approx(aggregate[1], abs=1e-6)
    # The toolkit takes failures weighted by length over the mean length, the paper all failures over all frames.
    assert aggregate[2][0] == pytest.approx(exp(-30 * score.robustness / (score.frames / 3)))
    assert score.reliability == pytest.approx(exp(-30 * score.failures / score.frames))


def test_the_expected_average_overlap_equals_that_of_the_toolkit() -> None:
    rng = np.random.default_rng(1)
    fragments, overlaps, success = [], [], []
    for frames in (60, 150, 333):
        run, _ = random_sequence(rng, frames)
        values = np.where(run.states == FrameState.TRACKED, rng.uniform(0, 1, size=frames), 0)
        fragments += split_fragments(run.states, values)
        failures, starts = supervised.locate_failures_inits(as_toolkit(run))
        ends = [*failures, frames][: len(starts)]
        overlaps += [values[start:end] for start, end in zip(starts, ends, strict=True)]
        success += [end == frames for end in ends]
    curve = expected_overlap_curve(fragments, num_frames=333)
    theirs = np.asarray(supervised.compute_eao_curve(overlaps, [1.0] * len(overlaps), success))
    np.testing.assert_allclose(curve[1 : len(theirs)], theirs[1:], atol=1e-6)
    assert expected_average_overlap(curve, (10, 60)) == pytest.approx(theirs[10:61].mean(), abs=1e-6)


def test_upright_boxes_in_whole_pixels_overlap_as_the_toolkit_counts_them() -> None:
    rng = np.random.default_rng(2)
    run, truth = random_sequence(rng, 400)
    run.boxes[::3, :2] += rng.integers(-150, 250, size=(134, 2))  # over the frame's edges
    theirs = regions.calculate_overlaps(
        [regions.Rectangle(*box) for box in run.boxes], [regions.Rectangle(*box) for box in truth], (SIZE[1], SIZE[0])
    )
    np.testing.assert_allclose(polygon_overlap(run.boxes, truth, frame_size=SIZE), theirs, atol=1e-6)


def test_turned_boxes_overlap_as_the_toolkit_counts_them_to_some_hundredths() -> None:
    rng = np.random.default_rng(3)
    run, truth = random_sequence(rng, 400)
    angles = rng.uniform(0, np.pi, size=400)
    turn = np.stack([np.cos(angles), -np.sin(angles), np.sin(angles), np.cos(angles)], axis=1).reshape(400, 2, 2)
    corners = truth[:, None, 2:] / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    corners = np.einsum("nij,nkj->nki", turn, corners) + (truth[:, None, :2] + truth[:, None, 2:] / 2)
    theirs = regions.calculate_overlaps(
        [regions.Polygon([tuple(corner) for corner in row]) for row in corners],
        [regions.Rectangle(*box) for box in run.boxes],
        (SIZE[1], SIZE[0]),
    )
    ours = polygon_overlap(corners.reshape(400, 8), run.boxes, frame_size=SIZE)
    assert np.abs(ours - theirs).max() < 0.06
    assert abs((ours - theirs).mean()) < 0.02
