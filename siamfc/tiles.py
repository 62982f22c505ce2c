"""Pictures larger than memory: their score maps computed in tiles that overlap by exactly what a window needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from siamfc.dense import DenseSiamFC
from siamfc.errors import FrameError
from siamfc.frames import Image, as_rgb_frame
from siamfc.model import ChannelStatistics, usable_statistics
from siamfc.score_map import score_map_cells

Observer = Callable[[int, int], None]

_TILE_PX = {1: 512, 2: 768}  # a finer stride keeps more features of each pixel
_COARSE_TILE_PX = 1536
_PATCH_PX = 512  # embedded at a time: what a layer leaves for the next still lies in the processor's cache


class PixelSource(Protocol):
    """A picture that is read part by part: an array, a memory-mapped file, or a `ScaledPicture` of matching."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 3)."""

    def __getitem__(self, part: tuple[slice, slice], /) -> Image:
        """Rows and columns of it, (h, w, 3) uint8."""


class Tile(NamedTuple):
    """A part of a map and the pixels that its windows cover, as slices of rows and columns."""

    cells: tuple[slice, slice]
    pixels: tuple[slice, slice]


def tile_side(stride: int) -> int:
    """Side of a tile, pixels, that keeps the features of one tile well below a gigabyte at this stride."""
    return _TILE_PX.get(stride, _COARSE_TILE_PX)


def plan_tiles(size: tuple[int, int], window_px: int, stride: int, tile_px: int) -> list[Tile]:
    """Tiles that hold every cell of a map once.

    Args:
        size: (height, width) of the picture, pixels.
        window_px: What a cell sees: the exemplar's side, or the receptive field.
        stride: Pixels a cell.
        tile_px: Greatest side of a tile; a window, where that is larger.

    Raises:
        FrameError: No window fits into the picture.

    Example:
        >>> [tile.pixels[1] for tile in plan_tiles((127, 300), window_px=127, stride=8, tile_px=220)]
        [slice(0, 207, None), slice(88, 295, None)]
    """
    if min(size) < window_px:
        height, width = size
        raise FrameError(f"a picture of {width} x {height} px holds no window of {window_px} px")
    rows, columns = (_parts(score_map_cells(side, window_px, stride), window_px, stride, tile_px) for side in size)
    return [
        Tile((row, column), (_pixels(row, window_px, stride), _pixels(column, window_px, stride)))
        for row in rows
        for column in columns
    ]


def embedded_tiles(
    network: DenseSiamFC,
    picture: PixelSource,
    *,
    exemplar_px: int,
    statistics: ChannelStatistics | None = None,
    tile_px: int | None = None,
) -> Iterator[tuple[Tile, Tensor]]:
    """Each tile of a picture with its features (1, C, h, w), of which one set exists at a time."""
    height, width = picture.shape[:2]
    for tile in plan_tiles((height, width), exemplar_px, network.stride, tile_px or tile_side(network.stride)):
        yield tile, embed_in_patches(network, picture[tile.pixels], statistics)


def embed_in_patches(
    network: DenseSiamFC, image: Image, statistics: ChannelStatistics | None = None, *, patch_px: int = _PATCH_PX
) -> Tensor:
    """Features (1, C, h, w) of an image (H, W, 3), part by part: equal to those of one pass, and sooner there.

    The parts overlap by what a cell of the features sees, which is half of what a window of an exemplar would need.
    """
    field, (height, width) = network.model.backbone.receptive_field, image.shape[:2]
    patches = plan_tiles((height, width), field, network.stride, patch_px)
    if len(patches) == 1:
        return network.embed_search(as_batch(image), statistics)
    rows, columns = (score_map_cells(side, field, network.stride) for side in (height, width))
    like = network.model.bias
    features = torch.empty(1, rows, columns, network.model.out_channels, dtype=like.dtype, device=like.device)
    features = features.permute(0, 3, 1, 2)  # channels last in memory
    for patch in patches:
        down, across = patch.cells
        features[:, :, down, across] = network.embed_search(as_batch(image[patch.pixels]), statistics)
    return features


@torch.inference_mode()
def picture_statistics(
    network: DenseSiamFC, picture: PixelSource, *, tile_px: int | None = None
) -> ChannelStatistics | None:
    """What a model with ``first_search`` standardisation takes from a picture: once, over all tiles; else None.

    The tiles share no feature, so the result is that of the whole picture; it is the same for every stride.
    """
    model = network.model
    if model.config.standardisation != "first_search":
        return None
    height, width = picture.shape[:2]
    tiles = plan_tiles((height, width), model.backbone.receptive_field, model.stride, tile_px or _PATCH_PX)
    mean, variance = _pooled_moments(model.features(as_batch(picture[tile.pixels])) for tile in tiles)
    statistics = usable_statistics(mean[None], variance.sqrt()[None])
    return ChannelStatistics(statistics.mean[0], statistics.deviation[0])


@torch.inference_mode()
def tiled_score_map(
    network: DenseSiamFC,
    exemplars: Tensor,
    picture: PixelSource,
    *,
    tile_px: int | None = None,
    observe: Observer | None = None,
) -> NDArray[np.float32]:
    """The score maps of exemplars in a picture of any size, equal to those of one pass over it.

    Args:
        network: At the stride that the maps shall have.
        exemplars: (N, 3, h, h), 0..255.
        picture: (H, W, 3), read tile by tile.
        tile_px: Side of a tile; more is faster and needs more memory.
        observe: Called after each tile with the tiles done and the tiles in all.

    Returns:
        (N, (H - h) // stride + 1, (W - h) // stride + 1), logits, in the model's type.

    Raises:
        FrameError: Not a picture, or one smaller than the exemplars.
    """
    if isinstance(picture, np.ndarray):
        picture = as_rgb_frame(picture)
    side, (height, width) = exemplars.shape[-1], picture.shape[:2]
    total = len(plan_tiles((height, width), side, network.stride, tile_px or tile_side(network.stride)))
    statistics = picture_statistics(network, picture, tile_px=tile_px)
    exemplar_features = network.embed_exemplar(exemplars, statistics)
    cells = [score_map_cells(length, side, network.stride) for length in (height, width)]
    maps = torch.empty(len(exemplars), *cells, dtype=exemplar_features.dtype)
    tiles = embedded_tiles(network, picture, exemplar_px=side, statistics=statistics, tile_px=tile_px)
    for number, (tile, features) in enumerate(tiles, start=1):
        place_tile(maps, tile, network.score(exemplar_features, features))
        if observe:
            observe(number, total)
    return np.asarray(maps.numpy())


def place_tile(maps: Tensor, tile: Tile, scores: Tensor) -> None:
    """Write a tile's scores (N, h, w) into the maps (N, rows, columns), those of windows that leave the tile cut."""
    rows, columns = tile.cells
    maps[:, rows, columns] = scores[:, : rows.stop - rows.start, : columns.stop - columns.start].to(maps.device)


def as_batch(image: Image) -> Tensor:
    """(H, W, 3) -> (1, 3, H, W), channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(image))[None].permute(0, 3, 1, 2)


def _pooled_moments(parts: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and variance, (C,) each, over all cells of features (1, C, h, w) that come in parts (Chan et al. 1979)."""
    first = next(parts)
    variance, mean = torch.var_mean(first, dim=(0, 2, 3), correction=0)
    count = first.numel() // len(mean)
    for features in parts:
        part_variance, part_mean = torch.var_mean(features, dim=(0, 2, 3), correction=0)
        cells = features.numel() // len(mean)
        share, apart = cells / (count + cells), part_mean - mean
        variance = (1 - share) * variance + share * part_variance + share * (1 - share) * apart.square()
        mean, count = mean + share * apart, count + cells
    return mean, variance


def _parts(cells: int, window_px: int, stride: int, tile_px: int) -> list[slice]:
    most = max(score_map_cells(tile_px, window_px, stride), 1)
    count = -(-cells // most)
    borders = [round(cells * part / count) for part in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(borders)]


def _pixels(cells: slice, window_px: int, stride: int) -> slice:
    return slice(cells.start * stride, (cells.stop - 1) * stride + window_px)
