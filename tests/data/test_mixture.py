"""Datasets mixed by weight, whole sequences held out."""

from __future__ import annotations

from pathlib import Path

import pytest

from siamfc.config import FilterConfig
from siamfc.data.mixture import HeldOut, open_mixture, parse_weight
from siamfc.errors import ConfigError, SourceError
from tests.data.pictures import Picture, write_all, write_boxes, write_plain


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, photograph: Picture) -> list[str]:
    return write_all(tmp_path_factory.mktemp("data"), photograph)


@pytest.mark.parametrize("text", ["plain:here@0", "plain:here@-1", "plain:here@nan", "plain:here@inf", "@2"])
def test_a_weight_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"weight is a number above zero, as in plain:PATH@0\.5"):
        parse_weight(text)


def test_each_dataset_is_a_source_with_its_weight_and_counts(data: list[str]) -> None:
    mixture = open_mixture([f"{data[0]}@0.5", data[2]], FilterConfig(), HeldOut())
    assert [(source.name, source.weight) for source in mixture.sources] == [(data[0], 0.5), (data[2], 1.0)]
    assert [len(source.tracks) for source in mixture.sources] == [2, 3]
    assert mixture.counts[data[0]].kept == 13
    assert mixture.held_out == ()


def test_sequences_that_match_a_pattern_are_held_out_whole(data: list[str]) -> None:
    mixture = open_mixture(data, FilterConfig(), HeldOut(("pan", "1-*")))
    assert [track.name for track in mixture.held_out] == ["pan", "pan", "1-11", "1-12"]
    assert [track.name for source in mixture.sources for track in source.tracks] == ["back", "2-13"]


def test_a_share_is_held_out_by_names_alone() -> None:
    names = [f"video-{number}" for number in range(2000)]
    held_out = {name for name in names if name in HeldOut(share=0.1)}
    assert 150 < len(held_out) < 250
    assert held_out == {name for name in reversed(names) if name in HeldOut(share=0.1)}
    assert held_out < {name for name in names if name in HeldOut(share=0.2)}
    assert not any(name in HeldOut() for name in names)


def test_a_stores_set_before_the_name_changes_nothing() -> None:
    names = [f"video-{number}" for number in range(200)]
    for held_out in (HeldOut(share=0.3), HeldOut(("video-1*",))):
        assert [name in held_out for name in names] == [f"set/{name}" in held_out for name in names]
    assert "set/video-1" in HeldOut(("set/*",))
    assert "video-1" not in HeldOut(("set/*",))


def test_patterns_come_from_a_file_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "held_out.txt"
    path.write_text("# whole videos\n*goat\n\ncar16_*  # one flight\n")
    assert HeldOut.from_file(path) == HeldOut(("*goat", "car16_*"))
    path.write_text("# nothing\n")
    with pytest.raises(SourceError, match="names no sequence to hold out"):
        HeldOut.from_file(path)


def test_a_broken_sequence_is_named_and_the_others_are_there(tmp_path: Path, photograph: Picture) -> None:
    write_plain(tmp_path / "good", photograph, [(40, 60)])
    broken = write_plain(tmp_path / "broken", photograph, [(40, 60)])
    (broken / "0005.png").write_bytes(b"no picture")
    seen: list[str] = []
    mixture = open_mixture([f"plain:{tmp_path}"], FilterConfig(), HeldOut(), on_sequence=seen.append)
    assert [track.name for track in mixture.sources[0].tracks] == ["good"]
    assert len(mixture.broken) == 1
    assert "0005.png" in mixture.broken[0]
    assert "good" in seen


def test_nothing_left_to_learn_from_says_why(tmp_path: Path, photograph: Picture) -> None:
    folder = write_plain(tmp_path / "tiny", photograph, [(40, 60)])
    write_boxes(folder, [("0005", (5, 5, 2, 2))])  # type: ignore[list-item]
    with pytest.raises(SourceError, match=r"nothing is left to learn from \(.*0 frames kept, dropped 1 too small\)"):
        open_mixture([f"plain:{tmp_path}"], FilterConfig(), HeldOut())
    with pytest.raises(SourceError, match="no dataset is named"):
        open_mixture([], FilterConfig(), HeldOut())
