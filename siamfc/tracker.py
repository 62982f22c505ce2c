"""The tracker: an exemplar embedded once, searched for around its last place in every frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from siamfc.boxes import Box, as_box, clip_box
from siamfc.config import Config, TrackerConfig, load_config
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.errors import BoxError, CheckpointError, ConfigError
from siamfc.folding import fold
from siamfc.frames import ColorOrder, Image, as_rgb_frame
from siamfc.model import ChannelStatistics, SiamFC
from siamfc.runtimes.runtime import Runtime
from siamfc.runtimes.torch_runtime import TorchRuntime
from siamfc.score_map import (
    apply_window,
    displacement_px,
    find_peak,
    penalise_scales,
    score_map_cells,
    score_map_position,
    upsample,
)
from siamfc.timing import StageClock


@dataclass(frozen=True)
class ScoreMaps:
    """What the tracker saw in one frame.

    Attributes:
        score_maps: (num_scales, h, w) float32, logits as the network gives them, smallest search region first.
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
        score: Similarity of the exemplar with the place found, before penalty and window; a logit of the model, so
            comparable within one model only.
        scale: Size of the target as a share of its first size.
        maps: What the tracker saw, where asked for (``keep_maps=True``) and the frame was searched.
    """

    box: Box
    score: float
    scale: float
    maps: ScoreMaps | None = None


@dataclass(frozen=True)
class _Target:
    """What is known of the target between frames; positions and sizes in frame pixels."""

    center: tuple[float, float]
    first_size: tuple[float, float]  # (width, height)
    scale: float  # present size over first size
    search_side: float  # at scale 1
    frame_size: tuple[int, int]  # (height, width)

    @property
    def box(self) -> Box:
        return Box.from_center(*self.center, self.first_size[0] * self.scale, self.first_size[1] * self.scale)


class Tracker:
    """Follows one target through frames, given its box in the first.

    The model is taken as it is now, folded for inference; training it further does not change the tracker.

    Args:
        model: Any `SiamFC`, on any device.
        config: Settings; None takes the defaults with those that the model's checkpoint brings.
        color_order: ``"bgr"`` for frames as OpenCV gives them.
        keep_maps: Put the score maps into every result.
        runtime: What embeds and correlates in every frame; None takes torch in full precision.

    Raises:
        ConfigError: Crop sizes that this network cannot use.

    Example:
        >>> from siamfc.checkpoint import load_model
        >>> tracker = Tracker(load_model("mobilenetv2-imagenet", device="cpu"))
        >>> frame = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
        >>> tracker.init(frame, (140, 100, 40, 40)).scale
        1.0
        >>> [round(value) for value in tracker.update(frame).box]
        [140, 100, 40, 40]
    """

    def __init__(
        self,
        model: SiamFC,
        config: Config | TrackerConfig | None = None,
        *,
        color_order: ColorOrder = "rgb",
        keep_maps: bool = False,
        runtime: Runtime | None = None,
    ) -> None:
        if config is None:
            config = load_config(checkpoint=model.info.settings if model.info else None)
        self.config = config.tracker if isinstance(config, Config) else config
        self.color_order = color_order
        self.keep_maps = keep_maps
        self.clock = StageClock()
        self._model = fold(model)
        self._runtime = runtime or TorchRuntime(model)
        self._check_sizes()
        half = self.config.num_scales // 2
        self._scale_factors = [self.config.scale_step**step for step in range(-half, half + 1)]
        self._target: _Target | None = None

    @property
    def stride(self) -> int:
        """Search pixels per score-map cell."""
        return self._model.stride

    @torch.inference_mode()
    def init(self, frame: NDArray[Any], box: Box | Iterable[float]) -> TrackResult:
        """Take the target from the first frame.

        Args:
            frame: (H, W, 3) uint8, or what `siamfc.frames.as_rgb_frame` takes.
            box: The target, x, y, width, height in frame pixels; may reach over the edge, must touch the frame.

        Returns:
            The box as given, with the exemplar's score at its own place.

        Raises:
            BoxError: Not four finite numbers, no area, or wholly outside the frame.
            FrameError: Not a picture.
        """
        image = as_rgb_frame(frame, self.color_order)
        checked = as_box(box)
        height, width = image.shape[:2]
        if clip_box(checked, width, height) is None:
            raise BoxError(f"the box {_numbers(checked)} lies outside the frame of {width} x {height} pixels")
        config = self.config
        exemplar_side = context_side(checked, config.context_amount)
        self._target = _Target(
            center=checked.center,
            first_size=(checked.width, checked.height),
            scale=1.0,
            search_side=exemplar_side * config.search_size / config.exemplar_size,
            frame_size=(height, width),
        )
        self._fill = mean_color(image)
        with self.clock.stage("crop"):
            region = CropRegion(*checked.center, exemplar_side, config.exemplar_size)
            exemplar = self._to_tensor([crop(image, region, self._fill)])
            around = CropRegion(*checked.center, self._target.search_side, config.search_size)
            search = self._to_tensor([crop(image, around, self._fill)])
        with self.clock.stage("embed"):
            statistics: ChannelStatistics | None = None
            if self._model.config.standardisation == "first_search":
                statistics = self._model.channel_statistics(search)
            exemplar_features = self._model.embed(exemplar, statistics)
        if not torch.isfinite(exemplar_features).all():
            raise CheckpointError("the network gives features that are not finite: its weights are broken")
        with self.clock.stage("correlate"):
            self._kernel = self._model.exemplar_kernel(exemplar_features, statistics)
            score = self._model.score(exemplar_features, exemplar_features)
        return TrackResult(checked, float(score), scale=1.0)

    @torch.inference_mode()
    def update(self, frame: NDArray[Any]) -> TrackResult:
        """Find the target in the next frame.

        The centre is kept inside the frame, so a target that left is looked for at the edge where it went. A frame
        of another size than the last is taken as the same view at another resolution: place and size are scaled.

        Raises:
            RuntimeError: `init` was not called.
            FrameError: Not a picture.
        """
        if self._target is None:
            raise RuntimeError("call init(frame, box) before update(frame)")
        image = as_rgb_frame(frame, self.color_order)
        self._target = _fit_to_frame(self._target, image.shape[:2])
        with self.clock.stage("crop"):
            regions = self._search_regions()
            searches = self._to_tensor([crop(image, region, self._fill) for region in regions])
        with self.clock.stage("embed"):
            search_features = self._runtime.embed(searches)
        with self.clock.stage("correlate"):
            score_maps = self._score(search_features)
        with self.clock.stage("post-process"):
            return self._locate(score_maps, regions)

    def track(self, frames: Iterable[NDArray[Any]], box: Box | Iterable[float]) -> Iterator[TrackResult]:
        """Results for all frames, the first included; ``box`` is the target in the first."""
        for index, frame in enumerate(frames):
            yield self.update(frame) if index else self.init(frame, box)

    def _locate(self, score_maps: Tensor, regions: list[CropRegion]) -> TrackResult:
        config, target = self.config, self._target
        assert target is not None
        upsampled = upsample(score_maps, config.response_upsampling, config.response_alignment)
        responses = penalise_scales(upsampled, config.scale_penalty)
        # The scale is chosen before the window is added, as the authors do; of equal ones the present one.
        highest, middle = responses.amax(dim=(1, 2)), len(regions) // 2
        scale_index = middle if highest[middle] == highest.max() else int(highest.argmax())
        response = apply_window(responses[scale_index], config.window_influence)
        row, column = find_peak(response)
        region = regions[scale_index]
        shift_x, shift_y = (self._displacement(cell) * region.frame_px_per_crop_px for cell in (column, row))
        found = self._scale_factors[scale_index]
        scale = target.scale * (1 + config.scale_damping * (found - 1))
        height, width = target.frame_size
        self._target = _Target(
            center=(
                min(max(target.center[0] + shift_x, 0.0), width),
                min(max(target.center[1] + shift_y, 0.0), height),
            ),
            first_size=target.first_size,
            scale=min(max(scale, config.min_scale), config.max_scale),
            search_side=target.search_side,
            frame_size=target.frame_size,
        )
        maps = None
        if self.keep_maps:
            maps = ScoreMaps(_to_numpy(score_maps), _to_numpy(response), region, scale_index, (row, column))
        score = float(upsampled[scale_index, round(row), round(column)])
        return TrackResult(self._target.box, score, self._target.scale, maps)

    def _search_regions(self) -> list[CropRegion]:
        target = self._target
        assert target is not None
        side = target.search_side * target.scale
        return [CropRegion(*target.center, side * factor, self.config.search_size) for factor in self._scale_factors]

    def _displacement(self, response_cell: float) -> float:
        """How far a response cell lies from the crop's centre, in crop pixels."""
        config = self.config
        cell = score_map_position(response_cell, config.response_upsampling, config.response_alignment)
        return displacement_px(
            cell, search_px=config.search_size, exemplar_px=config.exemplar_size, stride=self._model.stride
        )

    def _score(self, search_features: Tensor) -> Tensor:
        cells = score_map_cells(self.config.search_size, self.config.exemplar_size, self._model.stride)
        return self._runtime.correlate(self._kernel, search_features)[:, :cells, :cells]

    def _to_tensor(self, crops: list[Image]) -> Tensor:
        # (B, H, W, 3) permuted is (B, 3, H, W) in channels-last order: no copy.
        batch = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
        return batch.to(self._model.device, self._model.bias.dtype)

    def _check_sizes(self) -> None:
        config, field = self.config, self._model.backbone.receptive_field
        if config.exemplar_size < field:
            raise ConfigError(
                f"tracker.exemplar_size {config.exemplar_size} is below the {field} px that one cell of "
                f"{self._model.config.backbone} sees"
            )
        if score_map_cells(config.search_size, config.exemplar_size, self._model.stride) < 3:
            raise ConfigError(
                f"tracker.search_size {config.search_size} leaves less than a 3 x 3 score map around the exemplar of "
                f"{config.exemplar_size} px: at least {config.exemplar_size + 2 * self._model.stride} px are needed"
            )


def _fit_to_frame(target: _Target, frame_size: tuple[int, ...]) -> _Target:
    height, width = frame_size[:2]
    if (height, width) == target.frame_size:
        return target
    by_y, by_x = height / target.frame_size[0], width / target.frame_size[1]
    return _Target(
        center=(target.center[0] * by_x, target.center[1] * by_y),
        first_size=(target.first_size[0] * by_x, target.first_size[1] * by_y),
        scale=target.scale,
        search_side=target.search_side * (by_x * by_y) ** 0.5,
        frame_size=(height, width),
    )


def _to_numpy(tensor: Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy())


def _numbers(box: Box) -> str:
    return ",".join(f"{value:g}" for value in box)
