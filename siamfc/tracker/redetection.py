"""Re-detection: a target that is gone from where it was is looked for in the frame around."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion
from siamfc.model import SiamFC
from siamfc.score_map import score_map_cells
from siamfc.tracker.target_state import TargetState

_FALL_FRAMES = 2  # a score that takes longer to fall is that of a target that changes its looks
_RINGS = 3  # of crops around the place where it was last seen


def redetects(model: SiamFC, config: TrackerConfig) -> bool:
    """Whether lost targets are looked for with these weights and settings: a score not calibrated does not tell."""
    return config.lost_score > 0 and model.config.calibrated


@dataclass
class Sightings:
    """When and where a target was surely seen; changed in every frame.

    Attributes:
        last: The target when its score was last ``sure_score`` or more; until then as given, its centre in the frame.
        frames_since: How many frames ago.
        is_lost: Whether it is looked for around.
        looks: In how many places it has been looked for since it was lost.
    """

    last: TargetState
    frames_since: int = 0
    is_lost: bool = False
    looks: int = 0

    def saw(self, state: TargetState) -> None:
        """It was surely seen in this frame."""
        self.last, self.frames_since, self.is_lost, self.looks = state, 0, False, 0


class Redetection:
    """Tells when a target is lost, where to look for it, and whether it is there.

    The score of a target that leaves its search region, by a leap or behind something, falls from one frame to the
    next. That of one that turns or changes its shape falls over several, and it is followed all the same: there,
    whatever looks more like the exemplar elsewhere is another. So only a sudden fall means that it is lost.

    From then on crops beside the usual one are searched, some in each frame: first at the place where the target was
    last surely seen, then in rings around it, in the size that it had there; their score maps' windows adjoin, and
    reach 3.5 maps to each side, 7.5 times the side of a square target. What is further away is not found. It is found
    where the highest place of a crop's score map has a score of ``found_score`` at least. Meanwhile the tracker goes
    on where it is, and where it is sure again, the target is lost no longer.

    Args:
        model: Any whose score is calibrated.
        config: Of the tracker.
    """

    def __init__(self, model: SiamFC, config: TrackerConfig) -> None:
        self._config = config
        cells = score_map_cells(config.search_size, config.exemplar_size, model.stride)
        self._step_px = cells * model.stride  # crop pixels from one crop to the next

    def observe(self, sightings: Sightings, state: TargetState, score: float) -> bool:
        """Take note of what was found of a target: whether it is lost now.

        Args:
            sightings: Of the target; changed.
            state: The target in this frame.
            score: Of the place found.
        """
        if score >= self._config.sure_score:
            sightings.saw(state)
            return False
        sightings.frames_since += 1
        if score < self._config.lost_score and sightings.frames_since <= _FALL_FRAMES:
            sightings.is_lost = True
        return sightings.is_lost

    def regions(self, sightings: Sightings, frame_size: tuple[int, int]) -> list[CropRegion]:
        """Where to look in this frame for a lost target: the next of the places that touch the frame.

        Args:
            sightings: Of the target; changed.
            frame_size: (height, width) of the frame.
        """
        around = sightings.last.fitted_to(frame_size).search_region(1.0, self._config.search_size)
        places = [region for region in self._places(around) if _touches(region, self._step_px, frame_size)]
        first = sightings.looks
        sightings.looks += self._config.lost_crops
        return [places[number % len(places)] for number in range(first, sightings.looks)][: len(places)]

    def _places(self, around: CropRegion) -> Iterator[CropRegion]:
        """All regions of a round, rings from the middle outwards, what lies straight beside before the corners."""
        step = self._step_px * around.frame_px_per_crop_px
        numbers = range(-_RINGS, _RINGS + 1)
        offsets = [(across, down) for across in numbers for down in numbers]
        for across, down in sorted(offsets, key=lambda place: (max(map(abs, place)), sum(map(abs, place)))):
            yield replace(around, center_x=around.center_x + across * step, center_y=around.center_y + down * step)


def _touches(region: CropRegion, reach_px: float, frame_size: tuple[int, int]) -> bool:
    """Whether windows within ``reach_px`` crop pixels across, around the region's centre, have centres in the frame."""
    half, (height, width) = reach_px * region.frame_px_per_crop_px / 2, frame_size
    return -half < region.center_x < width + half and -half < region.center_y < height + half
