"""MobileNetV2 without padding: sizes, work, receptive field, torchvision's names, and torchvision's features."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from siamfc.backbones import MobileNetV2, build_backbone
from siamfc.errors import ConfigError
from tests.backbones.measure import count_macs, layer_sides, seen_pixels
from tests.conftest import image_tensor
from tests.reference.backbones import padded_mobilenetv2

# From torchvision.models.mobilenet_v2().state_dict(); torchvision cannot be imported beside a CPU build of torch.
TORCHVISION_SHAPES = {
    "features.0.0.weight": (32, 3, 3, 3),
    "features.0.1.weight": (32,),
    "features.0.1.running_var": (32,),
    "features.1.conv.0.0.weight": (32, 1, 3, 3),
    "features.1.conv.0.1.bias": (32,),
    "features.1.conv.1.weight": (16, 32, 1, 1),
    "features.1.conv.2.running_mean": (16,),
    "features.2.conv.0.0.weight": (96, 16, 1, 1),
    "features.2.conv.0.1.weight": (96,),
    "features.2.conv.1.0.weight": (96, 1, 3, 3),
    "features.2.conv.1.1.num_batches_tracked": (),
    "features.2.conv.2.weight": (24, 96, 1, 1),
    "features.2.conv.3.bias": (24,),
    "features.3.conv.1.0.weight": (144, 1, 3, 3),
    "features.4.conv.2.weight": (32, 144, 1, 1),
    "features.5.conv.0.0.weight": (192, 32, 1, 1),
    "features.6.conv.3.running_var": (32,),
    "features.7.conv.0.0.weight": (192, 32, 1, 1),
    "features.7.conv.0.1.running_mean": (192,),
}


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MobileNetV2().eval()


@pytest.mark.parametrize(
    ("side_px", "sides"),
    [(127, [63, 61, 30, 28, 13, 11, 9]), (255, [127, 125, 62, 60, 29, 27, 25])],
)
def test_every_filter_eats_its_border(network, side_px, sides):
    wide = [module for module in network.modules() if isinstance(module, nn.Conv2d) and module.kernel_size[0] > 1]
    assert len(wide) == 7
    came = layer_sides(network, (nn.Conv2d,), side_px)
    assert list(dict.fromkeys(came)) == sides


@pytest.mark.parametrize(
    ("shape", "cells"),
    [((127, 127), (9, 9)), ((255, 255), (25, 25)), ((59, 59), (1, 1)), ((66, 67), (1, 2)), ((300, 171), (31, 15))],
)
def test_features_have_a_cell_for_every_receptive_field_that_fits(network, shape, cells):
    with torch.no_grad():
        assert network(torch.zeros(1, 3, *shape)).shape == (1, 192, *cells)
    assert cells == tuple((side - network.receptive_field) // network.stride + 1 for side in shape)


def test_nothing_pads(network):
    assert {module.padding for module in network.modules() if isinstance(module, nn.Conv2d)} == {(0, 0)}


def test_a_search_crop_costs_about_0_135_gmac(network):
    assert count_macs(network, 255) / 1e9 == pytest.approx(0.135, abs=0.002)


@pytest.mark.parametrize("cell", [(0, 0), (3, 8)])
def test_a_feature_cell_sees_59_pixels_from_its_stride_on(network, cell):
    rows, columns = seen_pixels(network, 127, cell)
    assert (rows, columns) == (range(8 * cell[0], 8 * cell[0] + 59), range(8 * cell[1], 8 * cell[1] + 59))
    assert (network.stride, network.receptive_field) == (8, 59)


def test_the_last_four_columns_and_rows_of_an_exemplar_are_not_seen(network):
    image = torch.rand(1, 3, 127, 127, generator=torch.Generator().manual_seed(0)).mul(255).requires_grad_()
    network(image).square().sum().backward()
    seen = (image.grad[0] != 0).any(dim=0)
    assert seen.any(dim=0).tolist() == seen.any(dim=1).tolist() == [True] * 123 + [False] * 4


def test_names_and_shapes_are_torchvisions(network):
    weights = network.state_dict()
    assert {name: tuple(weights[name].shape) for name in TORCHVISION_SHAPES if name in weights} == TORCHVISION_SHAPES
    # Seven blocks of convolution and norm, six values each; only block 7's expansion is there.
    assert len(weights) == 6 * (1 + 2 + 5 * 3 + 1)
    assert [name for name in weights if name.startswith("features.7") and ".conv.0." not in name] == []


def test_features_are_torchvisions_where_padding_is_far(mobilenetv2, photograph):
    backbone = copy.deepcopy(mobilenetv2.backbone).double()
    image = mobilenetv2.normalise(image_tensor(photograph[100:355, 120:375])[None])
    with torch.no_grad():
        padded = padded_mobilenetv2(backbone.state_dict(), image)
        # Padded cell j begins at 8 j - 29: shifted by 3 px, unpadded cell i is padded cell i + 4.
        plain = backbone(image[..., 3:, 3:])
    assert padded.shape[-2:] == (32, 32)
    inner = plain.shape[-1]
    torch.testing.assert_close(plain, padded[..., 4 : 4 + inner, 4 : 4 + inner], rtol=1e-9, atol=1e-9)
    # The outermost cells of the padded network see its zeros; they are the ones that the unpadded one does without.
    assert inner == 25


def test_pixels_are_normalised_as_for_imagenet(network):
    assert network.pixel_mean == pytest.approx([255 * mean for mean in (0.485, 0.456, 0.406)])
    assert network.pixel_deviation == pytest.approx([255 * deviation for deviation in (0.229, 0.224, 0.225)])


def test_an_unknown_backbone_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="alexnet and mobilenetv2"):
        build_backbone("resnet")


@pytest.mark.parametrize("shape", [(127, 127), (91, 91), (98, 130)])
def test_two_levels_have_a_cell_for_every_receptive_field_of_the_deeper_that_fits(two_levels, shape):
    backbone = two_levels.backbone
    cells = tuple((side - backbone.receptive_field) // backbone.stride + 1 for side in shape)
    with torch.no_grad():
        assert backbone(torch.zeros(1, 3, *shape)).shape == (1, backbone.out_channels, *cells)


@pytest.mark.parametrize("cell", [(0, 0), (2, 3)])
def test_a_cell_of_two_levels_sees_what_the_deeper_sees(two_levels, cell):
    rows, columns = seen_pixels(two_levels.backbone, 127, cell)
    assert (rows, columns) == (range(8 * cell[0], 8 * cell[0] + 91), range(8 * cell[1], 8 * cell[1] + 91))


@pytest.mark.parametrize(("last_block", "shallow_block"), [(9, 4), (9, 9), (7, 8)])
def test_a_shallow_block_with_other_cells_or_behind_the_last_is_refused(last_block, shallow_block):
    with pytest.raises(ConfigError, match=rf"shallow_block is 0 or 5 to {last_block - 1}.* not {shallow_block}"):
        build_backbone("mobilenetv2", last_block=last_block, shallow_block=shallow_block)


@pytest.mark.parametrize("shared_layers", [0, 8])
def test_a_shallow_level_parts_before_its_last_layer_and_after_the_first(shared_layers):
    with pytest.raises(ConfigError, match=f"shared_layers is 1 to 7.* not {shared_layers}"):
        build_backbone("mobilenetv2", last_block=9, shallow_block=7, shared_layers=shared_layers)


def test_early_layers_are_computed_once_for_both_levels():
    both, deep, shallow = MobileNetV2(9, 7, 4).eval(), MobileNetV2(9).eval(), MobileNetV2(7).eval()
    macs = [count_macs(network, 255) for network in (both, deep, shallow)]
    shared = count_macs(deep.features[:4], 255)
    assert macs[0] == macs[1] + macs[2] - shared
    assert shared > 0.6 * macs[2]  # most of the work
