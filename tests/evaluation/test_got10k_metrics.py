"""GOT-10k's figures against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.errors import BoxError
from siamfc.evaluation.got10k_metrics import (
    class_balanced_got10k,
    got10k_overlaps,
    got10k_score,
    mean_got10k,
    pooled_got10k,
)

NAN = [np.nan] * 4
BOX = [10.0, 10, 20, 40]
HALF = [10.0, 10, 20, 20]  # overlap 0.5 with BOX
SIZE = (100, 200)


def test_the_first_frame_and_covered_frames_do_not_count() -> None:
    overlaps = got10k_overlaps([BOX, HALF, HALF, BOX], [BOX] * 4, frame_size=SIZE, cover=[8, 8, 0, 1])
    np.testing.assert_array_equal(overlaps, [np.nan, 0.5, np.nan, 1])


def test_a_run_worked_out_by_hand() -> None:
    predicted = [NAN, HALF, BOX, NAN, [10, 10, 20, 32], BOX]
    score = got10k_score(predicted, [*[BOX] * 5, NAN], frame_size=SIZE)  # overlaps 0.5, 1, 0, 0.8
    assert score.average_overlap == pytest.approx(2.3 / 4)
    assert score.success_rate_50 == 0.5
    assert score.success_rate_75 == 0.5
    assert score.success_curve[[0, 49, 50, 80, 100]].tolist() == [0.75, 0.75, 0.5, 0.25, 0]
    assert (score.frames, score.frames_left_out) == (4, 2)


def test_a_box_over_the_far_edge_is_cut_and_one_over_the_near_edge_is_moved() -> None:
    reaching, truth = [190.0, 90, 40, 40], [190.0, 90, 10, 10]
    assert got10k_overlaps([BOX, reaching], [BOX, truth], frame_size=SIZE)[1] == 1
    moved, truth = [-5.0, -5, 10, 10], [-1.0, -1, 10, 10]  # the toolkit's frame begins at -1
    assert got10k_overlaps([BOX, moved], [BOX, truth], frame_size=SIZE)[1] == 1
    reaching, truth = [0.0, 0, 200, 100], [0.0, 0, 199, 99]  # and ends a pixel before ours
    assert got10k_overlaps([BOX, reaching], [BOX, truth], frame_size=SIZE)[1] == 1


def test_averages_weigh_frames_sequences_or_classes() -> None:
    good = got10k_score([BOX] * 4, [BOX] * 4, frame_size=SIZE)
    bad = got10k_score([BOX, NAN], [BOX] * 2, frame_size=SIZE)
    assert pooled_got10k([good, bad]).average_overlap == pytest.approx(3 / 4)
    assert mean_got10k([good, bad, bad]).average_overlap == pytest.approx(1 / 3)
    assert class_balanced_got10k([good, bad, bad], ["a", "b", "b"]).average_overlap == pytest.approx(1 / 2)
    assert pooled_got10k([good, bad]).frames == 4


def test_input_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BoxError, match="nothing to score"):
        got10k_score([BOX], [BOX], frame_size=SIZE)
    with pytest.raises(BoxError, match="one level a frame"):
        got10k_score([BOX] * 2, [BOX] * 2, frame_size=SIZE, cover=[8])
    with pytest.raises(ValueError, match="one class a score"):
        class_balanced_got10k([], ["dog"])
