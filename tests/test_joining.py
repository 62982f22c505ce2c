"""Two networks in one: the features of both, the sum of their maps, and nothing else."""

from __future__ import annotations

import copy

import pytest
import torch
from typer.testing import CliRunner

from siamfc import Tracker
from siamfc.checkpoint import load_model
from siamfc.cli.main import app
from siamfc.errors import ConfigError
from siamfc.joining import join_levels
from tests.conftest import image_tensor


@pytest.fixture(scope="module")
def pair():
    return [load_model(name, device="cpu") for name in ("mobilenetv2", "mobilenetv2-deep")]


@torch.no_grad()
def test_its_features_are_those_of_both_at_the_same_places(pair, two_levels, photograph):
    images = image_tensor(photograph[100:355, 120:375])[None].float()
    shallow, deep = (model.features(images) for model in pair)
    both = two_levels.features(images)
    assert both.shape == (1, 192 + 384, 21, 21)
    torch.testing.assert_close(both[:, :192], shallow[..., 2:-2, 2:-2])
    torch.testing.assert_close(both[:, 192:], deep)


@torch.no_grad()
def test_its_map_is_the_sum_of_those_of_the_inner_cells_of_both(pair, two_levels, photograph):
    search = image_tensor(photograph[100:355, 120:375])[None].float()
    exemplar = search[..., 64:191, 64:191]
    statistics = two_levels.channel_statistics(search)
    both = [two_levels.embed(images, statistics) for images in (exemplar, search)]
    maps = [
        two_levels.score(*(features[:, channels] for features in both)) - two_levels.bias
        for channels in (slice(0, 192), slice(192, None))
    ]
    torch.testing.assert_close(two_levels(exemplar, search, statistics), sum(maps) + two_levels.bias)
    # And of the deeper one it is the whole map.
    deep = pair[1]
    alone = deep(exemplar, search) - deep.bias
    torch.testing.assert_close(maps[1] / two_levels.gain, alone / deep.gain, rtol=1e-3, atol=1.0)


def test_layers_that_are_the_same_are_there_once(two_levels):
    assert two_levels.config.shared_layers == 4
    assert [name for name, _ in two_levels.backbone.shallow.named_children()] == ["4", "5", "6", "7"]


def test_its_box_regression_sees_what_the_shallow_ones_did(pair, two_levels):
    own, shallow = two_levels.box_regression, pair[0].box_regression
    assert own.cells == shallow.cells == 9
    assert torch.equal(own.cell_px, shallow.cell_px)
    assert all(torch.equal(value, shallow.state_dict()[name]) for name, value in own.state_dict().items())


def test_networks_that_share_no_layer_are_refused(pair):
    other = copy.deepcopy(pair[1])
    with torch.no_grad():
        other.backbone.features[0][0].weight.add_(1)
    with pytest.raises(ConfigError, match="no first layer in common"):
        join_levels(pair[0], other)


def test_networks_in_the_wrong_order_or_of_another_kind_are_refused(pair, alexnet, two_levels):
    with pytest.raises(ConfigError, match="last block 7 is not after 9"):
        join_levels(pair[1], pair[0])
    with pytest.raises(ConfigError, match="differ in backbone"):
        join_levels(pair[0], alexnet)
    with pytest.raises(ConfigError, match="with one level"):
        join_levels(two_levels, two_levels)


def test_the_command_writes_a_checkpoint_that_tracks(tmp_path, photograph):
    target = tmp_path / "both.safetensors"
    command = ["join", "mobilenetv2", "mobilenetv2-deep", str(target), "--half"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "first 4 layers" in result.output
    model = load_model(target, device="cpu")
    assert model.settings == {"tracker": load_model("mobilenetv2", device="cpu").settings["tracker"]}
    assert "mobilenetv2-deep" in model.info.provenance.source
    tracker = Tracker(model)
    tracker.init(photograph, (200, 150, 80, 100))
    box = tracker.update(photograph).box
    assert abs(box.x - 200) < 3
    assert abs(box.width - 80) < 6
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2
