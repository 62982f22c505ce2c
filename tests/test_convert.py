"""Weight files of other projects: what is read, what is dropped, what is refused; nothing is executed."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
import torch
from torch import nn

from siamfc.backbones import AlexNet
from siamfc.checkpoint import load_model, save_checkpoint
from siamfc.convert import convert_weights
from siamfc.errors import CheckpointError
from siamfc.provenance import Provenance
from tests.conftest import image_tensor
from tests.reference.backbones import huanglianghua_score, padded_mobilenetv2
from tests.test_checkpoint import Malicious


def _norm(name, channels):
    return {
        f"{name}.weight": torch.rand(channels) + 0.5,
        f"{name}.bias": torch.randn(channels) * 0.1,
        f"{name}.running_mean": torch.randn(channels) * 0.1,
        f"{name}.running_var": torch.rand(channels) + 0.5,
        f"{name}.num_batches_tracked": torch.tensor(7),
    }


def _mobilenet(width=1.0):
    """All of torchvision's ``mobilenet_v2``, under its own names, with random weights."""

    def wide(channels):
        return max(8, int(channels * width + 4) // 8 * 8)

    weights = {"features.0.0.weight": torch.randn(wide(32), 3, 3, 3) * 0.2, **_norm("features.0.1", wide(32))}
    channels, block = wide(32), 0
    for expansion, out, count in ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)):
        for _ in range(count):
            block += 1
            name, hidden, part = f"features.{block}.conv", channels * expansion, 0
            if expansion != 1:
                weights |= {f"{name}.0.0.weight": torch.randn(hidden, channels, 1, 1) * 0.2} | _norm(
                    f"{name}.0.1", hidden
                )
                part = 1
            weights |= {f"{name}.{part}.0.weight": torch.randn(hidden, 1, 3, 3) * 0.3} | _norm(
                f"{name}.{part}.1", hidden
            )
            weights |= {f"{name}.{part + 1}.weight": torch.randn(wide(out), hidden, 1, 1) * 0.1}
            weights |= _norm(f"{name}.{part + 2}", wide(out))
            channels = wide(out)
    weights |= {"features.18.0.weight": torch.randn(1280, channels, 1, 1)} | _norm("features.18.1", 1280)
    return weights | {"classifier.1.weight": torch.randn(1000, 1280), "classifier.1.bias": torch.randn(1000)}


def _flat(weights):
    """The same weights with one index a layer, as in ../shared/data/weights; activations count."""
    flat = {}
    for name, tensor in weights.items():
        match = re.fullmatch(r"features\.(\d+)\.conv\.(\d+)(?:\.(\d+))?\.(\w+)", name)
        if match:
            block, part, inner, kind = match.groups()
            triples = 1 if block == "1" else 2
            index = int(part) * 3 + int(inner) if inner else triples * 3 + int(part) - triples
            name = f"features.{block}.conv.{index}.{kind}"
        flat[name] = tensor
    return flat


@pytest.fixture(scope="module", autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="module")
def mobilenet_weights():
    return _mobilenet()


@pytest.fixture(scope="module")
def alexnet_weights(alexnet):
    """A state dict as huanglianghua/siamfc-pytorch saves it."""
    return {f"backbone.{name}": tensor for name, tensor in alexnet.backbone.state_dict().items()}


@pytest.fixture
def save(tmp_path):
    def write(content, name="weights é.pth"):
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return write


def _refused(path, match):
    with pytest.raises(CheckpointError, match=match) as caught:
        convert_weights(path)
    assert "\n" not in str(caught.value)


# MobileNetV2


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("layout", ["nested", "flat"])
def test_a_mobilenetv2_of_either_layout_gives_torchvisions_features(
    save, mobilenet_weights, photograph, layout, prefix
):
    weights = mobilenet_weights if layout == "nested" else _flat(mobilenet_weights)
    conversion = convert_weights(save({f"{prefix}{name}": tensor for name, tensor in weights.items()}))
    assert layout in conversion.layout
    model = conversion.model.double().eval()
    images = model.normalise(image_tensor(photograph[200:330, 200:330])[None])
    expected = padded_mobilenetv2({name: tensor.double() for name, tensor in mobilenet_weights.items()}, images)
    with torch.no_grad():
        came = model.backbone(images[..., 3:, 3:])
    inner = came.shape[-1]
    torch.testing.assert_close(came, expected[..., 4 : 4 + inner, 4 : 4 + inner], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("layout", ["nested", "flat"])
def test_layers_behind_the_cut_are_dropped_and_named(save, mobilenet_weights, layout):
    weights = mobilenet_weights if layout == "nested" else _flat(mobilenet_weights)
    dropped = convert_weights(save(weights)).dropped
    rest_of_block_7 = [f"features.7.conv.{layer}" for layer in ("1.0", "1.1", "2", "3")]
    assert dropped == ["classifier.1", *rest_of_block_7, *(f"features.{block}" for block in range(8, 19))]


def test_a_mobilenetv2_is_standardised_by_the_first_search_and_scores_itself_about_one(
    save, mobilenet_weights, photograph
):
    model = convert_weights(save(mobilenet_weights)).model
    assert model.config.standardisation == "first_search"
    search = image_tensor(photograph[100:355, 120:375])[None]
    model.eval()
    with torch.no_grad():
        score_map = model(search[..., 64:191, 64:191], search)[0]
    assert float(score_map[8, 8]) == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize("width", [0.35, 0.5, 0.9, 1.1, 1.4])
def test_another_width_is_refused(save, width):
    # 0.9 and 1.1 round the channels of all layers before the cut to those of 1.0.
    _refused(save(_mobilenet(width)), "only width 1.0")


def test_half_the_width_is_named(save):
    _refused(save(_mobilenet(0.5)), "width 0.5")


def test_a_missing_layer_is_named(save, mobilenet_weights):
    weights = dict(mobilenet_weights)
    del weights["features.5.conv.2.weight"]
    _refused(save(weights), r"features\.5\.conv\.2\.weight is missing")


def test_old_files_without_batch_counters_are_read(save, mobilenet_weights):
    weights = {name: tensor for name, tensor in mobilenet_weights.items() if not name.endswith("tracked")}
    assert convert_weights(save(weights)).model.config.backbone == "mobilenetv2"


def test_the_shipped_model_is_the_conversion_of_the_shared_file(shared_data, mobilenetv2):
    conversion = convert_weights(shared_data / "weights" / "mobilenet_v2_imagenet.pt")
    assert "flat" in conversion.layout
    shipped = mobilenetv2.state_dict()
    for name, tensor in conversion.model.state_dict().items():
        if tensor.is_floating_point():
            # The shipped weights went through float16: 11 bits.
            torch.testing.assert_close(shipped[name], tensor, rtol=2**-11, atol=1e-7)
    assert conversion.model.config == mobilenetv2.config.model_copy(update={"calibrated": False})


def test_a_conversion_survives_being_saved_and_loaded(save, tmp_path, mobilenet_weights):
    model = convert_weights(save(mobilenet_weights)).model
    save_checkpoint(tmp_path / "converted.safetensors", model, provenance=Provenance())
    loaded = load_model(tmp_path / "converted.safetensors", device="cpu")
    assert loaded.config == model.config
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in loaded.state_dict().items())


# huanglianghua's AlexNet


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_siamfc_pytorch_file_scores_as_its_own_forward(save, alexnet_weights, photograph, prefix):
    weights = copy.deepcopy(alexnet_weights)
    weights["backbone.conv3.1.running_var"] *= 1e-6  # small enough that the epsilon counts
    conversion = convert_weights(save({f"{prefix}{name}": tensor for name, tensor in weights.items()}))
    model = conversion.model.double().eval()
    assert conversion.dropped == []
    assert {module.eps for module in model.modules() if isinstance(module, nn.BatchNorm2d)} == {1e-6}
    assert (model.gain.item(), model.bias.item()) == (pytest.approx(1e-3), 0)
    assert model.config.standardisation == "none"
    exemplar = image_tensor(photograph[164:291, 184:311])[None]
    search = image_tensor(photograph[140:299, 160:319])[None]
    expected = huanglianghua_score({name: tensor.double() for name, tensor in weights.items()}, exemplar, search)
    with torch.no_grad():
        # The gain is kept in float32, where 1e-3 is 1.00000005e-3.
        torch.testing.assert_close(model(exemplar, search), expected[:, 0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_a_state_dict_inside_a_training_checkpoint_is_found(save, alexnet_weights, key):
    conversion = convert_weights(save({key: alexnet_weights, "epoch": 5}))
    assert conversion.model.config.backbone == "alexnet"


def test_a_layer_of_another_shape_is_refused_with_both_shapes(save, alexnet_weights):
    weights = {**alexnet_weights, "backbone.conv5.0.weight": torch.zeros(32, 192, 3, 3)}
    _refused(save(weights), r"conv5\.0\.weight has the shape \(32, 192, 3, 3\), not \(256, 192, 3, 3\)")


# What cannot be read


def test_a_file_that_is_not_there_is_refused(tmp_path):
    _refused(tmp_path / "missing.pth", "no file")
    _refused(tmp_path, "no file")


def test_what_is_no_file_of_torchs_is_said_to_be_none(tmp_path):
    path = tmp_path / "text.mp4"
    path.write_text("hello, no video and no weights")
    with pytest.raises(CheckpointError, match="no file of torch's"):
        convert_weights(path)


@pytest.mark.parametrize("name", ["weights.pth", "weights.pt", "weights.safetensors"])
@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_malicious_pickle_executes_nothing(tmp_path, save, alexnet_weights, name, how):
    flag = tmp_path / "executed"
    if how == "pickle":
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Malicious(flag)))
    else:
        path = save({**alexnet_weights, "other": Malicious(flag)}, name)
    _refused(path, "cannot be read as plain tensors")
    assert not flag.exists()


def test_a_pickled_module_is_refused_with_what_to_do(save):
    _refused(save(AlexNet()), "save a state_dict instead")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just a text\n" * 40,
        b"<html><body>404</body></html>",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 123\n",
        b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(200),
        b"PK\x03\x04" + bytes(100),
        b"\x80\x02" + bytes(100),
        b"\x80\x04\x95",
        bytes(1000),
        bytes(range(256)) * 4,
    ],
    ids=lambda content: repr(content[:8]),
)
def test_a_file_of_another_kind_is_refused_and_the_readable_kinds_named(tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    _refused(path, "siamfc convert reads")


def test_random_bytes_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "weights.pth"
    for start in (b"", b"\x80\x02", b"\x80\x02}q\x00", b"\x80\x02ctorch\n", b"PK\x03\x04"):
        for _ in range(20):
            path.write_bytes(start + rng.bytes(200))
            _refused(path, "siamfc convert reads")


@pytest.mark.parametrize("kept", [10, 1000, -100])
def test_a_truncated_file_is_refused(save, alexnet_weights, kept):
    path = save(alexnet_weights)
    path.write_bytes(path.read_bytes()[:kept])
    _refused(path, "siamfc convert reads")


@pytest.mark.parametrize(
    "content", [torch.zeros(3), [torch.zeros(3)], 5, "text", {"epoch": 5, "lr": 0.1}], ids=lambda x: type(x).__name__
)
def test_a_file_of_anything_but_named_tensors_is_refused(save, content):
    _refused(save(content), "not a state dict")


@pytest.mark.parametrize("content", [{}, {"weight": torch.zeros(3)}, {"features.0.weight": torch.zeros(96, 3, 11, 11)}])
def test_another_network_is_refused_with_some_of_its_names(save, content):
    _refused(save(content), next(iter(content), "nothing"))
