"""Tiny datasets and trackers that cost nothing, for tests of whole evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from siamfc.boxes import Box
from siamfc.data import Dataset, open_dataset
from siamfc.frames import Image
from tests.data.trees import moving_boxes, numbered, one_based, write_images, write_rows

NAMES = ("Ant", "Bee", "Cow")


class Reacting:
    """Its box depends on every frame since the start, so a frame too many or too few shows."""

    def init(self, frame: Image, box: Box) -> None:
        self.box = box

    def update(self, frame: Image) -> Box:
        step = float(frame.mean()) / 64
        self.box = Box(self.box.x + step - 1, self.box.y + step / 3, self.box.width * 1.01, self.box.height)
        return self.box


def write_otb(root: Path, names: Sequence[str] = NAMES, frames: int = 6) -> str:
    """A tree in OTB's layout; gives what ``--data`` takes."""
    for place, name in enumerate(names):
        write_images(root / name / "img", numbered("%04d.png", 1, frames + place))
        boxes = one_based(np.array(moving_boxes(frames + place)))
        write_rows(root / name / "groundtruth_rect.txt", boxes.tolist())
    return f"otb:{root}"


def write_got10k(root: Path, names: Sequence[str] = NAMES, frames: int = 6, split: str = "val") -> str:
    """A tree in GOT-10k's layout; of the test split, the first box alone."""
    for name in names:
        folder = root / split / name
        write_images(folder, numbered("%08d.png", 1, frames))
        boxes = one_based(np.array(moving_boxes(frames)))
        write_rows(folder / "groundtruth.txt", boxes.tolist()[: 1 if split == "test" else frames])
        if split != "test":
            write_rows(folder / "cover.label", [[8]] * (frames - 1) + [[0]])
    return f"got10k-{split}:{root}"


def write_vot(root: Path, names: Sequence[str] = NAMES, frames: int = 20) -> str:
    """A tree in VOT's layout, in which a box that stays where it is fails."""
    for name in names:
        write_images(root / name / "color", numbered("%08d.png", 1, frames))
        rows = [(1 if place < 4 else 20, 2, 8, 6) for place in range(frames)]
        write_rows(root / name / "groundtruth.txt", rows)
    return f"vot:{root}"


def otb(root: Path, names: Sequence[str] = NAMES, frames: int = 6) -> Dataset:
    return open_dataset(write_otb(root, names, frames))


def write_module(folder: Path, text: str, name: str = "cheap") -> Path:
    """A module whose trackers ``python:NAME:CLASS`` finds from ``folder``."""
    path = folder / f"{name}.py"
    path.write_text(text)
    return path
