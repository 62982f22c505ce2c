"""The promise of the engine: a score map is, window by window, the similarity with that window alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from siamfc.backbones import AlexNet, MobileNetV2
from siamfc.backbones.mobilenetv2 import InvertedResidual
from siamfc.config import ModelConfig
from siamfc.correlation import cross_correlate
from siamfc.model import ChannelStatistics, SiamFC, build_model
from siamfc.score_map import score_map_cells
from tests.conftest import image_tensor
from tests.reference.windows import deviation_from_windows, similarity_by_window

EXACT = 1e-9  # of the score map's standard deviation


def _wide_convolutions(backbone):
    return [
        name
        for name, module in backbone().named_modules()
        if isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1
    ]


def _statistics(model, search):
    return model.channel_statistics(search) if model.config.standardisation == "first_search" else None


@pytest.fixture(scope="module")
def exemplar(photograph):
    return image_tensor(photograph[164:291, 184:311])


@pytest.fixture(scope="module")
def search(photograph):
    return image_tensor(photograph[100:355, 120:375])


# The definition


def test_the_shipped_models_score_map_equals_the_per_window_loop_at_all_windows(mobilenetv2, exemplar, search):
    deviation, shape = deviation_from_windows(copy.deepcopy(mobilenetv2).double(), exemplar, search)
    assert shape == (17, 17)
    assert deviation < EXACT


def test_alexnets_score_map_equals_the_per_window_loop(alexnet, exemplar, search):
    # Every fourth row and column: all 289 windows take seven seconds.
    deviation, shape = deviation_from_windows(copy.deepcopy(alexnet).double(), exemplar, search, every=4)
    assert shape == (17, 17)
    assert deviation < EXACT


@pytest.mark.parametrize(
    ("exemplar_size", "search_size"),
    [
        ((127, 127), (239, 239)),
        ((127, 127), (200, 311)),
        ((127, 127), (251, 260)),
        ((96, 135), (190, 203)),
        ((131, 131), (255, 255)),
        ((91, 94), (140, 141)),
    ],
    ids=str,
)
def test_the_definition_holds_for_other_sizes(either_model64, photograph, exemplar_size, search_size):
    (h, w), (H, W) = exemplar_size, search_size
    exemplar = image_tensor(photograph[164 : 164 + h, 184 : 184 + w])
    search = image_tensor(photograph[100 : 100 + H, 120 : 120 + W])
    rows, columns = (H - h) // 8 + 1, (W - w) // 8 + 1
    deviation, shape = deviation_from_windows(either_model64, exemplar, search, every=16)
    assert shape == (rows, columns)
    assert deviation < EXACT


def test_a_search_of_the_exemplars_size_is_one_window(either_model64, photograph, exemplar):
    search = image_tensor(photograph[100:227, 120:247])
    statistics = _statistics(either_model64, search[None])
    with torch.no_grad():
        score_map = either_model64(exemplar[None], search[None], statistics)
    (expected,) = similarity_by_window(either_model64, exemplar, search, statistics, [(0, 0)])
    assert score_map.shape == (1, 1, 1)
    torch.testing.assert_close(score_map[0, 0, 0], expected, rtol=1e-12, atol=0)


def _pad(model: SiamFC, name: str) -> SiamFC:
    padded = copy.deepcopy(model).double()
    padded.backbone.get_submodule(name).padding = (1, 1)
    for block_name, block in padded.backbone.named_modules():
        if isinstance(block, InvertedResidual) and block.has_residual and name.startswith(f"{block_name}."):
            # A padded filter eats no border, so nothing is cropped from its residual path.
            block.forward = lambda features, block=block: features + block.conv(features)
    return padded


@pytest.mark.parametrize(
    ("network", "name"),
    [
        *(("alexnet", name) for name in _wide_convolutions(AlexNet)),
        *(("mobilenetv2", name) for name in _wide_convolutions(MobileNetV2)),
    ],
)
def test_the_definition_fails_as_soon_as_one_convolution_pads(request, exemplar, search, network, name):
    padded = _pad(request.getfixturevalue(network), name)
    deviation, shape = deviation_from_windows(padded, exemplar, search[:, :191, :191], every=8)
    assert shape == (9, 9)
    assert deviation > 1e4 * EXACT


def test_there_are_five_convolutions_to_pad_in_alexnet_and_seven_in_mobilenetv2():
    assert (len(_wide_convolutions(AlexNet)), len(_wide_convolutions(MobileNetV2))) == (5, 7)


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, 1), (3, 2), (8, 8)])
def test_shifting_the_search_by_k_strides_shifts_the_map_by_k_cells(either_model64, photograph, exemplar, right, down):
    def look(left, top):
        search = image_tensor(photograph[top : top + 191, left : left + 191])[None]
        with torch.no_grad():
            return either_model64(exemplar[None], search, statistics)[0]

    statistics = _statistics(either_model64, image_tensor(photograph[100:355, 120:375])[None])
    here, there = look(120, 100), look(120 + 8 * right, 100 + 8 * down)
    rows, columns = 9 - down, 9 - right
    shared, shared_there = here[down:, right:], there[:rows, :columns]
    assert float((shared - shared_there).abs().max()) < EXACT * float(here.std())


def test_a_shift_by_less_than_a_stride_is_no_shift_of_the_map(either_model64, photograph, exemplar):
    # The map is equivariant up to its stride: the counterpart of the test above, which must not hold for free.
    statistics = _statistics(either_model64, image_tensor(photograph[100:355, 120:375])[None])
    maps = []
    for left in (120, 124):
        search = image_tensor(photograph[100:291, left : left + 191])[None]
        with torch.no_grad():
            maps.append(either_model64(exemplar[None], search, statistics)[0])
    for shift in (0, 1):
        difference = maps[0][:, shift:] - maps[1][:, : 9 - shift]
        assert float(difference.abs().max()) > 0.01 * float(maps[0].std())


def test_the_exemplar_scores_highest_at_its_own_place(mobilenetv2, exemplar, search):
    with torch.no_grad():
        score_map = mobilenetv2(exemplar[None], search[None])[0]
    assert divmod(int(score_map.argmax()), 17) == (8, 8)


# Sizes


@pytest.mark.parametrize(("search_px", "cells"), [(255, 17), (239, 15)])
def test_the_papers_score_maps(either_model, search_px, cells):
    with torch.no_grad():
        score_map = either_model(torch.zeros(1, 3, 127, 127), torch.zeros(1, 3, search_px, search_px))
    assert score_map.shape == (1, cells, cells)


@pytest.mark.parametrize(
    ("search_px", "windows", "uncut"), [(251, 16, 17), (250, 16, 16), (260, 17, 18), (254, 16, 17)]
)
def test_cells_whose_window_leaves_the_search_are_cut(mobilenetv2, search_px, windows, uncut):
    exemplar, search = torch.zeros(1, 3, 127, 127), torch.zeros(1, 3, 140, search_px)
    statistics = mobilenetv2.channel_statistics(search)
    with torch.no_grad():
        cut = mobilenetv2(exemplar, search, statistics)
        all_cells = mobilenetv2.score(mobilenetv2.embed(exemplar, statistics), mobilenetv2.embed(search, statistics))
    # The nine cells of an exemplar see only its first 123 px, so the layers alone would give one window too many.
    assert all_cells.shape[-1] == uncut
    assert cut.shape[-1] == windows == score_map_cells(search_px, 127, 8)
    assert 8 * (windows - 1) + 127 <= search_px < 8 * windows + 127


def test_alexnets_exemplar_is_seen_whole_so_nothing_is_cut(alexnet):
    for search_px in (250, 251, 254, 260):
        with torch.no_grad():
            features = alexnet.embed(torch.zeros(1, 3, 127, search_px))
        assert features.shape[-1] - 6 + 1 == score_map_cells(search_px, 127, 8)


@pytest.mark.parametrize(("N", "B"), [(1, 3), (3, 1), (2, 2)])
def test_a_batch_gives_the_maps_of_its_pairs(either_model64, photograph, N, B):
    corners = [(164, 184), (200, 100), (40, 220)]
    exemplars = torch.stack([image_tensor(photograph[y : y + 95, x : x + 95]) for y, x in corners[:N]])
    searches = torch.stack([image_tensor(photograph[y : y + 135, x : x + 127]) for y, x in corners[:B]])
    statistics = _statistics(either_model64, searches[:1])
    with torch.no_grad():
        maps = either_model64(exemplars, searches, statistics)
        for index, came in enumerate(maps):
            z, x = exemplars[index if N > 1 else 0], searches[index if B > 1 else 0]
            alone = either_model64(z[None], x[None], statistics)[0]
            torch.testing.assert_close(came, alone, rtol=0, atol=float(alone.std()) * EXACT)
    assert len(maps) == max(N, B)


def test_images_may_be_bytes_or_floats(either_model, search):
    statistics = _statistics(either_model, search[None])
    with torch.no_grad():
        of_bytes = either_model.embed(search[None].byte(), statistics)
        of_floats = either_model.embed(search[None], statistics)
    torch.testing.assert_close(of_bytes, of_floats, rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(3, 127, 127), (1, 1, 127, 127), (1, 127, 127, 3), (1, 4, 127, 127)])
def test_images_of_another_shape_are_refused(either_model, shape):
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\)"):
        either_model.embed(torch.zeros(shape))


def test_images_smaller_than_the_receptive_field_are_refused_with_its_size(either_model):
    field = either_model.backbone.receptive_field
    with pytest.raises(ValueError, match=f"at least {field} px"):
        either_model.embed(torch.zeros(1, 3, 127, field - 1))


@pytest.mark.parametrize("search_shape", [(126, 255), (255, 126)])
def test_a_search_smaller_than_the_exemplar_is_refused(either_model, search_shape):
    with pytest.raises(ValueError, match="smaller than the exemplar"):
        either_model(torch.zeros(1, 3, 127, 127), torch.zeros(1, 3, *search_shape))


# Gain, bias, standardisation


def test_scores_are_gain_times_correlation_plus_bias(alexnet, exemplar, search):
    model = copy.deepcopy(alexnet).double()
    with torch.no_grad():
        before = model(exemplar[None], search[None])
        model.bias += 0.25
        model.gain *= 2
        torch.testing.assert_close(model(exemplar[None], search[None]), 2 * before + 0.25)


def test_the_gain_is_fixed_and_the_bias_is_learned():
    model = build_model(ModelConfig(backbone="alexnet"))
    assert model.gain.item() == pytest.approx(1e-3)
    assert model.bias.item() == 0
    assert (model.gain.requires_grad, model.bias.requires_grad) == (False, True)


def test_standardised_features_of_the_first_search_have_mean_zero_and_deviation_one(mobilenetv2, search):
    model = copy.deepcopy(mobilenetv2).double()
    with torch.no_grad():
        features = model.embed(search[None], model.channel_statistics(search[None]))
    torch.testing.assert_close(features.mean(dim=(0, 2, 3)), torch.zeros(192).double(), rtol=0, atol=1e-9)
    deviations = features.std(dim=(0, 2, 3), correction=0)
    # A channel that is silent in this picture stays silent; all others are brought to one.
    assert ((deviations - 1).abs() < 1e-9).float().mean() > 0.9
    assert deviations.max() < 1 + 1e-9


def test_statistics_default_to_those_of_the_search(mobilenetv2, exemplar, search):
    with torch.no_grad():
        by_default = mobilenetv2(exemplar[None], search[None])
        by_hand = mobilenetv2(exemplar[None], search[None], mobilenetv2.channel_statistics(search[None]))
    torch.testing.assert_close(by_default, by_hand, rtol=0, atol=0)


@pytest.mark.parametrize("value", [0.0, 128.0, 255.0])
def test_a_picture_of_one_colour_gives_finite_standardised_features(mobilenetv2, search, value):
    flat = torch.full((1, 3, 255, 255), value)
    statistics = mobilenetv2.channel_statistics(flat)
    assert (statistics.deviation > 0).all()
    with torch.no_grad():
        for picture in (flat, search[None]):
            assert torch.isfinite(mobilenetv2.embed(picture, statistics)).all()
        features = mobilenetv2.embed(flat, statistics)
    # Nothing but float32 rounding of features of up to 6.
    assert float(features.abs().max()) < 1e-3


def test_fixed_standardisation_by_the_same_numbers_gives_the_same_scores(mobilenetv2, exemplar, search):
    model = copy.deepcopy(mobilenetv2).double()
    statistics = model.channel_statistics(search[None])
    fixed = SiamFC(model.backbone, model.config.model_copy(update={"standardisation": "fixed"})).double()
    fixed.channel_mean.copy_(statistics.mean)
    fixed.channel_deviation.copy_(statistics.deviation)
    with torch.no_grad():
        torch.testing.assert_close(fixed.eval()(exemplar[None], search[None]), model(exemplar[None], search[None]))


@pytest.mark.parametrize("standardisation", ["none", "fixed", "first_search"])
@pytest.mark.parametrize("neck_channels", [0, 16])
def test_an_exemplars_kernel_over_plain_features_gives_the_score_maps(exemplar, search, standardisation, neck_channels):
    config = ModelConfig(standardisation=standardisation, neck_channels=neck_channels, gain=0.01)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model(config).double().eval()
    model.bias.data.fill_(0.5)
    if standardisation == "fixed":
        model.channel_mean.copy_(torch.linspace(-1, 1, model.out_channels))
        model.channel_deviation.copy_(torch.linspace(0.5, 2, model.out_channels))
    with torch.no_grad():
        statistics = model.channel_statistics(search[None]) if standardisation == "first_search" else None
        kernel = model.exemplar_kernel(model.embed(exemplar[None], statistics), statistics)
        maps = cross_correlate(kernel.weight, model.features(search[None])) + kernel.offset[:, None, None]
        expected = model.score(model.embed(exemplar[None], statistics), model.embed(search[None], statistics))
    torch.testing.assert_close(maps, expected)


def test_fixed_statistics_are_stored_with_the_weights():
    weights = build_model(ModelConfig(standardisation="fixed")).state_dict()
    assert weights["channel_mean"].shape == weights["channel_deviation"].shape == (192,)
    assert "channel_mean" not in build_model(ModelConfig(standardisation="first_search")).state_dict()


def test_statistics_are_asked_for_and_refused_where_they_belong(mobilenetv2, alexnet):
    image = torch.zeros(1, 3, 127, 127)
    with pytest.raises(ValueError, match="needs statistics"):
        mobilenetv2.embed(image)
    with pytest.raises(ValueError, match="takes no statistics"):
        alexnet.embed(image, ChannelStatistics(torch.zeros(256), torch.ones(256)))


# Gradients


@pytest.mark.parametrize("standardisation", ["none", "fixed", "first_search"])
@pytest.mark.parametrize("backbone", ["alexnet", "mobilenetv2"])
def test_gradients_are_finite_and_reach_every_weight_through_both_branches(photograph, backbone, standardisation):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model(ModelConfig(backbone=backbone, standardisation=standardisation))
    exemplars = torch.stack([image_tensor(photograph[y : y + 95, 184:279]) for y in (60, 160)]).requires_grad_()
    searches = torch.stack([image_tensor(photograph[y : y + 127, 160:287]) for y in (50, 150)]).requires_grad_()
    model(exemplars, searches).square().mean().backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert torch.isfinite(parameter.grad).all(), name
    first = next(module for module in model.backbone.modules() if isinstance(module, nn.Conv2d))
    assert float(first.weight.grad.abs().max()) > 0
    assert float(model.bias.grad.abs()) > 0
    assert float(exemplars.grad.abs().max()) > 0
    assert float(searches.grad.abs().max()) > 0


def test_one_batch_can_be_overfitted(photograph):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model(ModelConfig(standardisation="first_search", gain=5 / (192 * 3 * 3)))
    corners = [(60, 200), (300, 60)]
    exemplars = torch.stack([image_tensor(photograph[y + 16 : y + 91, x + 16 : x + 91]) for y, x in corners])
    searches = torch.stack([image_tensor(photograph[y : y + 107, x : x + 107]) for y, x in corners])
    labels = torch.zeros(2, 5, 5)
    labels[:, 2, 2] = 1  # the exemplar lies in the middle of its search
    weigh_alike = torch.tensor(24.0)  # one positive cell against 24 negative ones
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(12):
        logits = model(exemplars, searches)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels, pos_weight=weigh_alike)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 0.5
    assert losses[-1] < 0.25 * losses[0]
    assert torch.equal(logits > 0, labels.bool())


def test_what_surrounds_the_target_counts_less(exemplar):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model(ModelConfig()).eval()
    with torch.inference_mode():
        features = model.embed(exemplar[None])
    sizes = torch.tensor([[24.0, 56.0]])  # 3 cells wide and 7 high, of 9
    assert torch.equal(model.weigh_context(features, sizes, 1.0), features)
    weighed = model.weigh_context(features, sizes, 0.25)
    on_target = torch.zeros(9, 9, dtype=torch.bool)
    on_target[1:8, 3:6] = True
    # The network's 9 cells end 2 px left of and above the middle: a quarter of a cell more is covered on that side.
    shares = weighed / features
    covered = shares[0, features[0].abs().amin(dim=(1, 2)).argmax()]
    assert torch.allclose(covered[2:7, 4], torch.ones(5))
    assert torch.allclose(covered[:, :2], torch.full((9, 2), 0.25))
    assert float(covered[on_target].min()) > float(covered[~on_target].max())
