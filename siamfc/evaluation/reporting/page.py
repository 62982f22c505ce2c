"""``report.html``: one page with everything in it, that loads nothing and can be sent around."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files

from siamfc.evaluation.reporting.gallery import BOX, LOST_BELOW, TRUTH, Failure
from siamfc.evaluation.reporting.markup import Markup, el, join
from siamfc.evaluation.reporting.model import FigureInfo, Report
from siamfc.evaluation.reporting.notes import eao_is_comparable
from siamfc.evaluation.reporting.page_curves import curve_charts
from siamfc.evaluation.reporting.page_tables import (
    Head,
    attribute_table,
    difference_table,
    headline_table,
    sequence_table,
    speed_table,
    table,
    tracker_label,
)
from siamfc.evaluation.reporting.published import COLUMNS, PUBLISHED

_PROTOCOLS = {
    "ope": "one-pass evaluation (OPE)",
    "tre": "temporal robustness evaluation (TRE, 20 starts)",
    "sre": "spatial robustness evaluation (SRE, 12 shifted starts)",
    "got10k": "GOT-10k's protocol",
    "vot": "VOT's supervised protocol (started again after each failure)",
}
# What a browser may load for the page: nothing but what is in it.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render_page(report: Report, gallery: Sequence[Failure] = ()) -> str:
    """The page, as text.

    Args:
        report: Every number on the page is one of its.
        gallery: The failures to show, of any trackers.
    """
    title = f"{report.dataset}: {_trackers(report)}"
    head = [
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("style", _resource("page.css")),
    ]
    body = [
        el("header", el("h1", title), el("p", _lead(report), class_="lead")),
        el("main", _sections(report, gallery)),
        el("script", _resource("page.js")),
    ]
    return f'<!DOCTYPE html>\n<html lang="en">\n{el("head", head)}\n{el("body", body)}\n</html>\n'


def _resource(name: str) -> Markup:
    return Markup("\n" + files("siamfc.evaluation.reporting").joinpath(name).read_text(encoding="utf-8"))


def _trackers(report: Report) -> str:
    names = [tracker.name for tracker in report.trackers]
    return " and ".join(names) if len(names) < 3 else f"{len(names)} trackers side by side"


def _lead(report: Report) -> str:
    lengths = {name: row.frames for tracker in report.trackers for name, row in tracker.by_sequence.items()}
    sequences = f"{len(report.split)} sequence" + ("" if len(report.split) == 1 else "s")
    return f"{sequences}, {sum(lengths.values()):,} frames; {_PROTOCOLS.get(report.protocol, report.protocol)}"


def _sections(report: Report, gallery: Sequence[Failure]) -> Iterable[Markup]:
    yield _section("Figures", _headline(report))
    yield _section("Curves", curve_charts(report))
    if report.comparison.differences:
        first = report.comparison.trackers[0]
        yield _section(f"Differences from {first}", _differences(report))
    yield _section("By sequence", _by_figure(report, sequence_table))
    if report.attributes and report.comparison.trackers:
        note = el("p", "Means over the sequences that the data set gives the attribute.", class_="faint")
        yield _section("By attribute", [note, *_by_figure(report, attribute_table)])
    if any(timing.frames_per_second for timing in report.timings.values()):
        yield _section("Speed", [speed_table(report)])
    if gallery:
        yield _section("Worst failures", _gallery(report, gallery))
    yield _section("Published figures, for context", _published())
    yield _section("Notes", [el("ul", [el("li", note) for note in report.notes], class_="notes")])
    yield _section("Provenance", _provenance(report))


def _section(title: str, parts: Iterable[Markup]) -> Markup:
    inner = list(parts)
    return el("section", el("h2", title), inner) if inner else Markup("")


def _headline(report: Report) -> Iterable[Markup]:
    if not report.comparison.trackers:
        yield el("p", "There are no figures: the truth of these sequences is not public, or nothing was scored.")
    yield headline_table(report)
    if report.eao_interval and not eao_is_comparable(report):
        sequences = len(report.comparison.sequences)
        yield el("p", el("span", f"EAO of {sequences} sequences: comparable with nothing published", class_="tag"))
    if any(tracker.intervals for tracker in report.trackers):
        text = (
            f"Below each figure its {report.bootstrap.confidence:.0%} bootstrap interval over sequences. "
            "Press a head to sort."
        )
        yield el("p", text, class_="faint")
    meanings = "; ".join(f"{figure.label}: {figure.meaning}" for figure in report.figures)
    yield el("p", meanings + ".", class_="faint")


def _differences(report: Report) -> Iterable[Markup]:
    first = report.comparison.trackers[0]
    yield el(
        "p",
        f"Each tracker less {first}, on the same {len(report.comparison.sequences)} sequences, with the "
        f"{report.bootstrap.confidence:.0%} interval of the paired difference. Where it holds 0, the choice of "
        "sequences alone could explain the difference.",
        class_="faint",
    )
    yield difference_table(report)


def _by_figure(report: Report, build: Callable[[Report, FigureInfo], Markup]) -> list[Markup]:
    """The table of each figure that sequences have, the first one open."""
    keys = {key for tracker in report.trackers for row in tracker.by_sequence.values() for key in row.figures}
    return [
        el("details", el("summary", figure.label), build(report, figure), **({} if place else {"open": "open"}))
        for place, figure in enumerate(figure for figure in report.figures if figure.key in keys)
    ]


def _gallery(report: Report, gallery: Sequence[Failure]) -> Iterable[Markup]:
    supervised = report.protocol == "vot"
    rule = (
        "The first failure of the run in which the tracker had to be started again most often."
        if supervised
        else f"A failure is a stretch of frames with an overlap below {LOST_BELOW:g}; the longest of each tracker, on "
        "different sequences, at its first frame with the lowest overlap."
    )
    yield el("p", rule + " Frames are counted from 0.", class_="faint")
    yield el("p", _key(TRUTH, "truth"), _key(BOX, "the tracker's box"))
    for tracker in dict.fromkeys(failure.tracker for failure in gallery):
        shown = [_failure(failure) for failure in gallery if failure.tracker == tracker]
        yield el("h3", tracker_label(report, tracker))
        yield el("div", shown, class_="gallery")
    spared = [one.name for one in report.trackers if one.sequences_scored]
    spared = [name for name in spared if all(failure.tracker != name for failure in gallery)]
    if spared:
        yield el("p", f"No failure: {', '.join(spared)}.")


def _failure(failure: Failure) -> Markup:
    where = f"{failure.sequence}, frame {failure.frame}, IoU {failure.overlap:.2f}"
    picture = (
        el("img", src=failure.picture, alt=f"{failure.tracker} on {where}")
        if failure.picture
        else el("div", f"no picture: {failure.obstacle}", class_="none")
    )
    if failure.failures is not None:
        how_long = f"started again {failure.failures} times" if failure.failures > 1 else "started again once"
    else:
        share = f"{failure.frames} of {failure.frames_in_sequence} frames"
        how_long = f"lost in {share}, {failure.first} to {failure.last}"
    run = f"; run {failure.run}" if failure.run not in ("", "ope") else ""
    caption = el(
        "figcaption",
        el("b", failure.sequence),
        f", frame {failure.frame}, IoU {failure.overlap:.2f}",
        el("span", how_long + run, class_="under"),
    )
    return el("figure", picture, caption)


def _key(color: tuple[int, int, int], label: str) -> Markup:
    return el("span", el("i", style=f"border-color: rgb{color}"), label, class_="key")


def _published() -> list[Markup]:
    heads = [Head("tracker", numeric=False), *(Head(column) for column in COLUMNS)]
    rows = [
        el(
            "tr",
            el("th", one.tracker, el("span", one.source, class_="under"), scope="row"),
            [el("td", text or "\N{EN DASH}", class_="num") for text in one.figures],
        )
        for one in PUBLISHED
    ]
    warning = el(
        "p",
        el("span", "published, not measured here", class_="tag"),
        " Other sequences, settings and machines than those of this report: for orientation, not for comparison. One "
        "network trained by several people, or at neighbouring epochs, varies by about 0.01 in AUC on OTB-100.",
    )
    return [el("div", warning, table(heads, rows, wide=True), class_="published")]


def _provenance(report: Report) -> Iterable[Markup]:
    facts = {
        "data set": report.dataset,
        "protocol": report.protocol,
        "intervals": f"percentile bootstrap, {report.bootstrap.resamples:,} draws, seed {report.bootstrap.seed}",
        "split": f"the {len(report.split)} sequences named above",
        **report.provenance,
    }
    yield _facts(facts)
    for tracker in report.trackers:
        if tracker.provenance:
            label = el("summary", tracker_label(report, tracker.name))
            yield el("details", label, _facts(tracker.provenance), open="open")


def _facts(facts: Mapping[str, object]) -> Markup:
    return el("dl", [join(el("dt", key.replace("_", " ")), el("dd", _fact(value))) for key, value in facts.items()])


def _fact(value: object) -> str:
    if isinstance(value, Mapping):
        return _facts(value)
    if isinstance(value, list | tuple):
        return join([_fact(inner) for inner in value], by=", ")
    return "\N{EN DASH}" if value is None or value == "" else str(value)
