from __future__ import annotations

import copy

import pytest
import torch

from siamfc.checkpoint import load_model, save_checkpoint
from siamfc.model import SiamFC
from siamfc.provenance import Provenance
from siamfc.tracker.presence import Presence
from siamfc.tracker.tracker import Tracker
from tests.scenes import pan


def _calibrated(model: SiamFC) -> SiamFC:
    other = SiamFC(copy.deepcopy(model.backbone), model.config.model_copy(update={"calibrated": True}))
    weights = model.state_dict() | {
        "score_mean": torch.full((model.out_channels,), 0.5),
        "score_deviation": torch.full((model.out_channels,), 2.0),
        "score_curve": torch.tensor([20.0, -10.0]),
    }
    other.load_state_dict(weights)
    return other.eval()


@pytest.fixture
def features() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 192, 3, 3, generator=generator), torch.rand(192, 8, 8, generator=generator)


def test_the_cosine_is_that_of_the_standardised_window(mobilenetv2, features):
    exemplar, search = features
    model = _calibrated(mobilenetv2)
    presence = Presence(model)
    z = ((exemplar[0] - 0.5) / 2).flatten()
    x = ((search[:, 2:5, 4:7] - 0.5) / 2).flatten()
    expected = torch.nn.functional.cosine_similarity(z, x, dim=0).item()
    reference = presence.reference(exemplar, model.channel_statistics(torch.rand(1, 3, 127, 127) * 255))
    assert presence.cosine(reference, search, (2, 4)) == pytest.approx(expected, abs=1e-5)
    assert presence.score(reference, search, (2, 4)) == pytest.approx(
        1 / (1 + 2.718281828459045 ** -(20 * expected - 10)), abs=1e-5
    )


def test_the_exemplar_is_like_itself_and_contrast_does_not_matter(mobilenetv2, features):
    exemplar, _ = features
    presence = Presence(_calibrated(mobilenetv2))
    reference = presence.reference(exemplar, None)
    assert presence.cosine(reference, exemplar[0], (0, 0)) == pytest.approx(1, abs=1e-6)
    stronger = (exemplar[0] - 0.5) * 3 + 0.5
    assert presence.cosine(reference, stronger, (0, 0)) == pytest.approx(1, abs=1e-6)


def test_without_calibration_the_score_is_the_cosine_and_never_negative(alexnet, features):
    presence = Presence(alexnet)
    exemplar, search = features
    reference = presence.reference(exemplar, None)
    assert presence.score(reference, search, (1, 1)) == pytest.approx(presence.cosine(reference, search, (1, 1)))
    assert presence.score(reference, -search, (1, 1)) == 0


def test_features_of_one_value_give_a_finite_score(mobilenetv2, features):
    presence = Presence(_calibrated(mobilenetv2))
    reference = presence.reference(features[0], None)
    assert presence.cosine(reference, torch.full((192, 4, 4), 0.5), (0, 0)) == 0


def test_the_calibration_lies_in_the_checkpoint_in_full_precision(tmp_path, mobilenetv2):
    model = _calibrated(mobilenetv2)
    model.score_mean.fill_(0.123456789)
    path = tmp_path / "calibrated.safetensors"
    save_checkpoint(path, model, provenance=Provenance(), half_precision=True)
    again = load_model(path, device="cpu")
    assert again.config.calibrated
    for name in ("score_mean", "score_deviation", "score_curve"):
        assert torch.equal(getattr(again, name), getattr(model, name))


def test_a_tracker_with_a_calibrated_model_gives_the_same_boxes_and_scores_between_0_and_1(mobilenetv2, photograph):
    scene = pan(photograph, [(60 + 4 * step, 40 + 2 * step) for step in range(5)])
    plain = list(Tracker(mobilenetv2).track(scene.frames, scene.boxes[0]))
    scored = list(Tracker(_calibrated(mobilenetv2)).track(scene.frames, scene.boxes[0]))
    assert [result.box for result in scored] == [result.box for result in plain]
    assert all(0 <= result.score <= 1 for result in [*plain, *scored])


def test_the_score_falls_where_the_target_is_gone(mobilenetv2, photograph):
    scene = pan(photograph, [(60, 40), (62, 41), (64, 42)])
    model = _calibrated(mobilenetv2)
    with torch.no_grad():
        statistics = mobilenetv2.channel_statistics(torch.from_numpy(photograph.copy()).permute(2, 0, 1)[None])
    model.score_mean.copy_(statistics.mean)
    model.score_deviation.copy_(statistics.deviation)
    tracker = Tracker(model)
    tracker.init(scene.frames[0], scene.boxes[0])
    seen = tracker.update(scene.frames[1]).score
    gone = tracker.update(photograph[-280:, -320:]).score
    assert gone < seen - 0.2
