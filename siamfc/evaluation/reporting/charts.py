"""Curves and intervals as inline SVG, coloured by the page's style so that they fit light, dark and paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from siamfc.evaluation.reporting.markup import Markup, el

_WIDTH, _HEIGHT = 400, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 10, 10, 46

STYLES = 8
"""So many line styles, each a colour and a dash, are told apart; more trackers begin them again."""


class Series(NamedTuple):
    """A line of a chart.

    Attributes:
        label: The tracker.
        style: Which line style, the same in the whole page.
        points: x, y; y is None where the line is broken.
        score: What the legend says behind the label.
    """

    label: str
    style: int
    points: Sequence[tuple[float, float | None]]
    score: str


class Axis(NamedTuple):
    """One axis: what it shows, from where to where, and the values that are marked."""

    label: str
    low: float
    high: float
    ticks: Sequence[float]


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x: Axis,
    y: Axis,
    mark: float | None = None,
    band: tuple[float, float] | None = None,
) -> Markup:
    """A figure with lines and, under it, a legend in the order of ``series``.

    Args:
        series: The lines, the last drawn first.
        title: Above the chart.
        x: To the right.
        y: Upwards.
        mark: Where a dashed line stands: the threshold by which the figure is taken.
        band: From where to where the ground is shaded: the range over which it is.
    """

    def across(value: float) -> float:
        return _LEFT + (value - x.low) / (x.high - x.low) * (_WIDTH - _LEFT - _RIGHT)

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - y.low) / (y.high - y.low) * (_HEIGHT - _TOP - _BOTTOM)

    floor, ceiling = up(y.low), up(y.high)
    parts: list[Markup] = []
    if band is not None:
        left, right = (across(min(max(edge, x.low), x.high)) for edge in band)
        parts.append(_shape("rect", class_="band", x=left, y=ceiling, width=right - left, height=floor - ceiling))
    for tick in x.ticks:
        parts.append(_shape("line", class_="grid", x1=across(tick), x2=across(tick), y1=floor, y2=ceiling))
        parts.append(_words(f"{tick:g}", across(tick), floor + 16, "middle"))
    for tick in y.ticks:
        parts.append(_shape("line", class_="grid", x1=across(x.low), x2=across(x.high), y1=up(tick), y2=up(tick)))
        parts.append(_words(f"{tick:g}", across(x.low) - 6, up(tick) + 4, "end"))
    if mark is not None:
        parts.append(_shape("line", class_="mark", x1=across(mark), x2=across(mark), y1=floor, y2=ceiling))
    for one in reversed(series):
        for run in _unbroken(one.points):
            points = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, value in run)
            parts.append(_shape("polyline", class_=f"curve s{one.style}", points=points))
    parts.append(_words(x.label, (across(x.low) + across(x.high)) / 2, _HEIGHT - 6, "middle"))
    middle = (floor + ceiling) / 2
    turned = f"rotate(-90 12 {middle:.1f})"
    parts.append(el("text", y.label, x=12, y=f"{middle:.1f}", text_anchor="middle", transform=turned))
    drawing = el("svg", parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=title, class_="chart")
    legend = [
        el("li", swatch(one.style), el("span", one.label, class_="name"), el("span", one.score, class_="num"))
        for one in series
    ]
    return el("figure", el("h3", title), drawing, el("ol", legend, class_="legend"), class_="plot")


def swatch(style: int) -> Markup:
    """A bit of a tracker's line, for legends and tables."""
    line = el("line", class_=f"curve s{style}", x1="1", x2="25", y1="5", y2="5")
    return el("svg", line, viewBox="0 0 26 10", class_="swatch", aria_hidden="true")


def whisker(value: float, interval: tuple[float, float], *, span: tuple[float, float], style: int) -> Markup:
    """A dot with its interval on the span from ``span[0]`` to ``span[1]``, and a line at 0 where that is inside."""
    width, height = 120, 12
    low, high = span

    def across(at: float) -> float:
        return 4 + (at - low) / (high - low or 1) * (width - 8)

    parts = []
    if low <= 0 <= high:
        parts.append(_shape("line", class_="zero", x1=across(0), x2=across(0), y1=0, y2=height))
    left, right = across(interval[0]), across(interval[1])
    parts.append(_shape("line", class_=f"range s{style}", x1=left, x2=right, y1=height / 2, y2=height / 2))
    parts.append(_shape("circle", class_=f"dot s{style}", cx=across(value), cy=height / 2, r=3.6))
    return el("svg", parts, viewBox=f"0 0 {width} {height}", class_="whisker", aria_hidden="true")


def ticks_up_to(high: float) -> list[float]:
    """About five round values from 0 to ``high``.

    Example:
        >>> ticks_up_to(1), ticks_up_to(356)
        ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 100.0, 200.0, 300.0])
    """
    steps = (base * 10.0**power for power in range(-3, 7) for base in (1, 2, 5))
    step = next((step for step in steps if high / step <= 5 + 1e-9), high or 1.0)
    return [round(place * step, 6) for place in range(int(high / step + 1e-9) + 1)]


def _unbroken(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _shape(tag: str, class_: str, **numbers: float | str) -> Markup:
    written = {name: value if isinstance(value, str) else f"{value:.1f}" for name, value in numbers.items()}
    return el(tag, class_=class_, **written)


def _words(text: str, x: float, y: float, anchor: str) -> Markup:
    return el("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)
