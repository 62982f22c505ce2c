"""``siamfc evaluate`` end to end: figures, files, one line for what is wrong, and no torch where none is needed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from siamfc.cli.evaluate import ProtocolName
from siamfc.cli.main import app
from siamfc.evaluation.plans import PROTOCOLS
from tests.data.trees import one_based, write_rows
from tests.evaluation.tiny import otb, write_module, write_otb

_STILL = "class Still:\n    def init(self, f, b): self.box = b\n    def update(self, f): return self.box\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # so that what is put there is taken out again
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write_otb(tmp_path / "data")


def evaluate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def complaint(*arguments: str | Path) -> str:
    """The one line that a bad input gives."""
    result = evaluate(*arguments)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("siamfc:")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.output
    return lines[0]


def test_a_tracker_in_python_is_run_scored_and_reported(data: str, tmp_path: Path) -> None:
    write_module(tmp_path, _STILL, "still")
    result = evaluate("--data", data, "--tracker", "python:still:Still", "--name", "still", "--by-sequence")
    assert result.exit_code == 0, result.output
    for word in ("still", "Ant", "Bee", "Cow", "success AUC", "precision 20 px"):
        assert word in result.stdout
    assert "still: 3 runs" in result.stderr
    report = json.loads((tmp_path / "evaluate-otb" / "report.json").read_text())
    assert [tracker["name"] for tracker in report["trackers"]] == ["still"]
    assert (tmp_path / "evaluate-otb" / "report.html").stat().st_size > 1000
    again = evaluate("--data", data, "--tracker", "python:still:Still", "--name", "still")
    assert "3 runs, 3 of them done before" in again.stderr


def test_results_are_scored_beside_a_tracker_and_their_pixel_base_is_said(data: str, tmp_path: Path) -> None:
    for sequence in otb(tmp_path / "data"):
        write_rows(tmp_path / "theirs" / f"{sequence.name}.txt", one_based(sequence.boxes).tolist())
    write_module(tmp_path, _STILL, "motionless")
    result = evaluate(
        "--data", data, "--tracker", "python:motionless:Still", "--results", "perfect=theirs", "--output", "out"
    )
    assert result.exit_code == 0, result.output
    assert "0.952" in result.stdout  # the largest AUC: no overlap is above 1
    assert "perfect: files in theirs, pixels from 1 (the convention of OTB's toolkits)" in result.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [tracker["name"] for tracker in report["trackers"]] == ["motionless.Still", "perfect"]
    assert report["trackers"][1]["provenance"]["pixel_base"] == 1


def test_only_results_write_nothing_unasked_and_need_no_torch(data: str, tmp_path: Path) -> None:
    for sequence in otb(tmp_path / "data"):
        write_rows(tmp_path / "theirs" / f"{sequence.name}.txt", one_based(sequence.boxes).tolist())
    program = """
        import sys
        sys.modules["torch"] = None
        sys.argv = ["siamfc", "evaluate", "--data", sys.argv[1], "--results", "theirs", *sys.argv[2:]]
        from siamfc.cli.main import main
        main()
    """
    for options in ([], ["--output", "out", "--by-sequence"]):
        command = [sys.executable, "-c", textwrap.dedent(program), data, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "theirs" in done.stdout
        assert "0.952" in done.stdout
        assert (tmp_path / "out").exists() == bool(options)


def test_the_authors_boxes_are_scored_as_published(shared_data: Path) -> None:
    result = evaluate("--results", shared_data / "reference" / "siamfc-3s", "--data", f"otb:{shared_data / 'otb'}")
    assert result.exit_code == 0, result.output
    assert "0.620" in result.stdout
    assert "0.853" in result.stdout


def test_failed_sequences_are_named_figures_are_printed_and_the_exit_code_is_2(data: str, tmp_path: Path) -> None:
    write_module(tmp_path, _STILL, "unmoved")
    (tmp_path / "data" / "Bee" / "img" / "0002.png").write_bytes(b"")
    result = evaluate("--data", data, "--tracker", "python:unmoved:Still", "--output", "out")
    assert result.exit_code == 2
    assert "2 of 3" in result.stdout
    assert "unmoved.Still: 1 of 3 sequences have no result: Bee" in result.stderr
    assert "Traceback" not in result.output


def test_only_the_sequences_asked_for_are_measured(data: str, tmp_path: Path) -> None:
    write_module(tmp_path, _STILL, "resting")
    result = evaluate("--data", data, "--tracker", "python:resting:Still", "--sequences", "Cow,Ant", "-o", "out")
    assert "resting.Still: 2 runs" in result.stderr
    assert json.loads((tmp_path / "out" / "report.json").read_text())["split"] == ["Ant", "Cow"]
    assert "did you mean Ant" in complaint("--data", data, "--sequences", "Amt")


def test_bad_input_is_one_line(data: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "otb expects there" in complaint("--data", "otb:nowhere")
    assert "there is no layout" in complaint("--data", f"otb7:{tmp_path}")
    assert "there is no tracker" in complaint("--data", data, "--tracker", "mean-shift")
    assert "holds no results" in complaint("--data", data, "--results", "empty")
    assert "2 trackers are called" in complaint("--data", data, "--tracker", "opencv:MIL", "--tracker", "opencv:MIL")
    assert "which is not among those" in complaint("--data", data, "--tracker", "opencv:MIL", "--set", "tracker.a=1")
    assert "no EAO interval of VOT2012" in complaint("--data", data, "--vot-year", "2012")


def test_another_runtime_evaluates_with_workers_and_its_results_are_not_mixed(data: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    own = ["--data", data, "--set", "tracker.num_scales=1", "--device", "cpu", "--output", "out"]
    result = evaluate(*own, "--runtime", "onnxruntime", "--workers", "2")
    assert result.exit_code == 0, result.output
    assert "3 runs" in result.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["trackers"][0]["provenance"]["tracker"]["runtime"]["name"] == "onnxruntime"
    again = evaluate(*own, "--runtime", "onnxruntime")
    assert "3 runs, 3 of them done before" in again.stderr
    assert "tracker.runtime.name was onnxruntime and is now torch" in complaint(*own)
    assert "which is not among those" in complaint(
        "--data", data, "--tracker", "opencv:MIL", "--runtime", "onnxruntime"
    )


def test_options_of_the_wrong_form_show_the_usage(data: str) -> None:
    for wrong in (["--results-base", "2"], ["--workers", "0"], ["--protocol", "opa"], ["--tracker-option", "x"]):
        result = evaluate("--data", data, *wrong)
        assert result.exit_code == 2
        assert "Usage" in result.stderr


def test_the_help_teaches_with_an_example_and_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; from siamfc.cli.main import app; app(['evaluate', '--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "siamfc evaluate --data otb:/data/OTB --output eval" in done.stdout
    assert "--results-base" in done.stdout


def test_the_protocols_offered_are_those_there_are() -> None:
    assert [protocol.value for protocol in ProtocolName] == list(PROTOCOLS)
