"""The demo tracks a clip it renders, beats the two boxes that do less, and touches nothing but its own files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc import SiamFC, run_demo
from siamfc.drawing import TRACKED, TRUE
from siamfc.video import read_image


def test_the_demo_follows_the_target_and_replaces_only_its_own_files(tmp_path: Path, mobilenetv2: SiamFC) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    run_demo(tmp_path, num_frames=4, model=mobilenetv2)
    report = run_demo(tmp_path, num_frames=120, model=mobilenetv2)
    assert report.mean_iou >= 0.7
    assert report.mean_iou_not_moving <= 0.3
    assert report.mean_iou_not_scaling <= report.mean_iou - 0.1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "boxes.csv",
        "boxes.json",
        "boxes.txt",
        "clip.mp4",
        "demo.png",
        "mine.txt",
        "overlay.mp4",
        "scores.mp4",
    ]
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "keep"
    picture = read_image(tmp_path / "demo.png")
    assert picture.shape == (360, 480 + 180, 3)
    for color in (TRACKED, TRUE):  # both boxes, in their own colours
        assert (np.abs(picture.astype(int) - color).max(axis=2) < 60).sum() > 50


@pytest.mark.parametrize("config", ["track-paper-5s", "track-compat"])
def test_other_settings_follow_the_target_too(config: str, mobilenetv2: SiamFC) -> None:
    assert run_demo(None, num_frames=40, model=mobilenetv2, config=config).mean_iou >= 0.6
