"""Two processes over gloo learn what one learns from the same batches."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.runs import TINY

_TRAIN = Path(__file__).parents[2] / "tools" / "train.py"


def _command(folder: Path) -> list[str]:
    settings = [*TINY, "training.batch_size=4", "training.epochs=1", "optimiser.batch_norm=frozen"]
    # AdamW takes a step of one size by a gradient's sign, which rounding decides where the gradient is all but nothing.
    settings += ["optimiser.name=sgd", "optimiser.learning_rate=0.001"]
    options = [part for text in settings for part in ("--set", text)]
    return [str(_TRAIN), "--data", "synthetic:4", "--device", "cpu", "--workers", "0", "-o", str(folder), *options]


def _losses(folder: Path) -> list[float]:
    with (folder / "steps.csv").open(encoding="utf-8") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no torch.distributed")
def test_two_processes_give_the_losses_and_weights_of_one_with_the_same_batches(tmp_path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for launcher, folder in (([], one), (torchrun, two)):
        command = [sys.executable, *launcher, *_command(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    # Gradients are summed in another order: equal to rounding.
    assert _losses(two) == pytest.approx(_losses(one), rel=1e-4)
    weights, other = load_file(one / "model.safetensors"), load_file(two / "model.safetensors")
    assert weights.keys() == other.keys()
    for name, value in weights.items():
        assert torch.allclose(other[name], value, atol=1e-4, rtol=1e-3), name
