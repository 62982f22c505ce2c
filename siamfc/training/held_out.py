"""How well a model localises on held-out pairs, beside what no model at all would reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from siamfc.config import AugmentationConfig, PairConfig, TrainConfig
from siamfc.data.mixture import Source
from siamfc.data.pair_crops import PairCrops, PairReader
from siamfc.data.pairs import PairSampler
from siamfc.data.usable import Track
from siamfc.folding import fold
from siamfc.frames import Image
from siamfc.model import ChannelStatistics, SiamFC, without_border
from siamfc.score_map import displacement_px, find_peak, score_map_cells, score_map_position, upsample
from siamfc.tracker.box_refinement import BoxRefinement, regresses
from siamfc.tracker.sought_features import sought_features
from siamfc.training.box_loss import overlaps
from siamfc.training.loading import stack_images

_UPSAMPLING = 16
_SCALE, _STRETCH = 0.22, 0.12  # of pairs whose boxes are measured
_FARTHEST_PX = 50  # of the centre-distance curve, as in precision plots


@dataclass(frozen=True)
class HeldOutFigures:
    """Over held-out pairs, each track as likely as any other; errors are means, in search pixels.

    Attributes:
        pairs: How many.
        center_error_px: Distance of the place found from the target's centre, mean: of the map's peak, and where the
            model has a box regression, of what the tracker makes of both.
        center_auc: Mean share of pairs with an error of at most 0, 1, ..., 50 px.
        always_center_px: The error of naming the crop's centre.
        stranger_error_px: The error with an exemplar of another video.
        box_overlap: Mean overlap (IoU) of the boxes found with the true ones, in pairs whose searches show the target
            up to a fifth too large or small and an eighth too wide or high; None without a box regression.
    """

    pairs: int
    center_error_px: float
    center_auc: float
    always_center_px: float
    stranger_error_px: float
    box_overlap: float | None = None


class _Searched(NamedTuple):
    score_map: Tensor  # (h, w)
    exemplar_features: Tensor  # (1, C, h', w'), standardised, with the border
    search_features: Tensor  # (1, C, H', W'), not standardised
    statistics: ChannelStatistics | None


class HeldOutPairs:
    """Pairs drawn once, the same for every model and epoch, without changes of colour or size.

    The tracker's motion blur is left out: its copies of the exemplar are cut from whole frames.

    Args:
        tracks: Held out, two or more.
        config: Sizes, and how far off the centre the targets lie.
    """

    def __init__(self, tracks: Sequence[Track], config: TrainConfig) -> None:
        settings = config.model_copy(
            update={
                "augmentation": AugmentationConfig.shifting_only(config.training.held_out_shift_px),
                "pairs": PairConfig(max_frame_gap=config.pairs.max_frame_gap),
                "training": config.training.model_copy(update={"seed": 0}),
            }
        )
        self._tracks = tuple(tracks)
        self._config = settings
        sizes = {name: getattr(config.training, name) for name in ("exemplar_size", "search_size", "context_amount")}
        self._tracker = config.tracker.model_copy(update=sizes)
        self.pairs = self._read(settings)
        self._sized: list[PairCrops] = []
        if config.model.box_regression:
            # Within the picture, for a crop store holds no more around the target than training needs.
            other = {"search_scale": _SCALE, "stretch": _STRETCH, "shift_within_picture": True}
            other_sizes = settings.augmentation.model_copy(update=other)
            self._sized = self._read(settings.model_copy(update={"augmentation": other_sizes}))

    def measure(self, model: SiamFC) -> HeldOutFigures:
        """The figures of a model."""
        folded = fold(model)
        centers = np.array([pair.center for pair in self.pairs])
        middle = self._config.training.search_size / 2
        errors = self._errors(folded, [pair.exemplar for pair in self.pairs], centers)
        strange = self._errors(folded, self._strangers(), centers)
        thresholds = np.arange(_FARTHEST_PX + 1)
        return HeldOutFigures(
            pairs=len(self.pairs),
            center_error_px=float(errors.mean()),
            center_auc=float((errors[:, None] <= thresholds).mean()),
            always_center_px=float(np.hypot(*(centers - middle).T).mean()),
            stranger_error_px=float(strange.mean()),
            box_overlap=self._box_overlap(folded) if self._sized and regresses(folded, self._tracker) else None,
        )

    def slid(self, pair: PairCrops) -> Image:
        """A pair's exemplar as it is slid over the search: without the border that box regression compares."""
        border, side = self._config.exemplar_border_px, len(pair.exemplar)
        return pair.exemplar[border : side - border, border : side - border]

    @torch.inference_mode()
    def score_map(self, model: SiamFC, pair: PairCrops) -> NDArray[np.float32]:
        """The score map (h, w) of one pair that its place is read from, logits, by an unfolded or folded model."""
        score_map = self._search(model, pair.exemplar, pair).score_map
        return np.asarray(score_map.float().cpu().numpy())

    def _read(self, config: TrainConfig) -> list[PairCrops]:
        # One source a track: all weigh the same, whatever dataset they are from.
        reader = PairReader(PairSampler((Source("held out", 1.0, self._tracks),), config.pairs), config)
        return [reader.read(0, number) for number in range(config.training.held_out_pairs)]

    def _box_overlap(self, model: SiamFC) -> float:
        found = torch.tensor([self._find(model, pair.exemplar, pair) for pair in self._sized])
        true = torch.tensor([(*pair.center, *pair.sizes[1]) for pair in self._sized])
        return float(overlaps(found, true).mean())

    def _strangers(self) -> list[Image]:
        """For each pair the exemplar of the next pair that is of another video."""
        exemplars = []
        for index, pair in enumerate(self.pairs):
            later = (self.pairs[(index + step) % len(self.pairs)] for step in range(1, len(self.pairs)))
            exemplars.append(next((other.exemplar for other in later if other.video != pair.video), pair.exemplar))
        return exemplars

    def _errors(self, model: SiamFC, exemplars: Sequence[Image], centers: NDArray[np.float64]) -> NDArray[np.float64]:
        found = [self._find(model, exemplar, pair)[:2] for exemplar, pair in zip(exemplars, self.pairs, strict=True)]
        return np.asarray(np.hypot(*(np.array(found) - centers).T))

    @torch.inference_mode()
    def _find(self, model: SiamFC, exemplar: Image, pair: PairCrops) -> tuple[float, float, float, float]:
        """Centre x, y, width and height of the target in the search crop, search pixels, by a folded model."""
        searched = self._search(model, exemplar, pair)
        row, column = self._peak(searched.score_map)
        middle = self._config.training.search_size / 2
        x, y = (self._shift(cell, model.stride) for cell in (column, row))
        width, height = pair.sizes[0]
        if regresses(model, self._tracker):
            refinement = BoxRefinement(model, self._tracker)
            likeness = refinement.likeness(searched.exemplar_features, searched.statistics, pair.sizes[0])
            (found,) = refinement.refine([likeness], searched.search_features, [(round(row), round(column))])
            x, y = refinement.place((x, y), found)
            width *= math.exp(found.log_scale + found.log_aspect)
            height *= math.exp(found.log_scale - found.log_aspect)
        return middle + x, middle + y, width, height

    def _search(self, model: SiamFC, exemplar: Image, pair: PairCrops) -> _Searched:
        """An exemplar slid over a pair's search, its surroundings counting as much as the tracker lets them."""
        sizes = self._config.training
        features, statistics = model.features(stack_images([pair.search])), None
        if model.config.standardisation == "first_search":
            statistics = model.feature_statistics(features)
        wanted = model.embed(stack_images([exemplar]), statistics)
        sought = sought_features(
            model,
            self._tracker,
            without_border(wanted, self._config.exemplar_border_px // model.stride),
            pair.sizes[0],
            blurred=None,
            statistics=statistics,
        )
        cells = score_map_cells(sizes.search_size, sizes.exemplar_size, model.stride)
        score_map = model.score(sought, model.standardise(features, statistics))[0, :cells, :cells]
        return _Searched(score_map, wanted, features, statistics)

    def _peak(self, score_map: Tensor) -> tuple[float, float]:
        """Row and column of a score map's peak, which lies between cells."""
        row, column = (
            score_map_position(cell, _UPSAMPLING, "corners")
            for cell in find_peak(upsample(score_map[None], _UPSAMPLING, "corners")[0])
        )
        return row, column

    def _shift(self, cell: float, stride: int) -> float:
        """From the search crop's centre to that of a cell's window, along one axis, search pixels."""
        sizes = self._config.training
        return displacement_px(cell, search_px=sizes.search_size, exemplar_px=sizes.exemplar_size, stride=stride)
