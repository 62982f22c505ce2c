"""The tables of ``report.html``: every cell that shows a figure carries the one of ``report.json`` as its value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from siamfc.evaluation.reporting.charts import STYLES, swatch, whisker
from siamfc.evaluation.reporting.markup import Markup, el, join
from siamfc.evaluation.reporting.model import Difference, FigureInfo, Report, TrackerReport

NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"


class Head(NamedTuple):
    """A column's head: what it says, whether numbers stand under it, what it means."""

    label: str | Markup
    numeric: bool = True
    meaning: str | None = None


def figure_text(value: float | None, *, signed: bool = False, digits: int = 3) -> str:
    """A figure as tables show it.

    Example:
        >>> figure_text(0.61987), figure_text(-0.05, signed=True), figure_text(None)
        ('0.620', '−0.050', '–')
    """
    if value is None:
        return NOTHING
    return f"{value:{'+' if signed else ''},.{digits}f}".replace("-", _MINUS)


def speed_text(frames_per_second: float | None) -> str:
    """A speed as tables show it.

    Example:
        >>> speed_text(9.86), speed_text(1234.5)
        ('9.9', '1,234')
    """
    return figure_text(frames_per_second, digits=1 if (frames_per_second or 0) < 100 else 0)


def cell(value: float | None, *more: Markup, text: str | None = None, class_: str = "") -> Markup:
    """A number, with what stands below it."""
    shown = figure_text(value) if text is None else text
    names = "num " + class_ if class_ else "num"
    return el("td", shown, *more, class_=names, data_value="" if value is None else repr(value))


def table(heads: Sequence[Head], rows: Sequence[Markup], *, foot: Sequence[Markup] = (), wide: bool = False) -> Markup:
    """A table that sorts by the column whose head is pressed."""
    head = [
        el("th", el("button", one.label, type="button"), class_="num" if one.numeric else None, title=one.meaning)
        for one in heads
    ]
    parts = [el("thead", el("tr", head)), el("tbody", rows), *([el("tfoot", foot)] if foot else [])]
    return el("div", el("table", parts, class_="sortable wide" if wide else "sortable"), class_="scroll")


def style_of(report: Report, tracker: str) -> int:
    """The tracker's line style."""
    return [one.name for one in report.trackers].index(tracker) % STYLES


def tracker_label(report: Report, tracker: str) -> Markup:
    """The tracker's name behind a bit of its line."""
    return join(swatch(style_of(report, tracker)), tracker)


def headline_table(report: Report) -> Markup:
    """Trackers by headline figures, with intervals, and frames a second."""
    heads = [Head("tracker", numeric=False), *(_figure_head(figure) for figure in report.figures)]
    heads += [Head("sequences"), Head("frames/s", meaning="frames over time inside the tracker")]
    spans = {figure.key: _span(report, figure.key) for figure in report.figures}
    best = {figure.key: _best_tracker(report, figure) for figure in report.figures}
    rows = []
    for tracker in report.trackers:
        foreign = tracker.sequences_scored > 0 and tracker.name not in report.comparison.trackers
        mark = [" ", el("span", "on other sequences: not comparable", class_="tag")] if foreign else []
        cells = [el("th", tracker_label(report, tracker.name), mark, scope="row")]
        for figure in report.figures:
            below = _interval(report, tracker, figure.key, spans[figure.key])
            class_ = "best" if best[figure.key] == tracker.name else ""
            cells.append(cell(tracker.figures.get(figure.key), *below, class_=class_))
        cells.append(cell(tracker.sequences_scored, text=f"{tracker.sequences_scored} of {len(report.split)}"))
        timing = report.timings.get(tracker.name)
        cells.append(_speed(timing.frames_per_second if timing else None))
        rows.append(el("tr", cells, class_="partial" if foreign else None))
    return table(heads, rows, wide=True)


def difference_table(report: Report) -> Markup:
    """Every other tracker's figures less the first one's, with intervals, and on how many sequences it is ahead."""
    heads = [Head("tracker", numeric=False), *(_figure_head(figure) for figure in report.figures)]
    found = {(one.tracker, one.figure): one for one in report.comparison.differences}
    rows = [
        el(
            "tr",
            el("th", tracker_label(report, name), scope="row"),
            [_difference(report, figure, found.get((name, figure.key))) for figure in report.figures],
        )
        for name in report.comparison.trackers[1:]
    ]
    return table(heads, rows, wide=True)


def _difference(report: Report, figure: FigureInfo, one: Difference | None) -> Markup:
    if one is None or one.difference is None or one.low is None or one.high is None:
        return cell(None)
    alike = [each for each in report.comparison.differences if each.figure == figure.key]
    ends = [0.0, *(end for each in alike for end in (each.low, each.high) if end is not None)]
    style = style_of(report, one.tracker)
    drawn = whisker(one.difference, (one.low, one.high), span=(min(ends), max(ends)), style=style)
    verdict, class_ = _verdict(one.low, one.high, higher_is_better=figure.higher_is_better)
    ahead = "" if one.better_on is None else f"; ahead on {one.better_on}, behind on {one.worse_on}"
    interval = f"{figure_text(one.low, signed=True)} to {figure_text(one.high, signed=True)}"
    below = (_under(interval), drawn, el("span", el("b", verdict, class_=class_), ahead, class_="under"))
    return cell(one.difference, *below, text=figure_text(one.difference, signed=True))


def sequence_table(report: Report, figure: FigureInfo) -> Markup:
    """One figure by sequence and tracker, the means below."""
    trackers = report.trackers
    heads = [Head("sequence", numeric=False), Head("frames"), *_tracker_heads(report, trackers)]
    rows = []
    for name in report.split:
        found = [tracker.by_sequence.get(name) for tracker in trackers]
        values = [one.figures.get(figure.key) if one else None for one in found]
        frames = next((one.frames for one in found if one), None)
        cells = [el("th", name, scope="row"), cell(frames, text=figure_text(frames, digits=0))]
        rows.append(el("tr", cells, _values(values, figure)))
    means = [tracker.figures.get(figure.key) for tracker in trackers]
    foot = el("tr", el("th", "all", scope="row"), el("td"), _values(means, figure, mark=False), class_="sum")
    return table(heads, rows, foot=[foot])


def attribute_table(report: Report, figure: FigureInfo) -> Markup:
    """One figure by attribute, of the trackers that may be compared."""
    trackers = [tracker for tracker in report.trackers if tracker.name in report.comparison.trackers]
    heads = [Head("attribute", numeric=False), Head("sequences"), *_tracker_heads(report, trackers)]
    rows = []
    for attribute in report.attributes:
        found = [tracker.by_attribute.get(attribute) for tracker in trackers]
        values = [one.figures.get(figure.key) if one else None for one in found]
        count = next((one.sequences for one in found if one), 0)
        if count:
            rows.append(
                el("tr", el("th", attribute, scope="row"), cell(count, text=str(count)), _values(values, figure))
            )
    return table(heads, rows)


def speed_table(report: Report) -> Markup:
    """Frames a second by tracker: of all sequences together, and of the slowest and the fastest one."""
    heads = [Head("tracker", numeric=False), Head("frames/s"), Head("slowest sequence"), Head("fastest sequence")]
    rows = []
    for name, timing in report.timings.items():
        known = {sequence: speed for sequence, speed in timing.by_sequence.items() if speed is not None}
        ends = [min(known, key=lambda one: known[one]), max(known, key=lambda one: known[one])] if known else []
        cells = [_speed(known[end], _under(end)) for end in ends] or [cell(None)] * 2
        overall = _speed(timing.frames_per_second)
        rows.append(el("tr", el("th", tracker_label(report, name), scope="row"), overall, cells))
    return table(heads, rows)


def _figure_head(figure: FigureInfo) -> Head:
    arrow = " \N{UPWARDS ARROW}" if figure.higher_is_better else " \N{DOWNWARDS ARROW}"
    return Head(figure.label + arrow, meaning=figure.meaning)


def _tracker_heads(report: Report, trackers: Iterable[TrackerReport]) -> list[Head]:
    return [Head(tracker_label(report, tracker.name)) for tracker in trackers]


def _interval(report: Report, tracker: TrackerReport, figure: str, span: tuple[float, float]) -> list[Markup]:
    value, (low, high) = tracker.figures.get(figure), tracker.intervals.get(figure, (None, None))
    if value is None or low is None or high is None:
        return []
    text = f"{figure_text(low)} to {figure_text(high)}"
    return [_under(text), whisker(value, (low, high), span=span, style=style_of(report, tracker.name))]


def _span(report: Report, figure: str) -> tuple[float, float]:
    ends = [end for tracker in report.trackers for end in tracker.intervals.get(figure, ()) if end is not None]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _values(values: Sequence[float | None], figure: FigureInfo, *, mark: bool = True) -> list[Markup]:
    """Cells of one row, the best of several marked."""
    known = [value for value in values if value is not None]
    best = (max if figure.higher_is_better else min)(known) if mark and len(known) > 1 else None
    return [cell(value, class_="best" if value is not None and value == best else "") for value in values]


def _best_tracker(report: Report, figure: FigureInfo) -> str | None:
    known = {
        tracker.name: value
        for tracker in report.trackers
        if tracker.name in report.comparison.trackers
        for value in [tracker.figures.get(figure.key)]
        if value is not None
    }
    return (max if figure.higher_is_better else min)(known, key=lambda name: known[name]) if len(known) > 1 else None


def _verdict(low: float, high: float, *, higher_is_better: bool) -> tuple[str, str]:
    if low <= 0 <= high:
        return "not told apart", "even"
    return ("better", "better") if (low > 0) == higher_is_better else ("worse", "worse")


def _speed(value: float | None, *more: Markup) -> Markup:
    return cell(value, *more, text=speed_text(value))


def _under(text: str) -> Markup:
    return el("span", text, class_="under")
