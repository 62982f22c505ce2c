"""OTB's, LaSOT's and TrackingNet's figures against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.errors import BoxError
from siamfc.evaluation.metrics import (
    NORMALIZED_PRECISION_THRESHOLDS,
    PRECISION_THRESHOLDS,
    SUCCESS_THRESHOLDS,
    frame_errors,
    mean_score,
    one_pass_score,
    pooled_score,
    success_curve,
)

NAN = [np.nan] * 4
TRUTH = [[10.0, 10, 20, 40]] * 5


def test_the_overlap_is_shared_over_joint_area() -> None:
    errors = frame_errors([[20, 10, 20, 40]], [[10, 10, 20, 40]])
    assert errors.overlaps[0] == pytest.approx(400 / 1200)


def test_the_centre_error_is_euclidean_and_knows_sizes() -> None:
    errors = frame_errors([[12, 16, 22, 36]], [[10, 10, 20, 40]])  # centres (23, 34) and (20, 30)
    assert errors.center_errors[0] == pytest.approx(5)


def test_the_normalised_error_counts_in_true_widths_and_heights() -> None:
    errors = frame_errors([[16, 26, 20, 40]], [[10, 10, 20, 40]])  # off by 6 and 16: 0.3 widths, 0.4 heights
    assert errors.normalized_errors[0] == pytest.approx(0.5)


def test_a_lost_target_is_no_overlap_and_an_infinite_error() -> None:
    errors = frame_errors([NAN, [10, 10, np.inf, 40]], TRUTH[:2])
    assert errors.overlaps.tolist() == [0, 0]
    assert np.isinf(errors.center_errors).all()
    assert np.isinf(errors.normalized_errors).all()


@pytest.mark.parametrize("unknown", [NAN, [10, 10, 0, 40], [10, 10, 20, -1], [np.inf, 0, 4, 4]])
def test_a_frame_without_a_usable_true_box_has_no_errors(unknown: list[float]) -> None:
    errors = frame_errors([[10, 10, 20, 40], NAN], [unknown, unknown])
    assert np.isnan(errors).all()


@pytest.mark.parametrize("sides", [[-5, -5], [-5, 5], [0, 0]])
def test_a_predicted_box_without_area_overlaps_nothing(sides: list[float]) -> None:
    assert frame_errors([[10, 10, *sides]], TRUTH[:1]).overlaps[0] == 0


def test_equal_boxes_never_pass_the_threshold_at_one() -> None:
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.uniform(0, 1000, (2000, 2)), rng.uniform(1, 300, (2000, 2))], axis=1)
    overlaps = frame_errors(boxes, boxes).overlaps
    assert success_curve(overlaps)[-1] == 0
    np.testing.assert_allclose(overlaps, 1)


def test_the_thresholds_are_those_of_the_toolkits() -> None:
    assert [len(SUCCESS_THRESHOLDS), SUCCESS_THRESHOLDS[10], SUCCESS_THRESHOLDS[15], SUCCESS_THRESHOLDS[20]] == [
        21,
        0.5,
        0.75,
        1,
    ]
    assert [len(PRECISION_THRESHOLDS), PRECISION_THRESHOLDS[20], PRECISION_THRESHOLDS[50]] == [51, 20, 50]
    assert [len(NORMALIZED_PRECISION_THRESHOLDS), *NORMALIZED_PRECISION_THRESHOLDS[[20, 50]]] == [51, 0.2, 0.5]


def test_success_asks_for_more_than_the_threshold_and_precision_for_no_more_than_it() -> None:
    half, shifted = [10.0, 10, 20, 20], [30.0, 10, 20, 40]  # overlap 0.5 exactly; error 20 px exactly
    score = one_pass_score([TRUTH[0], half, shifted], TRUTH[:3])
    assert score.success_rate_50 == pytest.approx(1 / 3)
    assert score.precision == 1


def test_a_run_worked_out_by_hand() -> None:
    # Overlaps 1 (given), 0.5, 1/3, 0; centre errors 0, 10, 10, 30 (in widths and heights: 0, 0.25, 0.5, 1.5).
    predicted = [NAN, [10, 10, 20, 20], [20, 10, 20, 40], [40, 10, 20, 40], [0, 0, 1, 1]]
    score = one_pass_score(predicted, [*TRUTH[:4], NAN])
    # Strictly above k / 20: the first frame for k < 20, the second for k < 10, the third for k < 7 (0.35 > 1/3).
    assert score.success_auc == pytest.approx((20 + 10 + 7 + 0) / 4 / 21)
    assert score.precision == pytest.approx(3 / 4)
    # At most k / 100: the first frame for all 51, the second from 25 on (26), the third at 50 only.
    assert score.normalized_precision == pytest.approx((51 + 26 + 1 + 0) / 4 / 51)
    assert score.normalized_precision_at_20_percent == pytest.approx(1 / 4)
    assert score.average_overlap == pytest.approx((1 + 1 / 2 + 1 / 3) / 4)
    assert (score.frames, score.frames_without_truth, score.frames_lost) == (4, 1, 0)


def test_the_first_frame_with_truth_counts_as_found() -> None:
    score = one_pass_score([NAN, NAN, NAN], [NAN, *TRUTH[:2]])
    assert score.average_overlap == 0.5
    assert (score.frames, score.frames_without_truth, score.frames_lost) == (2, 1, 1)


def test_the_given_arrays_stay_as_they_are() -> None:
    predicted, truth = np.array([NAN, TRUTH[0]]), np.array(TRUTH[:2])
    before = predicted.copy(), truth.copy()
    one_pass_score(predicted, truth)
    np.testing.assert_array_equal(predicted, before[0])
    np.testing.assert_array_equal(truth, before[1])


def test_the_mean_weighs_sequences_and_the_pool_weighs_frames() -> None:
    short, long = one_pass_score(TRUTH[:1], TRUTH[:1]), one_pass_score([NAN] * 4, TRUTH[:4])
    assert mean_score([short, long]).average_overlap == pytest.approx((1 + 1 / 4) / 2)
    assert pooled_score([short, long]).average_overlap == pytest.approx(2 / 5)
    assert mean_score([short, long]).success_auc == pytest.approx((short.success_auc + long.success_auc) / 2)
    for score in (mean_score([short, long]), pooled_score([short, long])):
        assert (score.frames, score.frames_lost) == (5, 3)


@pytest.mark.parametrize(
    ("predicted", "truth", "message"),
    [
        (TRUTH[:2], TRUTH[:3], "2 boxes were predicted for 3 frames"),
        ([[1, 2, 3]], TRUTH[:1], "predicted boxes are an array"),
        (TRUTH[:1], [1, 2, 3, 4], "true boxes are an array"),
        (TRUTH[:2], [NAN, NAN], "none of the 2 frames has a true box"),
    ],
)
def test_boxes_that_do_not_fit_the_frames_are_refused(predicted: object, truth: object, message: str) -> None:
    with pytest.raises(BoxError, match=message):
        one_pass_score(predicted, truth)  # type: ignore[arg-type]


def test_an_average_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no score"):
        mean_score([])
