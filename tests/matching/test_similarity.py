"""The cosine similarity that scores are made of: its definition, its range, and what weighs in it."""

from __future__ import annotations

import copy

import pytest
import torch

from siamfc.dense import DenseSiamFC
from siamfc.matching.similarity import cosine_similarity, place_weights, weigh


@pytest.fixture(scope="module")
def network(mobilenetv2):
    return DenseSiamFC(copy.deepcopy(mobilenetv2).double(), 8)


def _weights(cells, **changes):
    given = {"rotation_deg": 0, "stride": 8, "first_center_px": 29.5, "exemplar_px": 127, "focus": 0.2, **changes}
    return place_weights(given.pop("object_px", (64, 64)), cells=cells, **given)


def test_it_is_the_weighted_cosine_of_every_window(network):
    torch.manual_seed(0)
    z, x = torch.randn(2, 5, 3, 3).double(), torch.randn(1, 5, 6, 7).double()
    weights = torch.rand(2, 3, 3).double()
    came = cosine_similarity(network, weigh(z, weights), x)
    assert came.shape == (2, 4, 5)
    for number in range(2):
        for row in range(4):
            for column in range(5):
                root = weights[number].sqrt()
                one, other = (
                    (z[number] * root).flatten(),
                    (x[0, :, row : row + 3, column : column + 3] * root).flatten(),
                )
                torch.testing.assert_close(came[number, row, column], torch.cosine_similarity(one, other, dim=0))


def test_an_exemplar_is_1_to_itself_and_minus_1_to_its_opposite(network):
    z = torch.randn(1, 5, 9, 9, generator=torch.Generator().manual_seed(0)).double()
    exemplars = weigh(z, _weights(9)[None])
    assert float(cosine_similarity(network, exemplars, z)) == pytest.approx(1)
    assert float(cosine_similarity(network, exemplars, -7 * z)) == pytest.approx(-1)


def test_an_empty_window_is_like_nothing(network):
    z = torch.randn(1, 5, 3, 3).double()
    came = cosine_similarity(network, weigh(z, torch.ones(1, 3, 3).double()), torch.zeros(1, 5, 4, 4).double())
    assert (came == 0).all()


def test_cells_count_less_away_from_the_object_and_more_along_it():
    square, wide = _weights(9), _weights(9, object_px=(110, 30))
    assert square.mean() == pytest.approx(1)
    torch.testing.assert_close(square, square.T)
    assert square[4, 4] > square[4, 6] > square[4, 8] > 0
    assert wide[4, 8] / wide[4, 4] > square[4, 8] / square[4, 4]
    assert wide[8, 4] / wide[4, 4] < square[8, 4] / square[4, 4]


def test_weights_turn_with_the_object():
    centred = {"first_center_px": 31.5, "object_px": (110, 30)}
    torch.testing.assert_close(_weights(9, rotation_deg=90, **centred), _weights(9, **centred).T)
