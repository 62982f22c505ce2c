"""Curves are written without a display, with or without truth, and never over a file unasked."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from siamfc.boxes import Box
from siamfc.errors import OutputError
from siamfc.video import read_image
from siamfc.visualize.curves import CurveRow, save_curves

BOX = Box(10, 10, 20, 20)


def rows(*truth: Box | None) -> list[CurveRow]:
    return [CurveRow(number, BOX, 1.0, 1.0, true) for number, true in enumerate(truth)]


def test_the_centre_error_is_the_distance_of_the_centres_and_unknown_without_truth() -> None:
    first, second = rows(Box(13, 14, 20, 20), None)
    assert first.center_error_px == 5.0
    assert math.isnan(second.center_error_px)


@pytest.mark.parametrize("truth", [(None, None, None), (None, BOX, None)])
def test_curves_are_drawn_whatever_is_known_of_the_truth(
    truth: tuple[Box | None, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    save_curves(tmp_path / "c.png", rows(*truth), title="x", marked=(1,))
    assert read_image(tmp_path / "c.png").std() > 5


@pytest.mark.parametrize("count", [1, 2, 5, 20, 300])
def test_frames_are_told_by_whole_numbers(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **options: (drawn.append(self), save(self, *args, **options))
    )
    save_curves(tmp_path / "c.png", rows(*[BOX] * count), title="x")
    for axis in drawn[0].axes:
        low, high = axis.get_xlim()
        ticks = [tick for tick in axis.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == int(tick) for tick in ticks)


@pytest.mark.parametrize("name", [os.fsdecode(b"caf\xe9.mp4"), "a$b$c.mp4", "$\\frac$"])
def test_a_title_may_be_any_files_name(name: str, tmp_path: Path) -> None:
    save_curves(tmp_path / "c.png", rows(None, None), title=name)
    assert (tmp_path / "c.png").is_file()


def test_curves_are_not_written_over_a_file_unasked(tmp_path: Path) -> None:
    save_curves(tmp_path / "c.png", rows(None, None), title="x")
    with pytest.raises(OutputError, match="--overwrite"):
        save_curves(tmp_path / "c.png", rows(None, None), title="x")
