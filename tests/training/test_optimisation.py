from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from siamfc.checkpoint import load_model
from siamfc.config import ModelConfig, OptimiserConfig, load_train_config
from siamfc.folding import fold_batch_norms
from siamfc.model import build_model
from siamfc.training.optimisation import (
    WeightAverage,
    backbone_layers,
    begun_in_backbone,
    build_optimiser,
    choose_trained,
    learning_rate,
    parameter_groups,
    set_learning_rate,
)
from siamfc.training.start import build_start


@pytest.fixture
def alexnet_to_train():
    return build_model(ModelConfig(backbone="alexnet"))


def test_the_papers_rate_falls_by_the_same_factor_an_epoch() -> None:
    config = load_train_config("train-paper").optimiser
    rates = [learning_rate(config, step=10 * epoch, steps_per_epoch=10, epochs=50) for epoch in range(50)]
    assert rates[0] == pytest.approx(1e-2)
    assert rates[-1] == pytest.approx(1e-5)
    factors = [after / before for before, after in pairwise(rates)]
    assert factors == pytest.approx([0.8685] * 49, abs=1e-4)
    assert learning_rate(config, step=9, steps_per_epoch=10, epochs=50) == rates[0]


def test_cosine_warms_up_from_nothing_and_ends_at_the_last_rate() -> None:
    config = OptimiserConfig(learning_rate=1e-3, final_learning_rate=1e-6, schedule="cosine", warmup_steps=10)
    rates = [learning_rate(config, step=step, steps_per_epoch=100, epochs=2) for step in range(200)]
    assert rates[0] == pytest.approx(1e-4)
    assert max(rates) == pytest.approx(1e-3, rel=0.02)
    assert rates[-1] == pytest.approx(1e-6)
    assert all(after < before for before, after in pairwise(rates[10:]))


def test_the_papers_groups_decay_convolution_weights_alone_and_give_biases_twice_the_rate(alexnet_to_train) -> None:
    config = load_train_config("train-paper").optimiser
    choose_trained(alexnet_to_train, config)
    groups = parameter_groups(alexnet_to_train, frozenset(dict(alexnet_to_train.named_parameters())), config)
    seen = {}
    for group in groups:
        for value in group["params"]:
            seen[id(value)] = (group["factor"], group["weight_decay"])
    for name, value in alexnet_to_train.named_parameters():
        if name == "gain":
            assert id(value) not in seen
        else:
            assert seen[id(value)] == (2 if name.endswith("bias") else 1, 5e-4 if value.ndim > 1 else 0)


def test_frozen_layers_stay_and_fresh_ones_learn_faster(alexnet_to_train) -> None:
    config = OptimiserConfig(frozen_layers=2, new_layers_factor=5, bias_factor=1, train_gain=False)
    choose_trained(alexnet_to_train, config)
    groups = parameter_groups(alexnet_to_train, frozenset({"backbone.conv5.0.weight"}), config)
    factors = {id(value): group["factor"] for group in groups for value in group["params"]}
    assert factors[id(alexnet_to_train.backbone.conv5[0].weight)] == 5
    assert factors[id(alexnet_to_train.backbone.conv4[0].weight)] == 1
    assert not any(id(value) in factors for value in alexnet_to_train.backbone.conv2.parameters())


def test_each_group_gets_the_rate_times_its_factor() -> None:
    weight, bias = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(2))
    groups = [{"params": [weight], "factor": 1.0}, {"params": [bias], "factor": 2.0}]
    optimiser = build_optimiser(groups, OptimiserConfig(name="sgd"))
    set_learning_rate(optimiser, 0.5)
    assert [group["lr"] for group in optimiser.param_groups] == [0.5, 1.0]


def test_the_weights_average_follows_the_weights_and_is_what_is_written() -> None:
    layer = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(0.0)
    average = WeightAverage(layer, decay=0.5)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    average.update(step=100)
    assert average.averaged_state()["weight"].item() == pytest.approx(0.5)
    assert layer.weight.item() == 1.0


def test_without_decay_the_average_is_the_weights_themselves() -> None:
    layer = torch.nn.Linear(1, 1)
    average = WeightAverage(layer, decay=0.0)
    average.update(step=0)
    assert torch.equal(average.averaged_state()["weight"], layer.weight)


def test_a_share_of_the_start_is_mixed_into_what_is_written_and_not_into_what_is_trained() -> None:
    layer = torch.nn.Linear(1, 1)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.fill_(1.0)
    average = WeightAverage(layer, decay=0.0, start=["weight"], start_share=0.25)
    with torch.no_grad():
        layer.weight.fill_(5.0)
        layer.bias.fill_(5.0)
    written = average.averaged_state()
    assert (written["weight"].item(), written["bias"].item()) == (4.0, 5.0)
    assert layer.weight.item() == 5.0


def test_layers_that_began_with_random_numbers_are_not_mixed(mobilenetv2) -> None:
    start = build_start(mobilenetv2.config.model_copy(update={"last_block": 8}), mobilenetv2, seed=0)
    fold_batch_norms(start.model)
    start.model.requires_grad_(requires_grad=True)
    names = begun_in_backbone(start.model, start.fresh)
    assert "backbone.features.6.conv.0.0.bias" in names
    assert "backbone.features.7.conv.0.0.weight" in names  # block 7's expansion is the old network's last layer
    assert not [name for name in names if name.startswith(("backbone.features.8", "backbone.features.7.conv.1"))]
    assert "gain" not in names


def test_a_box_regression_is_begun_with_as_a_whole_or_not_at_all(mobilenetv2) -> None:
    deep = load_model("mobilenetv2-deep", device="cpu")
    # 5 x 5 cells of the one do not fit 9 x 9, though its convolutions would.
    wider = deep.config.model_copy(update={"regression_border_px": 16, "calibrated": False})
    assert "box_regression.first.weight" in build_start(wider, deep, seed=0).fresh
    same = build_start(deep.config.model_copy(update={"calibrated": False}), deep, seed=0)
    assert not same.fresh
    assert torch.equal(same.model.box_regression.first.weight, deep.box_regression.first.weight)


def test_one_level_of_two_is_begun_with_under_the_names_of_a_network_by_itself(two_levels) -> None:
    shallow, deep = (load_model(name, device="cpu") for name in ("mobilenetv2", "mobilenetv2-deep"))
    for alone in (shallow, deep):
        start = build_start(alone.config.model_copy(update={"calibrated": False}), two_levels, seed=0)
        wanted, begun = alone.backbone.state_dict(), start.model.backbone.state_dict()
        assert all(torch.equal(value, begun[name]) for name, value in wanted.items())
        # The regression is the shallow level's; the deeper one compares other cells. Gain and bias are fitted anew.
        assert start.fresh <= {"gain", "bias"} if alone is shallow else "box_regression.first.weight" in start.fresh


def test_layers_are_counted_up_to_the_last_then_those_of_the_shallow_level_alone(two_levels) -> None:
    backbone = two_levels.backbone
    assert backbone_layers(two_levels) == [*backbone.features, *backbone.shallow]
    assert len(backbone_layers(two_levels)) == 10 + 4
