from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.data import open_dataset
from siamfc.data.otb import CUTS, Cut
from siamfc.data.otb_lists import OTB50, OTB100, OTB100_ATTRIBUTES, OTB2013, attributes_of
from siamfc.data.sequence import CountError
from siamfc.errors import BoxError, SourceError
from tests.data.trees import (
    got10k_datasets,
    image_paths,
    moving_boxes,
    numbered,
    one_based,
    write_rows,
    write_text,
)

# Images as they lie in the downloads, and the numbers of those that the boxes are for.
AS_DOWNLOADED = {
    "David": (1, 770, Cut(300, 770)),
    "Diving": (1, 231, Cut(1, 215)),
    "Football1": (1, 81, Cut(1, 74)),
    "Freeman3": (1, 474, Cut(1, 460)),
    "Freeman4": (1, 297, Cut(1, 283)),
    "Tiger1": (1, 354, Cut(6, 354)),
}


def write_sequence(root: Path, name: str, count: int, *, first: int = 1, images: int | None = None) -> None:
    """A sequence of ``count`` boxes, with empty files for images: nobody reads them."""
    folder = root / name / "img"
    folder.mkdir(parents=True)
    for file in numbered("%04d.jpg", first, first + (images or count) - 1):
        (folder / file).touch()
    write_rows(root / name / "groundtruth_rect.txt", moving_boxes(count))


def test_boxes_become_zero_based_and_keep_their_size(tmp_path: Path) -> None:
    write_sequence(tmp_path, "Walking", 3)
    boxes = open_dataset(f"otb:{tmp_path}")[0].boxes
    assert boxes.tolist() == [[x - 1, y - 1, width, height] for x, y, width, height in moving_boxes(3)]


def test_commas_tabs_and_blanks_may_stand_in_one_file(tmp_path: Path) -> None:
    write_sequence(tmp_path, "BlurCar1", 4, first=247)
    write_text(
        tmp_path / "BlurCar1/groundtruth_rect.txt", "\ufeff11,12,3,4\r\n11\t12\t3\t4\r\n11 12 3 4\r\n11, 12, 3, 4"
    )
    assert open_dataset(f"otb:{tmp_path}")[0].boxes.tolist() == [[10, 11, 3, 4]] * 4


def test_two_targets_in_a_folder_are_two_sequences_of_the_same_frames(tmp_path: Path) -> None:
    write_sequence(tmp_path, "Jogging", 3)
    (tmp_path / "Jogging/groundtruth_rect.txt").unlink()
    write_rows(tmp_path / "Jogging/groundtruth_rect.1.txt", moving_boxes(3))
    write_rows(tmp_path / "Jogging/groundtruth_rect.2.txt", moving_boxes(4)[1:])
    first, second = open_dataset(f"otb:{tmp_path}")
    assert (first.name, second.name) == ("Jogging-1", "Jogging-2")
    assert image_paths(first) == image_paths(second)
    assert not np.array_equal(first.boxes, second.boxes)


def test_an_empty_annotation_does_not_count_as_a_target(tmp_path: Path) -> None:
    write_sequence(tmp_path, "Human4", 3)
    write_text(tmp_path / "Human4/groundtruth_rect.1.txt", "\n")
    assert open_dataset(f"otb:{tmp_path}").names == ("Human4",)


@pytest.mark.parametrize("name", AS_DOWNLOADED)
def test_a_quirk_takes_the_images_that_the_boxes_are_for(tmp_path: Path, name: str) -> None:
    first, last, cut = AS_DOWNLOADED[name]
    count = cut.last - cut.first + 1
    write_sequence(tmp_path, name, count, first=first, images=last)
    sequence = open_dataset(f"otb:{tmp_path}")[0]
    assert sequence.numbers.tolist() == list(range(cut.first, cut.last + 1))
    assert len(sequence.boxes) == count


@pytest.mark.parametrize("name", CUTS)
def test_a_quirk_is_left_alone_where_the_counts_agree(tmp_path: Path, name: str) -> None:
    write_sequence(tmp_path, name, 5)
    assert open_dataset(f"otb:{tmp_path}")[0].numbers.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["David", "Walking"])
def test_a_mismatch_that_no_quirk_explains_is_an_error(tmp_path: Path, name: str) -> None:
    write_sequence(tmp_path, name, 5, images=7)
    with pytest.raises(CountError, match=rf"{name}: 5 boxes, but 7 frames \(0001\.jpg to 0007\.jpg"):
        open_dataset(f"otb:{tmp_path}")[0]


@pytest.mark.parametrize(("name", "first"), [("BlurCar1", 247), ("BlurCar3", 3), ("BlurCar4", 18)])
def test_sequences_that_do_not_begin_at_one_are_read_as_they_are(tmp_path: Path, name: str, first: int) -> None:
    write_sequence(tmp_path, name, 4, first=first)
    assert open_dataset(f"otb:{tmp_path}")[0].numbers.tolist() == list(range(first, first + 4))


def test_a_broken_line_is_named_and_leaves_the_other_sequences_readable(tmp_path: Path) -> None:
    write_sequence(tmp_path, "A", 2)
    write_sequence(tmp_path, "B", 2)
    write_text(tmp_path / "A/groundtruth_rect.txt", "1,2,3,4\n1,2,x,4\n")
    dataset = open_dataset(f"otb:{tmp_path}")
    with pytest.raises(
        BoxError, match=r"groundtruth_rect\.txt, line 2: expected a box x,y,width,height, came '1,2,x,4'"
    ):
        dataset[0]
    assert len(dataset[1]) == 2


def test_the_lists_have_the_published_sizes() -> None:
    assert (len(OTB50), len(OTB2013), len(OTB100)) == (49, 50, 98)  # folders; targets: 50, 51, 100
    assert set(OTB50) | set(OTB2013) <= set(OTB100)
    assert {"Jogging", "Skating2"} <= set(OTB100)


def test_a_list_that_is_not_all_there_is_an_error_that_names_what_is_missing(tmp_path: Path) -> None:
    for name in OTB2013[:-2]:
        write_sequence(tmp_path, name, 1)
    with pytest.raises(SourceError, match=r"otb2013 has 50 sequence folders; .* lacks 2 of them: Walking2, Woman"):
        open_dataset(f"otb2013:{tmp_path}")


def test_a_list_takes_its_own_sequences_and_no_others(tmp_path: Path) -> None:
    for name in (*OTB2013, "Biker"):
        write_sequence(tmp_path, name, 1)
    assert open_dataset(f"otb2013:{tmp_path}").names == tuple(sorted(OTB2013))
    assert "Biker" in open_dataset(f"otb:{tmp_path}").names


def test_attributes_are_the_published_ones_or_those_in_the_folder(tmp_path: Path) -> None:
    write_sequence(tmp_path, "Bird1", 1)
    write_sequence(tmp_path, "Mine", 1)
    write_sequence(tmp_path, "Own", 1)
    write_text(tmp_path / "Own/attrs.txt", "BC, IV\n")
    bird, mine, own = open_dataset(f"otb:{tmp_path}")
    assert bird.attributes == ("DEF", "FM", "OV")
    assert mine.attributes == ()
    assert own.attributes == ("IV", "BC")


def test_otb_2013_and_otb_100_differ_in_the_attributes_of_ten_sequences() -> None:
    differing = {name for name in OTB2013 if attributes_of(name, "otb2013") != attributes_of(name, "otb100")}
    assert len(differing) == 10
    assert attributes_of("Freeman3", "otb2013") == ("SV", "IPR", "OPR", "LR")
    assert attributes_of("Freeman3", "otb100") == OTB100_ATTRIBUTES["Freeman3"] == ("SV", "IPR", "OPR")


def test_got10k_reads_the_same_boxes_and_images_in_the_same_order(tmp_path: Path) -> None:
    # got10k does not shift, calls targets Jogging.1, and cuts by name alone: it asserts on a David that is not whole.
    datasets = got10k_datasets()
    names = ["Basketball", "Bolt2", "Car1", "Car24", "Car4", "Jogging"]
    for place, name in enumerate(names):
        write_sequence(tmp_path, name, 3 + place)
    write_sequence(tmp_path, "David", 471, images=770)
    (tmp_path / "Jogging/groundtruth_rect.txt").unlink()
    for target in (1, 2):
        write_rows(tmp_path / f"Jogging/groundtruth_rect.{target}.txt", moving_boxes(8), separator="\t")
    ours, theirs = open_dataset(f"otb:{tmp_path}"), datasets.OTB(str(tmp_path), version=2015, download=False)
    assert [name.replace("-", ".") for name in ours.names] == list(theirs.seq_names)
    for sequence, (images, boxes) in zip(ours, theirs, strict=True):
        assert image_paths(sequence) == images
        assert np.array_equal(one_based(sequence.boxes), boxes)


def test_got10k_cannot_open_a_david_that_is_already_cut_and_we_can(tmp_path: Path) -> None:
    datasets = got10k_datasets()
    write_sequence(tmp_path, "David", 471)
    with pytest.raises(AssertionError):
        datasets.OTB(str(tmp_path), version=2015, download=False)["David"]
    assert len(open_dataset(f"otb:{tmp_path}")[0]) == 471


def test_the_shared_sequences_have_a_box_for_each_of_their_frames(shared_data: Path) -> None:
    dataset = open_dataset(f"otb:{shared_data / 'otb'}")
    assert len(dataset) == 13
    sequences = {sequence.name: sequence for sequence in dataset}
    assert sum(len(sequence) for name, sequence in sequences.items() if name != "Jogging-2") == 3826
    assert all(sequence.in_view.all() for sequence in dataset)
    assert sequences["David"].numbers.tolist() == list(range(1, 472))
    assert sequences["Jogging-2"].boxes[0].tolist() == [179, 78, 37, 114]
    height, width, _ = sequences["Bolt2"].frame(0).shape
    assert (sequences["Bolt2"].boxes[:, :2] + sequences["Bolt2"].boxes[:, 2:] <= (width, height)).all()
