"""``siamfc export``: two graphs that other programs can run, and that come back as a runtime."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from siamfc.cli.main import app
from siamfc.errors import ConfigError, EnvironmentProblem
from siamfc.runtimes.choosing import choose_runtime
from siamfc.runtimes.exported import export_model
from siamfc.runtimes.trial import AGREEMENT, deviation, trial_input
from tests.clips import short_clip, write_images

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is an optional library")
pytest.importorskip("onnx", reason="the graphs are written with onnx")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "fp32"
    result = CliRunner().invoke(app, ["export", "--weights", "mobilenetv2-imagenet", "-o", str(folder)])
    assert result.exit_code == 0, result.output
    assert "score maps" in result.output
    return folder


def test_another_program_gets_the_score_maps_from_the_files_alone(exported, mobilenetv2):
    kernel, searches = trial_input(mobilenetv2)
    embedding, correlation = (
        onnxruntime.InferenceSession(exported / name, providers=["CPUExecutionProvider"])
        for name in ("embedding.onnx", "correlation.onnx")
    )
    features = embedding.run(None, {"images": searches.contiguous().numpy()})[0]
    weight, offset = kernel.weight.contiguous().numpy(), kernel.offset.numpy()
    twice = {"weight": np.concatenate([weight, -weight]), "offset": np.concatenate([offset, offset])}
    maps = correlation.run(None, {"features": features, **twice})[0]
    runtime = choose_runtime(mobilenetv2)
    expected = kernel.score_maps(runtime.embed(searches))
    assert maps.shape == (3, 2, 17, 17)
    assert deviation(expected, torch.from_numpy(maps[:, 0])) < AGREEMENT


def test_the_description_tells_model_settings_and_differences(exported, mobilenetv2):
    description = json.loads((exported / "export.json").read_text(encoding="utf-8"))
    assert description["model"]["sha256"] == mobilenetv2.info.sha256
    assert description["model"]["settings"]["backbone"] == "mobilenetv2"
    assert description["precision"] == "fp32"
    assert {check["size"] for check in description["differences_from_torch"]} == {127, 255}
    assert max(check["features"] for check in description["differences_from_torch"]) < AGREEMENT
    assert description["versions"]["onnxruntime"] == onnxruntime.__version__


def test_an_export_comes_back_as_a_runtime(exported, mobilenetv2):
    kernel, searches = trial_input(mobilenetv2, num_scales=1)
    maps = [
        kernel.score_maps(runtime.embed(searches))
        for runtime in (choose_runtime(mobilenetv2), choose_runtime(mobilenetv2, str(exported)))
    ]
    assert deviation(*maps) < AGREEMENT


def test_an_export_of_another_model_is_refused(exported, alexnet, tmp_path):
    with pytest.raises(EnvironmentProblem, match="other weights"):
        choose_runtime(alexnet, str(exported))
    with pytest.raises(EnvironmentProblem, match="no export"):
        choose_runtime(alexnet, str(tmp_path))


def test_both_networks_can_be_exported(alexnet, tmp_path):
    export = export_model(alexnet, tmp_path / "alexnet")
    assert max(check.features for check in export.checks) < AGREEMENT


def test_int8_is_calibrated_on_the_users_frames_and_tells_what_it_changes(mobilenetv2, tmp_path):
    frames = write_images(tmp_path / "frames", short_clip(4))
    command = [
        "export",
        "-o",
        str(tmp_path / "int8"),
        "--precision",
        "int8",
        "--calibrate",
        str(frames),
        "--pairs",
        "4",
        "--weights",
        "mobilenetv2-imagenet",
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "peak moved" in result.output
    report = json.loads((tmp_path / "int8" / "export.json").read_text(encoding="utf-8"))["quantisation"]
    assert report["pairs"] == 4
    assert 0 < report["median_deviation"] < 0.5
    runtime = choose_runtime(mobilenetv2, str(tmp_path / "int8"))
    assert (runtime.name, runtime.precision) == ("onnxruntime", "int8")
    with pytest.raises(ConfigError, match="exported in int8"):
        choose_runtime(mobilenetv2, str(tmp_path / "int8"), "bf16")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "--overwrite"),
        (["--precision", "int8", "--overwrite"], "--calibrate"),
        (["--precision", "fp16", "--overwrite"], "fp32 or int8"),
        (["--calibrate", "x.mp4", "--overwrite"], "--precision int8"),
        (["--precision", "int8", "--calibrate", "no-such-video.mp4", "--overwrite"], "does not exist"),
    ],
)
def test_bad_input_is_told_in_one_line(exported, options, told):
    result = CliRunner().invoke(app, ["export", "-o", str(exported), *options])
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
