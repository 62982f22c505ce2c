"""Training in one call from Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import siamfc
from siamfc.errors import ConfigError, OutputError
from tests.training.runs import TINY, Silent


def test_a_run_leaves_weights_that_track_and_goes_on_where_it_was(tmp_path: Path) -> None:
    watcher, common = Silent(), {"output": tmp_path / "run", "held_out": ["clip-3"], "device": "cpu"}
    run = siamfc.train(
        "synthetic:4", init="mobilenetv2-imagenet", overrides=TINY, observers=[watcher],
        description="tiny", licence="MIT", **common,
    )  # fmt: skip
    assert (run.complete, run.steps, watcher.steps) == (True, 8, 8)
    assert [epoch["epoch"] for epoch in run.epochs] == [0, 1, 2]
    info = siamfc.read_info(run.weights)
    assert info.provenance.description == "tiny"
    assert info.provenance.source == "begun with mobilenetv2-imagenet"
    assert info.provenance.trained_on == "synthetic:4"
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["command"] == "siamfc.train"
    assert siamfc.Tracker(run.weights).config == siamfc.TrackerConfig()
    with pytest.raises(OutputError, match="holds a run"):
        siamfc.train("synthetic:4", init="mobilenetv2-imagenet", overrides=TINY, **common)
    again = siamfc.train("synthetic:4", init="mobilenetv2-imagenet", overrides=TINY, resume=True, **common)
    assert (again.complete, again.steps, again.epochs) == (True, 8, run.epochs)


def test_a_model_in_memory_may_begin_and_teach(tmp_path: Path, mobilenetv2: siamfc.SiamFC) -> None:
    run = siamfc.train(
        ["synthetic:3@2", "synthetic:2"],
        output=str(tmp_path / "run"),
        init=mobilenetv2,
        teacher=mobilenetv2,
        overrides=[*TINY, "training.epochs=1", "labels.teacher_weight=1"],
        device="cpu",
    )
    source = siamfc.read_info(run.weights).provenance.source
    assert source == "begun with mobilenetv2-imagenet, taught by mobilenetv2-imagenet"


def test_what_cannot_be_trained_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="precision is one of"):
        siamfc.train("otb:nowhere", output=tmp_path / "run", precision="64-true")
    with pytest.raises(ConfigError, match="did you mean 'train-joint'"):
        siamfc.train("otb:nowhere", output=tmp_path / "run", config="train-jont")
