"""An evaluation's figures as tables on the screen."""

from __future__ import annotations

from rich.table import Column, Table
from rich.text import Text

from siamfc.evaluation.reporting.model import Report
from siamfc.evaluation.reporting.page_tables import NOTHING, figure_text, speed_text


def summary_table(report: Report) -> Table:
    """Trackers by headline figures, each with its interval below it, and frames a second."""
    table = Table(Column("tracker", overflow="fold"), box=None, pad_edge=False)
    for figure in report.figures:
        table.add_column(figure.label, justify="right", overflow="fold")
    for heading in ("sequences", "frames/s"):
        table.add_column(heading, justify="right", overflow="fold")
    for tracker in report.trackers:
        row = [Text(tracker.name)]
        for figure in report.figures:
            low, high = tracker.intervals.get(figure.key, (None, None))
            interval = "" if low is None else f"\n{figure_text(low)}\N{EN DASH}{figure_text(high)}"
            row.append(Text(figure_text(tracker.figures.get(figure.key))).append(interval, style="dim"))
        scored, total = tracker.sequences_scored, len(report.split)
        row.append(Text(str(scored)) if scored == total else Text(f"{scored} of {total}", style="yellow"))
        timing = report.timings.get(tracker.name)
        row.append(Text(speed_text(timing.frames_per_second if timing else None)))
        table.add_row(*row)
    return table


def sequence_table(report: Report) -> Table:
    """The first headline figure by sequence and tracker."""
    figure = report.figures[0]
    names = Column("sequence", overflow="fold")
    table = Table(names, box=None, pad_edge=False, caption=figure.label, caption_justify="left")
    table.add_column("frames", justify="right", overflow="fold")
    for tracker in report.trackers:
        table.add_column(Text(tracker.name), justify="right", overflow="fold")
    for name in report.split:
        rows = [tracker.by_sequence.get(name) for tracker in report.trackers]
        frames = next((str(row.frames) for row in rows if row), NOTHING)
        values = [figure_text(row.figures.get(figure.key) if row else None) for row in rows]
        table.add_row(Text(name), frames, *values)
    return table
