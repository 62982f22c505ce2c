"""The other commands, help, exit codes, and what is imported when."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from siamfc import load_model, model_names
from siamfc.cli.main import app
from siamfc.convert import convert_weights

COMMANDS = (
    "track",
    "match",
    "evaluate",
    "train",
    "calibrate",
    "visualize",
    "equivariance",
    "prepare",
    "demo",
    "models",
    "convert",
    "export",
    "bench",
    "vot",
    "info",
)


def in_a_fresh_process(code: str, *, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120, cwd=cwd
    )
    return done.stdout.strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "120"})
    assert result.exit_code == 0
    assert len(result.output) > 300


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_and_version_need_neither_torch_nor_opencv_nor_pyav(arguments: list[str]) -> None:
    code = f"""
import sys
for name in ("torch", "cv2", "av"):
    sys.modules[name] = None
sys.argv = ["siamfc", *{arguments!r}]
from siamfc.cli.main import main
main()
"""
    assert "siamfc" in in_a_fresh_process(code)


def test_opencv_is_imported_before_pyav_by_the_package_and_by_each_command(tmp_path: Path) -> None:
    order = "names = list(sys.modules); print(names.index('cv2') < names.index('av') if 'av' in names else None)"
    everything = "import sys, siamfc; [getattr(siamfc, name) for name in siamfc.__all__];"
    assert in_a_fresh_process(f"{everything} {order}") == "True"
    for arguments in (
        ["demo", "--frames", "3"],
        ["info"],
        ["models"],
        ["track", "demo/overlay.mp4", "--box", "9,9,40,40"],
    ):
        code = f"""
import sys, io, contextlib
sys.argv = ["siamfc", *{arguments!r}]
from siamfc.cli.main import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
{order}
"""
        assert in_a_fresh_process(code, cwd=tmp_path) in ("True", "None"), arguments


def test_models_lists_name_hash_origin_licence_and_accuracy() -> None:
    entries = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    assert [entry["name"] for entry in entries] == model_names()
    for entry in entries:
        assert len(entry["sha256"]) == 64
        assert entry["provenance"]["trained_on"]
        assert entry["provenance"]["licence"]
        assert entry["measured"], "every shipped model has a card with figures"
    text = CliRunner().invoke(app, ["models"]).stdout
    assert entries[0]["sha256"][:12] in text


def test_info_tells_what_a_bug_report_needs() -> None:
    facts = json.loads(CliRunner().invoke(app, ["info", "--json"]).stdout)
    for name in (
        "siamfc",
        "python",
        "libraries",
        "opencv build",
        "ffmpeg in PyAV",
        "windows",
        "devices",
        "runtimes",
        "models",
    ):
        assert facts[name], name
    assert "torch" in CliRunner().invoke(app, ["info"]).stdout


def test_a_full_disk_under_standard_output_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "siamfc", "info"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr == "siamfc: the disk to which the output goes is full\n"


def test_convert_writes_a_checkpoint_that_loads_and_names_what_it_dropped(tmp_path: Path) -> None:
    weights = load_model("mobilenetv2-imagenet", device="cpu").backbone.state_dict()
    torch.save(
        {**weights, "features.18.0.weight": torch.zeros(1), "classifier.1.bias": torch.zeros(1)}, tmp_path / "m.pth"
    )
    command = ["convert", str(tmp_path / "m.pth"), str(tmp_path / "m.safetensors"), "--half", "--licence", "MIT"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "features.18" in result.output
    assert "classifier.1" in result.output
    assert load_model(tmp_path / "m.safetensors").info.provenance.licence == "MIT"
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_convert_refuses_what_it_cannot_read_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("hello", encoding="utf-8")
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "text.pth"), str(tmp_path / "x.safetensors")])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "x.safetensors").exists()


def test_the_shipped_default_is_what_convert_makes_of_the_original(shared_data: Path) -> None:
    made = convert_weights(shared_data / "weights" / "mobilenet_v2_imagenet.pt").model.state_dict()
    shipped = load_model("mobilenetv2-imagenet", device="cpu").state_dict()
    calibration = {"score_mean", "score_deviation", "score_curve"}  # measured later, see the model's card
    assert made.keys() == shipped.keys() - calibration
    for name, tensor in made.items():
        # Half precision keeps eleven binary digits; batch norm's statistics are kept whole.
        assert torch.allclose(shipped[name], tensor, rtol=2**-11, atol=1e-7), name


def test_demo_prints_its_figures(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--frames", "5", "-o", str(tmp_path / "d")])
    assert result.exit_code == 0, result.output
    assert "mean IoU" in result.stdout
    assert "frames a second" in result.stdout
    assert (tmp_path / "d" / "demo.png").is_file()
