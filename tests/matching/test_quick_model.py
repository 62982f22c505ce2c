"""The quickened model is the model, up to rounding."""

from __future__ import annotations

import torch

from siamfc.matching.quick_model import quicken
from tests.conftest import image_tensor


@torch.inference_mode()
def test_its_features_and_scores_are_the_models(either_model, photograph):
    search, exemplar = image_tensor(photograph[:300, :330])[None], image_tensor(photograph[160:287, 190:317])[None]
    quick = quicken(either_model)
    assert (quick.stride, quick.out_channels) == (either_model.stride, either_model.out_channels)
    expected = either_model(exemplar, search)
    assert (quick(exemplar, search) - expected).abs().max() < 1e-3 * expected.std()


def test_the_model_itself_is_left_as_it_was(mobilenetv2):
    before = list(mobilenetv2.state_dict())
    quicken(mobilenetv2)
    assert list(mobilenetv2.state_dict()) == before
