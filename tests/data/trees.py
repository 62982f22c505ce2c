"""Tiny trees of the layouts of datasets, written by the tests that read them."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from siamfc.opencv import cv2

HEIGHT, WIDTH = 24, 32

NO_GOT10K = "the package got10k is not installed; it is an independent reader to compare with"


def write_image(path: Path, shade: int = 0) -> Path:
    """A picture of HEIGHT x WIDTH in one shade."""
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = ".jpg" if path.suffix.lower() in (".jpg", ".jpeg") else path.suffix
    _, data = cv2.imencode(suffix, np.full((HEIGHT, WIDTH, 3), shade, np.uint8))
    path.write_bytes(data.tobytes())
    return path


def write_images(folder: Path, names: Iterable[str]) -> None:
    for place, name in enumerate(names):
        write_image(folder / name, shade=min(10 * place, 255))


def numbered(pattern: str, first: int, last: int) -> list[str]:
    """``numbered("%04d.jpg", 1, 3)``: the names 0001.jpg to 0003.jpg."""
    return [pattern % number for number in range(first, last + 1)]


def write_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def write_rows(path: Path, rows: Iterable[Sequence[object]], separator: str = ",", end: str = "\n") -> Path:
    return write_text(path, "".join(separator.join(map(str, row)) + end for row in rows))


def moving_boxes(count: int) -> list[tuple[int, int, int, int]]:
    """Boxes that lie inside the pictures, all different: x, y, width, height."""
    return [(2 + place % 9, 3 + place % 7, 8 + place % 5, 6 + place % 3) for place in range(count)]


def got10k_datasets() -> ModuleType:
    """The package got10k, an independent reader; it warns on import. Skips the test where it is not installed."""
    pytest.importorskip("got10k", reason=NO_GOT10K)
    stand_in = ModuleType("wget")  # it imports wget, which downloads and nothing else
    sys.modules.setdefault("wget", stand_in)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("got10k.datasets")
    finally:
        if sys.modules["wget"] is stand_in:
            del sys.modules["wget"]


def image_paths(sequence: object) -> list[str]:
    """The paths of a sequence's images as text, as got10k gives them."""
    frames = sequence.frames  # type: ignore[attr-defined]
    return [str(frames.path(index)) for index in range(len(frames))]


def one_based(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes as the files hold them that we shift on reading; got10k gives them unshifted."""
    shift = np.array([1, 1, 0, 0])
    return boxes + shift
