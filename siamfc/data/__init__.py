"""Pictures and boxes to learn from and to measure on; names are resolved when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siamfc.data.check import DatasetReport, check_dataset
    from siamfc.data.dataset import Dataset
    from siamfc.data.datasets import open_dataset
    from siamfc.data.rendered import RenderedClip, render_clip
    from siamfc.data.sequence import Sequence

__all__ = [
    "Dataset",
    "DatasetReport",
    "RenderedClip",
    "Sequence",
    "check_dataset",
    "open_dataset",
    "render_clip",
]

_HOME = {
    "Dataset": "dataset",
    "DatasetReport": "check",
    "RenderedClip": "rendered",
    "Sequence": "sequence",
    "check_dataset": "check",
    "open_dataset": "datasets",
    "render_clip": "rendered",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
