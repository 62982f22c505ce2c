"""One sheet of held-out pairs: exemplar, search with the target and the peak found, and the score map."""

from __future__ import annotations

import numpy as np

from siamfc.frames import Image
from siamfc.model import SiamFC
from siamfc.training.held_out import HeldOutPairs
from siamfc.visualize.maps import draw_pair

_PAIRS = 8


def held_out_sheet(held_out: HeldOutPairs, model: SiamFC) -> Image:
    """The first pairs, one below the other, as `siamfc.visualize.maps.draw_pair` draws them; (H, W, 3)."""
    rows = [
        draw_pair(
            held_out.slid(pair), pair.search, held_out.score_map(model, pair), center=pair.center, stride=model.stride
        )
        for pair in held_out.pairs[:_PAIRS]
    ]
    return np.vstack(rows)
