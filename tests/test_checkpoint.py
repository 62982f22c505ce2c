"""Checkpoints: what is saved comes back, what is broken is refused in one line, nothing is ever executed."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import resource

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from siamfc.checkpoint import DEFAULT_MODEL, FORMAT_VERSION, load_model, model_names, read_info, save_checkpoint
from siamfc.config import ModelConfig
from siamfc.errors import CheckpointError, ConfigError, EnvironmentProblem, OutputError
from siamfc.model import build_model
from siamfc.provenance import Provenance

PROVENANCE = Provenance(description="a test", source="nowhere", trained_on="nothing", licence="none")


class Malicious:
    """Unpickling this makes the file ``flag``."""

    def __init__(self, flag):
        self.flag = str(flag)

    def __reduce__(self):
        return os.mkdir, (self.flag,)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my weights é.safetensors"


@pytest.fixture(scope="module")
def saved(mobilenetv2, tmp_path_factory):
    """A checkpoint as bytes, to be broken in many ways."""
    file = tmp_path_factory.mktemp("checkpoint") / "saved.safetensors"
    save_checkpoint(file, mobilenetv2, provenance=PROVENANCE)
    return file


def _rewrite(saved, path, *, header=None, weights=None):
    """A copy of a checkpoint with some of its header or weights replaced; None removes an entry."""
    with safe_open(saved, framework="pt") as file:
        content = json.loads(file.metadata()["siamfc"])
    tensors = load_file(saved)
    for target, changes in ((content, header or {}), (tensors, weights or {})):
        for key, value in changes.items():
            target[key] = value
            if value is None:
                del target[key]
    save_file(tensors, path, metadata={"siamfc": json.dumps(content)})
    return path


def _refused(source, match):
    with pytest.raises(CheckpointError, match=match) as caught:
        load_model(source, device="cpu")
    assert "\n" not in str(caught.value)


# What is saved comes back


@pytest.mark.parametrize("standardisation", ["none", "fixed", "first_search"])
@pytest.mark.parametrize("backbone", ["alexnet", "mobilenetv2"])
def test_weights_and_settings_come_back_exactly(path, backbone, standardisation):
    config = ModelConfig(backbone=backbone, standardisation=standardisation, batch_norm_eps=1e-4, gain=0.5)
    model = build_model(config)
    with torch.no_grad():
        for number, tensor in enumerate(model.state_dict().values()):
            tensor.copy_(torch.rand(tensor.shape, generator=torch.Generator().manual_seed(number)) * 9)
    save_checkpoint(path, model, provenance=PROVENANCE)
    loaded = load_model(path, device="cpu")
    before, after = model.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert loaded.config == config
    assert {module.eps for module in loaded.modules() if isinstance(module, torch.nn.BatchNorm2d)} == {1e-4}
    assert not loaded.training
    assert model.training


def test_what_is_known_of_a_checkpoint_is_told(path, mobilenetv2):
    settings = {"tracker": {"num_scales": 5}}
    info = save_checkpoint(path, mobilenetv2, provenance=PROVENANCE, settings=settings)
    assert info == read_info(path) == load_model(path, device="cpu").info
    assert (info.name, info.path, info.format_version) == ("my weights é", path, FORMAT_VERSION)
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert info.sha256.startswith(info.short_hash)
    assert len(info.short_hash) == 12
    assert info.size_bytes == path.stat().st_size
    assert info.settings == settings
    assert info.provenance == PROVENANCE
    assert info.model == mobilenetv2.config


def test_half_precision_keeps_statistics_gain_and_counts_in_full(path):
    model = build_model(ModelConfig(standardisation="fixed"))
    norm = model.backbone.features[0][1]
    norm.running_var.fill_(1e5)  # more than float16 can hold
    norm.num_batches_tracked.fill_(70_000)
    model.channel_deviation.fill_(1 + 2**-20)
    save_checkpoint(path, model, provenance=PROVENANCE, half_precision=True)
    stored = load_file(path)
    kept = {name for name, tensor in stored.items() if tensor.dtype == torch.float32}
    assert {name.rpartition(".")[2] for name in kept} == {
        *("running_mean", "running_var", "channel_mean", "channel_deviation", "mean", "deviation", "gain", "bias")
    }
    assert "bias" in kept
    assert not any(name.startswith("backbone") and name.endswith("bias") for name in kept)
    loaded = load_model(path, device="cpu")
    assert torch.equal(loaded.backbone.features[0][1].running_var, norm.running_var)
    assert loaded.backbone.features[0][1].num_batches_tracked == 70_000
    assert torch.equal(loaded.channel_deviation, model.channel_deviation)
    assert torch.equal(loaded.normalise.mean, model.normalise.mean)
    assert loaded.gain.item() == model.gain.item()
    weight, original = loaded.backbone.features[0][0].weight, model.backbone.features[0][0].weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, original.half().float())


def test_half_precision_takes_about_half_the_room(tmp_path, mobilenetv2):
    sizes = [
        save_checkpoint(
            tmp_path / f"{half}.safetensors", mobilenetv2, provenance=PROVENANCE, half_precision=half
        ).size_bytes
        for half in (False, True)
    ]
    assert sizes[1] < 0.75 * sizes[0]


def test_a_weight_beyond_half_precision_is_refused_and_nothing_written(path):
    model = build_model(ModelConfig())
    with torch.no_grad():
        model.backbone.features[0][0].weight[0, 0, 0, 0] = 1e5
    with pytest.raises(CheckpointError, match=r"features\.0\.0\.weight.*float16"):
        save_checkpoint(path, model, provenance=PROVENANCE, half_precision=True)
    assert not path.exists()
    save_checkpoint(path, model, provenance=PROVENANCE)


def test_the_shipped_model_is_there_and_says_where_it_comes_from():
    assert model_names()[0] == DEFAULT_MODEL == "mobilenetv2"
    info = read_info(DEFAULT_MODEL)
    assert info.model.standardisation == "first_search"
    assert "ImageNet" in info.provenance.trained_on
    assert info.provenance.licence != "not stated"
    weights = load_file(info.path)
    assert weights["backbone.features.0.0.weight"].dtype == torch.float16
    assert weights["backbone.features.0.1.running_var"].dtype == torch.float32


def test_the_paper_s_network_is_there_by_its_name():
    info = read_info("alexnet")
    assert (info.model.backbone, info.model.neck_channels, info.model.calibrated) == ("alexnet", 0, True)
    assert "mobilenetv2-imagenet" in info.provenance.source
    assert "non-commercial" in info.provenance.licence


@pytest.mark.parametrize("name", model_names())
def test_every_shipped_model_is_small_and_has_a_card_in_the_package(name):
    info = read_info(name)
    assert info.size_bytes < 6e6
    card = info.path.with_suffix(".md").read_text(encoding="utf-8")
    for part in (
        "**Made by:**",
        "**Trained on:**",
        "**Licence:**",
        "**Score:**",
        "## Figures by sequence",
        "ROC curve",
    ):
        assert part in card, part


@pytest.mark.parametrize("name", model_names())
def test_every_shipped_model_loads_and_scores_finitely(name):
    model = load_model(name, device="cpu")
    with torch.no_grad():
        image = torch.rand(1, 3, 255, 255, generator=torch.Generator().manual_seed(0)) * 255
        assert torch.isfinite(model(image[..., :127, :127], image)).all()


# Writing


def test_an_existing_checkpoint_is_not_overwritten_unasked(path, mobilenetv2):
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        save_checkpoint(path, mobilenetv2, provenance=PROVENANCE)
    assert path.read_text() == "precious"
    save_checkpoint(path, mobilenetv2, provenance=PROVENANCE, overwrite=True)
    assert load_model(path, device="cpu").config == mobilenetv2.config


def test_a_full_disk_is_one_line_and_leaves_nothing(path, mobilenetv2):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))  # the operating system's own "no more room"
    try:
        with pytest.raises(OutputError, match="cannot write") as caught:
            save_checkpoint(path, mobilenetv2, provenance=PROVENANCE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert list(path.parent.iterdir()) == []


def test_another_suffix_is_refused(tmp_path, mobilenetv2):
    with pytest.raises(CheckpointError, match=r"\.safetensors"):
        save_checkpoint(tmp_path / "model.pth", mobilenetv2, provenance=PROVENANCE)


def test_weights_that_are_not_finite_are_not_saved(path, mobilenetv2):
    model = copy.deepcopy(mobilenetv2)
    with torch.no_grad():
        model.bias.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="bias holds values that are not finite"):
        save_checkpoint(path, model, provenance=PROVENANCE)
    assert not path.exists()


def test_unknown_settings_are_not_saved(path, mobilenetv2):
    with pytest.raises(ConfigError, match="num_scales"):
        save_checkpoint(path, mobilenetv2, provenance=PROVENANCE, settings={"tracker": {"num_scale": 5}})
    assert not path.exists()


# Reading what is broken


@pytest.mark.parametrize("name", ["mobilenetv3", "missing.safetensors", ".", ""])
def test_a_model_that_is_not_there_is_refused_with_the_shipped_names(name):
    _refused(name, "mobilenetv2-imagenet")


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(EnvironmentProblem, match="meta"):
        load_model(device="meta")


@pytest.mark.parametrize("kept", [0, 5, 8, 300, 5_000, -1])
def test_a_truncated_file_is_refused(saved, path, kept):
    path.write_bytes(saved.read_bytes()[:kept])
    _refused(path, "cannot be read as safetensors")


def test_a_file_with_a_broken_header_is_refused(saved, path):
    content = bytearray(saved.read_bytes())
    content[8:60] = os.urandom(52)
    path.write_bytes(content)
    _refused(path, "cannot be read as safetensors")


@pytest.mark.parametrize(
    "content", [b"just a text\n" * 40, b"\x89PNG\r\n\x1a\n" + bytes(500), bytes(1000), b"\xff" * 1000]
)
def test_a_file_of_another_kind_is_refused_and_convert_named(path, content):
    path.write_bytes(content)
    _refused(path, "siamfc convert")


def test_a_safetensors_file_of_another_program_is_refused(path):
    save_file({"weight": torch.zeros(3)}, path, metadata={"format": "pt"})
    _refused(path, "not a checkpoint of siamfc")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_malicious_pickle_executes_nothing(tmp_path, suffix, how):
    path, flag = tmp_path / f"weights{suffix}", tmp_path / "executed"
    if how == "pickle":
        path.write_bytes(pickle.dumps(Malicious(flag)))
    else:
        torch.save({"weight": torch.zeros(1), "other": Malicious(flag)}, path)
    _refused(path, "cannot be read as safetensors")
    assert not flag.exists()
    with path.open("rb") as file:  # it would have, and this test would have seen it
        torch.load(file, weights_only=False) if how == "torch" else pickle.load(file)
    assert flag.exists()


def test_a_newer_format_is_refused_with_what_to_do(saved, path):
    _refused(_rewrite(saved, path, header={"format_version": FORMAT_VERSION + 1}), "upgrade")


@pytest.mark.parametrize(
    "header",
    [
        {"format_version": None},
        {"format_version": "new"},
        {"format_version": [1]},
        {"model": None},
        {"model": 5},
        {"model": "text"},
        {"model": {"backbone": "resnet"}},
        {"model": {"no_such_setting": 1}},
        {"settings": None},
        {"settings": "text"},
        {"settings": [1, 2]},
        {"settings": {"tracker": {"no_such_setting": 1}}},
        {"settings": {"tracker": 5}},
        {"provenance": None},
        {"provenance": {"description": 5}},
    ],
    ids=str,
)
def test_a_header_that_says_nonsense_is_refused(saved, path, header):
    _refused(_rewrite(saved, path, header=header), "my weights")


@pytest.mark.parametrize("text", ["", "no json", "[]", "5", "null", '{"format_version": 1}'])
def test_a_header_that_is_no_header_is_refused(path, text):
    save_file({"weight": torch.zeros(3)}, path, metadata={"siamfc": text})
    _refused(path, "header")


def test_a_missing_or_unknown_weight_is_refused_by_name(saved, path):
    _refused(_rewrite(saved, path, weights={"bias": None}), r"missing \['bias'\]")
    _refused(_rewrite(saved, path, weights={"extra": torch.zeros(1)}), r"unknown \['extra'\]")


def test_weights_of_another_network_are_refused(saved, path):
    _refused(_rewrite(saved, path, header={"model": {"backbone": "alexnet"}}), "does not fit alexnet")


def test_a_weight_of_another_shape_is_refused_with_both_shapes(saved, path):
    wrong = {"backbone.features.0.0.weight": torch.zeros(16, 3, 3, 3)}
    _refused(_rewrite(saved, path, weights=wrong), r"\(16, 3, 3, 3\).*\(32, 3, 3, 3\)")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(saved, path, value):
    weight = load_file(saved)["backbone.features.0.0.weight"]
    weight[3, 0, 0, 0] = value
    _refused(
        _rewrite(saved, path, weights={"backbone.features.0.0.weight": weight}), r"features\.0\.0\.weight.*not finite"
    )


def test_a_field_that_a_later_version_adds_to_provenance_is_ignored(saved, path):
    header = {"provenance": {"description": "later", "colour": "green"}}
    assert read_info(_rewrite(saved, path, header=header)).provenance.description == "later"
