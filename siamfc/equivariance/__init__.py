"""Which feature of a network makes its score map follow a shift of the picture, measured."""

from __future__ import annotations

from siamfc.equivariance.figure import save_figure
from siamfc.equivariance.measuring import PARTS, Part, measure_equivariance
from siamfc.equivariance.report import EquivarianceReport, NetworkFigures, named_figures, read_report

__all__ = [
    "PARTS",
    "EquivarianceReport",
    "NetworkFigures",
    "Part",
    "measure_equivariance",
    "named_figures",
    "read_report",
    "save_figure",
]
