"""``report.html``: well-formed, complete in itself, escaped, and with the numbers of ``report.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from siamfc.evaluation.reporting.charts import Axis, Series, line_chart
from siamfc.evaluation.reporting.gallery import worst_failures
from siamfc.evaluation.reporting.page import render_page
from siamfc.evaluation.reporting.report import build_report, write_reports
from siamfc.evaluation.reporting.tables import sequence_table, summary_table
from siamfc.evaluation.scores import Evaluation
from tests.evaluations import got10k, one_pass, vot

WICKED = "<script>alert(\"1\")</script> & 'co'"


class Reader(HTMLParser):
    """Checks that elements close in order, and gathers what a test asks of."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in self.VOID, f"{tag} is never closed"
        self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)


@pytest.fixture(scope="module", params=["one-pass", "incomplete", "got10k", "vot"])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    folder = tmp_path_factory.mktemp("videos")
    shifts = {"near": 2.0, WICKED: 7.0, "middle": 4.0}
    missing = {"middle": {"late": f"broken {WICKED}"}}
    return {
        "one-pass": lambda: one_pass(folder, shifts),
        "incomplete": lambda: one_pass(folder, shifts, missing=missing),
        "got10k": lambda: got10k(folder, shifts),
        "vot": lambda: vot(folder, {"steady": (), WICKED: (5, 14)}),
    }[request.param]()


@pytest.fixture(scope="module")
def page(either: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    write_reports(either, folder)
    return (folder / "report.html").read_text(encoding="utf-8")


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, int | float):
        yield float(value)


def test_the_page_is_well_formed(page: str) -> None:
    assert page.startswith("<!DOCTYPE html>")
    assert {"Figures", "Curves", "By sequence", "Notes", "Provenance"} <= set(Reader(page).texts)


def test_the_page_loads_nothing(page: str) -> None:
    loading = [
        value
        for _, name, value in Reader(page).attributes
        if name in ("src", "href", "srcset", "xlink:href", "action", "poster", "data", "background")
    ]
    assert all(value.startswith("data:image/jpeg;base64,") for value in loading)
    assert not re.search(r"https?:|url\(|@import|<link|<iframe", page)
    policy = [value for tag, name, value in Reader(page).attributes if tag == "meta" and name == "content"]
    assert policy[0].startswith("default-src 'none'; img-src data:;")


def test_names_are_shown_as_they_are_and_run_nothing(page: str) -> None:
    assert page.count("<script") == 1
    assert WICKED in Reader(page).texts


def test_every_number_of_the_tables_is_one_of_the_report(either: Evaluation, page: str) -> None:
    known = set(numbers(json.loads(build_report(either).to_json())))
    shown = [value for _, name, value in Reader(page).attributes if name == "data-value" and value]
    assert len(shown) > 10
    assert {float(value) for value in shown} <= known


def test_what_a_cell_says_is_its_value_rounded(page: str) -> None:
    cells = re.findall('data-value="(-?0\\.\\d+)">([+\N{MINUS SIGN}]?\\d\\.\\d{3})[<&]', page)
    assert len(cells) > 10
    for value, text in cells:
        assert float(text.replace("\N{MINUS SIGN}", "-")) == pytest.approx(float(value), abs=5.01e-4)


def test_the_legend_is_ordered_by_score(tmp_path: Path) -> None:
    page = render_page(build_report(one_pass(tmp_path, {"worst": 9.0, "best": 1.0, "middle": 4.0})))
    legend = re.search(r'<ol class="legend">(.*?)</ol>', page)
    assert legend
    assert re.findall(r'class="name">([^<]*)', legend[1]) == ["best", "middle", "worst"]


def test_the_curve_and_difference_of_an_incomplete_tracker_are_not_shown(tmp_path: Path) -> None:
    shifts = {"near": 2.0, "far": 7.0, "partial": 4.0}
    page = render_page(build_report(one_pass(tmp_path, shifts, missing={"partial": {"late": "no images"}})))
    assert re.findall(r'class="name">([^<]*)', page) == ["near", "far"] * 3
    assert page.count("on other sequences: not comparable") == 1


def test_the_expected_overlap_of_few_sequences_is_tagged_beside_the_figures(tmp_path: Path) -> None:
    page = render_page(build_report(vot(tmp_path, {"steady": ()})))
    assert "EAO of 4 sequences: comparable with nothing published" in page


def test_published_figures_are_marked_as_not_measured_here(page: str) -> None:
    texts = Reader(page).texts
    assert texts.index("published, not measured here") < texts.index("0.608")


def test_a_page_without_figures_says_so(tmp_path: Path) -> None:
    evaluation = one_pass(tmp_path, {"near": 2.0})
    report = build_report(evaluation)
    bare = report.trackers[0].model_copy(update={"figures": {}, "intervals": {}, "curves": {}, "sequences_scored": 0})
    comparison = report.comparison.model_copy(update={"trackers": [], "sequences": [], "differences": []})
    page = render_page(report.model_copy(update={"trackers": [bare], "comparison": comparison}))
    assert "There are no figures" in page
    Reader(page)


def test_a_line_goes_through_its_points_and_breaks_where_there_is_none() -> None:
    axis = Axis("share", 0.0, 1.0, [0.0, 1.0])
    points = [(0.0, 0.0), (0.5, None), (1.0, 1.0)]
    chart = line_chart([Series("one", 0, points, "0.5")], title="A < B", x=axis, y=axis)
    drawn = re.findall(r'<polyline class="curve s0" points="([\d.]+),([\d.]+)"/>', chart)
    left, floor, right, ceiling = (
        re.findall(r'<line class="grid" x1="([\d.]+)" x2="[\d.]+" y1="([\d.]+)"', chart)[0]
        + re.findall(r'<line class="grid" x1="[\d.]+" x2="([\d.]+)" y1="([\d.]+)"', chart)[-1]
    )
    assert drawn == [(left, floor), (right, ceiling)]
    assert "A &lt; B" in chart


def test_the_tables_on_screen_fit_and_show_the_same_figures(either: Evaluation) -> None:
    report = build_report(either)
    console = Console(width=110, record=True, file=StringIO())
    for table in (summary_table(report), sequence_table(report)):
        console.print(table)
    text = console.export_text()
    for tracker in report.trackers:
        for figure in report.figures:
            assert f"{tracker.figures[figure.key]:.3f}" in text
    assert "late" in text
    assert "…" not in text


def test_failures_are_in_the_page_with_their_pictures(either: Evaluation, page: str) -> None:
    failures = worst_failures(either)
    assert failures
    assert page.count("<img ") == len(failures)
    assert all(failure.picture in page for failure in failures if failure.picture)
