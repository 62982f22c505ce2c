"""From runs to figures: each protocol's own, over its runs and over sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.data import Sequence, open_dataset
from siamfc.evaluation import evaluate
from siamfc.evaluation.got10k_metrics import Got10kScore, got10k_score
from siamfc.evaluation.metrics import OnePassScore, mean_score, one_pass_score, pooled_score
from siamfc.evaluation.plans import default_protocol, planned_runs
from siamfc.evaluation.records import Trajectory
from siamfc.evaluation.runs import follow
from siamfc.evaluation.scoring import frames_per_second, score_sequence, score_tracker
from siamfc.evaluation.vot_metrics import VotScore, vot_sequence_score
from tests.data.trees import HEIGHT, WIDTH
from tests.evaluation.tiny import Reacting, otb, write_got10k, write_otb, write_vot

INTERVAL = (108, 371)


def runs_of(protocol: str, sequence: Sequence) -> dict[str, Trajectory]:
    return {run.name: follow(Reacting(), sequence, run) for run in planned_runs(protocol, sequence)}


@pytest.mark.parametrize(
    ("layout", "protocol"),
    [("otb", "ope"), ("plain", "ope"), ("got10k-test", "got10k"), ("vot", "vot"), ("trackingnet-test", "ope")],
)
def test_each_dataset_has_a_protocol_it_is_for(layout: str, protocol: str) -> None:
    assert default_protocol(layout) == protocol


def test_one_pass_figures_are_those_of_the_one_run(tmp_path: Path) -> None:
    sequence = otb(tmp_path)[0]
    runs = runs_of("ope", sequence)
    row = score_sequence("ope", sequence, runs, planned_runs("ope", sequence))
    expected = one_pass_score(runs["ope"].boxes, sequence.boxes)
    assert isinstance(row.score, OnePassScore)
    assert row.score.success_auc == pytest.approx(expected.success_auc)
    assert row.frames_per_second == pytest.approx(frames_per_second(runs.values()))


def test_temporal_runs_count_from_their_start_on_and_weigh_their_frames(tmp_path: Path) -> None:
    sequence = otb(tmp_path, frames=40)[0]
    planned = planned_runs("tre", sequence)
    runs = {run.name: follow(Reacting(), sequence, run) for run in planned}
    assert len(planned) == 20
    parts = []
    for run in planned:
        assert run.start is not None
        assert np.isnan(runs[run.name].boxes[: run.start.frame]).all()
        parts.append(one_pass_score(runs[run.name].boxes[run.start.frame :], sequence.boxes[run.start.frame :]))
    row = score_sequence("tre", sequence, runs, planned)
    assert isinstance(row.score, OnePassScore)
    assert row.score.success_auc == pytest.approx(pooled_score(parts).success_auc)
    assert row.score.frames == sum(part.frames for part in parts)


def test_spatial_runs_are_twelve_and_weigh_alike(tmp_path: Path) -> None:
    sequence = otb(tmp_path)[0]
    runs = runs_of("sre", sequence)
    assert len(runs) == 12
    row = score_sequence("sre", sequence, runs, planned_runs("sre", sequence))
    expected = np.mean([one_pass_score(run.boxes, sequence.boxes).success_auc for run in runs.values()])
    assert isinstance(row.score, OnePassScore)
    assert row.score.success_auc == pytest.approx(expected)


def test_got10k_leaves_out_covered_frames_and_fits_boxes_into_the_frame(tmp_path: Path) -> None:
    sequence = open_dataset(write_got10k(tmp_path))[0]
    runs = runs_of("got10k", sequence)
    row = score_sequence("got10k", sequence, runs, planned_runs("got10k", sequence))
    expected = got10k_score(
        runs["001"].boxes, sequence.boxes, frame_size=(HEIGHT, WIDTH), cover=sequence.levels["cover"]
    )
    assert isinstance(row.score, Got10kScore)
    assert (row.score.average_overlap, row.score.frames) == (expected.average_overlap, 4)


def test_a_sequence_whose_truth_is_not_public_has_runs_and_no_figures(tmp_path: Path) -> None:
    sequence = open_dataset(write_got10k(tmp_path, split="test"))[0]
    runs = runs_of("got10k", sequence)
    row = score_sequence("got10k", sequence, runs, planned_runs("got10k", sequence))
    score = score_tracker("a", "got10k", [row], eao_interval=INTERVAL, problems={}, provenance={})
    assert row.score is None
    assert score.score is None
    assert len(row.runs["001"]) == 6


def test_vots_figures_are_those_of_its_metrics_and_the_interval_is_kept(tmp_path: Path) -> None:
    sequence = open_dataset(write_vot(tmp_path))[0]
    runs = runs_of("vot", sequence)
    row = score_sequence("vot", sequence, runs, planned_runs("vot", sequence))
    expected = vot_sequence_score(list(runs.values()), sequence.boxes, frame_size=(HEIGHT, WIDTH))
    assert row.score is not None
    assert row.score.failures == expected.failures >= 1  # type: ignore[union-attr]
    score = score_tracker("a", "vot", [row], eao_interval=INTERVAL, problems={}, provenance={}).score
    assert isinstance(score, VotScore)
    assert score.interval == INTERVAL


def test_a_trackers_one_pass_figures_are_the_mean_over_sequences(tmp_path: Path) -> None:
    dataset = otb(tmp_path)
    rows = [score_sequence("ope", each, runs_of("ope", each), planned_runs("ope", each)) for each in dataset]
    score = score_tracker("a", "ope", rows, eao_interval=INTERVAL, problems={}, provenance={})
    expected = mean_score([row.score for row in rows if isinstance(row.score, OnePassScore)])
    assert isinstance(score.score, OnePassScore)
    assert score.score.success_auc == expected.success_auc


def test_speed_is_frames_over_time_inside_the_tracker() -> None:
    run = Trajectory(np.array([0, 1, 3]), np.zeros((3, 4)), np.array([np.nan, 1.5, 0.5]))
    assert frames_per_second([run, run]) == 1.0
    assert frames_per_second([Trajectory(run.states, run.boxes, np.full(3, np.nan))]) is None


def test_the_authors_boxes_give_the_published_figures(shared_data: Path) -> None:
    evaluation = evaluate(f"otb:{shared_data / 'otb'}", results=[shared_data / "reference" / "siamfc-3s"])
    tracker = evaluation.trackers[0]
    assert isinstance(tracker.score, OnePassScore)
    assert tracker.score.success_auc == pytest.approx(0.620, abs=5e-4)
    assert tracker.score.precision == pytest.approx(0.853, abs=5e-4)
    assert (len(tracker.sequences), tracker.problems) == (13, {})
    assert tracker.provenance["pixel_base"] == 1


def test_the_call_gives_what_the_files_say_and_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = write_otb(tmp_path / "data")
    kept = evaluate(data, trackers=Reacting, output=tmp_path / "out")
    again = evaluate(data, results={"again": tmp_path / "out"})
    first, second = kept.trackers[0].score, again.trackers[0].score
    assert isinstance(first, OnePassScore)
    assert isinstance(second, OnePassScore)
    np.testing.assert_array_equal(first.success_curve, second.success_curve)
    assert (kept.trackers[0].tracker, again.trackers[0].tracker) == ("Reacting", "again")
    assert capfd.readouterr() == ("", "")
