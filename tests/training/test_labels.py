from __future__ import annotations

import pytest
import torch

from siamfc.errors import TrainingError
from siamfc.training.labels import cell_centers_px, positive_cells

PAPER = {"search_size": 239, "exemplar_size": 127, "stride": 8}


def test_a_cells_centre_is_the_centre_of_its_window() -> None:
    assert cell_centers_px(255, 127, 8).tolist() == [8 * cell + 63.5 for cell in range(17)]


def test_thirteen_cells_are_positive_around_a_cell_with_the_papers_radius() -> None:
    positive = positive_cells(torch.tensor([[119.5, 119.5]]), radius=16, **PAPER)
    assert positive.shape == (1, 15, 15)
    assert int(positive.sum()) == 13
    assert bool(positive[0, 7, 7])


def test_labels_follow_a_target_between_cells_as_counting_distances_says() -> None:
    center = (101.3, 140.9)
    positive = positive_cells(torch.tensor([center]), radius=16, **PAPER)[0]
    for row in range(15):
        for column in range(15):
            x, y = 8 * column + 63.5, 8 * row + 63.5
            near = (x - center[0]) ** 2 + (y - center[1]) ** 2 <= 16**2
            assert bool(positive[row, column]) == near


def test_a_target_moved_by_a_stride_moves_its_label_by_a_cell() -> None:
    here = positive_cells(torch.tensor([[119.5, 119.5]]), radius=12, **PAPER)
    right = positive_cells(torch.tensor([[127.5, 119.5]]), radius=12, **PAPER)
    assert torch.equal(here.roll(1, dims=2), right)


def test_a_map_without_a_positive_cell_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"no cell of the score map lies within 16 px .*search_shift_px"):
        positive_cells(torch.tensor([[119.5, 119.5], [20.0, 119.5]]), radius=16, **PAPER)
