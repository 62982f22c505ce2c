"""The filter tells a target from look-alikes that the exemplar cannot tell it from, and goes on learning."""

from __future__ import annotations

import pytest
import torch

from siamfc.correlation import cross_correlate
from siamfc.tracker.online_filter import MapGrid, OnlineFilter

GRID = MapGrid(exemplar_cells=5, cells=13, center=6.0)
CENTER = (0.0, 0.0)


def _scene(*, places, seed=0, channels=16):
    """Features of noise (1, C, 17, 17) with the same thing, 3 x 3 cells, at places from the centre."""
    random = torch.Generator().manual_seed(seed)
    features = 0.3 * torch.randn(1, channels, 17, 17, generator=random)
    thing = torch.randn(channels, 3, 3, generator=torch.Generator().manual_seed(100))
    for number, (x, y) in enumerate(places):
        features[0, :, 7 + y : 10 + y, 7 + x : 10 + x] += thing * (1 if number == 0 else 1.3)
    return features


def _exemplar_map(features, exemplar):
    return cross_correlate(exemplar, features)


def _filter(features, *, grid=GRID, rate=0.02):
    exemplar = features[:1, :, 6:11, 6:11]
    score_map = _exemplar_map(features[:1], exemplar)[0]
    return OnlineFilter(features, [CENTER] * len(features), grid, score_map, rate=rate), exemplar


def _peak(maps):
    row, column = divmod(int(maps[0].argmax()), maps.shape[2])
    return column - 6, row - 6


def _height(maps, place):
    """Of a place above the mean, as a share of the centre's."""
    x, y = place
    return float((maps[0, 6 + y, 6 + x] - maps.mean()) / (maps[0, 6, 6] - maps.mean()))


def test_a_look_alike_that_outshines_the_target_is_told_from_it():
    # The look-alike is brighter, and lies in other surroundings.
    features = _scene(places=[(0, 0), (5, 0)])
    features[0, 3, 4:13, 12:17] += 1.0
    own, exemplar = _filter(features)
    plain = _exemplar_map(features, exemplar)
    assert _peak(plain) == (5, 0)
    with_filter = own.add_to(plain, own.project(features), 0.5)
    assert _peak(with_filter) == (0, 0)
    assert _height(with_filter, (5, 0)) < _height(plain, (5, 0)) - 0.1


def test_its_maps_have_the_score_maps_mean_and_deviation_in_the_first_search():
    features = _scene(places=[(0, 0)])
    own, exemplar = _filter(features)
    plain = _exemplar_map(features, exemplar)
    alone = own.add_to(plain, own.project(features), 1.0)
    torch.testing.assert_close(alone.mean(), plain.mean())
    torch.testing.assert_close(alone.std(), plain.std())
    torch.testing.assert_close(own.add_to(plain, own.project(features), 0.0), plain)


@pytest.mark.parametrize("place", [(0, 0), (3, -2)])
@pytest.mark.parametrize(("exemplar_cells", "side"), [(5, 17), (4, 16), (9, 21), (2, 14), (1, 13)])
def test_the_peak_lies_where_the_target_does_whatever_the_exemplars_cells(exemplar_cells, side, place):
    cells = side - exemplar_cells + 1
    grid = MapGrid(exemplar_cells, cells, (cells - 1) / 2)
    random = torch.Generator().manual_seed(1)
    first = torch.randn(1, 16, side, side, generator=random)
    score_map = torch.randn(cells, cells, generator=random)
    own = OnlineFilter(first, [CENTER], grid, score_map, rate=0.02)
    later = first.roll((place[1], place[0]), dims=(2, 3))
    found = own.add_to(torch.zeros(1, cells, cells), own.project(later), 1.0)[0]
    row, column = divmod(int(found.argmax()), cells)
    assert (column - grid.center, row - grid.center) == pytest.approx(place, abs=0.51)


def test_what_is_learned_shows_after_ten_frames():
    features = _scene(places=[(0, 0)])
    own, exemplar = _filter(features, rate=0.5)
    later = _scene(places=[(0, 0)], seed=5, channels=16).roll(1, dims=1)  # the target has changed its looks
    projected, plain = own.project(later), _exemplar_map(later, exemplar)
    before = own.add_to(plain, projected, 1.0)
    for number in range(10):
        assert torch.equal(own.add_to(plain, projected, 1.0), before), number
        own.learn(projected[0], CENTER)
    after = own.add_to(plain, projected, 1.0)
    assert _peak(after) == (0, 0)
    assert after[0, 6, 6] > before[0, 6, 6] + 0.2 * before.std()


def test_features_in_half_precision_are_taken_in_that_of_the_score_map():
    features = _scene(places=[(0, 0), (5, 0)])
    exact, exemplar = _filter(features)
    plain = _exemplar_map(features, exemplar)
    score_map = _exemplar_map(features[:1], features[:1, :, 6:11, 6:11])[0]
    coarse = OnlineFilter(features.half(), [CENTER], GRID, score_map, rate=0.02)
    came = coarse.add_to(plain, coarse.project(features.half()), 0.5)
    assert came.dtype == torch.float32
    torch.testing.assert_close(came, exact.add_to(plain, exact.project(features), 0.5), rtol=0.02, atol=0.2)
    own = OnlineFilter(features.double(), [CENTER], GRID, score_map.double(), rate=0.02)
    assert own.add_to(plain.double(), own.project(features), 0.5).dtype == torch.float64


def test_a_first_search_of_one_colour_says_nothing():
    features = torch.ones(1, 16, 17, 17)
    own = OnlineFilter(features, [CENTER], GRID, torch.full((13, 13), 2.0), rate=0.02)
    came = own.add_to(torch.full((1, 13, 13), 2.0), own.project(_scene(places=[(0, 0)])), 0.5)
    torch.testing.assert_close(came, torch.full((1, 13, 13), 2.0))
