"""Learning the embedding from pairs of crops: labels, loss, and the loop; names are resolved when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siamfc.training.labels import positive_cells
    from siamfc.training.loss import pair_losses
    from siamfc.training.reports import EpochReport, StepReport
    from siamfc.training.running import Trainer

__all__ = ["EpochReport", "StepReport", "Trainer", "pair_losses", "positive_cells"]

_HOME = {
    "EpochReport": "reports",
    "StepReport": "reports",
    "Trainer": "running",
    "pair_losses": "loss",
    "positive_cells": "labels",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
