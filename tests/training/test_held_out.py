"""Held-out pairs: nothing is changed at random but where the target lies, and a perfect map has no error."""

from __future__ import annotations

import numpy as np
import pytest

from siamfc.config import AugmentationConfig
from siamfc.data.augmentation import Photometry
from siamfc.training.held_out import HeldOutPairs
from tests.training.runs import tiny_config, tiny_mixture


@pytest.fixture(scope="module")
def pairs() -> HeldOutPairs:
    wild = AugmentationConfig(rotation_deg=45, flip_share=1, search_scale=0.5, exemplar_scale=0.5, occlusion_share=1)
    config = tiny_config("training.held_out_pairs=40")
    return HeldOutPairs(tiny_mixture().held_out, config.model_copy(update={"augmentation": wild}))


def test_nothing_but_the_place_is_changed_whatever_training_changes(pairs) -> None:
    plain = HeldOutPairs(tiny_mixture().held_out, tiny_config("training.held_out_pairs=40"))
    for pair, other in zip(pairs.pairs, plain.pairs, strict=True):
        assert np.array_equal(pair.search, other.search)
        assert np.array_equal(pair.exemplar, other.exemplar)
        assert all(
            (look.brightness, look.contrast, look.saturation, look.blur_sigma_px, look.patch) == (1, 1, 1, 0, (0,) * 4)
            for look in pair.photometry
        )
        assert pair.photometry[0].color_shift == Photometry().color_shift


def test_targets_lie_evenly_up_to_the_shift_off_the_centre(pairs) -> None:
    offsets = np.array([pair.center for pair in pairs.pairs]) - 95 / 2
    assert np.abs(offsets).max() <= 8
    assert np.abs(offsets).max() > 6
    assert abs(offsets.mean()) < 2
