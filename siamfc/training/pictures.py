"""One sheet of held-out pairs: exemplar, search with the target and the peak found, and the score map."""

from __future__ import annotations

import numpy as np

from siamfc.data.pair_crops import PairCrops
from siamfc.frames import Image
from siamfc.model import SiamFC
from siamfc.training.held_out import HeldOutPairs
from siamfc.visualize.maps import draw_pair

_PAIRS = 8
_USUAL_PX = 255  # side of a search crop


def held_out_sheet(held_out: HeldOutPairs, model: SiamFC) -> Image:
    """The first pairs, one below the other, as `siamfc.visualize.maps.draw_pair` draws them; (H, W, 3)."""
    return np.vstack([_row(held_out, model, pair) for pair in held_out.pairs[:_PAIRS]])


def _row(held_out: HeldOutPairs, model: SiamFC, pair: PairCrops) -> Image:
    zoom = max(1, round(_USUAL_PX / pair.search.shape[0]))  # names have no room over small crops
    exemplar, search = (crop.repeat(zoom, axis=0).repeat(zoom, axis=1) for crop in (held_out.slid(pair), pair.search))
    center = pair.center[0] * zoom, pair.center[1] * zoom
    return draw_pair(exemplar, search, held_out.score_map(model, pair), center=center, stride=model.stride * zoom)
