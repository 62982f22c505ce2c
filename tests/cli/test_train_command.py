"""``siamfc train`` end to end: the smoke run, a kill and a resume, and what is refused."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from typer.testing import CliRunner

from siamfc.cli.main import app
from siamfc.config import load_train_config
from siamfc.drawing import save_picture
from tests.training.runs import TINY


def _arguments(folder: Path, held_out: Path, *more: str) -> list[str]:
    settings = [part for text in TINY for part in ("--set", text)]
    return ["train", "--data", "synthetic:4", "--held-out", str(held_out), "-o", str(folder), *settings, *more]


def _steps(folder: Path) -> list[int]:
    with (folder / "steps.csv").open(encoding="utf-8") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def held_out(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "held-out.txt"
    path.write_text("# one clip\nclip-3\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, held_out) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    result = CliRunner().invoke(app, _arguments(folder, held_out, "--device", "cpu"))
    assert result.exit_code == 0, result.output
    assert f"siamfc calibrate --weights {folder / 'model.safetensors'}" in result.output
    return folder


def test_a_run_leaves_weights_settings_figures_curves_and_pictures(unbroken) -> None:
    assert _steps(unbroken) == list(range(8))
    content = json.loads((unbroken / "metrics.json").read_text(encoding="utf-8"))
    assert [epoch["epoch"] for epoch in content["epochs"]] == [0, 1, 2]
    assert content["data"]["held_out"] == ["clip-3"]
    assert sorted(path.name for path in (unbroken / "pictures").iterdir()) == [
        "epoch-000.png",
        "epoch-001.png",
        "epoch-002.png",
    ]
    assert list((unbroken / "tensorboard").iterdir())
    written = unbroken / "settings.yaml"
    assert load_train_config(written).training.search_size == 95
    assert yaml.safe_load(written.read_text(encoding="utf-8"))["labels"]["positive_radius"] == 8


def test_a_run_killed_inside_an_epoch_resumes_to_the_same_bits(unbroken, held_out, tmp_path) -> None:
    folder = tmp_path / "killed"
    more = ["--device", "cpu", "--workers", "1", "--set", "training.save_every_s=0"]
    command = [sys.executable, "-m", "siamfc", *_arguments(folder, held_out, *more)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not ((folder / "steps.csv").is_file() and len(_steps(folder)) >= 3):
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    result = CliRunner().invoke(app, _arguments(folder, held_out, *more, "--resume"))
    assert result.exit_code == 0, result.output
    assert "going on after step" in result.output
    assert _steps(folder) == list(range(8))
    one, other = load_file(unbroken / "model.safetensors"), load_file(folder / "model.safetensors")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_smoke_run_learns_from_nothing(tmp_path) -> None:
    result = CliRunner().invoke(app, ["train", "--data", "synthetic", "--config", "smoke", "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    epochs = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))["epochs"]
    first, last = epochs[0]["held_out"], epochs[-1]["held_out"]
    assert last["center_error_px"] < first["center_error_px"] / 2
    assert last["center_error_px"] < last["always_center_px"]


def test_a_folder_with_a_run_is_not_written_over_unasked(unbroken, held_out) -> None:
    result = CliRunner().invoke(app, _arguments(unbroken, held_out))
    assert result.exit_code == 2
    assert "holds a run: --resume (resume=True) goes on with it, --overwrite throws it away" in result.output


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--resume"], "holds no run to go on with"),
        (["--set", "training.epoch=3"], "did you mean 'epochs'"),
        (["--precision", "fp8"], "precision is one of"),
        (["--data", "otb:/nowhere"], "does not exist"),
        (["--data", "synthetic:2@-1"], "weight is a number above zero"),
        (["--init", "/nowhere.safetensors"], "no model"),
        (["--config", "track-default", "--set", "tracker.exemplar_size=0"], "tracker.exemplar_size"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(held_out, tmp_path, more, message) -> None:
    result = CliRunner().invoke(app, _arguments(tmp_path / "run", held_out, *more))
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_a_damaged_picture_is_named_and_does_not_end_the_run(held_out, tmp_path) -> None:
    rng = np.random.default_rng(0)
    for number in range(3):
        folder = tmp_path / "data" / f"video{number}"
        for frame in range(4):
            save_picture(folder / f"{frame:03d}.png", rng.integers(0, 255, (120, 160, 3), dtype=np.uint8))
        rows = [f"{frame:03d}.png,60,40,30,30" for frame in range(4)]
        (folder / "boxes.csv").write_text("\n".join(["frame,x,y,width,height", *rows]), encoding="utf-8")
    (tmp_path / "data" / "video1" / "002.png").write_bytes(b"not a picture")
    arguments = _arguments(tmp_path / "run", held_out, "--device", "cpu")
    arguments[2] = f"plain:{tmp_path / 'data'}"
    result = CliRunner().invoke(app, [*arguments, "--set", "training.held_out_share=0"])
    assert result.exit_code == 0, result.output
    assert "skipped: " in result.output
    assert "002.png" in result.output
