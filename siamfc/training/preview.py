"""What the network will be shown, as a sheet for people: pairs as training reads them, with their labels drawn in."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from siamfc.config import TrainConfig
from siamfc.data.pair_crops import PairCrops, PairReader
from siamfc.data.pairs import PairKind
from siamfc.drawing import SHADE, TRUE, draw_text
from siamfc.frames import Image
from siamfc.opencv import cv2
from siamfc.training.labels import batch_labels, cell_centers_px
from siamfc.training.loading import PairBatch
from siamfc.training.photometry import BatchPhotometry
from siamfc.visualize.heat import draw_cross, titled

_SEARCHES = {
    PairKind.POSITIVE: "search",
    PairKind.NEGATIVE: "search: another video",
    PairKind.HARD_NEGATIVE: "search: beside the target",
}
_GAP_PX = 4
_LEAST_COLUMN_PX, _LETTER_PX, _LINE_PX = 127, 9, 17  # of the column with exemplar and name
_WIDEST_PX = 1400  # of a sheet; as many columns of pairs as fit
_TINT = 0.45  # opacity of the positive cells


def preview_sheet(reader: PairReader, *, stride: int, pairs: int = 16, epoch: int = 0) -> Image:
    """The first pairs of an epoch, each as exemplar, search crop, and search crop with its label, (H, W, 3).

    Pairs follow each other from left to right, as many in a line as fit 1400 pixels, one at least.

    The crops are those that the training step gives to the network: the same reader, photometry and labels.

    Args:
        reader: Reads the pairs.
        stride: The network's, search pixels a cell.
        pairs: How many.
        epoch: Of which epoch.

    Raises:
        SourceError: As `PairReader.read`.
        TrainingError: A pair has no positive cell: the settings do not go together.
    """
    read = [reader.read(epoch, number) for number in range(pairs)]
    batch = PairBatch.of(read)
    exemplars, searches = (
        _shown(look, images) for look, images in zip(batch.looks, (batch.exemplars, batch.searches), strict=True)
    )
    labels = batch_labels(batch, reader.config, stride).positive.numpy()
    rows = [
        draw_labelled_pair(pair, exemplar, search, label, reader.config, stride=stride)
        for pair, exemplar, search, label in zip(read, exemplars, searches, labels, strict=True)
    ]
    return _in_columns(rows)


def draw_labelled_pair(
    pair: PairCrops, exemplar: Image, search: Image, label: NDArray[np.bool_], config: TrainConfig, *, stride: int
) -> Image:
    """One pair as a row: exemplar, search crop, and the search crop with the label's cells and the target's centre.

    Args:
        pair: Its kind, track and centre.
        exemplar: (e, e, 3), photometry applied.
        search: (s, s, 3), likewise.
        label: (h, w) the positive cells; each is drawn as the square of a stride about its window's centre.
        config: Sizes.
        stride: Search pixels a cell.
    """
    sizes, side = config.training, search.shape[0]
    places = cell_centers_px(sizes.search_size, sizes.exemplar_size, stride).numpy()
    labelled = _tint(search, label, places, stride)
    if pair.kind is PairKind.POSITIVE:
        draw_cross(labelled, pair.center, side / 48)
        told = f"x {pair.center[0]:.1f} {pair.center[1]:.1f}  {int(label.sum())} cells"
    else:
        told = "no target"
    draw_text(labelled, told, (6, side - 8))
    shown, first = titled(search.copy(), _SEARCHES[pair.kind]), _named(exemplar, pair, side)
    gap = np.full((side, _GAP_PX, 3), SHADE, dtype=np.uint8)
    return np.hstack([first, gap, shown, gap, titled(labelled, "label"), gap])


def _shown(look: BatchPhotometry, images: Tensor) -> list[Image]:
    """A batch (B, 3, H, W) with its photometry, as pictures (H, W, 3) uint8."""
    with torch.inference_mode():
        changed = look.apply(images.float()).clamp(0, 255).round().to(torch.uint8)
    return list(changed.permute(0, 2, 3, 1).contiguous().numpy())


def _tint(search: Image, label: NDArray[np.bool_], places: NDArray[np.float32], stride: int) -> Image:
    """The search crop with the positive cells tinted and the rim of all cells drawn."""
    canvas, tinted = search.copy(), search.copy()
    for row, column in np.argwhere(label):
        left, top = (round(float(places[cell]) - stride / 2) for cell in (column, row))
        tinted[top : top + stride, left : left + stride] = TRUE
    canvas = np.asarray(cv2.addWeighted(tinted, _TINT, canvas, 1 - _TINT, 0), dtype=np.uint8)
    near, far = (round(float(places[end])) for end in (0, -1))
    cv2.rectangle(canvas, (near - stride // 2, near - stride // 2), (far + stride // 2, far + stride // 2), SHADE, 1)
    return canvas


def _named(exemplar: Image, pair: PairCrops, side_px: int) -> Image:
    """The exemplar in a column as high as the search crop, with the pair's kind and its track's name below it."""
    width = max(len(exemplar), _LEAST_COLUMN_PX)
    column = np.full((side_px, width, 3), SHADE, dtype=np.uint8)
    top = (side_px - len(exemplar)) // 2
    column[top : top + len(exemplar), : len(exemplar)] = exemplar
    letters = width // _LETTER_PX
    name = [pair.name[at : at + letters] for at in range(0, len(pair.name), letters)]
    lines = [pair.kind.name.lower().replace("_", " "), *name]
    for line, text in enumerate(lines[: (side_px - top - len(exemplar)) // _LINE_PX]):
        draw_text(column, text, (4, top + len(exemplar) + (line + 1) * _LINE_PX - 4))
    return titled(column, "exemplar")


def _in_columns(rows: Sequence[Image]) -> Image:
    """The pairs from left to right, then down; what is left of the last line stays empty."""
    columns = min(max(_WIDEST_PX // rows[0].shape[1], 1), len(rows))
    lines = math.ceil(len(rows) / columns)
    gap = np.full((_GAP_PX, rows[0].shape[1], 3), SHADE, dtype=np.uint8)
    blank = np.full_like(rows[0], SHADE[0])
    filled = [*rows, *[blank] * (lines * columns - len(rows))]
    stacks = [np.vstack([part for row in filled[at::columns] for part in (row, gap)]) for at in range(columns)]
    return np.hstack(stacks)
