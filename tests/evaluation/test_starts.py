"""OTB's temporal and spatial robustness starts, against the toolkit's rules in 1-based pixels."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.errors import BoxError
from siamfc.evaluation.starts import one_pass_start, spatial_starts, temporal_starts
from tests.reference import otb_starts_reference as reference

SIZE = (240, 320)
ONE_BASED = np.array([1.0, 1, 0, 0])  # what turns our boxes into those of OTB's files
CASES = [
    *("left", "right", "up", "down"),
    *("top-left", "top-right", "bottom-left", "bottom-right"),
    *("scale-08", "scale-09", "scale-11", "scale-12"),
]


@pytest.mark.parametrize("frames", [60, 71, 100, 393, 1700])
def test_temporal_starts_are_those_of_the_toolkit(frames: int) -> None:
    rng = np.random.default_rng(frames)
    boxes = np.concatenate([rng.uniform(0, 100, (frames, 2)), rng.uniform(5, 50, (frames, 2))], axis=1)
    boxes[rng.choice(np.arange(1, frames), size=10, replace=False), 0] = -1.5  # begins outside, so no start
    starts = temporal_starts(boxes)
    one_based = [tuple(row) for row in (boxes + ONE_BASED).tolist()]
    assert [start.frame + 1 for start in starts] == reference.temporal_starts(one_based)
    assert [start.box for start in starts] == [Box(*boxes[start.frame]) for start in starts]
    assert len({start.name for start in starts}) == 20


def test_temporal_starts_leave_out_frames_without_truth_and_omitted_ones() -> None:
    boxes = np.tile([1.0, 2, 30, 40], (100, 1))
    boxes[:10] = np.nan
    omit = np.zeros(100, dtype=bool)
    omit[10:40] = True
    starts = temporal_starts(boxes, omit=omit)
    assert (starts[0].frame, starts[-1].frame) == (40, 80)
    assert len(starts) == 20


@pytest.mark.parametrize(("frames", "count"), [(1, 1), (19, 1), (20, 1), (21, 2), (30, 11), (39, 20)])
def test_a_short_sequence_has_each_start_once(frames: int, count: int) -> None:
    starts = temporal_starts(np.tile([1.0, 2, 30, 40], (frames, 1)))
    assert len(starts) == count
    assert [start.name for start in starts] == [f"tre-{number:02}" for number in range(1, count + 1)]
    assert len({start.frame for start in starts}) == count


@pytest.mark.parametrize("seed", range(20))
def test_spatial_starts_are_those_of_the_toolkit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Whole pixels as in OTB's files for even seeds; some boxes lie at the frame's edges.
    box = np.array([*rng.uniform(0, [250, 170]), *rng.uniform(10, 70, 2)])
    box = np.floor(box) if seed % 2 == 0 else box
    starts = spatial_starts([box], frame_size=SIZE)
    assert [start.name for start in starts] == [f"sre-{n:02}-{case}" for n, case in enumerate(CASES, start=1)]
    for start, case in zip(starts, CASES, strict=True):
        one_based = tuple((box + ONE_BASED).tolist())
        expected = reference.spatial_start(one_based, case, width=SIZE[1], height=SIZE[0])
        np.testing.assert_allclose(start.box.to_one_based(), expected, atol=1e-9)


def test_a_start_that_would_leave_the_frame_is_moved_in_and_cut() -> None:
    starts = {start.name[7:]: start.box for start in spatial_starts([[1, 0, 40, 20]], frame_size=(24, 42))}
    assert starts["left"] == Box(0, 0, 40, 20)
    assert starts["right"] == Box(5, 0, 37, 20)
    assert starts["bottom-right"] == Box(1, 0, 41, 22)


def test_a_run_starts_in_the_first_frame_with_truth() -> None:
    boxes = [[np.nan] * 4, [0, 0, 0, 0], [1, 2, 3, 4]]
    assert one_pass_start(boxes).frame == 2
    assert {start.frame for start in spatial_starts(boxes, frame_size=SIZE)} == {2}


def test_boxes_from_which_no_run_can_start_are_refused() -> None:
    with pytest.raises(BoxError, match="no run can start"):
        one_pass_start([[np.nan] * 4])
    with pytest.raises(BoxError, match="frames, 4"):
        temporal_starts([1, 2, 3, 4])
    with pytest.raises(BoxError, match="above zero"):
        spatial_starts([[400, 10, 20, 20]], frame_size=SIZE)
