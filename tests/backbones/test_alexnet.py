"""The paper's network: sizes, parameters, work, receptive field, initial weights, and its public port."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from siamfc.backbones import AlexNet, build_backbone
from tests.backbones.measure import count_macs, layer_sides, seen_pixels
from tests.conftest import image_tensor
from tests.reference.backbones import huanglianghua_score

LAYERS = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5"]


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AlexNet().eval()


@pytest.mark.parametrize(
    ("side_px", "sides"),
    [
        (127, [59, 29, 25, 12, 10, 8, 6]),
        (255, [123, 61, 57, 28, 26, 24, 22]),
        (239, [115, 57, 53, 26, 24, 22, 20]),
    ],
)
def test_every_layer_has_the_papers_size(network, side_px, sides):
    came = layer_sides(network, (nn.Conv2d, nn.MaxPool2d), side_px)
    assert dict(zip(LAYERS, came, strict=True)) == dict(zip(LAYERS, sides, strict=True))


@pytest.mark.parametrize(
    ("shape", "cells"), [((127, 127), (6, 6)), ((87, 87), (1, 1)), ((94, 95), (1, 2)), ((300, 171), (27, 11))]
)
def test_features_have_a_cell_for_every_receptive_field_that_fits(network, shape, cells):
    with torch.no_grad():
        assert network(torch.zeros(1, 3, *shape)).shape == (1, 256, *cells)
    assert cells == tuple((side - network.receptive_field) // network.stride + 1 for side in shape)


def test_the_convolutions_are_the_papers():
    convolutions = [module for module in AlexNet().modules() if isinstance(module, nn.Conv2d)]
    assert [
        (module.kernel_size[0], module.stride[0], module.in_channels, module.out_channels, module.groups)
        for module in convolutions
    ] == [(11, 2, 3, 96, 1), (5, 1, 96, 256, 2), (3, 1, 256, 384, 1), (3, 1, 384, 384, 2), (3, 1, 384, 256, 2)]
    assert all(module.padding == (0, 0) and module.bias is not None for module in convolutions)


def test_relu_and_batch_norm_follow_every_convolution_but_the_last(network):
    after = [[type(module) for module in part] for part in network.children()]
    assert after == [
        [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d],
        [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d],
        [nn.Conv2d, nn.BatchNorm2d, nn.ReLU],
        [nn.Conv2d, nn.BatchNorm2d, nn.ReLU],
        [nn.Conv2d],
    ]


def test_there_are_2_336_million_parameters(network):
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(2.336e6, abs=500)


@pytest.mark.parametrize(("side_px", "gmacs"), [(127, 0.460), (255, 2.720)])
def test_the_work_is_the_papers(network, side_px, gmacs):
    assert count_macs(network, side_px) / 1e9 == pytest.approx(gmacs, abs=0.0005)


@pytest.mark.parametrize("cell", [(0, 0), (2, 5)])
def test_a_feature_cell_sees_87_pixels_from_its_stride_on(network, cell):
    rows, columns = seen_pixels(network, 127, cell)
    assert (rows, columns) == (range(8 * cell[0], 8 * cell[0] + 87), range(8 * cell[1], 8 * cell[1] + 87))
    assert (network.stride, network.receptive_field) == (8, 87)


def test_initial_weights_are_normal_by_fan_out_and_biases_zero():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = AlexNet()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            expected = (2 / (module.kernel_size[0] ** 2 * module.out_channels)) ** 0.5
            # 35,000 samples at least: their deviation is within 2 % of the true one.
            assert float(module.weight.detach().std()) == pytest.approx(expected, rel=0.02)
            assert (module.bias == 0).all()


def test_batch_norm_learns_at_the_authors_pace(network):
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert [module.momentum for module in norms] == [0.05] * 4


def test_pixels_enter_as_they_are(network):
    assert network.pixel_mean == (0, 0, 0)
    assert network.pixel_deviation == (1, 1, 1)


def test_scores_are_those_of_huanglianghuas_forward(alexnet, photograph):
    model = copy.deepcopy(alexnet).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-6
    weights = {name: tensor for name, tensor in model.state_dict().items() if name.startswith("backbone.")}
    exemplar = image_tensor(photograph[164:291, 184:311])[None]
    searches = torch.stack([image_tensor(photograph[140:299, 160:319]), image_tensor(photograph[0:159, 0:159])])
    with torch.no_grad():
        # The gain is kept in float32, 1e-3 there is 1.00000005e-3.
        torch.testing.assert_close(
            model(exemplar, searches),
            huanglianghua_score(weights, exemplar, searches)[:, 0],
            rtol=1e-6,
            atol=1e-9,
        )


def test_the_epsilon_of_batch_norm_is_a_setting():
    network = build_backbone("alexnet", batch_norm_eps=1e-3)
    assert {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {1e-3}
