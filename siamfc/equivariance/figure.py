"""The figures of a report as one picture of six charts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from siamfc.equivariance.report import EquivarianceReport, NetworkFigures
from siamfc.files import write_whole

_STYLES = {
    "max": ("tab:blue", "-"),
    "average": ("tab:green", "-"),
    "none": ("tab:orange", "-"),
    "dense": ("black", "-"),
    "padded": ("tab:red", "-"),
    "connected": ("tab:purple", "-"),
    "alexnet": ("tab:brown", "--"),
    "default": ("tab:grey", "--"),
}
_EXACT = 1e-16  # what 0 is drawn as on a logarithmic axis


def save_figure(path: Path, report: EquivarianceReport, *, overwrite: bool = False) -> None:
    """Write the report's charts as PNG.

    Raises:
        OutputError: The file exists, or cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # draws without a display
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 7.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3).ravel()
    _draw_exactness(axes[0], report.networks)
    small = [network for network in report.networks if network.key in ("max", "average", "none", "dense", "padded")]
    _draw_curves(axes[1], small, [network.shifts for network in small])
    axes[1].set_ylim(0, 1.6 * max((network.between for network in small), default=1.0))  # room for the legend
    _label(axes[1], "Between whole strides: what is left over", "shift (px)", "difference (std of map)")
    seen = [network for network in report.networks if network.invariance and network.key not in ("dense", "padded")]
    _draw_curves(axes[2], seen, [network.invariance or [] for network in seen])
    _label(axes[2], "Invariance: features of one place", "shift (px)", "correlation with no shift")
    bordered = [network for network in report.networks if network.border and network.key in ("max", "padded")]
    _draw_curves(axes[3], bordered, [(network.border or [])[:7] for network in bordered], marker="o")
    _label(axes[3], "Near the border", "cells from the map's edge", "difference (std of map)")
    followed = [network for network in report.networks if network.key in ("max", "dense", "padded", "connected")]
    _draw_curves(axes[4], followed, [network.peaks for network in followed])
    axes[4].set_ylim(0, 1.5 * max((network.peak_between for network in followed), default=1.0))
    _label(axes[4], "Does the peak follow?", "shift (px)", "median error of the peak (px)")
    _draw_sharing(axes[5], report)
    with write_whole(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, format="png", dpi=90)


def _draw_exactness(axis: Any, networks: Sequence[NetworkFigures]) -> None:
    places = range(len(networks))
    for offset, label, color, values in (
        (-0.2, "every window alone", "tab:blue", [network.windows for network in networks]),
        (0.2, "shift by whole strides", "tab:orange", [network.whole_strides for network in networks]),
    ):
        known = [(place, value) for place, value in zip(places, values, strict=True) if value is not None]
        widths = [max(value, _EXACT) for _, value in known]
        axis.barh([place + offset for place, _ in known], widths, 0.38, left=0, color=color, label=label)
    axis.set_xscale("log")
    axis.set_xlim(_EXACT, 30)
    axis.set_yticks(list(places), [network.name.removeprefix("small: ") for network in networks], fontsize=7)
    axis.invert_yaxis()
    axis.legend(fontsize=7, frameon=False, loc="center right")
    _label(axis, "Is the map the sliding window?", "largest difference (std of map)", "")


def _draw_curves(
    axis: Any, networks: Sequence[NetworkFigures], curves: Sequence[Sequence[float]], *, marker: str = ""
) -> None:
    for network, curve in zip(networks, curves, strict=True):
        color, line = _STYLES[network.key]
        name = network.name.removeprefix("small: ")
        axis.plot(range(len(curve)), curve, color=color, linestyle=line, marker=marker, markersize=4, label=name)
    if networks:
        axis.legend(fontsize=7, frameon=False)


def _draw_sharing(axis: Any, report: EquivarianceReport) -> None:
    for place, result in enumerate(report.sharing):
        for offset, value, color in ((-0.2, result.left, "tab:blue"), (0.2, result.right, "tab:orange")):
            axis.bar(place + offset, value, 0.38, color=color)
            axis.text(place + offset, value + 0.02, f"{value:.0%}", ha="center", fontsize=8)
    if report.sharing:
        axis.axhline(report.sharing[0].chance, color="grey", linestyle="--", linewidth=0.8)
        axis.bar(0, 0, color="tab:blue", label="left half: taught here")
        axis.bar(0, 0, color="tab:orange", label="right half: never seen")
        axis.legend(fontsize=7, frameon=False, loc="upper right")
    names = [f"{result.name}\n{result.weights:,} weights" for result in report.sharing]
    axis.set_xticks(range(len(names)), names, fontsize=8)
    axis.set_ylim(0, 1.3)
    _label(axis, "Weight sharing alone", "", "target found")


def _label(axis: Any, title: str, x: str, y: str) -> None:
    axis.set_title(title, fontsize=10)
    axis.set_xlabel(x, fontsize=8)
    axis.set_ylabel(y, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(alpha=0.3)
