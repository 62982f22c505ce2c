"""Score maps at a finer stride than the network's: its strides turned into dilation, its weights unchanged."""

from __future__ import annotations

import copy

import torch.nn.functional as F
from torch import Tensor, nn

from siamfc.correlation import cross_correlate
from siamfc.errors import ConfigError
from siamfc.model import ChannelStatistics, SiamFC
from siamfc.score_map import score_map_cells

_SLIDING = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


class DenseSiamFC:
    """A `SiamFC` evaluated every ``stride`` pixels instead of every ``model.stride``.

    A layer that steps by 2 computes every other place. Here the last such layers compute every place, and whatever
    follows them skips over the places that the network would not have computed: dilation. The values between are
    those of the shifted picture, so nothing is interpolated: at stride 1 there is a score for every window.

    Exemplars keep the network's own stride; their cells meet every ``model.stride // stride``-th cell of the search.

    Args:
        model: Any `SiamFC`, folded or not; copied where its layers are to step less.
        stride: Search pixels a cell: the network's own, or that divided by two, once or more.

    Raises:
        ConfigError: Another stride.

    Example:
        >>> import torch
        >>> from siamfc.checkpoint import load_model
        >>> dense = DenseSiamFC(load_model("mobilenetv2-imagenet", device="cpu"), stride=2)
        >>> exemplar, search = torch.rand(1, 3, 127, 127) * 255, torch.rand(1, 3, 140, 150) * 255
        >>> with torch.inference_mode():
        ...     dense(exemplar, search).shape
        torch.Size([1, 7, 12])
    """

    def __init__(self, model: SiamFC, stride: int) -> None:
        steps = dense_strides(model.stride)
        if stride not in steps:
            raise ConfigError(f"a dense map's stride is one of {', '.join(map(str, steps))}, not {stride!r}")
        self.model = model
        self.stride = stride
        self.dilation = model.stride // stride
        self._fine = model if self.dilation == 1 else copy.deepcopy(model)
        if self.dilation > 1:
            densify(self._fine.backbone, stride)

    def embed_exemplar(self, exemplars: Tensor, statistics: ChannelStatistics | None = None) -> Tensor:
        """Features (N, C, h, w) of exemplars (N, 3, H, W), a cell every ``model.stride`` pixels."""
        return self.model.embed(exemplars, statistics)

    def embed_search(self, searches: Tensor, statistics: ChannelStatistics | None = None) -> Tensor:
        """Features (B, C, h, w) of search images (B, 3, H, W), a cell every ``stride`` pixels."""
        return self._fine.embed(searches, statistics)

    def correlate(self, exemplar_features: Tensor, search_features: Tensor) -> Tensor:
        """Exemplars' features slid over searches', (max(N, B), rows, columns), without the model's gain and bias."""
        return cross_correlate(exemplar_features, search_features, dilation=self.dilation)

    def score(self, exemplar_features: Tensor, search_features: Tensor) -> Tensor:
        """Score maps, logits: `correlate`, then the model's gain and bias."""
        return self.model.gain * self.correlate(exemplar_features, search_features) + self.model.bias

    def __call__(self, exemplar: Tensor, search: Tensor, statistics: ChannelStatistics | None = None) -> Tensor:
        """Score maps (N, (H - h) // stride + 1, (W - w) // stride + 1) of exemplars (N, 3, h, w) in (1, 3, H, W).

        ``out[n, i, j]`` belongs to the window whose corner is at ``(stride j, stride i)``. Statistics, where the
        model takes them from the search, are those of the network's own stride, so they are the same at every stride.
        """
        if statistics is None and self.model.config.standardisation == "first_search":
            statistics = self.model.channel_statistics(search)
        maps = self.score(self.embed_exemplar(exemplar, statistics), self.embed_search(search, statistics))
        rows, columns = (score_map_cells(search.shape[side], exemplar.shape[side], self.stride) for side in (-2, -1))
        return maps[:, :rows, :columns]


def dense_strides(stride: int) -> tuple[int, ...]:
    """The strides that a network of this stride can be evaluated at.

    Example:
        >>> dense_strides(8)
        (8, 4, 2, 1)
    """
    return tuple(stride // step for step in (1, 2, 4, 8, 16, 32) if stride % step == 0)


def densify(backbone: nn.Module, stride: int) -> None:
    """Turn strides of a backbone into dilation, in place, until its cells are ``stride`` pixels apart.

    The layers work in the order in which they are defined, or in that of each of the backbone's ``chains``. The last
    strides go first: what lies before them stays as cheap as it was.

    Raises:
        ConfigError: A layer that pads, so that a window's score depends on where the border is.
    """
    paths = {id(module): path for path, module in backbone.named_modules()}
    strides: dict[str, int] = {}  # as they were, of layers that are done
    chains = [
        [layer for part in chain for layer in part.modules() if isinstance(layer, _SLIDING)]
        for chain in getattr(backbone, "chains", [[backbone]])
    ]
    for chain in chains:
        step, dilation = 1, 1  # pixels between the cells that a layer is given; those of them that it should use
        for layer in chain:
            path = paths[id(layer)]
            if _side(layer.padding) or getattr(layer, "ceil_mode", False):
                raise ConfigError(f"{path} pads: a network that pads has no dense form")
            own = strides.get(path, _side(layer.stride))
            kept = min(own, max(stride // step, 1))
            if path not in strides:
                strides[path] = own
                parent, _, name = path.rpartition(".")
                setattr(backbone.get_submodule(parent), name, _dilated(layer, kept, dilation))
            step, dilation = step * kept, dilation * (own // kept)


class MeanPool(nn.Module):
    """`torch.nn.AvgPool2d` with a dilation, which torch's own lacks."""

    def __init__(self, kernel_size: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h', w'): the mean over each channel's window."""
        C, k = features.shape[1], self.kernel_size
        weight = features.new_full((C, 1, k, k), 1 / k**2)
        return F.conv2d(features, weight, stride=self.stride, dilation=self.dilation, groups=C)


def _dilated(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, stride: int, dilation: int) -> nn.Module:
    if isinstance(layer, nn.AvgPool2d):
        return MeanPool(_side(layer.kernel_size), stride, dilation)
    layer.stride = (stride, stride)
    reach = dilation * _side(layer.dilation)
    layer.dilation = (reach, reach)
    return layer


def _side(size: int | str | tuple[int, ...]) -> int:
    """The one number of a size that torch keeps as a number, a pair or a word."""
    sides = {0} if size == "valid" else {size} if isinstance(size, int) else set(size)
    if len(sides) != 1 or not isinstance(side := sides.pop(), int):
        raise ConfigError(f"a dense form needs square layers without padding, not {size!r}")
    return side
