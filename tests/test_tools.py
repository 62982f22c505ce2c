"""The scripts behind the figures run, and what they print is what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from siamfc.checkpoint import model_names

_TOOLS = Path(__file__).resolve().parent.parent / "tools"
_BOX = (60, 50, 40, 40)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, photograph):
    """One sequence of a patch that moves 2 px a frame over something else, in the plain layout."""
    folder = tmp_path_factory.mktemp("plain") / "clip"
    folder.mkdir()
    rows = ["frame,x,y,width,height"]
    ground = np.full((160, 200, 3), 90, np.uint8)
    ground[::7] = 140
    patch = cv2.resize(photograph, (40, 40))
    for index in range(6):
        frame, x = ground.copy(), _BOX[0] + 2 * index
        frame[50:90, x : x + 40] = patch
        cv2.imwrite(str(folder / f"{index:04d}.png"), frame)
        rows.append(f"{index:04d},{x},50,40,40")
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    return folder.parent


def _run(tool, *arguments):
    command = [sys.executable, str(_TOOLS / tool), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_runtimes_are_compared_with_torch(dataset, tmp_path) -> None:
    pytest.importorskip("onnxruntime")
    out = tmp_path / "compared.json"
    text = _run("compare_runtimes.py", f"plain:{dataset}", "--runtime", "onnxruntime", "--json", out)
    figures = json.loads(out.read_text())["runtimes"]["onnxruntime"]
    assert figures["frames"] == 5
    assert figures["given_torchs_state"]["map_deviation_largest"] < 1e-4
    assert figures["given_torchs_state"]["share_of_boxes_within_0.01_px"] == 1
    assert figures["running_freely"]["auc"] > 0.8
    assert "onnxruntime" in text


def test_versions_are_compared_in_turn(dataset) -> None:
    words = [dataset / "clip", "--box", ",".join(map(str, _BOX)), "--against", _TOOLS.parent]
    text = _run("compare_versions.py", *words, "--minutes", 0, "--block", 8)  # more than the clip has
    ratios = {
        line.split("  ")[0].strip(): float(line.split(" times ")[0].split()[-1]) for line in text.splitlines()[3:]
    }
    assert ratios.keys() == {"other again", "this"}
    assert all(0.1 < ratio < 10 for ratio in ratios.values())


def test_all_shipped_networks_are_timed_beside_each_other(dataset) -> None:
    box = ",".join(map(str, _BOX))
    text = _run("measure_speed.py", dataset / "clip", "--box", box, "--rounds", 1, "--stop", 3, "--beside", 1)
    rates = next(line.split()[1:] for line in text.splitlines() if line.startswith("frames/s"))
    assert len(rates) == len(model_names())
    assert "1.00 mobilenetv2-imagenet" in text.splitlines()[-1]


def test_several_targets_are_measured_beside_single_ones(dataset, tmp_path) -> None:
    out = tmp_path / "targets.json"
    box = ",".join(map(str, _BOX))
    text = _run(
        "measure_targets.py", dataset / "clip", "--box", box, "--targets", 2, "--rounds", 1, "--stop", 3, "--json", out
    )
    assert "100.00% equal those of single trackers" in text
    assert json.loads(out.read_text())


def test_a_training_step_is_measured_beside_the_plain_one() -> None:
    text = _run("measure_training_step.py", "--backbone", "mobilenetv2", "--batch", 2, "--rounds", 1, "--steps", 1)
    ratios = [float(line.split()[-2]) for line in text.splitlines() if line.endswith(" x")]
    assert ratios[0] == 1
    assert len(ratios) >= 3


def test_scores_of_frames_followed_and_lost_are_told_apart(tmp_path, photograph) -> None:
    folder = tmp_path / "plain" / "clip"
    folder.mkdir(parents=True)
    ground = np.full((160, 200, 3), 90, np.uint8)
    ground[::7] = 140
    rows = ["frame,x,y,width,height"]
    for index in range(8):
        frame = ground.copy()
        gone = index in (5, 6)
        if not gone:
            frame[50:90, 60:100] = cv2.resize(photograph, (40, 40))
        cv2.imwrite(str(folder / f"{index:04d}.png"), frame)
        rows.append(f"{index:04d},,,," if gone else f"{index:04d},60,50,40,40")
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "score.json"
    text = _run("measure_score.py", f"plain:{folder.parent}", "--json", out)
    summary = json.loads(out.read_text())
    kinds = summary["sequences"]["clip"]
    assert kinds["lost"]["frames"] == 2
    assert kinds["followed"]["frames"] >= 4
    assert kinds["followed"]["mean_score"] > kinds["lost"]["mean_score"] + 0.2
    assert summary["roc_area"] == 1.0
    assert "area under the ROC curve 1.000" in text
