"""Exemplars embedded, pictures compared with them at every place and scale, and the matches read off."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from siamfc.boxes import Box
from siamfc.checkpoint import as_model
from siamfc.config import AnySettings, MatchConfig, load_config
from siamfc.crops import mean_color
from siamfc.dense import DenseSiamFC
from siamfc.errors import CheckpointError, ConfigError, MatchError
from siamfc.folding import fold
from siamfc.frames import ColorOrder, as_rgb_frame
from siamfc.matching.closer_look import CloserLook
from siamfc.matching.exemplars import Exemplar, as_exemplar
from siamfc.matching.maps import (
    LevelMap,
    Map,
    Pattern,
    Peak,
    calibrate,
    calibrated,
    find_peaks,
    full_map,
)
from siamfc.matching.peaks import thin_out
from siamfc.matching.pyramid import Pyramid
from siamfc.matching.quick_model import quicken
from siamfc.matching.scaled_picture import ScaledPicture
from siamfc.matching.similarity import WeighedExemplars, cosine_similarity, place_weights, weigh
from siamfc.model import ChannelStatistics, SiamFC
from siamfc.score_map import score_map_cells
from siamfc.tiles import Observer, as_batch, embedded_tiles, picture_statistics, place_tile, plan_tiles, tile_side

Exemplars = Exemplar | NDArray[Any] | Iterable["Exemplar | NDArray[Any]"]


class Match(NamedTuple):
    """A place that looks like an exemplar.

    Attributes:
        box: Picture pixels; where the exemplar is turned, the upright bounds of its turned box.
        score: 1 for the exemplar itself, about 0 for the picture's background.
        scale: Size, in times the exemplar's.
        rotation: Degrees by which it is turned, from the x axis towards the y axis: clockwise as one sees it.
        exemplar: Which of the exemplars, counted from 0.
    """

    box: Box
    score: float
    scale: float
    rotation: float = 0.0
    exemplar: int = 0


class PictureSimilarity:
    """How similar every place of one picture is to the exemplars; what `Matcher.search` gives.

    Attributes:
        size: (height, width) of the picture.
        usual: Cosine similarity of each pattern (an exemplar at a rotation) with the picture's usual window, which
            is score 0.
    """

    def __init__(
        self,
        levels: list[LevelMap],
        patterns: list[Pattern],
        size: tuple[int, int],
        config: MatchConfig,
        closer_look: CloserLook,
    ) -> None:
        self.size = size
        self._levels, self._patterns, self._config, self._closer_look = levels, patterns, config, closer_look
        self.usual = calibrate(levels, len(patterns))

    def matches(self) -> list[Match]:
        """The places that reach the threshold, best first.

        Peaks lie between the windows that were compared, in place and scale. Each is looked at again in windows of its
        own, so that an object's score does not depend on how it lies to the grid.
        """
        found = [self._closer_look.at(peak) for peak in find_peaks(self._levels, self._patterns, self._config)]
        if not found:
            return []
        which = np.array([peak.pattern for peak in found])
        scores = calibrated(np.array([peak.score for peak in found]), self.usual[which])
        boxes = np.array([peak.box for peak in found])
        reached = np.flatnonzero(scores >= self._config.threshold)
        kept = thin_out(
            boxes[reached],
            scores[reached],
            max_overlap=self._config.max_overlap,
            at_most=self._config.max_matches,
        )
        return [self._match(found[row], min(float(scores[row]), 1.0)) for row in reached[kept].tolist()]

    def _match(self, peak: Peak, score: float) -> Match:
        pattern = self._patterns[peak.pattern]
        return Match(peak.box, score, peak.scale, pattern.rotation, pattern.exemplar)

    def map(self) -> Map:
        """(H, W): at every pixel the best score of a box centred on it; not a number where no box fits."""
        return full_map(self._levels, self._patterns, self.size)


class Matcher:
    """Exemplars that pictures are searched for, one picture after another.

    Args:
        model: Any `SiamFC`, on any device; or a shipped one's name, or a checkpoint's path.
        exemplars: One or several; see `siamfc.matching.exemplars.as_exemplar`.
        config: Settings as `siamfc.load_config` takes them, such as a `MatchConfig`. What they do not set the
            checkpoint does, else the default.
        color_order: ``"bgr"`` for exemplars as OpenCV gives them.

    Raises:
        ConfigError: A stride that the network has not, an exemplar size below its receptive field.
        MatchError: No exemplar, or one that cannot be searched for.

    Example:
        >>> from siamfc.checkpoint import load_model
        >>> picture = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
        >>> config = MatchConfig(min_scale=1, max_scale=1)
        >>> matcher = Matcher(load_model("mobilenetv2-imagenet", device="cpu"), picture[40:104, 80:144], config)
        >>> [[round(value) for value in match.box] for match in matcher.search(picture).matches()]
        [[80, 40, 64, 64]]
    """

    def __init__(
        self,
        model: SiamFC | str | Path,
        exemplars: Exemplars,
        config: AnySettings = None,
        *,
        color_order: ColorOrder = "rgb",
    ) -> None:
        model = as_model(model)
        chosen = load_config(config, checkpoint=model.settings).match
        field = model.backbone.receptive_field
        if chosen.exemplar_size < field:
            raise ConfigError(
                f"match.exemplar_size {chosen.exemplar_size} is below the {field} px that one cell of "
                f"{model.config.backbone} sees"
            )
        self.config = chosen
        self.model = model
        self.exemplars = [as_exemplar(one, color_order=color_order) for one in listed(exemplars)]
        self.names = [exemplar.name or f"exemplar {number}" for number, exemplar in enumerate(self.exemplars)]
        self._own_stride = DenseSiamFC(quicken(model), model.stride)
        self._network = self._own_stride
        if chosen.stride != model.stride:
            self._network = DenseSiamFC(fold(model), chosen.stride)
        self._pyramid = Pyramid(self.exemplars, chosen)
        crops = [
            exemplar.crop(side, chosen.exemplar_size, rotation)
            for exemplar, side in zip(self.exemplars, self._pyramid.sides, strict=True)
            for rotation in chosen.rotations
        ]
        self._crops = torch.cat([as_batch(image) for image in crops])

    @torch.inference_mode()
    def search(
        self, picture: NDArray[Any], *, color_order: ColorOrder = "rgb", observe: Observer | None = None
    ) -> PictureSimilarity:
        """Compare every window of a picture, at every scale, with the exemplars.

        Args:
            picture: (H, W, 3) uint8, or what `siamfc.frames.as_rgb_frame` takes; may be memory-mapped.
            color_order: ``"bgr"`` for pictures as OpenCV gives them.
            observe: Called after each tile with the tiles done and the tiles in all.

        Raises:
            FrameError: Not a picture.
            MatchError: An exemplar is larger than the picture at the smallest scale.
        """
        image = as_rgb_frame(picture, color_order)
        patterns, views = self._pyramid.over(image)
        statistics = picture_statistics(self._network, views[len(views) // 2])
        exemplars = self._weigh(statistics)
        count = _TileCount(observe, views, self.config)
        levels = []
        for number, view in enumerate(views):
            maps = self._maps(view, exemplars, statistics, count)
            levels.append(_level_map(maps, view, number, patterns, self.config))
        closer_look = CloserLook(
            self._own_stride,
            image,
            exemplars,
            patterns,
            self._pyramid.sides,
            statistics,
            self.config.exemplar_size,
            (self.config.min_scale, self.config.max_scale),
            mean_color(image),
        )
        return PictureSimilarity(levels, patterns, (image.shape[0], image.shape[1]), self.config, closer_look)

    def _weigh(self, statistics: ChannelStatistics | None) -> WeighedExemplars:
        """All crops embedded, their cells weighed by what they see of the object."""
        model, config = self._network.model, self.config
        features = self._network.embed_exemplar(self._crops, statistics)
        if not torch.isfinite(features).all():
            raise CheckpointError("the network gives features that are not finite: its weights are broken")
        weights = [
            place_weights(
                (exemplar.box.width * zoom, exemplar.box.height * zoom),
                rotation_deg=rotation,
                cells=features.shape[-1],
                stride=model.stride,
                first_center_px=model.backbone.receptive_field / 2,
                exemplar_px=config.exemplar_size,
                focus=config.focus,
            )
            for exemplar, side in zip(self.exemplars, self._pyramid.sides, strict=True)
            for zoom in [config.exemplar_size / side]
            for rotation in config.rotations
        ]
        return weigh(features, torch.stack(weights).to(features))

    def _maps(
        self,
        view: ScaledPicture,
        exemplars: WeighedExemplars,
        statistics: ChannelStatistics | None,
        count: _TileCount,
    ) -> Tensor:
        """Cosine similarity (N, rows, columns) of all patterns with all windows of the picture at one size."""
        side, stride = self.config.exemplar_size, self.config.stride
        cells = [score_map_cells(length, side, stride) for length in view.shape[:2]]
        maps = torch.empty(len(self._crops), *cells, dtype=torch.float32)
        for tile, features in embedded_tiles(self._network, view, exemplar_px=side, statistics=statistics):
            place_tile(maps, tile, cosine_similarity(self._network, exemplars, features))
            count.add()
        return maps


def listed(exemplars: Exemplars) -> list[Exemplar | NDArray[Any]]:
    """One or several exemplars as a list.

    Raises:
        MatchError: There is none.
    """
    several = [exemplars] if isinstance(exemplars, Exemplar | np.ndarray) else list(exemplars)
    if not several:
        raise MatchError("no exemplar given: there is nothing to search for")
    return several


class _TileCount:
    """Tiles done, told to whoever watches."""

    def __init__(self, observe: Observer | None, views: list[ScaledPicture], config: MatchConfig) -> None:
        self._observe = observe
        self._done = 0
        self._total = sum(
            len(plan_tiles(view.shape[:2], config.exemplar_size, config.stride, tile_side(config.stride)))
            for view in views
        )

    def add(self) -> None:
        self._done += 1
        if self._observe:
            self._observe(self._done, self._total)


def _level_map(
    maps: Tensor, view: ScaledPicture, number: int, patterns: list[Pattern], config: MatchConfig
) -> LevelMap:
    """The maps with their places; not a number where a pattern's box would leave the picture by more than a cell."""
    half = config.exemplar_size / 2
    level = LevelMap(maps.numpy(), view.to_picture(half, half), config.stride / view.factor)
    for index, pattern in enumerate(patterns):
        if number in pattern.levels:
            level.cut(index, pattern.box_size(number), view.picture_size)
        else:
            level.values[index] = np.nan
    return level
