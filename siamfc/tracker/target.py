"""One target that is followed: what is carried of it from frame to frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

from siamfc.crops import Color
from siamfc.model import ExemplarKernel
from siamfc.tracker.box_refinement import Likeness
from siamfc.tracker.online_filter import OnlineFilter
from siamfc.tracker.presence import PresenceReference
from siamfc.tracker.redetection import Sightings
from siamfc.tracker.target_state import TargetState

_NEWEST_CONTRAST = 0.05  # its weight in the average: a target that changes its looks takes some frames for it


@dataclass
class Target:
    """One target being followed.

    Attributes:
        state: Where it is; replaced in every frame.
        kernel: Its exemplar, held.
        reference: What the score of a place found is taken against.
        likeness: What its place and size are regressed from; None where the scales are searched.
        filter: What learns to tell it from its surroundings; None with ``filter_influence`` 0.
        fill: Colour outside the frame: the mean of the frame in which it was given.
        sightings: When and where it was surely seen.
        searches: In how many frames it was looked for.
        usual_contrast: Of its score maps, averaged over the last frames; 0 before the first.
    """

    state: TargetState
    kernel: ExemplarKernel
    reference: PresenceReference
    likeness: Likeness | None
    filter: OnlineFilter | None
    fill: Color
    sightings: Sightings
    searches: int = 0
    usual_contrast: float = 0.0

    def searched(self, contrast: float) -> None:
        """It was looked for in a frame, in a score map of this contrast; one of NaN or infinity is not remembered."""
        if math.isfinite(contrast):
            newest = _NEWEST_CONTRAST if self.usual_contrast else 1.0
            self.usual_contrast += newest * (contrast - self.usual_contrast)
        self.searches += 1
