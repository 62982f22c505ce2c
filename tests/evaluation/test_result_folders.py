"""Folders of results by anybody: found by layout, and asked for the pixel base where nothing settles it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from siamfc.data import Sequence, open_dataset
from siamfc.errors import SiamfcError, SourceError
from siamfc.evaluation.plans import planned_runs
from siamfc.evaluation.result_folders import ResultFolder, open_results
from tests.data.trees import numbered, one_based, write_images, write_rows, write_text
from tests.evaluation.tiny import write_got10k, write_otb, write_vot

ROWS = [(2, 3, 8, 6), (3, 4, 8, 6), (4, 5, 8, 6)]


def opened(folder: Path, *, dataset: str = "otb", protocol: str = "ope", base: int | None = None) -> ResultFolder:
    return open_results(
        folder, tracker=None, sequences=["Ant", "Jogging-1"], dataset=dataset, protocol=protocol, base=base
    )


@pytest.fixture
def jogging(tmp_path: Path) -> Sequence:
    """Two targets in one folder, three frames."""
    folder = tmp_path / "data" / "Jogging"
    write_images(folder / "img", numbered("%04d.png", 1, 3))
    for target in (1, 2):
        write_rows(folder / f"groundtruth_rect.{target}.txt", ROWS)
    return open_dataset(f"otb:{tmp_path / 'data'}").find("Jogging-1")


@pytest.mark.parametrize("name", ["Jogging-1", "Jogging.1", "Jogging_1"])
@pytest.mark.parametrize("inside", [".", "tracker"])
def test_otbs_flat_files_are_found_by_every_name_of_a_target(
    name: str, inside: str, jogging: Sequence, tmp_path: Path
) -> None:
    root = tmp_path / "results" / inside
    write_rows(root / f"{name}.txt", ROWS, separator="\t")
    write_rows(root / "times" / f"{name}_time.txt", [[0.5]] * 3)
    folder = opened(tmp_path / "results")
    runs = folder.read(jogging, planned_runs("ope", jogging))
    assert folder.tracker == root.resolve().name
    np.testing.assert_array_equal(runs["ope"].boxes, jogging.boxes)
    assert runs["ope"].seconds.tolist() == [0.5] * 3


def test_flat_files_on_otb_count_from_1_as_its_toolkits_do_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    write_rows(tmp_path / "Ant.txt", ROWS)
    assert (opened(tmp_path).base, opened(tmp_path).base_from) == (1, "the convention of OTB's toolkits")
    assert (opened(tmp_path, base=0).base, opened(tmp_path, base=0).base_from) == (0, "--results-base")


@pytest.mark.parametrize(
    ("path", "dataset", "protocol", "base"),
    [
        ("Ant/Ant_001.txt", "got10k-val", "got10k", 1),
        ("baseline/Ant/Ant_001.txt", "vot", "vot", 0),
        ("tracker/baseline/Ant/Ant_001.txt", "vot", "vot", 0),
    ],
)
def test_the_toolkits_own_layouts_settle_the_base(
    path: str, dataset: str, protocol: str, base: int, tmp_path: Path
) -> None:
    write_rows(tmp_path / path, ROWS)
    assert opened(tmp_path, dataset=dataset, protocol=protocol).base == base


@pytest.mark.parametrize(
    ("path", "dataset"), [("Ant.txt", "lasot"), ("Ant.txt", "plain"), ("Ant/Ant_001.txt", "otb"), ("Ant.txt", "uav123")]
)
def test_where_nothing_settles_the_base_it_is_asked_for(path: str, dataset: str, tmp_path: Path) -> None:
    write_rows(tmp_path / path, ROWS)
    with pytest.raises(SiamfcError, match="--results-base 0 or --results-base 1"):
        opened(tmp_path, dataset=dataset)
    assert opened(tmp_path, dataset=dataset, base=0).base == 0


def test_got10ks_folders_hold_a_file_a_repetition_and_times_in_columns(tmp_path: Path) -> None:
    sequence = open_dataset(write_got10k(tmp_path / "data")).find("Ant")
    folder = tmp_path / "results" / "Fast"
    for repetition in (1, 2):
        write_rows(folder / "Ant" / f"Ant_{repetition:03}.txt", (one_based(sequence.boxes) + repetition).tolist())
    write_rows(folder / "Ant" / "Ant_time.txt", [[0.5, 0.25]] * 6)
    runs = opened(tmp_path / "results", dataset="got10k-val", protocol="got10k").read(
        sequence, planned_runs("got10k", sequence)
    )
    assert list(runs) == ["001", "002"]
    np.testing.assert_allclose(runs["002"].boxes, sequence.boxes + 2)
    assert (runs["001"].seconds[0], runs["002"].seconds[0]) == (0.5, 0.25)


def test_a_result_that_is_not_there_is_that_sequences_problem(tmp_path: Path) -> None:
    dataset = open_dataset(write_otb(tmp_path / "data"))
    write_rows(tmp_path / "results" / "Ant.txt", ROWS)
    folder = opened(tmp_path / "results")
    with pytest.raises(SourceError, match=r"no result on Bee: .*Bee\.txt is missing"):
        folder.read(dataset.find("Bee"), planned_runs("ope", dataset.find("Bee")))


def test_results_of_several_trackers_are_to_be_told_apart(tmp_path: Path) -> None:
    for tracker in ("a", "b"):
        write_rows(tmp_path / tracker / "Ant.txt", ROWS)
    with pytest.raises(SourceError, match=re.escape(f"--results {tmp_path / 'a'} --results {tmp_path / 'b'}")):
        opened(tmp_path)


def test_a_folder_without_results_says_what_was_looked_for(tmp_path: Path) -> None:
    write_text(tmp_path / "note.txt", "no boxes")
    with pytest.raises(SourceError, match=r"no results on Ant, Jogging-1: expected Ant\.txt or Ant/Ant_001\.txt"):
        opened(tmp_path)
    with pytest.raises(SourceError, match="is not a folder of results"):
        opened(tmp_path / "nowhere")


def test_our_own_runs_are_found_from_every_folder_above_and_say_their_base(tmp_path: Path) -> None:
    run = tmp_path / "out" / "results" / "mine" / "ope"
    record = {"format": "siamfc run 1", "tracker": {"name": "mine"}, "protocol": {"name": "ope"}, "pixel_base": 0}
    write_text(run / "run.json", json.dumps(record))
    for folder in (tmp_path / "out", run.parent.parent, run.parent, run):
        found = opened(folder, dataset="lasot", base=1)
        assert (found.root, found.tracker, found.base, found.base_from) == (run, "mine", 0, "run.json")
    with pytest.raises(SourceError, match="protocol ope, not tre"):
        opened(run, protocol="tre")


def test_supervised_runs_are_found_in_baseline(tmp_path: Path) -> None:
    sequence = open_dataset(write_vot(tmp_path / "data", frames=4)).find("Ant")
    write_text(tmp_path / "results" / "baseline" / "Ant" / "Ant_001.txt", "1\n1,2,8,6\n1,2,8,6\n2\n")
    folder = opened(tmp_path / "results", dataset="vot", protocol="vot")
    runs = folder.read(sequence, planned_runs("vot", sequence))
    assert runs["001"].states.tolist() == [1, 3, 3, 2]
    assert folder.tracker == "results"
