"""``report.json``: figures, intervals and differences are those of the definitions, and unlike splits stay apart."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from siamfc.errors import OutputError, SiamfcError, SourceError
from siamfc.evaluation import VotScore, VotSequenceScore, bootstrap_difference, bootstrap_mean, vot_score
from siamfc.evaluation.reporting import intervals as intervals_module
from siamfc.evaluation.reporting.model import Report, read_report
from siamfc.evaluation.reporting.report import build_report, write_reports
from siamfc.evaluation.reporting.tables import sequence_table, summary_table
from siamfc.evaluation.scores import Evaluation
from tests.conftest import REPOSITORY
from tests.evaluations import got10k, one_pass, vot

SHIFTS = {"near": 2.0, "far": 7.0}


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return one_pass(tmp_path_factory.mktemp("videos"), SHIFTS)


@pytest.fixture(scope="module")
def report(evaluation: Evaluation) -> Report:
    return build_report(evaluation)


@pytest.fixture(scope="module")
def vot_evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return vot(tmp_path_factory.mktemp("videos"), {"steady": (), "failing": (5, 14), "worse": (4, 10, 16)})


def values(report: Report, tracker: int, figure: str) -> list[float]:
    return [row.figures[figure] or 0.0 for row in report.trackers[tracker].by_sequence.values()]


def test_every_figure_is_that_of_the_scores(evaluation: Evaluation, report: Report) -> None:
    for tracker, kept in zip(evaluation.trackers, report.trackers, strict=True):
        assert kept.figures["success_auc"] == pytest.approx(tracker.score.success_auc, abs=1e-6)
        assert kept.figures["precision"] == pytest.approx(tracker.score.precision, abs=1e-6)
        assert kept.curves["success"].y == pytest.approx(tracker.score.success_curve.tolist(), abs=1e-6)
        for row in tracker.sequences:
            part = kept.by_sequence[row.sequence.name]
            assert part.figures["average_overlap"] == pytest.approx(row.score.average_overlap, abs=1e-6)
            assert (part.frames, part.frames_counted, part.frames_left_out) == (
                len(row.sequence),
                row.score.frames,
                row.score.frames_without_truth,
            )


def test_intervals_and_differences_are_those_of_the_bootstrap_with_the_stated_seed(report: Report) -> None:
    first, other = values(report, 0, "success_auc"), values(report, 1, "success_auc")
    seed = report.bootstrap.seed
    alone = bootstrap_mean(first, rng=np.random.default_rng(seed))
    assert report.trackers[0].intervals["success_auc"] == pytest.approx((alone.low, alone.high), abs=1e-6)
    paired = bootstrap_difference(other, first, rng=np.random.default_rng(seed))
    found = next(one for one in report.comparison.differences if one.figure == "success_auc")
    assert (found.tracker, found.better_on, found.worse_on) == ("far", 0, 4)
    assert (found.difference, found.low, found.high) == pytest.approx(paired, abs=2e-6)


def test_intervals_of_vot_are_those_of_its_figures_computed_anew_from_every_draw(
    vot_evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = 40
    monkeypatch.setattr(intervals_module, "RESAMPLES", draws)
    report = build_report(vot_evaluation)
    counts = np.random.default_rng(0).multinomial(4, [0.25] * 4, size=draws)
    for tracker, kept in zip(vot_evaluation.trackers, report.trackers, strict=True):
        assert isinstance(tracker.score, VotScore)
        parts = [row.score for row in tracker.sequences if isinstance(row.score, VotSequenceScore)]
        longest = replace(parts[-1], accuracy=0.0, failures=0.0, frames=parts[-1].frames, fragments=())
        eao, accuracy = [], []
        for count in counts:
            drawn = [part for part, times in zip(parts, count, strict=True) for _ in range(times)]
            # The curve is as long as the longest sequence of the whole, drawn or not.
            eao.append(vot_score([*drawn, longest], interval=tracker.score.interval).expected_average_overlap)
            accuracy.append(vot_score(drawn, interval=tracker.score.interval).accuracy)
        for figure, redone in (("expected_average_overlap", eao), ("accuracy", accuracy)):
            assert kept.intervals[figure] == pytest.approx(np.quantile(redone, [0.025, 0.975]), abs=2e-6)


def test_the_report_of_equal_evaluations_is_the_same_but_for_timings(tmp_path: Path) -> None:
    written = []
    for name, fps in (("a", 50.0), ("b", 50.0), ("c", 49.0)):
        folder = tmp_path / name
        write_reports(one_pass(tmp_path / "videos", SHIFTS, fps=fps), folder)
        written.append(((folder / "report.json").read_bytes(), (folder / "report.html").read_bytes()))
    assert written[0] == written[1]
    first, other = (json.loads(text) for text, _ in (written[0], written[2]))
    assert first.pop("timings") != other.pop("timings")
    assert first == other


def test_a_report_is_read_as_it_was_written(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(report.to_json(), encoding="utf-8")
    assert read_report(path) == report
    path.write_text(report.to_json().replace('"dataset"', '"data"'), encoding="utf-8")
    with pytest.raises(SourceError, match="dataset"):
        read_report(path)


def test_long_names_stand_whole_in_a_narrow_table(tmp_path: Path) -> None:
    name = "a-tracker-of-thirty-characters"
    report = build_report(one_pass(tmp_path, {name: 2.0}))
    for table in (summary_table(report), sequence_table(report)):
        console = Console(width=60, file=io.StringIO())
        console.print(table)
        assert isinstance(console.file, io.StringIO)
        assert "\N{HORIZONTAL ELLIPSIS}" not in console.file.getvalue()


def test_texts_survive_however_they_look(evaluation: Evaluation) -> None:
    odd = {"note": "[\n  1,\n  2\n]", "path": Path("a/b"), "count": np.int64(3), "none": float("nan"), "list": [1.5, 2]}
    text = build_report(replace(evaluation, provenance=odd)).to_json()
    kept = json.loads(text)["provenance"]
    assert kept == {"note": odd["note"], "path": "a/b", "count": 3, "none": None, "list": [1.5, 2]}
    assert '"list": [1.5, 2]' in text


def test_nothing_is_overwritten_unasked(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(OutputError, match=r"report\.html"):
        write_reports(evaluation, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    paths = write_reports(evaluation, tmp_path, overwrite=True)
    assert [path.name for path in paths] == ["report.json", "report.html"]


def test_a_tracker_with_a_problem_keeps_its_means_and_is_compared_with_nothing(tmp_path: Path) -> None:
    shifts = {"near": 2.0, "far": 7.0, "middle": 4.0}
    report = build_report(one_pass(tmp_path, shifts, missing={"far": {"late": "the 7th image is broken"}}))
    assert report.comparison.trackers == ["near", "middle"]
    assert {one.tracker for one in report.comparison.differences} == {"middle"}
    far = report.trackers[1]
    assert (far.sequences_scored, far.problems) == (3, {"late": "the 7th image is broken"})
    assert far.intervals["success_auc"]
    assert any("far: 1 sequence of 4" in note and "the 7th image is broken." in note for note in report.notes)
    assert any("leave out far" in note for note in report.notes)


def test_a_sequence_that_is_broken_for_all_is_left_out_for_all(tmp_path: Path) -> None:
    missing = {"late": "its images are missing"}
    report = build_report(one_pass(tmp_path, SHIFTS, missing={"near": missing, "far": missing}))
    assert report.comparison.trackers == ["near", "far"]
    assert report.comparison.sequences == ["early", "middle", "never"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": ("early", "middle", "late", "never", "new")}, "no result, and no reason for that, on: new"),
        ({"split": ("early", "middle", "late")}, "outside of it: never"),
        ({"split": ("middle", "early", "late", "never")}, "order of the split"),
        ({"trackers": ()}, "no tracker"),
    ],
)
def test_trackers_of_another_split_are_refused(evaluation: Evaluation, change: dict[str, object], message: str) -> None:
    with pytest.raises(SiamfcError, match=message):
        build_report(replace(evaluation, **change))


def test_two_trackers_of_one_name_are_refused(evaluation: Evaluation) -> None:
    with pytest.raises(SiamfcError, match="2 trackers are called 'near'"):
        build_report(replace(evaluation, trackers=(evaluation.trackers[0],) * 2))


def test_a_mean_that_is_not_of_the_sequences_is_refused(evaluation: Evaluation) -> None:
    near, far = evaluation.trackers
    with pytest.raises(SiamfcError, match=r"near: its success_auc is .* mean of its sequences"):
        build_report(replace(evaluation, trackers=(replace(near, score=far.score),)))


def test_got10k_means_weigh_sequences_by_their_frames(tmp_path: Path) -> None:
    report = build_report(got10k(tmp_path, SHIFTS))
    rows = report.trackers[0].by_sequence.values()
    pooled = np.average([row.figures["average_overlap"] for row in rows], weights=[row.frames_counted for row in rows])
    low, high = report.trackers[0].intervals["average_overlap"]
    assert report.trackers[0].figures["average_overlap"] == pytest.approx(pooled, abs=1e-6)
    assert low < pooled < high
    assert report.timings["near"].frames_per_second is None


def test_the_expected_overlap_of_few_sequences_is_marked_as_comparable_with_nothing(vot_evaluation: Evaluation) -> None:
    report = build_report(vot_evaluation)
    assert report.eao_interval == (2, 20)
    assert any("comparable with nothing that is published" in note for note in report.notes)


def test_truth_that_is_not_public_gives_a_report_without_figures(evaluation: Evaluation) -> None:
    tracker = evaluation.trackers[0]
    rows = tuple(replace(row, score=None) for row in tracker.sequences)
    report = build_report(replace(evaluation, trackers=(replace(tracker, sequences=rows, score=None),)))
    assert report.trackers[0].figures == {}
    assert report.comparison.trackers == []
    assert report.timings["near"].frames_per_second == 50.0
    assert any("whose truth is not public" in note for note in report.notes)


def test_frames_without_truth_are_counted_in_the_notes(report: Report) -> None:
    assert any(note.startswith("4 frames, in no figure") and "early 1" in note for note in report.notes)


def test_speed_weighs_sequences_by_their_frames(evaluation: Evaluation) -> None:
    tracker, speeds = evaluation.trackers[0], (10.0, 20.0, 30.0, 40.0)
    rows = tuple(replace(row, frames_per_second=speed) for row, speed in zip(tracker.sequences, speeds, strict=True))
    report = build_report(replace(evaluation, trackers=(replace(tracker, sequences=rows),)))
    frames = [len(row.sequence) for row in rows]
    seconds = sum(count / speed for count, speed in zip(frames, speeds, strict=True))
    assert report.timings["near"].frames_per_second == pytest.approx(sum(frames) / seconds, abs=1e-6)


def test_reports_are_written_with_torch_blocked(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "sys.modules.update({name: None for name in ('torch', 'matplotlib')})\n"
        "from siamfc.evaluation.reporting.report import build_report, write_reports\n"
        "from siamfc.evaluation.reporting.tables import summary_table\n"
        "from tests.evaluations import one_pass\n"
        "evaluation = one_pass(Path(sys.argv[1]), {'near': 2.0})\n"
        "summary_table(build_report(evaluation))\n"
        "print(*(path.name for path in write_reports(evaluation, Path(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert (result.stdout, result.stderr) == ("report.json report.html\n", "")
