"""``siamfc bench``: figures for every stage, on the screen and as JSON."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

from siamfc.bench import machine
from siamfc.bench.work import count_macs, stage_work
from siamfc.cli.main import app
from siamfc.config import TrackerConfig
from tests.clips import box_text, short_clip, write_video

STAGES = {"decode", "crop", "embed", "correlate", "post-process", "end to end"}


@pytest.fixture(autouse=True)
def short_measurements(monkeypatch):
    monkeypatch.setattr(machine, "_SLICE_S", 0.01)
    monkeypatch.setattr(machine, "_SIDES", (128,))
    monkeypatch.setattr(machine, "_COPIED_BYTES", 2**20)


def test_the_report_has_every_stage_floor_and_version(tmp_path):
    clip = short_clip(5)
    video, report = write_video(tmp_path / "clip.mp4", clip), tmp_path / "bench.json"
    command = ["bench", str(video), "--box", box_text(clip), "--runtime", "torch", "--rounds", "2", "--train", "1"]
    result = CliRunner().invoke(app, [*command, "--json", str(report)], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    assert "torch fp32" in result.output
    assert "end to end" in result.output
    assert "training step of 1 pairs" in result.output
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["format_version"] == 1
    assert told["machine"]["peak_gflops"] > 0
    assert told["machine"]["copy_gb_per_s"] > 0
    assert told["machine"]["threads"] == torch.get_num_threads()
    assert told["versions"]["torch"] == torch.__version__
    assert (told["frames"], told["rounds"]) == (4, 2)
    side = told["runtimes"]["torch fp32"]
    assert set(side["stages"]) == STAGES
    for stage in side["stages"].values():
        assert 0 < stage["lower_ms"] <= stage["median_ms"] <= stage["upper_ms"]
    assert side["stages"]["decode"]["share_of_floor"] is None
    assert side["stages"]["embed"]["share_of_floor"] > 0
    assert side["frames_per_second"] == pytest.approx(1000 / side["stages"]["end to end"]["median_ms"])
    assert set(told["floors"]) == STAGES - {"decode", "end to end"}
    assert told["training_step"]["pairs"] == 1
    again = CliRunner().invoke(app, [*command, "--json", str(report)])
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_without_a_video_a_clip_is_rendered():
    result = CliRunner().invoke(app, ["bench", "--runtime", "torch", "--rounds", "1", "--stop", "3"])
    assert result.exit_code == 0, result.output
    assert "rendered clip of 3 frames" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["clip.mp4"], "--box"),
        (["no-such.mp4", "--box", "1,2,30,40", "--runtime", "torch"], "does not exist"),
        (["--runtime", "tensorrt"], "no runtime 'tensorrt'"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments, told):
    result = CliRunner().invoke(app, ["bench", *arguments])
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_counts_of_work_are_those_of_the_published_tables(alexnet, mobilenetv2):
    assert count_macs(alexnet, 255) == pytest.approx(2.720e9, rel=1e-3)
    assert count_macs(mobilenetv2, 255) == pytest.approx(0.135e9, rel=0.01)
    work = stage_work(mobilenetv2, TrackerConfig())
    # 17 x 17 windows of 9 x 9 x 192 numbers, three scales.
    assert work["correlate"].operations == 2 * 3 * 17 * 17 * 9 * 9 * 192
    assert work["embed"].operations == 2 * 3 * count_macs(mobilenetv2, 255)
    sometimes = stage_work(mobilenetv2, TrackerConfig(scale_every=4))
    assert sometimes["embed"].operations == pytest.approx(work["embed"].operations * (1 + 2 / 4) / 3)
