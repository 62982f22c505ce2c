"""The mean of several networks' weights: every number, nothing else, and only where it stands for something."""

from __future__ import annotations

import copy

import pytest
import torch
from typer.testing import CliRunner

from siamfc import Tracker
from siamfc.averaging import average_weights, distance
from siamfc.checkpoint import load_model, save_checkpoint
from siamfc.cli.main import app
from siamfc.errors import ConfigError
from siamfc.model import build_model
from siamfc.provenance import Provenance


def changed(model, share, *, seed):
    """Like a run that went on from a model: every weight moved by about this share of its layer's size."""
    other, draw = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in other.parameters():
            noise = torch.randn(weights.shape, generator=draw)
            weights.add_(share * noise * weights.norm() / noise.norm())
        for name, statistic in other.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                statistic.mul_(1 + share * seed)
    return other


def test_every_weight_and_statistic_is_the_mean(mobilenetv2):
    models = [mobilenetv2, *(changed(mobilenetv2, 0.1, seed=seed) for seed in (1, 2))]
    mean = average_weights(models)
    states = [model.state_dict() for model in models]
    for name, value in mean.state_dict().items():
        expected = sum(state[name].double() for state in states) / 3
        torch.testing.assert_close(value.double(), expected, atol=1e-30, rtol=1e-6)
    assert not mean.config.calibrated


@torch.no_grad()
def test_the_mean_of_a_model_and_itself_is_that_model(mobilenetv2):
    images = 255 * torch.rand(1, 3, 127, 127, generator=torch.Generator().manual_seed(0))
    mean = average_weights([mobilenetv2, mobilenetv2])
    assert torch.equal(mean.features(images), mobilenetv2.features(images))


def test_one_network_has_no_mean(mobilenetv2):
    with pytest.raises(ConfigError, match="two networks or more"):
        average_weights([mobilenetv2])


def test_networks_built_otherwise_are_refused_and_told_where_they_differ(mobilenetv2, alexnet):
    with pytest.raises(ConfigError, match="differ in backbone"):
        average_weights([mobilenetv2, alexnet])


def test_networks_begun_otherwise_are_refused_and_told_by_which_layer(mobilenetv2):
    torch.manual_seed(0)
    other = build_model(mobilenetv2.config)
    farthest, layer = distance([mobilenetv2, other])
    assert farthest > 0.9
    with pytest.raises(ConfigError, match=f"{layer} differs by .*began with the same weights"):
        average_weights([mobilenetv2, other])


def test_layers_of_another_scale_are_refused(mobilenetv2):
    other = copy.deepcopy(mobilenetv2)
    with torch.no_grad():
        other.backbone.features[5].conv[0][0].weight.mul_(4)
    with pytest.raises(ConfigError, match=r"features\.5\.conv\.0\.0\.weight differs by 75%"):
        average_weights([mobilenetv2, other])


def test_layers_of_zeros_are_as_near_as_can_be(mobilenetv2):
    models = [copy.deepcopy(mobilenetv2) for _ in range(2)]
    with torch.no_grad():
        for model in models:
            model.backbone.features[5].conv[0][0].weight.zero_()
    assert distance(models)[0] == 0


@pytest.fixture
def seeds(mobilenetv2, tmp_path):
    """Two calibrated checkpoints of runs that learned from different data, as the command takes them."""
    paths = []
    for seed in (1, 2):
        info = save_checkpoint(
            tmp_path / f"seed{seed}.safetensors",
            changed(mobilenetv2, 0.01, seed=seed),
            provenance=Provenance(
                trained_on=f"clips {seed}; the score was calibrated on others", licence="research only"
            ),
            settings={"tracker": {"context_weight": 0.2 * seed}, "match": {"threshold": 0.7}},
        )
        paths.append(str(info.path))
    return paths


def test_the_command_writes_a_checkpoint_that_tracks_and_tells_its_parts(seeds, tmp_path, photograph):
    target = tmp_path / "mean.safetensors"
    command = ["average", *seeds, "-o", str(target), "--description", "two seeds"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "the mean of 2" in result.output
    assert "settings for the tracker differ" in result.output
    model = load_model(target, device="cpu")
    assert model.settings == {"tracker": {"context_weight": 0.2}}
    told = model.info.provenance
    assert told.description == "two seeds"
    assert "seed1 (sha256" in told.source
    assert "seed2 (sha256" in told.source
    assert told.trained_on == "clips 1; clips 2"
    tracker = Tracker(model)
    tracker.init(photograph, (200, 150, 80, 100))
    assert abs(tracker.update(photograph).box.x - 200) < 3
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2
    assert "exists" in again.output


@pytest.mark.parametrize(
    ("chosen", "message"), [([0], "two networks or more"), ([0, 1, 0], "the same checkpoint is given more than once")]
)
def test_the_command_refuses_what_has_no_mean(chosen, message, seeds, tmp_path):
    target = tmp_path / "mean.safetensors"
    result = CliRunner().invoke(app, ["average", *(seeds[number] for number in chosen), "-o", str(target)])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not target.exists()
