"""Reports survive JSON, name their figures, and the document quotes those that are stored beside it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from siamfc.equivariance import EquivarianceReport, NetworkFigures, named_figures, read_report, save_figure
from siamfc.equivariance.weight_sharing import SharingResult
from siamfc.errors import OutputError, SourceError
from siamfc.video import read_image
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"


def small_report() -> EquivarianceReport:
    curve = [0.0, 0.1, 0.2, 0.1] * 4 + [0.0]
    max_pooling = NetworkFigures("max", "small: max", 4, 1e-15, 2e-15, curve, curve, curve, [0.0, 0.0])
    connected = NetworkFigures("connected", "small: head", 4, None, 3.1, curve, curve, None, None)
    sharing = [
        SharingResult("convolutional", 100, 1.0, 0.9, 0.07),
        SharingResult("fully connected", 101, 0.6, 0.0, 0.07),
    ]
    return EquivarianceReport("rendered", 2, 0, 5, 10, 20, [max_pooling, connected], sharing)


def test_a_report_survives_json(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(small_report().to_json(), encoding="utf-8")
    assert read_report(tmp_path / "r.json") == small_report()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"networks": [], "sharing": []}'])
def test_what_is_no_report_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="is not a report"):
        read_report(tmp_path / "r.json")
    with pytest.raises(SourceError, match="cannot read"):
        read_report(tmp_path / "nowhere.json")


def test_every_figure_has_a_name_and_what_cannot_be_asked_says_so() -> None:
    figures = named_figures(small_report())
    assert figures["max.windows"] == "1e-15"
    assert figures["max.between"] == "0.20"
    assert figures["connected.windows"] == "cannot be asked"
    assert figures["sharing.fully.right"] == "0%"


def test_the_figure_is_drawn_from_whatever_was_measured(tmp_path: Path) -> None:
    save_figure(tmp_path / "f.png", small_report())
    assert read_image(tmp_path / "f.png").std() > 5
    with pytest.raises(OutputError, match="--overwrite"):
        save_figure(tmp_path / "f.png", small_report())


def test_the_document_is_its_template_filled_with_the_stored_figures() -> None:
    spec = importlib.util.spec_from_file_location("make_docs", REPOSITORY / "tools" / "make_docs.py")
    make_docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_docs)
    report, photographs = (read_report(DOCS / f"equivariance{kind}.json") for kind in ("", "-photographs"))
    assert (DOCS / "equivariance.md").read_text(encoding="utf-8") == make_docs.fill_template(report, photographs)


def test_the_documents_sentences_hold_for_the_stored_figures() -> None:
    report = read_report(DOCS / "equivariance.json")
    by_key = {network.key: network for network in report.networks}
    for key in ("alexnet", "default", "max", "average", "none", "dense"):
        assert by_key[key].windows < 1e-9, f"{key}: convolution gives equivariance, whatever the pooling"
        assert by_key[key].whole_strides < 1e-9, key
        assert max(by_key[key].border) < 1e-9, key
        assert by_key[key].peak_at_whole_strides == 0, key
    assert by_key["dense"].between < 1e-9, "without strides every shift is a whole stride"
    assert all(by_key[key].between > 0.01 for key in ("max", "average", "none")), "strides leave something over"
    assert by_key["padded"].windows > 0.1, "padding breaks it"
    assert by_key["padded"].border[0] > by_key["padded"].border[1] > by_key["padded"].border[2] > 1e-6
    assert max(by_key["padded"].border[3:]) < 1e-9, "and only near the border"
    assert by_key["padded"].invariance[4] > by_key["max"].invariance[4], "the border does not move"
    assert by_key["dense"].invariance == pytest.approx(by_key["max"].invariance), "a stride gives no invariance"
    assert by_key["padded"].peak_at_whole_strides <= 0.5, "a peak in the middle follows all the same"
    assert by_key["connected"].whole_strides > 1
    assert by_key["connected"].peak_at_whole_strides > 4
    convolutional, connected = report.sharing
    assert min(convolutional.left, convolutional.right) > 0.9
    assert connected.left > 3 * connected.chance
    assert connected.right < connected.chance


def test_what_the_document_says_of_pooling_holds_on_rendered_and_on_real_pictures() -> None:
    by_key = [
        {network.key: network for network in read_report(DOCS / f"equivariance{kind}.json").networks}
        for kind in ("", "-photographs")
    ]
    for networks in by_key:
        for shift in (1, 2, 4, 8):
            assert networks["average"].invariance[shift] > networks["none"].invariance[shift]
            assert abs(networks["max"].invariance[shift] - networks["none"].invariance[shift]) < 0.1
        for pooled in ("max", "average"):
            assert networks[pooled].peak_between >= networks["none"].peak_between
    rendered, real = (
        {key: network.invariance[4] for key, network in networks.items() if network.invariance} for networks in by_key
    )
    assert rendered["max"] > rendered["none"]
    assert real["max"] <= real["none"], "the sign of max pooling's effect depends on the pictures"


def test_every_number_of_the_documents_tables_comes_from_the_template_not_from_hand() -> None:
    template = (DOCS / "equivariance.md.in").read_text(encoding="utf-8")
    rows = [line for line in template.splitlines() if line.startswith("| ") and "{" in line]
    assert len(rows) >= 8
    for row in rows:
        outside = re.sub(r"\{[^}]*\}", "", row)
        assert not re.search(r"\d", outside), row
