"""Dense maps: the same weights on a finer grid, exactly what the shifted picture would give."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from siamfc.dense import DenseSiamFC, dense_strides, densify
from siamfc.errors import ConfigError
from siamfc.folding import fold
from tests.conftest import image_tensor

EXACT = 1e-9  # of the map's standard deviation


@pytest.fixture(scope="module")
def exemplar(photograph):
    return image_tensor(photograph[164:291, 184:311])[None]


@pytest.fixture(scope="module")
def search(photograph):
    return image_tensor(photograph[150:290, 170:315])[None]


def _statistics(model, search):
    return model.channel_statistics(search) if model.config.standardisation == "first_search" else None


def _interleaved(model, exemplar, search, statistics, stride, shape):
    """The map of stride ``stride`` put together from the network's own maps of shifted pictures."""
    together = torch.full(shape, torch.nan, dtype=torch.float64)
    steps = model.stride // stride
    for down in range(steps):
        for right in range(steps):
            if min(search.shape[-2] - stride * down, search.shape[-1] - stride * right) >= exemplar.shape[-1]:
                shifted = search[..., stride * down :, stride * right :]
                together[:, down::steps, right::steps] = model(exemplar, shifted, statistics)
    return together


@pytest.mark.parametrize("stride", [4, 2])
@torch.no_grad()
def test_a_dense_map_equals_shifting_the_picture_and_interleaving(either_model64, exemplar, search, stride):
    search = search[..., :136, :140]
    statistics = _statistics(either_model64, search)
    came = DenseSiamFC(either_model64, stride)(exemplar, search, statistics)
    expected = _interleaved(either_model64, exemplar, search, statistics, stride, came.shape)
    assert float((came - expected).abs().max()) < EXACT * float(expected.std())


@torch.no_grad()
def test_every_cell_at_stride_1_equals_its_own_window_embedded_alone(mobilenetv2, exemplar, search):
    model = copy.deepcopy(mobilenetv2).double()
    statistics = model.channel_statistics(search)
    came = DenseSiamFC(model, 1)(exemplar, search, statistics)[0]
    assert came.shape == (14, 19)
    exemplar_features = model.embed(exemplar, statistics)
    for row in (0, 1, 6, 13):
        for column in (0, 3, 11, 18):
            window = search[..., row : row + 127, column : column + 127]
            alone = model.gain * (exemplar_features * model.embed(window, statistics)).sum() + model.bias
            assert abs(float(came[row, column] - alone)) < EXACT * float(came.std())


@pytest.mark.parametrize("size", [(127, 127), (131, 130)], ids=str)
@torch.no_grad()
def test_there_is_a_cell_for_every_window_of_a_picture_of_any_size(mobilenetv2, photograph, exemplar, size):
    model = copy.deepcopy(mobilenetv2).double()
    picture = image_tensor(photograph[150 : 150 + size[0], 170 : 170 + size[1]])[None]
    statistics = model.channel_statistics(picture)
    for stride in (8, 4, 2, 1):
        came = DenseSiamFC(model, stride)(exemplar, picture, statistics)
        assert came.shape[1:] == ((size[0] - 127) // stride + 1, (size[1] - 127) // stride + 1)
    expected = _interleaved(model, exemplar, picture, statistics, 1, came.shape)
    torch.testing.assert_close(came, expected, rtol=1e-9, atol=1e-12)


@torch.no_grad()
def test_at_the_networks_own_stride_it_is_the_network(either_model, exemplar, search):
    dense = DenseSiamFC(either_model, either_model.stride)
    torch.testing.assert_close(dense(exemplar, search), either_model(exemplar, search), rtol=0, atol=0)


@torch.no_grad()
def test_a_folded_network_and_one_with_a_neck_have_dense_forms_too(mobilenetv2, exemplar, search):
    folded = fold(copy.deepcopy(mobilenetv2).double())
    folded.neck = nn.Conv2d(192, 16, 1).double()
    statistics = folded.channel_statistics(search)
    came = DenseSiamFC(folded, 4)(exemplar, search, statistics)
    expected = _interleaved(folded, exemplar, search, statistics, 4, came.shape)
    assert float((came - expected).abs().max()) < EXACT * float(expected.std())


@torch.no_grad()
def test_without_given_statistics_those_of_the_networks_own_stride_are_taken(mobilenetv2, exemplar, search):
    coarse, fine = DenseSiamFC(mobilenetv2, 8)(exemplar, search), DenseSiamFC(mobilenetv2, 2)(exemplar, search)
    torch.testing.assert_close(coarse, fine[:, ::4, ::4], rtol=1e-3, atol=1e-3)


def test_the_model_itself_stays_as_it_was(mobilenetv2):
    before = str(mobilenetv2.backbone)
    DenseSiamFC(mobilenetv2, 1)
    assert str(mobilenetv2.backbone) == before


@pytest.mark.parametrize("pool", [nn.MaxPool2d(3, 2), nn.AvgPool2d(2, 2), nn.AvgPool2d(3, 2)], ids=str)
@torch.no_grad()
def test_pooling_is_dilated_like_convolution(pool):
    torch.manual_seed(0)
    coarse = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), pool, nn.Conv2d(4, 5, 3)).double()
    fine = copy.deepcopy(coarse)
    densify(fine, 1)
    picture = torch.randn(1, 3, 30, 31, dtype=torch.float64)
    came = fine(picture)
    for down in range(4):
        for right in range(4):
            expected = coarse(picture[..., down:, right:])
            part = came[..., down::4, right::4]
            rows, columns = (min(a, b) for a, b in zip(part.shape[-2:], expected.shape[-2:], strict=True))
            torch.testing.assert_close(part[..., :rows, :columns], expected[..., :rows, :columns])
            assert part.shape == expected.shape


@pytest.mark.parametrize("stride", [0, 3, 5, 16])
def test_strides_that_the_network_has_not_are_refused_with_those_it_has(mobilenetv2, stride):
    with pytest.raises(ConfigError, match="one of 8, 4, 2, 1"):
        DenseSiamFC(mobilenetv2, stride)
    assert dense_strides(8) == (8, 4, 2, 1)


def test_a_network_that_pads_has_no_dense_form(mobilenetv2):
    padded = copy.deepcopy(mobilenetv2)
    padded.backbone.features[1].conv[0][0].padding = (1, 1)
    with pytest.raises(ConfigError, match=r"features\.1\.conv\.0\.0 pads"):
        DenseSiamFC(padded, 4)
