"""The mean of several networks' weights: every number, nothing else, and only where it stands for something."""

from __future__ import annotations

import copy

import pytest
import torch
from typer.testing import CliRunner

from siamfc import Tracker
from siamfc.averaging import average_weights, least_cosine
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
    return other


def test_every_weight_and_statistic_is_the_mean(mobilenetv2):
    models = [mobilenetv2, *(changed(mobilenetv2, 0.1, seed=seed) for seed in range(2))]
    mean = average_weights(models)
    states = [model.state_dict() for model in models]
    for name, value in mean.state_dict().items():
        expected = sum(state[name].double() for state in states) / 3
        torch.testing.assert_close(value.double(), expected, atol=0, rtol=1e-6)
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


def test_networks_begun_otherwise_are_refused(mobilenetv2):
    torch.manual_seed(0)
    other = build_model(mobilenetv2.config)
    assert least_cosine([mobilenetv2, other]) < 0.3
    with pytest.raises(ConfigError, match="average runs that began with the same weights"):
        average_weights([mobilenetv2, other])


def test_the_command_writes_a_checkpoint_that_tracks_and_tells_its_parts(mobilenetv2, tmp_path, photograph):
    sources = []
    for seed in range(2):
        info = save_checkpoint(
            tmp_path / f"seed{seed}.safetensors",
            changed(mobilenetv2, 0.01, seed=seed),
            provenance=Provenance(trained_on="the same clips", licence="research only"),
            settings={"tracker": {"context_weight": 0.2}, "match": {"threshold": 0.7}},
        )
        sources.append(str(info.path))
    target = tmp_path / "mean.safetensors"
    command = ["average", *sources, "-o", str(target), "--description", "two seeds"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "the mean of 2" in result.output
    model = load_model(target, device="cpu")
    assert model.settings == {"tracker": {"context_weight": 0.2}}
    assert model.info.provenance.description == "two seeds"
    assert "seed0" in model.info.provenance.source
    assert "seed1" in model.info.provenance.source
    assert model.info.provenance.trained_on == "the same clips"
    tracker = Tracker(model)
    tracker.init(photograph, (200, 150, 80, 100))
    assert abs(tracker.update(photograph).box.x - 200) < 3
    assert CliRunner().invoke(app, command).exit_code == 2


def test_the_command_needs_two_checkpoints_and_says_so(tmp_path):
    result = CliRunner().invoke(app, ["average", "mobilenetv2", "-o", str(tmp_path / "mean.safetensors")])
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())
