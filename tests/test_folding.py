"""The folded network does less and scores the same."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from siamfc.folding import fold
from tests.conftest import image_tensor


@pytest.fixture(scope="module")
def pair(photograph):
    return image_tensor(photograph[164:291, 184:311])[None], image_tensor(photograph[130:321, 150:341])[None]


def _deviation(model, other, pair):
    """Largest difference of two models' score maps, in the map's standard deviations; statistics are the first's."""
    exemplar, search = pair
    statistics = None
    if model.config.standardisation == "first_search":
        statistics = model.channel_statistics(search)
    with torch.no_grad():
        score_map, other_map = (each(exemplar, search, statistics) for each in (model, other))
    return float((score_map - other_map).abs().max() / score_map.std())


def test_in_float64_folding_changes_no_score(either_model64, pair):
    assert _deviation(either_model64, fold(either_model64), pair) < 1e-9


def test_in_float32_folding_changes_scores_by_rounding_alone(either_model, pair):
    # Scores are sums of 10,000 and more products of 24-bit numbers.
    assert _deviation(either_model, fold(either_model), pair) < 1e-4


def test_no_batch_norm_and_no_normalisation_is_left(either_model):
    folded = fold(either_model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert isinstance(folded.normalise, nn.Identity)
    assert not any(parameter.requires_grad for parameter in folded.parameters())


def test_folding_leaves_the_model_as_it_was(either_model):
    model = copy.deepcopy(either_model).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    folded = fold(model)
    with torch.no_grad():
        for parameter in folded.parameters():
            parameter.zero_()
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert model.training
    assert not folded.training


def test_weights_are_laid_out_channels_last(either_model):
    convolutions = [module for module in fold(either_model).modules() if isinstance(module, nn.Conv2d)]
    assert all(module.weight.is_contiguous(memory_format=torch.channels_last) for module in convolutions)


def test_a_folded_model_can_be_folded_again(either_model64, pair):
    once = fold(either_model64)
    assert _deviation(once, fold(once), pair) == 0


def test_folding_keeps_what_is_known_of_the_checkpoint(mobilenetv2):
    assert fold(mobilenetv2).info == mobilenetv2.info
    assert fold(mobilenetv2).config == mobilenetv2.config
