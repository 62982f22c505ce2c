"""What a tracker gives for a frame: the box, its score, and on request the score maps it was found in."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.crops import CropRegion


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class ScoreMaps:
    """What the tracker saw in one frame.

    Attributes:
        score_maps: (scales, h, w) float32, logits: the exemplar's map, with ``filter_influence`` mixed with the
            filter's; smallest search region first; in a frame in which only the present scale was searched
            (``scale_every``), one map.
        response: (h', w') float32, the chosen scale's map upsampled, penalised and windowed; its peak was taken.
        region: The search region of the chosen scale: where the maps lie in the frame.
        scale_index: Which of the scales was chosen.
        peak: Row and column of the peak, in cells of ``response``.
    """

    score_maps: NDArray[np.float32]
    response: NDArray[np.float32]
    region: CropRegion
    scale_index: int
    peak: tuple[float, float]


@dataclass(frozen=True)
class TrackResult:
    """Where the target is in one frame.

    Attributes:
        box: In frame pixels; may reach over the frame's edge.
        score: How sure it is that the place found shows the target, 0 to 1; see `siamfc.tracker.presence`. With a
            calibrated model one scale for all videos.
        logit: Height of the score map, the filter's mixed in, at the place found, before penalty and window; where the
            target was given, or a lost one found elsewhere, of the exemplar's alone. Comparable within one run only.
        scale: Size of the target as a share of its first size.
        maps: What the tracker saw around the target's last place, where asked for (``keep_maps=True``) and the frame
            was searched. Where a lost target was found elsewhere, box, score and logit are not theirs.
    """

    box: Box
    score: float
    logit: float
    scale: float
    maps: ScoreMaps | None = field(default=None, repr=False)
