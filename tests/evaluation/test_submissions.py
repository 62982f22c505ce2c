"""Archives for the servers of GOT-10k and TrackingNet, in the layout that their toolkits read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from siamfc.errors import OutputError, SiamfcError
from siamfc.evaluation import evaluate
from tests.data.trees import moving_boxes, numbered, write_images, write_rows
from tests.evaluation.tiny import NAMES, Reacting, write_got10k, write_otb


class Losing(Reacting):
    """Has no box from the second frame on."""

    def update(self, frame: object) -> None:  # type: ignore[override]
        return None


def write_trackingnet(root: Path) -> str:
    for name in NAMES:
        write_images(root / "TEST" / "frames" / name, numbered("%d.jpg", 0, 5))
        write_rows(root / "TEST" / "anno" / f"{name}.txt", moving_boxes(1))
    return f"trackingnet-test:{root}"


def table(archive: zipfile.ZipFile, name: str) -> np.ndarray:  # type: ignore[type-arg]
    return np.loadtxt(io.BytesIO(archive.read(name)), delimiter=",")


def test_got10ks_archive_has_a_folder_a_sequence_with_boxes_and_times_by_repetition(tmp_path: Path) -> None:
    data = write_got10k(tmp_path / "data", split="test")
    evaluation = evaluate(data, trackers=Reacting, repetitions=2, submission=tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        files = ("{0}/{0}_001.txt", "{0}/{0}_002.txt", "{0}/{0}_time.txt")
        assert sorted(archive.namelist()) == sorted(file.format(name) for name in NAMES for file in files)
        boxes, times = table(archive, "Bee/Bee_001.txt"), table(archive, "Bee/Bee_time.txt")
    run = evaluation.trackers[0].sequences[1].runs["001"]
    np.testing.assert_allclose(boxes, run.boxes + np.array([1, 1, 0, 0]), atol=5e-4)
    assert times.shape == (6, 2)
    np.testing.assert_allclose(times[:, 0], run.seconds, atol=1e-8)


def test_trackingnets_archive_has_a_file_a_sequence_in_the_pixels_of_its_annotations(tmp_path: Path) -> None:
    evaluation = evaluate(write_trackingnet(tmp_path / "data"), trackers=Reacting, submission=tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(archive.namelist()) == [f"{name}.txt" for name in NAMES]
        boxes = table(archive, "Ant.txt")
    np.testing.assert_allclose(boxes, evaluation.trackers[0].sequences[0].runs["ope"].boxes, atol=5e-4)
    assert tuple(boxes[0]) == moving_boxes(1)[0]


def test_a_frame_without_a_box_is_a_box_of_no_size(tmp_path: Path) -> None:
    evaluate(write_trackingnet(tmp_path / "data"), trackers=Losing, submission=tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.read("Ant.txt").decode().splitlines()[1] == "0.000,0.000,0.000,0.000"


def test_equal_results_give_equal_archives(tmp_path: Path) -> None:
    data = write_trackingnet(tmp_path / "data")
    for name in ("one", "two"):
        evaluate(data, trackers=Reacting, submission=tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_an_archive_that_lacks_a_sequence_is_not_written(tmp_path: Path) -> None:
    data = write_trackingnet(tmp_path / "data")
    (tmp_path / "data" / "TEST" / "frames" / "Bee" / "3.jpg").write_bytes(b"")
    with pytest.raises(SiamfcError, match=r"no archive: 1 sequences have no result \(Bee\)"):
        evaluate(data, trackers=Reacting, submission=tmp_path / "out.zip", output=tmp_path / "out")
    assert not (tmp_path / "out.zip").exists()
    assert (tmp_path / "out" / "report.json").exists()


def test_what_no_server_takes_is_refused_before_the_run(tmp_path: Path) -> None:
    otb, got10k = write_otb(tmp_path / "otb"), write_got10k(tmp_path / "got10k", split="test")
    archive = tmp_path / "out.zip"
    with pytest.raises(SiamfcError, match="archives are known for got10k-test and trackingnet-test, not for otb"):
        evaluate(otb, trackers=Reacting, submission=archive)
    with pytest.raises(SiamfcError, match="from the protocol got10k, not ope"):
        evaluate(got10k, protocol="ope", trackers=Reacting, submission=archive)
    with pytest.raises(SiamfcError, match="of one tracker, not of 2"):
        evaluate(got10k, trackers=[Reacting, Losing], submission=archive)
    archive.write_bytes(b"an older one")
    with pytest.raises(OutputError, match="exists already"):
        evaluate(got10k, trackers=Reacting, submission=archive)
    with pytest.raises(OutputError, match=r"ends in \.zip"):
        evaluate(got10k, trackers=Reacting, submission=tmp_path / "out.tar")
