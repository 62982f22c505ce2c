"""Pictures larger than memory: tiles give what one pass gives."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from siamfc.dense import DenseSiamFC
from siamfc.errors import FrameError
from siamfc.tiles import embed_in_patches, picture_statistics, plan_tiles, tiled_score_map
from tests.conftest import image_tensor


@pytest.fixture(scope="module")
def picture(photograph):
    return photograph[100:330, 120:390]


@pytest.fixture(scope="module")
def exemplar(photograph):
    return image_tensor(photograph[164:291, 184:311])[None]


@pytest.mark.parametrize(("stride", "tile_px"), [(8, 160), (8, 205), (4, 180)])
@torch.no_grad()
def test_tiles_equal_one_pass(mobilenetv2, picture, exemplar, stride, tile_px):
    network = DenseSiamFC(copy.deepcopy(mobilenetv2).double(), stride)
    expected = network(exemplar, image_tensor(picture)[None]).numpy()
    came = tiled_score_map(network, exemplar, picture, tile_px=tile_px)
    assert came.shape == expected.shape
    assert np.abs(came - expected).max() < 1e-9 * expected.std()


@torch.no_grad()
def test_tiles_equal_one_pass_for_a_network_without_standardisation(alexnet, picture, exemplar):
    network = DenseSiamFC(copy.deepcopy(alexnet).double(), 8)
    expected = network(exemplar, image_tensor(picture)[None]).numpy()
    came = tiled_score_map(network, exemplar, picture, tile_px=180)
    assert np.abs(came - expected).max() < 1e-9 * expected.std()


@pytest.mark.parametrize(("stride", "patch_px"), [(8, 100), (4, 130), (1, 120)])
@torch.no_grad()
def test_features_of_patches_equal_those_of_one_pass(either_model64, picture, stride, patch_px):
    network, part = DenseSiamFC(either_model64, stride), picture[:173, :190]
    statistics = picture_statistics(network, part)
    expected = network.embed_search(image_tensor(part)[None], statistics)
    came = embed_in_patches(network, part, statistics, patch_px=patch_px)
    torch.testing.assert_close(came, expected, rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_statistics_over_tiles_are_those_of_the_picture(mobilenetv2, picture):
    model = copy.deepcopy(mobilenetv2).double()
    expected = model.channel_statistics(image_tensor(picture)[None])
    # Sixteen pixels at the right and below are in no whole step of any tile, nor of the picture.
    came = picture_statistics(DenseSiamFC(model, 2), picture, tile_px=100)
    for ours, theirs in zip(came, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_a_model_that_needs_no_statistics_gets_none(alexnet, picture):
    assert picture_statistics(DenseSiamFC(alexnet, 8), picture) is None


@pytest.mark.parametrize(("size", "tile_px"), [((300, 500), 200), ((127, 127), 50), ((131, 900), 301)])
@pytest.mark.parametrize("stride", [8, 2])
def test_tiles_hold_every_cell_once_and_overlap_by_what_a_window_needs(size, tile_px, stride):
    count = np.zeros([(side - 127) // stride + 1 for side in size], dtype=int)
    for cells, pixels in plan_tiles(size, 127, stride, tile_px):
        count[cells] += 1
        for cell, pixel, side in zip(cells, pixels, size, strict=True):
            assert pixel.start == stride * cell.start
            assert pixel.stop == stride * (cell.stop - 1) + 127 <= side
            assert pixel.stop - pixel.start <= max(tile_px, 127)
    assert (count == 1).all()


def test_progress_is_told_after_each_tile(mobilenetv2, picture, exemplar):
    told = []
    tiled_score_map(
        DenseSiamFC(mobilenetv2, 8), exemplar, picture, tile_px=180, observe=lambda *both: told.append(both)
    )
    assert told == [(number, len(told)) for number in range(1, len(told) + 1)]
    assert len(told) > 3


def test_a_picture_on_disk_is_read_tile_by_tile(mobilenetv2, picture, exemplar, tmp_path):
    on_disk = np.lib.format.open_memmap(tmp_path / "picture.npy", mode="w+", dtype=np.uint8, shape=picture.shape)
    on_disk[:] = picture
    network = DenseSiamFC(mobilenetv2, 8)
    expected = tiled_score_map(network, exemplar, picture, tile_px=200)
    np.testing.assert_array_equal(tiled_score_map(network, exemplar, on_disk, tile_px=200), expected)


def test_a_picture_smaller_than_a_window_is_refused_with_both_sizes():
    with pytest.raises(FrameError, match="200 x 100 px holds no window of 127 px"):
        plan_tiles((100, 200), 127, 8, 512)
