"""Whatever gives a score map of an exemplar in a search image, behind one face, so that all are measured alike."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from siamfc.correlation import cross_correlate
from siamfc.equivariance.small_network import EXEMPLAR_PX, SEARCH_PX, STRIDE, SmallNetwork, Variant
from siamfc.model import SiamFC
from siamfc.score_map import score_map_cells

LARGE_EXEMPLAR_PX, LARGE_SEARCH_PX = 127, 191


class Scorer(Protocol):
    """Something that scores every window; images are (3, H, W) float64, 0..255."""

    name: str
    stride: int
    exemplar_px: int
    search_px: int

    def score_map(self, exemplar: Tensor, search: Tensor) -> Tensor:
        """(h, w): cell (i, j) for the window whose corner is at (stride j, stride i)."""


class ConvolutionalScorer:
    """Features of exemplar and search, cross-correlated; any search size.

    Args:
        name: As tables and figures call it.
        embed_exemplar: (1, 3, h, w) -> (1, C, h', w').
        embed_search: As it, perhaps on a finer grid.
        stride: Pixels of the search per cell.
        sizes: Sides of exemplar and search, pixels.
        dilation: Cells of the search features per cell of the exemplar's.
    """

    def __init__(
        self,
        name: str,
        embed_exemplar: Callable[[Tensor], Tensor],
        embed_search: Callable[[Tensor], Tensor],
        *,
        stride: int,
        sizes: tuple[int, int],
        dilation: int = 1,
    ) -> None:
        self.name = name
        self.stride = stride
        self.exemplar_px, self.search_px = sizes
        self._embed_exemplar = embed_exemplar
        self._embed_search = embed_search
        self._dilation = dilation

    @torch.inference_mode()
    def features(self, image: Tensor) -> Tensor:
        """(C, h, w) of an image, on the exemplar's grid."""
        return self._embed_exemplar(image[None])[0]

    @torch.inference_mode()
    def score_map(self, exemplar: Tensor, search: Tensor) -> Tensor:
        """The map, without cells whose window would leave the search."""
        exemplar_features, search_features = self._embed_exemplar(exemplar[None]), self._embed_search(search[None])
        maps = cross_correlate(exemplar_features, search_features, dilation=self._dilation)
        rows, columns = (score_map_cells(side, self.exemplar_px, self.stride) for side in search.shape[-2:])
        return maps[0, :rows, :columns]


class FullyConnectedScorer:
    """The small network's features with a fully connected layer where the correlation was; one size, one exemplar.

    Args:
        name: As tables and figures call it.
        network: Trained.
        head: From all search features to all cells.
    """

    stride, exemplar_px, search_px = STRIDE, EXEMPLAR_PX, SEARCH_PX

    def __init__(self, name: str, network: SmallNetwork, head: nn.Linear) -> None:
        self.name = name
        self._network = copy.deepcopy(network).double()
        self._head = copy.deepcopy(head).double()

    @torch.inference_mode()
    def score_map(self, exemplar: Tensor, search: Tensor) -> Tensor:  # noqa: ARG002 - it has learned its exemplar
        """The map of a search of 127 px; the exemplar is what the layer was trained to find."""
        cells = score_map_cells(SEARCH_PX, EXEMPLAR_PX, STRIDE)
        scores: Tensor = self._head(self._network.embed(search[None], Variant()).flatten(1))
        return scores.view(cells, cells)


def small_scorer(name: str, network: SmallNetwork, variant: Variant) -> ConvolutionalScorer:
    """A variant of the small network, in float64.

    Without strides, the exemplar keeps the grid it was trained with, and its cells meet every fourth cell of the
    search: then every fourth score is the very score of the network as it was trained.
    """
    exact = copy.deepcopy(network).double()
    return ConvolutionalScorer(
        name,
        lambda image: exact.embed(image, variant._replace(strided=True)),
        lambda image: exact.embed(image, variant),
        stride=variant.stride,
        sizes=(EXEMPLAR_PX, SEARCH_PX),
        dilation=STRIDE // variant.stride,
    )


def model_scorer(name: str, model: SiamFC, picture: Tensor) -> ConvolutionalScorer:
    """A `SiamFC` in float64, its standardisation taken from a picture (3, H, W) once, where it takes one."""
    exact = copy.deepcopy(model).double().eval()
    statistics = None
    if exact.config.standardisation == "first_search":
        with torch.inference_mode():
            statistics = exact.channel_statistics(picture[None])

    def embed(image: Tensor) -> Tensor:
        return exact.embed(image, statistics)

    sizes = (LARGE_EXEMPLAR_PX, LARGE_SEARCH_PX)
    return ConvolutionalScorer(name, embed, embed, stride=exact.stride, sizes=sizes)
