"""Score, scale and centre error over a sequence, drawn as curves."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from siamfc.boxes import Box, center_distance
from siamfc.files import write_whole

_PRECISION_PX = 20  # the error within which the field counts a frame as a hit


class CurveRow(NamedTuple):
    """One frame of the curves.

    Attributes:
        frame: Its number.
        box: The box found, frame pixels.
        score: How sure it is that the target is there, 0 to 1.
        scale: Size as a share of the first size.
        truth: The true box, frame pixels; None where it is not known.
    """

    frame: int
    box: Box
    score: float
    scale: float
    truth: Box | None

    @property
    def center_error_px(self) -> float:
        """Distance of the box's centre from the true one, frame pixels; NaN where that is not known."""
        return math.nan if self.truth is None else float(center_distance(self.box, self.truth))


def save_curves(
    path: Path,
    rows: Sequence[CurveRow],
    *,
    title: str,
    marked: Collection[int] = (),
    overwrite: bool = False,
) -> None:
    """Write the curves of a sequence as PNG; the centre error, and the true scale, where the truth is known.

    Args:
        path: The file.
        rows: Frame by frame; the first is the one in which the target was given.
        title: Above the curves.
        marked: Frames to mark by a line.
        overwrite: Replace a file that is there.

    Raises:
        OutputError: The file exists, or cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # draws without a display
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    known = any(row.truth is not None for row in rows)
    names = ["score (0 to 1)", "scale (share of first size)", *(["centre error (px)"] if known else [])]
    figure = Figure(figsize=(9, 1.2 + 1.7 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(names), 1, sharex=True)
    frames = [row.frame for row in rows]
    axes[0].plot(frames, [row.score for row in rows], color="tab:orange")
    axes[0].set_ylim(-0.03, 1.03)
    axes[1].plot(frames, [row.scale for row in rows], color="tab:orange", label="found")
    if known:
        axes[1].plot(frames, _true_scales(rows), color="tab:green", linewidth=1, label="true")
        axes[1].legend(frameon=False, fontsize=8)
        axes[2].plot(frames, [row.center_error_px for row in rows], color="tab:orange")
        axes[2].axhline(_PRECISION_PX, color="grey", linestyle="--", linewidth=0.8)
        axes[2].set_ylim(bottom=0)
    for axis, name in zip(axes, names, strict=True):
        axis.set_ylabel(name, fontsize=8)
        axis.grid(alpha=0.3)
        for frame in marked:
            axis.axvline(frame, color="grey", linestyle=":", linewidth=0.8)
    printable = title.encode("utf-8", "backslashreplace").decode()  # names of files may be of another encoding
    axes[0].set_title(printable, fontsize=10, parse_math=False)
    axes[-1].set_xlabel("frame")
    axes[-1].xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))  # the axes share it
    with write_whole(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _true_scales(rows: Sequence[CurveRow]) -> list[float]:
    """The true size as a share of the first one that is known; NaN where it is not."""
    first = next(row.truth for row in rows if row.truth is not None)
    return [math.nan if row.truth is None else math.sqrt(row.truth.area / first.area) for row in rows]
