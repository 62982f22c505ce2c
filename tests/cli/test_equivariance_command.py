"""``siamfc equivariance``: a table, JSON and a figure; bad input is one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from siamfc.cli.equivariance import PartName
from siamfc.cli.main import app
from siamfc.drawing import save_picture
from siamfc.equivariance import PARTS, read_report


def equivariance(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["equivariance", *map(str, arguments)])


def test_weight_sharing_alone_is_measured_written_and_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    save_picture(
        tmp_path / "photos" / "a.png", np.random.default_rng(0).integers(0, 256, (230, 240, 3), dtype=np.uint8)
    )
    result = equivariance("--images", tmp_path / "photos", "--part", "sharing", "--steps", "1", "-o", tmp_path / "o")
    assert result.exit_code == 0, result.output
    report = read_report(tmp_path / "o" / "equivariance.json")
    assert [row.name for row in report.sharing] == ["convolutional", "fully connected"]
    assert report.pictures.endswith("photos")
    assert "1 pictures" in result.stdout
    assert (tmp_path / "o" / "equivariance.png").is_file()
    again = equivariance("--part", "sharing", "--steps", "1", "-o", tmp_path / "o")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    save_picture(tmp_path / "small" / "a.png", np.zeros((50, 50, 3), np.uint8))
    (tmp_path / "empty").mkdir()
    for folder, said in (("nowhere", "does not exist"), ("empty", "no image"), ("small", "at least 223 px")):
        result = equivariance("--images", tmp_path / folder, "-o", tmp_path / "o")
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1
        assert said in result.stderr
    wrong = equivariance("--part", "default", "--weights", "nothing", "--count", "1", "-o", tmp_path / "o")
    assert wrong.exit_code == 2
    assert "no model 'nothing'" in wrong.stderr
    assert not (tmp_path / "o").exists()


def test_the_parts_offered_are_those_there_are() -> None:
    assert tuple(name.value for name in PartName) == PARTS
