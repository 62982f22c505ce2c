"""The authors' own boxes on real sequences, scored as their paper's benchmark does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.evaluation.metrics import OnePassScore, frame_errors, mean_score, one_pass_score


def read_rows(path: Path) -> NDArray[np.float64]:
    lines = path.read_text().splitlines()
    return np.array([[float(value) for value in re.split(r"[,\s]+", line.strip())] for line in lines if line.strip()])


def true_boxes(data: Path, target: str) -> NDArray[np.float64]:
    name, _, number = target.partition("-")
    return read_rows(data / "otb" / name / (f"groundtruth_rect.{number}.txt" if number else "groundtruth_rect.txt"))


@pytest.fixture(scope="module")
def scores(shared_data: Path) -> dict[str, OnePassScore]:
    files = sorted((shared_data / "reference" / "siamfc-3s").glob("*.txt"))
    # Both are 1-based, and no figure depends on where the origin lies.
    return {path.stem: one_pass_score(read_rows(path), true_boxes(shared_data, path.stem)) for path in files}


def test_the_authors_boxes_have_an_auc_of_0620_and_a_precision_of_0853(scores: dict[str, OnePassScore]) -> None:
    mean = mean_score(list(scores.values()))
    assert len(scores) == 13
    assert mean.success_auc == pytest.approx(0.620, abs=5e-4)
    assert mean.precision == pytest.approx(0.853, abs=5e-4)
    assert mean.frames_lost == mean.frames_without_truth == 0


def test_the_figures_of_every_sequence_equal_those_of_got10k(
    scores: dict[str, OnePassScore], shared_data: Path
) -> None:
    metrics = pytest.importorskip("got10k.utils.metrics", reason="the package got10k is not installed (extra dev)")
    for target, score in scores.items():
        boxes, truth = (
            read_rows(shared_data / "reference" / "siamfc-3s" / f"{target}.txt"),
            true_boxes(shared_data, target),
        )
        boxes[0] = truth[0]
        overlaps, distances = metrics.rect_iou(boxes, truth), metrics.center_error(boxes, truth)
        success = (overlaps[:, None] > np.linspace(0, 1, 21)).mean(axis=0)
        assert score.success_auc == pytest.approx(success.mean(), abs=1e-6)
        assert score.precision == pytest.approx((distances <= 20).mean(), abs=1e-6)
        np.testing.assert_allclose(frame_errors(boxes, truth).overlaps, overlaps, atol=1e-12)
