from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamfc.data import open_dataset
from siamfc.data.sequence import CountError
from siamfc.errors import BoxError
from tests.data.trees import got10k_datasets, image_paths, moving_boxes, numbered, write_images, write_text


def write_sequence(
    root: Path, name: str, fps: int, *, images: int, rows: int, lost: frozenset[int] = frozenset()
) -> None:
    folder = root / name / str(fps)
    write_images(folder / name, numbered("%05d.jpg", 1, images))
    lines = (
        f'0 {x} {y} {x + w} {y + h} {place} {int(place in lost)} {place % 2} 0 "a {name}"\n'
        for place, (x, y, w, h) in enumerate(moving_boxes(rows))
    )
    write_text(folder / f"{name}.txt", "".join(lines))


def test_corners_become_boxes_and_lost_targets_are_nan(tmp_path: Path) -> None:
    write_sequence(tmp_path, "ball", 240, images=4, rows=4, lost=frozenset({2}))
    sequence = open_dataset(f"nfs240:{tmp_path}")[0]
    assert sequence.boxes[[0, 1, 3]].tolist() == [list(box) for box in np.array(moving_boxes(4))[[0, 1, 3]].tolist()]
    assert sequence.in_view.tolist() == [True, True, False, True]
    assert sequence.flags["occluded"].tolist() == [False, True, False, True]


def test_at_30_fps_every_eighth_row_counts_where_all_are_there(tmp_path: Path) -> None:
    write_sequence(tmp_path, "all", 30, images=5, rows=40)
    write_sequence(tmp_path, "own", 30, images=5, rows=5)
    every, own = open_dataset(f"nfs30:{tmp_path}")
    assert every.boxes.tolist() == [list(box) for box in moving_boxes(40)[::8]]
    assert own.boxes.tolist() == [list(box) for box in moving_boxes(5)]


@pytest.mark.parametrize(("images", "rows"), [(5, 4), (4, 5)])
def test_one_too_many_of_either_is_cut(tmp_path: Path, images: int, rows: int) -> None:
    write_sequence(tmp_path, "ball", 240, images=images, rows=rows)
    assert len(open_dataset(f"nfs240:{tmp_path}")[0]) == 4


def test_two_too_many_are_an_error(tmp_path: Path) -> None:
    write_sequence(tmp_path, "ball", 240, images=4, rows=6)
    with pytest.raises(CountError, match=r"6 boxes, but 4 frames"):
        open_dataset(f"nfs240:{tmp_path}")[0]


def test_a_line_that_is_amiss_is_named(tmp_path: Path) -> None:
    write_sequence(tmp_path, "ball", 240, images=2, rows=2)
    write_text(tmp_path / "ball/240/ball.txt", '0 1 2 3 4 1 0 0 0 "b"\n0 1 2 x 4 1 0 0 0 "b"\n')
    with pytest.raises(BoxError, match=r"ball\.txt, line 2: expected track xmin ymin xmax ymax"):
        open_dataset(f"nfs240:{tmp_path}")[0]


@pytest.mark.parametrize(("fps", "images", "rows"), [(240, 5, 5), (240, 5, 4), (30, 3, 24), (30, 3, 3)])
def test_got10k_reads_the_same_boxes_and_images_in_the_same_order(
    tmp_path: Path, fps: int, images: int, rows: int
) -> None:
    datasets = got10k_datasets()
    for name in ("b_1", "a"):
        write_sequence(tmp_path, name, fps, images=images, rows=rows)
        text = (tmp_path / name / str(fps) / f"{name}.txt").read_text()  # got10k knows no blanks in a label
        write_text(tmp_path / name / str(fps) / f"{name}.txt", text.replace('"a ', '"'))
    ours, theirs = open_dataset(f"nfs{fps}:{tmp_path}"), datasets.NfS(str(tmp_path), fps=fps)
    assert list(ours.names) == theirs.seq_names
    for index, sequence in enumerate(ours):
        paths, boxes = theirs[index]
        assert image_paths(sequence) == paths
        assert np.array_equal(sequence.boxes, boxes)
