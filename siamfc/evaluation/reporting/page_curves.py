"""The curves of ``report.html``: all trackers that may be compared, in one chart a curve."""

from __future__ import annotations

from typing import NamedTuple

from siamfc.evaluation.reporting.charts import Axis, Series, line_chart, ticks_up_to
from siamfc.evaluation.reporting.figures import EAO
from siamfc.evaluation.reporting.markup import Markup, el
from siamfc.evaluation.reporting.model import CurveReport, Report
from siamfc.evaluation.reporting.page_tables import figure_text, style_of


class _Plot(NamedTuple):
    """How a curve is drawn.

    Attributes:
        title: Above it.
        x: What the thresholds are.
        y: What the values are.
        figures: Whose value stands in the legend and orders it: the first of these that the protocol has.
        high: Where the thresholds end; None where the longest curve does.
        mark: The threshold at which the figure is taken, where it is one.
    """

    title: str
    x: str
    y: str
    figures: tuple[str, ...]
    high: float | None
    mark: float | None = None


_WITHIN = "share of frames within"
_PLOTS = {
    "success": _Plot(
        "Success", "overlap threshold", "share of frames above it", ("success_auc", "average_overlap"), high=1.0
    ),
    "precision": _Plot("Precision", "centre error, pixels", _WITHIN, ("precision",), high=50.0, mark=20.0),
    "normalized_precision": _Plot(
        "Normalised precision", "centre error, sizes of the target", _WITHIN, ("normalized_precision",), high=0.5
    ),
    "expected_overlap": _Plot("Expected overlap", "frames since the start", "expected overlap", (EAO,), high=None),
}


def curve_charts(report: Report) -> list[Markup]:
    """A chart for each curve that the trackers have, side by side where the page is wide enough; none without."""
    trackers = [tracker for tracker in report.trackers if tracker.name in report.comparison.trackers]
    names = dict.fromkeys(name for tracker in trackers for name in tracker.curves)
    return [el("div", [_chart(report, name) for name in names], class_="plots")] if names else []


def _chart(report: Report, name: str) -> Markup:
    plot, keys = _PLOTS[name], {figure.key for figure in report.figures}
    figure = next(key for key in plot.figures if key in keys)
    trackers = [one for one in report.trackers if one.name in report.comparison.trackers and name in one.curves]
    trackers.sort(key=lambda one: -(one.figures.get(figure) or 0.0))  # equal ones stay as named
    series = [
        Series(one.name, style_of(report, one.name), _points(one.curves[name]), figure_text(one.figures.get(figure)))
        for one in trackers
    ]
    high = plot.high or max((x for one in series for x, _ in one.points), default=0.0) or 1.0
    return line_chart(
        series,
        title=plot.title,
        x=Axis(plot.x, 0.0, high, ticks_up_to(high)),
        y=Axis(plot.y, 0.0, 1.0, ticks_up_to(1.0)),
        mark=plot.mark,
        band=report.eao_interval if name == "expected_overlap" else None,
    )


def _points(curve: CurveReport) -> list[tuple[float, float | None]]:
    return [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if x is not None]
