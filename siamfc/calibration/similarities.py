"""What a model finds in regions, as a tracker would: the highest place of the score map, and its cosine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from siamfc.calibration.regions import RegionKind, TargetRegions
from siamfc.config import TrackerConfig
from siamfc.correlation import cross_correlate
from siamfc.folding import fold
from siamfc.frames import Image
from siamfc.model import ChannelStatistics, SiamFC, as_images, usable_statistics
from siamfc.score_map import score_map_cells
from siamfc.tracker.presence import Presence
from siamfc.tracker.target_search import TargetSearch

Cosines = dict[RegionKind, NDArray[np.float64]]

_BATCH = 8


@torch.inference_mode()
def measure_statistics(model: SiamFC, targets: Sequence[TargetRegions]) -> ChannelStatistics:
    """Mean and deviation of each feature channel over all regions, each target counting the same."""
    folded, means, squares = fold(model), [], []
    for target in targets:
        images = [image for each in target.regions.values() for _, image in each[: 2 * _BATCH]]
        cells = torch.cat([features.double().flatten(1) for features in _features(folded, images)], dim=1)
        means.append(cells.mean(dim=1))
        squares.append(cells.square().mean(dim=1))
    mean = torch.stack(means).mean(dim=0)
    deviation = (torch.stack(squares).mean(dim=0) - mean.square()).clamp_min(0).sqrt()
    usable = usable_statistics(mean[None], deviation[None])
    return ChannelStatistics(usable.mean[0].float(), usable.deviation[0].float())


@torch.inference_mode()
def measure_cosines(
    model: SiamFC,
    targets: Sequence[TargetRegions],
    config: TrackerConfig,
    observe: Callable[[int, int], None] | None = None,
) -> list[Cosines]:
    """For each target and kind of region, the cosine of the exemplar with the place found in each region.

    Args:
        model: Calibrated or not; what it standardises places by is what `siamfc.tracker.presence` takes.
        targets: From `siamfc.calibration.regions.draw_regions`.
        config: Of the tracker that the targets are given to.
        observe: Told how many targets are done, and of how many.
    """
    folded, search = fold(model), TargetSearch(model, config)
    presence, found = Presence(folded), []
    cells = score_map_cells(config.search_size, config.exemplar_size, model.stride)
    for number, target in enumerate(targets):
        sought = [search.start(*given.read())[0] for given in target.given]
        cosines: Cosines = {}
        for kind, regions in target.regions.items():
            values = []
            for (at, _), features in zip(regions, _features(folded, [image for _, image in regions]), strict=True):
                given = sought[at]
                score_map = cross_correlate(given.kernel.weight, features[None])[0, :cells, :cells]
                cell = divmod(int(score_map.argmax()), score_map.shape[1])
                values.append(presence.cosine(given.reference, features, cell))
            cosines[kind] = np.array(values)
        found.append(cosines)
        if observe:
            observe(number + 1, len(targets))
    return found


def _features(model: SiamFC, images: Sequence[Image]) -> Iterator[torch.Tensor]:
    for first in range(0, len(images), _BATCH):
        yield from model.features(as_images(np.stack(images[first : first + _BATCH])))
