"""Held-out pairs: nothing is changed at random but where the target lies, and a perfect map has no error."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from siamfc.config import AugmentationConfig
from siamfc.data.augmentation import Photometry
from siamfc.model import SiamFC, build_model
from siamfc.score_map import find_peak, upsample
from siamfc.training.held_out import HeldOutPairs
from siamfc.training.pictures import held_out_sheet
from siamfc.visualize.maps import draw_pair
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


def test_a_border_is_neither_in_the_score_map_nor_in_the_picture_of_it() -> None:
    settings = ("model.standardisation=none", "model.box_regression=true", "training.exemplar_size=127")
    config = tiny_config(*settings, "model.regression_border_px=16", "training.search_size=191")
    pairs = HeldOutPairs(tiny_mixture().held_out, config)
    [pair, *_] = pairs.pairs
    assert pair.exemplar.shape == (159, 159, 3)
    assert np.array_equal(pairs.slid(pair), pair.exemplar[16:-16, 16:-16])
    model = build_model(config.model).eval()
    alone = draw_pair(
        pairs.slid(pair), pair.search, pairs.score_map(model, pair), center=pair.center, stride=model.stride
    )
    assert pairs.score_map(model, pair).shape == (9, 9)
    assert np.array_equal(held_out_sheet(pairs, model)[: len(alone)], alone)


def test_the_map_that_is_shown_is_the_one_that_is_measured(mobilenetv2: SiamFC) -> None:
    sizes = ("training.exemplar_size=127", "training.search_size=191", "training.held_out_shift_px=24")
    config = tiny_config(
        "training.held_out_pairs=40", "tracker.context_weight=0", "training.context_amount=1.5", *sizes
    )
    pairs = HeldOutPairs(tiny_mixture().held_out, config)
    errors = []
    for pair in pairs.pairs:
        shown = torch.from_numpy(pairs.score_map(mobilenetv2, pair))
        row, column = (cell / 16 for cell in find_peak(upsample(shown[None], 16, "corners")[0]))
        found = [191 / 2 + 8 * (cell - (len(shown) - 1) / 2) for cell in (column, row)]
        errors.append(np.hypot(*np.subtract(found, pair.center)))
    assert np.mean(errors) == pytest.approx(pairs.measure(mobilenetv2).center_error_px, abs=0.01)
