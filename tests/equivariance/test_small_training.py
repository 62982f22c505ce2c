"""Training is seeded, learns, and leaves the caller's random numbers alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from siamfc.equivariance import small_training, weight_sharing
from siamfc.equivariance.probes import rendered_pictures
from siamfc.equivariance.small_training import train_fully_connected_head, train_small_network
from siamfc.equivariance.weight_sharing import CELLS, compare_weight_sharing


@pytest.fixture(autouse=True)
def _little_to_render(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(small_training, "_CLIPS", 1)
    monkeypatch.setattr(weight_sharing, "_TESTS", 20)
    small_training._render.cache_clear()
    yield
    small_training._render.cache_clear()


def ignore(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def test_the_same_seed_gives_the_same_weights_and_the_callers_generator_is_untouched() -> None:
    before = torch.get_rng_state()
    told: list[int] = []
    first = train_small_network(steps=1, seed=3, watch=lambda _what, done, _total: told.append(done))
    second = train_small_network(steps=1, seed=3, watch=ignore)
    assert torch.equal(torch.get_rng_state(), before)
    assert told == [1]
    for mine, yours in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(mine, yours)
    head = train_fully_connected_head(first, steps=1, seed=3, watch=ignore)
    assert (head.in_features, head.out_features) == (32 * 25 * 25, 17 * 17)


def test_the_two_scorers_are_of_equal_size_and_chance_is_a_share_of_the_cells() -> None:
    backgrounds = [rendered_pictures(1)[0].image]
    convolutional, connected = compare_weight_sharing(backgrounds, steps=2, seed=0, watch=ignore)
    assert abs(convolutional.weights - connected.weights) < 0.01 * connected.weights
    assert 4 / CELLS**2 < convolutional.chance < 9 / CELLS**2
    assert 0 <= connected.right <= 1
