"""The step of a frame: crops around targets, embedded, correlated with their exemplars, and the peaks taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from siamfc.boxes import Box
from siamfc.config import AnySettings, load_config
from siamfc.crops import Color, CropRegion, context_side, crop, mean_color
from siamfc.errors import CheckpointError, ConfigError
from siamfc.folding import fold
from siamfc.frames import Image
from siamfc.model import ChannelStatistics, ExemplarKernel, SiamFC, as_images, without_border
from siamfc.runtimes.choosing import choose_runtime
from siamfc.runtimes.runtime import Runtime
from siamfc.runtimes.torch_runtime import TorchRuntime
from siamfc.score_map import displacement_px, score_map_cells, score_map_position
from siamfc.timing import StageClock
from siamfc.tracker.box_refinement import BoxRefinement, regresses
from siamfc.tracker.first_looks import first_looks
from siamfc.tracker.motion_blur import motion_blurred
from siamfc.tracker.online_filter import MapGrid, OnlineFilter
from siamfc.tracker.presence import Presence
from siamfc.tracker.redetection import Redetection, Sightings, redetects
from siamfc.tracker.response_peak import PeakFinder, ResponsePeak
from siamfc.tracker.sought_features import sought_features
from siamfc.tracker.target import Target
from siamfc.tracker.target_state import TargetState
from siamfc.tracker.thread_choice import ThreadChoice
from siamfc.tracker.torch_threads import one_thread
from siamfc.tracker.track_result import ScoreMaps, TrackResult


class _Sight(NamedTuple):
    """The likeliest place of a target in a part of the frame."""

    state: TargetState
    score: float
    logit: float


class TargetSearch:
    """Starts targets and finds them in the next frame; `siamfc.Tracker` and `siamfc.MultiTracker` stand on it.

    Args:
        model: As `siamfc.Tracker`.
        config: As there.
        keep_maps: As there.
        runtime: As there.
        batch_targets: How many targets' crops are embedded together, at most; None takes what measures fastest: one
            on a CPU, whose cache the features of more would leave, all on other devices.

    Raises:
        ConfigError: Crop sizes that this network cannot use, or a batch below 1.
    """

    def __init__(
        self,
        model: SiamFC,
        config: AnySettings = None,
        *,
        keep_maps: bool = False,
        runtime: Runtime | str | None = None,
        batch_targets: int | None = None,
    ) -> None:
        if batch_targets is not None and batch_targets < 1:
            raise ConfigError(f"batch_targets is 1 or more, not {batch_targets}")
        self.config = load_config(config, checkpoint=model.settings).tracker
        self.keep_maps = keep_maps
        self.clock = StageClock()
        self.stride = model.stride
        self.batch_targets = batch_targets or (1 if model.device.type == "cpu" else None)
        self._model = fold(model)
        self._runtime = choose_runtime(model, runtime) if isinstance(runtime, str) else runtime or TorchRuntime(model)
        self._embed = self._embedder()
        self._peaks = PeakFinder(self.config)
        self._presence = Presence(self._model)
        self._check_sizes()
        self._cells = score_map_cells(self.config.search_size, self.config.exemplar_size, self.stride)
        half = self.config.num_scales // 2
        self._scales = [self.config.scale_step**step for step in range(-half, half + 1)]
        self._refinement: BoxRefinement | None = None
        if regresses(self._model, self.config):
            self._refinement, self._scales = BoxRefinement(self._model, self.config), [1.0]
        self._redetection = Redetection(self._model, self.config) if redetects(self._model, self.config) else None
        self._crops: NDArray[np.uint8] = np.empty((0,), dtype=np.uint8)

    def twin(self) -> TargetSearch:
        """Another for the same targets, with a clock and memory of its own, so that both may search at once."""
        twin = copy(self)
        twin.clock, twin._peaks = StageClock(), PeakFinder(self.config)
        twin._runtime, twin._crops = copy(self._runtime), np.empty((0,), dtype=np.uint8)
        twin._embed = twin._embedder()
        return twin

    def warm_up(self) -> None:
        """Let the runtime do now what it does at its first images."""
        self._runtime.embed(torch.zeros(1, 3, self.config.search_size, self.config.search_size))

    @torch.inference_mode()
    def start(self, image: Image, box: Box) -> tuple[Target, TrackResult]:
        """Take a target from a frame.

        Args:
            image: (H, W, 3) uint8 RGB.
            box: The target, frame pixels.

        Returns:
            The target, and the box as given with the scores of the exemplar at its own place.

        Raises:
            BoxError: The box lies wholly outside the frame.
            CheckpointError: The network gives numbers that are not finite.
        """
        if self.config.filter_influence:
            self.warm_up()  # a library counts the threads that it may use at its first images: not in one_thread
        with one_thread():
            return self._start(image, box)

    def _start(self, image: Image, box: Box) -> tuple[Target, TrackResult]:
        config, height, width = self.config, *image.shape[:2]
        state = TargetState.of(box, (height, width), config)
        fill = mean_color(image)
        with self.clock.stage("crop"):
            inner = CropRegion(*state.center, context_side(box, config.context_amount), config.exemplar_size)
            border_px = self._model.border_px if self._refinement is not None else 0
            around = state.search_region(1.0, config.search_size)
            exemplar, search = (
                as_images(crop(image, region, fill)[None]) for region in (inner.widened(border_px), around)
            )
            blurred = as_images(motion_blurred(image, inner, fill)) if config.motion_blur else None
        with self.clock.stage("embed"):
            statistics: ChannelStatistics | None = None
            if self._model.config.standardisation == "first_search":
                statistics = self._model.channel_statistics(search)
            wide_features = self._model.features(exemplar)
            plain_features = without_border(wide_features, border_px // self.stride)
            wide_standardised = self._model.standardise(wide_features, statistics)
            exemplar_features = without_border(wide_standardised, border_px // self.stride)
            px = inner.frame_px_per_crop_px
            size = (box.width / px, box.height / px)
            sought = sought_features(
                self._model, config, exemplar_features, size, blurred=blurred, statistics=statistics
            )
        if not torch.isfinite(exemplar_features).all():
            raise CheckpointError("the network gives features that are not finite: its weights are broken")
        with self.clock.stage("correlate"):
            kernel = self._model.exemplar_kernel(sought, statistics)
            logit = float(self._model.score(sought, exemplar_features))
            reference = self._presence.reference(plain_features, statistics)
            score = self._presence.score(reference, plain_features[0], (0, 0))
            likeness = None
            if self._refinement is not None:
                likeness = self._refinement.likeness(wide_standardised, statistics, size)
        own_filter = self._filter(image, around, fill, kernel) if config.filter_influence else None
        target = Target(state, kernel, reference, likeness, own_filter, fill, Sightings(state.placed(state.center)))
        return target, TrackResult(box, score, logit, scale=1.0)

    def _filter(self, image: Image, around: CropRegion, fill: Color, kernel: ExemplarKernel) -> OnlineFilter:
        """What learns to tell a target from its surroundings, given in the first frame's search region."""
        config = self.config
        with self.clock.stage("crop"):
            looks = first_looks(image, around, fill, self.stride)
        with self.clock.stage("embed"):
            alone = self._model.device.type == "cpu"  # as batch_targets
            batches = torch.split(as_images(looks.crops), 1 if alone else len(looks.crops))
            features = torch.cat([self._embed(batch).clone() for batch in batches])
        if not torch.isfinite(features).all():
            raise CheckpointError("the network gives features that are not finite: its weights are broken")
        with self.clock.stage("correlate"):
            score_map = kernel.score_maps(features[:1])[0, : self._cells, : self._cells]
            center = (config.search_size - config.exemplar_size) / 2 / self.stride
            grid = MapGrid(kernel.weight.shape[-1], self._cells, center)
            return OnlineFilter(features, looks.places, grid, score_map, rate=config.filter_rate)

    @torch.inference_mode()
    def find(self, image: Image, targets: Sequence[Target]) -> list[TrackResult]:
        """Find targets in the next frame, and move them there.

        Args:
            image: (H, W, 3) uint8 RGB.
            targets: Any number of different ones.

        Returns:
            A result a target, in their order.
        """
        results: dict[int, TrackResult] = {}
        for scales, numbers in self._batches(targets):
            found = self._find_batch(image, [targets[number] for number in numbers], scales)
            results.update(zip(numbers, found, strict=True))
        return [results[number] for number in range(len(targets))]

    def _batches(self, targets: Sequence[Target]) -> Iterator[tuple[list[float], list[int]]]:
        """Numbers of targets that are embedded together, and the scales at which they are searched."""
        by_scales: dict[bool, list[int]] = defaultdict(list)
        for number, target in enumerate(targets):
            by_scales[target.searches % self.config.scale_every == 0].append(number)
        for every_scale, numbers in by_scales.items():
            size = self.batch_targets or len(numbers)
            for first in range(0, len(numbers), size):
                yield (self._scales if every_scale else [1.0]), numbers[first : first + size]

    def _find_batch(self, image: Image, targets: list[Target], scales: list[float]) -> list[TrackResult]:
        height, width = image.shape[:2]
        with self.clock.stage("crop"):
            states = [target.state.fitted_to((height, width)) for target in targets]
            regions = [[state.search_region(scale, self.config.search_size) for scale in scales] for state in states]
            searches = self._cut(image, targets, regions)
        with self.clock.stage("embed"):
            features = self._embed(searches)
        # What follows is too little for several threads, and sums in another order, rounded otherwise, with many.
        with one_thread():
            results = self._read(features, targets, states, scales, regions)
        if self._redetection is None:
            return results
        return [
            self._redetect(image, target, result, self._redetection)
            for target, result in zip(targets, results, strict=True)
        ]

    def _read(
        self,
        features: Tensor,
        targets: list[Target],
        states: list[TargetState],
        scales: list[float],
        regions: list[list[CropRegion]],
    ) -> list[TrackResult]:
        """Find targets in the features of their searches, a row of ``regions`` each, and move them there."""
        with self.clock.stage("correlate"):
            kernel = _kernel_of(targets, len(scales))
            score_maps = kernel.score_maps(features)[:, : self._cells, : self._cells]
            score_maps = score_maps.reshape(len(targets), len(scales), *score_maps.shape[1:])
            by_target = features.view(len(targets), len(scales), *features.shape[1:])
            seen: list[Tensor] = []
            filters = [target.filter for target in targets if target.filter is not None]
            if filters:  # all targets have one, or none has
                seen = [own.project(searches) for own, searches in zip(filters, by_target, strict=True)]
                influence = self.config.filter_influence
                each = zip(filters, score_maps, seen, strict=True)
                score_maps = torch.stack([own.add_to(maps, part, influence) for own, maps, part in each])
        with self.clock.stage("post-process"):
            share = self.config.full_contrast
            full = [share * target.usual_contrast for target in targets] if share else None
            peaks, responses = self._peaks.find(score_maps, full)
            found = [self._cell(peak) for peak in peaks]
            refinements = []
            if self._refinement is not None:  # one crop a target, so features are the targets'
                likenesses = [target.likeness for target in targets if target.likeness is not None]
                refinements = self._refinement.refine(likenesses, features, found)
            results = []
            for number, (target, state, peak) in enumerate(zip(targets, states, peaks, strict=True)):
                region = regions[number][peak.scale_index]
                x, y = self._shift(peak)
                if self._refinement is None:
                    px = region.frame_px_per_crop_px
                    target.state = state.moved((x * px, y * px), scales[peak.scale_index], self.config)
                else:
                    target.state = self._refinement.moved(state, refinements[number], region, (x, y))
                target.searched(peak.contrast)
                maps = None
                if self.keep_maps:
                    maps = _maps(score_maps[number], responses[number], region, peak)
                chosen = by_target[number, peak.scale_index]
                score = self._presence.score(target.reference, chosen, found[number])
                if filters and score >= self.config.filter_score:
                    filters[number].learn(seen[number][peak.scale_index], self._place(target.state, region))
                results.append(TrackResult(target.state.box, score, peak.logit, target.state.scale, maps))
        return results

    def _redetect(self, image: Image, target: Target, result: TrackResult, redetection: Redetection) -> TrackResult:
        """What was found of a target, or, where it is lost and seen elsewhere in the frame, that; it is moved there."""
        frame_size = image.shape[:2]
        if not redetection.observe(target.sightings, target.state, result.score):
            return result
        last = target.sightings.last.fitted_to(frame_size)
        regions = redetection.regions(target.sightings, frame_size)
        seen = max((self._look(image, target, last, region) for region in regions), key=lambda sight: sight.score)
        if seen.score >= max(self.config.found_score, result.score):
            target.state = state = seen.state
            target.sightings.saw(state)
            result = replace(result, box=state.box, score=seen.score, logit=seen.logit, scale=state.scale)
        return result

    def _look(self, image: Image, target: Target, last: TargetState, region: CropRegion) -> _Sight:
        """The likeliest place of a target, as large as it was last, in a region of the frame."""
        with self.clock.stage("crop"):
            searches = self._cut(image, [target], [[region]])
        with self.clock.stage("embed"):
            features = self._embed(searches)
        with self.clock.stage("correlate"), one_thread():
            score_map = target.kernel.score_maps(features)[0, : self._cells, : self._cells]
            row, column = divmod(int(score_map.argmax()), score_map.shape[1])
            score = self._presence.score(target.reference, features[0], (row, column))
            x, y = (region.crop_size / 2 + self._displacement(cell) for cell in (column, row))
            state = last.placed(region.to_frame(x, y))
            return _Sight(state, score, float(score_map[row, column]))

    def _embedder(self) -> Callable[[Tensor], Tensor]:
        """What embeds in every frame: the runtime, with as many threads as are fastest where they are torch's."""
        if self._model.device.type == "cpu" and isinstance(self._runtime, TorchRuntime):
            return ThreadChoice(self._runtime.embed)
        return self._runtime.embed

    def _cut(self, image: Image, targets: list[Target], regions: list[list[CropRegion]]) -> Tensor:
        """The crops of all targets and scales, (B, 3, search_size, search_size) uint8; valid until the next call."""
        size, count = self.config.search_size, len(targets) * len(regions[0])
        if len(self._crops) < count:
            self._crops = np.empty((count, size, size, 3), dtype=np.uint8)
        places = iter(self._crops)
        for target, parts in zip(targets, regions, strict=True):
            for region in parts:
                crop(image, region, target.fill, out=next(places))
        return as_images(self._crops[:count])

    def _place(self, state: TargetState, region: CropRegion) -> tuple[float, float]:
        """Where a target is in what was searched, (x, y), cells from the centre."""
        (x, y), cell = state.center, self.stride * region.frame_px_per_crop_px
        return (x - region.center_x) / cell, (y - region.center_y) / cell

    def _shift(self, peak: ResponsePeak) -> tuple[float, float]:
        """From the crop's centre to the peak, (x, y) in crop pixels."""
        config = self.config
        x, y = (
            self._displacement(score_map_position(cell, config.response_upsampling, config.response_alignment))
            for cell in (peak.column, peak.row)
        )
        return x, y

    def _displacement(self, cell: float) -> float:
        """From the crop's centre to that of a score map's cell, crop pixels."""
        config = self.config
        return displacement_px(cell, search_px=config.search_size, exemplar_px=config.exemplar_size, stride=self.stride)

    def _cell(self, peak: ResponsePeak) -> tuple[int, int]:
        """The score map's cell, row and column, nearest to a peak."""
        config = self.config
        row, column = (
            round(score_map_position(cell, config.response_upsampling, config.response_alignment))
            for cell in (peak.row, peak.column)
        )
        return row, column

    def _check_sizes(self) -> None:
        config, field = self.config, self._model.backbone.receptive_field
        if config.exemplar_size < field:
            raise ConfigError(
                f"tracker.exemplar_size {config.exemplar_size} is below the {field} px that one cell of "
                f"{self._model.config.backbone} sees"
            )
        if score_map_cells(config.search_size, config.exemplar_size, self.stride) < 3:
            raise ConfigError(
                f"tracker.search_size {config.search_size} leaves less than a 3 x 3 score map around the exemplar of "
                f"{config.exemplar_size} px: at least {config.exemplar_size + 2 * self.stride} px are needed"
            )


def _kernel_of(targets: list[Target], num_scales: int) -> ExemplarKernel:
    """One exemplar for all scales of one target; of several targets, each one's as often as it has scales."""
    if len(targets) == 1:
        return targets[0].kernel
    parts = zip(*(target.kernel for target in targets), strict=True)
    return ExemplarKernel(*(torch.cat(part).repeat_interleave(num_scales, dim=0) for part in parts))


def _maps(score_maps: Tensor, response: Tensor, region: CropRegion, peak: ResponsePeak) -> ScoreMaps:
    score_maps_array, response_array = (np.array(tensor.float().cpu().numpy()) for tensor in (score_maps, response))
    return ScoreMaps(score_maps_array, response_array, region, peak.scale_index, (peak.row, peak.column))
