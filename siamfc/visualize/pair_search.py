"""An exemplar looked for in the whole of another picture, at its own size and the neighbouring ones."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from siamfc.boxes import Box, as_box, clip_box
from siamfc.config import TrackerConfig
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.errors import BoxError, FrameError
from siamfc.frames import Image
from siamfc.model import SiamFC, as_images
from siamfc.score_map import find_peak, score_map_cells, score_map_position, upsample
from siamfc.tracker.motion_blur import motion_blurred
from siamfc.tracker.presence import Presence
from siamfc.tracker.sought_features import sought_features
from siamfc.tracker.track_result import ScoreMaps
from siamfc.visualize.maps import response_placement

_LARGEST_PX = 2560  # of the search crop: beyond, the upsampled maps would fill the memory


class PairResult(NamedTuple):
    """What a search of a whole picture gave.

    Attributes:
        exemplar: (e, e, 3), what was looked for.
        search: (s, s, 3), what was searched, at the scale with the highest score.
        maps: One score map a scale; the response is the chosen one upsampled, neither penalised nor windowed.
        box: The exemplar's box at the peak, picture pixels.
        score: How sure it is that the object is there, 0 to 1; see `siamfc.tracker.presence`.
        logit: Height of the score map there.
    """

    exemplar: Image
    search: Image
    maps: ScoreMaps
    box: Box
    score: float
    logit: float


@torch.inference_mode()
def search_picture(model: SiamFC, config: TrackerConfig, image: Image, box: Box, search_image: Image) -> PairResult:
    """Look for the object of one picture in another, everywhere.

    The search crop is the whole picture, with room around it so that there is a window for every place, at the
    exemplar's scale times ``scale_step`` to the power of -1, 0, 1 for three scales. What is slid over it is what the
    tracker would hold of the exemplar, with its ``motion_blur`` and ``context_weight``. There is no earlier place, so
    there is neither penalty nor window, and sizes are searched even where the tracker would regress them.

    Args:
        model: Any `SiamFC`.
        config: Sizes and scales, and how the exemplar is held.
        image: (H, W, 3), which shows the object.
        box: Where it does, pixels of ``image``.
        search_image: (H', W', 3).

    Raises:
        BoxError: No box, or wholly outside ``image``.
        FrameError: The exemplar is so small beside the search picture that its map would not fit into memory.
    """
    checked = as_box(box)
    if clip_box(checked, image.shape[1], image.shape[0]) is None:
        raise BoxError(f"the box {tuple(checked)} lies outside the picture of {image.shape[1]} x {image.shape[0]} px")
    inner = CropRegion(*checked.center, context_side(checked, config.context_amount), config.exemplar_size)
    exemplar, px = crop(image, inner, mean_color(image)), inner.frame_px_per_crop_px
    half, fill = config.num_scales // 2, mean_color(search_image)
    regions = _whole_picture(search_image, inner.side_px, config, model.stride)
    searches = [crop(search_image, region, fill) for region in regions]
    statistics = None
    if model.config.standardisation == "first_search":
        statistics = model.channel_statistics(as_images(searches[half][None]))
    exemplar_features = model.features(as_images(exemplar[None]))
    wanted = sought_features(
        model,
        config,
        model.standardise(exemplar_features, statistics),
        (checked.width / px, checked.height / px),
        blurred=as_images(motion_blurred(image, inner, mean_color(image))) if config.motion_blur else None,
        statistics=statistics,
    )
    features = [model.features(as_images(search[None])) for search in searches]
    cells = score_map_cells(regions[0].crop_size, config.exemplar_size, model.stride)
    score_maps = torch.cat([model.score(wanted, model.standardise(each, statistics)) for each in features])
    score_maps = score_maps[:, :cells, :cells].float().cpu()
    maps, logit = _locate(score_maps, regions, config, model.stride, search_image.shape[:2])
    presence = Presence(model)
    cell = tuple(
        round(score_map_position(place, config.response_upsampling, config.response_alignment)) for place in maps.peak
    )
    score = presence.score(
        presence.reference(exemplar_features, statistics), features[maps.scale_index][0], (cell[0], cell[1])
    )
    placement = response_placement(maps.region, config, model.stride)
    factor = config.scale_step ** (maps.scale_index - half)
    found = Box.from_center(*placement.point(maps.peak), checked.width * factor, checked.height * factor)
    return PairResult(exemplar, searches[maps.scale_index], maps, found, score, logit)


def _whole_picture(image: Image, exemplar_side: float, config: TrackerConfig, stride: int) -> list[CropRegion]:
    """For each scale, the region that holds the whole picture and half an exemplar around it; crops of one size."""
    (height, width), half = image.shape[:2], config.num_scales // 2
    sides = [exemplar_side * config.scale_step**step for step in range(-half, half + 1)]
    # A whole number of strides beyond the exemplar, so that the last window lies at the last place.
    px = config.exemplar_size + stride * math.ceil(max(height, width) / sides[0] * config.exemplar_size / stride)
    if px > _LARGEST_PX:
        raise FrameError(
            f"the search picture of {width} x {height} px is {px / config.exemplar_size:.0f} times as long as the "
            f"exemplar, and at most {_LARGEST_PX // config.exemplar_size} times can be shown: cut out a part of it"
        )
    return [CropRegion(width / 2, height / 2, px * side / config.exemplar_size, px) for side in sides]


def _locate(
    score_maps: Tensor, regions: list[CropRegion], config: TrackerConfig, stride: int, size: tuple[int, ...]
) -> tuple[ScoreMaps, float]:
    upsampled = upsample(score_maps, config.response_upsampling, config.response_alignment)
    inside = torch.stack([_inside(upsampled[0], region, config, stride, size) for region in regions])
    responses = torch.where(inside, upsampled, upsampled.min())
    index = int(responses.amax(dim=(1, 2)).argmax())
    peak = find_peak(responses[index])
    maps = ScoreMaps(score_maps.numpy(), responses[index].numpy(), regions[index], index, peak)
    return maps, float(responses[index].max())


def _inside(response: Tensor, region: CropRegion, config: TrackerConfig, stride: int, size: tuple[int, ...]) -> Tensor:
    """(h', w') bool: cells whose window has its centre in the picture of (height, width)."""
    placement, (rows, columns) = response_placement(region, config, stride), response.shape
    x = placement.x + torch.arange(columns) * placement.step
    y = placement.y + torch.arange(rows) * placement.step
    return ((y >= 0) & (y <= size[0]))[:, None] & ((x >= 0) & (x <= size[1]))
