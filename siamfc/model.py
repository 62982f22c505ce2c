"""SiamFC: one network embeds exemplar and search image, and their features are cross-correlated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from siamfc.backbones import Backbone, build_backbone
from siamfc.box_regression import BoxRegression
from siamfc.cell_coverage import cell_centers, cell_coverage
from siamfc.config import ModelConfig
from siamfc.correlation import cross_correlate
from siamfc.provenance import CheckpointInfo
from siamfc.score_map import score_map_cells

EXEMPLAR_PX = 127
"""Side of the exemplars whose cells box regression compares, pixels; the field's."""


def as_images(crops: NDArray[np.uint8]) -> Tensor:
    """Crops (B, H, W, 3) as `SiamFC` takes them, (B, 3, H, W), channels last in memory; no copy."""
    return torch.from_numpy(crops).permute(0, 3, 1, 2)


def without_border(images: Tensor, border: int) -> Tensor:
    """The inner part of images or features (..., H, W) that come with so many pixels or cells more to each side."""
    height, width = images.shape[-2:]
    return images[..., border : height - border, border : width - border]


class ChannelStatistics(NamedTuple):
    """Mean and deviation of each feature channel, (C,) each, or (B, C); what features are standardised by."""

    mean: Tensor
    deviation: Tensor

    def standardise(self, features: Tensor) -> Tensor:
        """Features (B, C, h, w) or (C, h, w) less their channel's mean, over its deviation; each image's by (B, C)."""
        return (features - self.mean[..., None, None]) / self.deviation[..., None, None]


def channel_statistics(features: Tensor) -> ChannelStatistics:
    """Mean and deviation of each channel, (B, C) each, of each of B images' features (B, C, cells)."""
    deviation, mean = torch.std_mean(features, dim=2, correction=0)
    return usable_statistics(mean, deviation)


def usable_statistics(mean: Tensor, deviation: Tensor) -> ChannelStatistics:
    """Means and deviations (B, C) to divide by.

    A channel that is the same everywhere gets the mean deviation of all channels, so that it says nothing instead of
    everything.
    """
    usual = deviation.mean(dim=1, keepdim=True)
    floor = torch.where(usual > 0, 1e-3 * usual, torch.ones_like(usual))
    return ChannelStatistics(mean, torch.where(deviation > floor, deviation, torch.maximum(usual, floor)))


class ExemplarKernel(NamedTuple):
    """Exemplars ready to be slid over features as they come.

    Standardisation, gain and bias are in it, so that nothing is left to do to the search features but correlate.

    Attributes:
        weight: (N, C, h, w).
        offset: (N,), added to each exemplar's map.
    """

    weight: Tensor
    offset: Tensor

    @torch.inference_mode()
    def score_maps(self, features: Tensor) -> Tensor:
        """Score maps (max(N, B), h, w), logits, in the kernel's precision; nothing is recorded for gradients.

        Args:
            features: (B, C, H, W) of searches, as they come; N and B are equal, or one of them is 1.
        """
        return cross_correlate(self.weight, features.to(self.weight.dtype)) + self.offset[:, None, None]


class PixelNormalisation(nn.Module):
    """Brings 0..255 to what the backbone was trained on: ``(pixels - mean) / deviation``, a number a colour."""

    def __init__(self, mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))

    mean: Tensor
    deviation: Tensor

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3, H, W)."""
        return (pixels - self.mean[:, None, None]) / self.deviation[:, None, None]


class SiamFC(nn.Module):
    """A fully convolutional Siamese network (Bertinetto et al. 2016).

    Inputs are images of 0..255, RGB, (B, 3, H, W), of any integer or float type; the model holds its own
    normalisation. Outputs are logits: ``gain * correlation + bias``.

    Example:
        >>> model = build_model(ModelConfig(backbone="alexnet"))
        >>> model(torch.zeros(1, 3, 127, 127), torch.zeros(1, 3, 255, 255)).shape
        torch.Size([1, 17, 17])
    """

    def __init__(self, backbone: Backbone, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.info: CheckpointInfo | None = None  # set by load_model
        self.normalise: nn.Module = PixelNormalisation(backbone.pixel_mean, backbone.pixel_deviation)
        self.backbone = backbone
        self.stride = backbone.stride
        # The paper fixes the gain and learns the bias.
        self.gain = nn.Parameter(torch.tensor(config.gain), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(()))
        self.neck: nn.Module = nn.Identity()
        if config.neck_channels:
            self.neck = nn.Conv2d(backbone.out_channels, config.neck_channels, 1)
        self.out_channels = config.neck_channels or backbone.out_channels
        if config.standardisation == "fixed":
            self.register_buffer("channel_mean", torch.zeros(self.out_channels))
            self.register_buffer("channel_deviation", torch.ones(self.out_channels))
        self.box_regression: BoxRegression | None = None
        if config.box_regression:
            field, stride, border_px = backbone.receptive_field, backbone.stride, config.regression_border_px
            side = EXEMPLAR_PX + 2 * border_px
            cells = score_map_cells(side, field, stride)
            centers = cell_centers(cells, stride=stride, receptive_field=field, exemplar_px=side)
            # A shallow level is the finer one: it tells best how far cells have moved. A neck mixes the levels.
            compared = None if config.neck_channels else backbone.shallow_channels or None
            self.box_regression = BoxRegression(centers, stride=stride, border=border_px // stride, compared=compared)
        if config.calibrated:
            self.register_buffer("score_mean", torch.zeros(self.out_channels))
            self.register_buffer("score_deviation", torch.ones(self.out_channels))
            self.register_buffer("score_curve", torch.tensor([1.0, 0.0]))  # slope and offset; see tracker.presence

    channel_mean: Tensor
    channel_deviation: Tensor
    score_mean: Tensor
    score_deviation: Tensor
    score_curve: Tensor

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings that the checkpoint brings along, for `siamfc.config.load_config`; none of a model without one."""
        return self.info.settings if self.info else {}

    def describe(self) -> dict[str, Any]:
        """What tells this model from others, for result files: name and hash of its checkpoint, and the network."""
        return {
            "name": self.info.name if self.info else None,
            "sha256": self.info.sha256 if self.info else None,
            "settings": self.config.model_dump(),
        }

    @property
    def border_px(self) -> int:
        """How far around the exemplar reaches what box regression compares, exemplar pixels; whole cells."""
        return self.box_regression.border * self.stride if self.box_regression is not None else 0

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.bias.device

    def embed(self, images: Tensor, statistics: ChannelStatistics | None = None) -> Tensor:
        """Features (B, C, h, w) of images (B, 3, H, W).

        Args:
            images: 0..255, RGB.
            statistics: What a model with ``first_search`` standardisation divides by; from `channel_statistics` of
                the first search image, then held for exemplar and searches alike.

        Raises:
            ValueError: Images of another shape, or smaller than the receptive field; statistics missing where the
                model needs them, or given where it does not.
        """
        return self.standardise(self.features(images), statistics)

    def standardise(self, features: Tensor, statistics: ChannelStatistics | None = None) -> Tensor:
        """What `embed` gives, from what `features` gives; errors as `embed`."""
        used = self._used_statistics(statistics)
        return features if used is None else used.standardise(features)

    def weigh_context(
        self, exemplar_features: Tensor, sizes: Tensor, weight: float, *, exemplar_px: int = EXEMPLAR_PX
    ) -> Tensor:
        """Exemplar features in which what surrounds the target counts ``weight`` times as much as the target.

        What surrounds a target stays behind when it moves, and an exemplar that holds as much of it as of the target
        is found where it was as well as where it went.

        Args:
            exemplar_features: (N, C, h, w), from `embed`.
            sizes: (N, 2) width and height of the targets, exemplar pixels.
            weight: 0..1.
            exemplar_px: Side of the exemplars.
        """
        across = cell_centers(
            exemplar_features.shape[-1],
            stride=self.stride,
            receptive_field=self.backbone.receptive_field,
            exemplar_px=exemplar_px,
        )
        on_target = cell_coverage(sizes, across.to(sizes.device), self.stride)
        return exemplar_features * (weight + (1 - weight) * on_target)[:, None].to(exemplar_features.dtype)

    def exemplar_kernel(self, exemplar_features: Tensor, statistics: ChannelStatistics | None = None) -> ExemplarKernel:
        """What gives `score`'s maps when it is slid over `features` of a search instead of over what `embed` gives.

        Args:
            exemplar_features: (N, C, h, w), from `embed`.
            statistics: As they were given to `embed`.

        Raises:
            ValueError: Statistics missing where the model needs them, or given where it does not.
        """
        weight, offset = self.gain * exemplar_features, self.bias.expand(len(exemplar_features))
        used = self._used_statistics(statistics)
        if used is None:
            return ExemplarKernel(weight, offset)
        weight = weight / used.deviation[:, None, None]
        return ExemplarKernel(weight, offset - (weight * used.mean[:, None, None]).sum(dim=(1, 2, 3)))

    def channel_statistics(self, search: Tensor) -> ChannelStatistics:
        """Mean and deviation of each channel of `features` over all of search images (B, 3, H, W)."""
        return self.feature_statistics(self.features(search))

    def feature_statistics(self, features: Tensor) -> ChannelStatistics:
        """`channel_statistics` of searches whose `features` (B, C, h, w) are there already."""
        mean, deviation = channel_statistics(features.transpose(0, 1).flatten(1)[None])
        return ChannelStatistics(mean[0], deviation[0])

    def score(self, exemplar_features: Tensor, search_features: Tensor) -> Tensor:
        """Score maps (B, h, w), logits, of features; counts as in `siamfc.correlation.cross_correlate`."""
        return self.gain * cross_correlate(exemplar_features, search_features) + self.bias

    def forward(self, exemplar: Tensor, search: Tensor, statistics: ChannelStatistics | None = None) -> Tensor:
        """Score maps of exemplars (N, 3, h, w) in searches (B, 3, H, W): a logit for every window inside the search.

        ``out[b, i, j]`` belongs to the window whose corner is at ``(stride j, stride i)``. Where the search's side
        is not a whole number of strides beyond the exemplar's, its last pixels are in no window; cells that the
        layers would give for windows that reach over the edge are cut.

        A model with ``first_search`` standardisation takes its statistics from this search where none are given.

        Returns:
            (max(N, B), (H - h) // stride + 1, (W - w) // stride + 1).

        Raises:
            ValueError: As `embed`, and for a search smaller than the exemplar.
        """
        rows, columns = (
            score_map_cells(search_px, exemplar_px, self.stride)
            for search_px, exemplar_px in zip(search.shape[-2:], exemplar.shape[-2:], strict=True)
        )
        if rows < 1 or columns < 1:
            raise ValueError(
                f"the search image {tuple(search.shape[-2:])} is smaller than the exemplar {tuple(exemplar.shape[-2:])}"
            )
        features = self.features(search)
        if statistics is None and self.config.standardisation == "first_search":
            statistics = self.feature_statistics(features)
        maps = self.score(self.embed(exemplar, statistics), self.standardise(features, statistics))
        return maps[:, :rows, :columns]

    def features(self, images: Tensor) -> Tensor:
        """What backbone and neck give of images, not standardised; shapes and errors as `embed`."""
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images have the shape (B, 3, H, W), not {tuple(images.shape)}")
        if min(images.shape[-2:]) < self.backbone.receptive_field:
            raise ValueError(
                f"an image needs at least {self.backbone.receptive_field} px a side for this network, "
                f"not {tuple(images.shape[-2:])}"
            )
        features: Tensor = self.neck(self.backbone(self.normalise(images.to(self.device, self.bias.dtype))))
        return features

    def _used_statistics(self, statistics: ChannelStatistics | None) -> ChannelStatistics | None:
        mode = self.config.standardisation
        if (statistics is not None) != (mode == "first_search"):
            raise ValueError(
                f"a model with standardisation '{mode}' "
                + ("needs statistics, from channel_statistics(search)" if statistics is None else "takes no statistics")
            )
        return ChannelStatistics(self.channel_mean, self.channel_deviation) if mode == "fixed" else statistics


def build_model(config: ModelConfig) -> SiamFC:
    """A model with fresh weights, in training mode."""
    backbone = build_backbone(
        config.backbone,
        batch_norm_eps=config.batch_norm_eps,
        last_block=config.last_block,
        shallow_block=config.shallow_block,
        shared_layers=config.shared_layers,
    )
    return SiamFC(backbone, config)
