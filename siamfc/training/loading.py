"""Batches of pairs, read by worker processes; which pairs they hold depends on nothing but settings and numbers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from siamfc.data.pair_crops import PairCrops, PairReader
from siamfc.data.pairs import PairKind
from siamfc.frames import Image
from siamfc.model import as_images
from siamfc.opencv import cv2
from siamfc.training.photometry import BatchPhotometry


@dataclass
class PairBatch:
    """B pairs.

    Attributes:
        exemplars: (B, 3, h, w) uint8, channels last in memory.
        searches: (B, 3, H, W) uint8, likewise.
        centers: (B, 2) place of the target in the search crop, x, y, search pixels.
        sizes: (B, 2, 2) width and height of the target in exemplar and search, pixels of each.
        nudges: (B, N, 2) places beside each target, x and y in -1..1, of which box regression is asked.
        is_positive: (B,) bool: the search shows the exemplar's target.
        looks: Photometry of exemplars and of searches.
        names: The exemplars' tracks.
        videos: Which videos these are of.
        number: Which batch of the epoch.
        skipped: Frames that could not be read.
    """

    exemplars: Tensor
    searches: Tensor
    centers: Tensor
    sizes: Tensor
    nudges: Tensor
    is_positive: Tensor
    looks: tuple[BatchPhotometry, BatchPhotometry]
    names: tuple[str, ...]
    videos: tuple[str, ...]
    number: int
    skipped: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: list[PairCrops], number: int = 0) -> PairBatch:
        """Pairs of one size as one batch."""
        return cls(
            exemplars=stack_images([pair.exemplar for pair in pairs]),
            searches=stack_images([pair.search for pair in pairs]),
            centers=torch.tensor([pair.center for pair in pairs], dtype=torch.float32),
            sizes=torch.tensor([pair.sizes for pair in pairs], dtype=torch.float32),
            nudges=torch.tensor([pair.nudges for pair in pairs], dtype=torch.float32),
            is_positive=torch.tensor([pair.kind is PairKind.POSITIVE for pair in pairs]),
            looks=(
                BatchPhotometry([pair.photometry[0] for pair in pairs]),
                BatchPhotometry([pair.photometry[1] for pair in pairs]),
            ),
            names=tuple(pair.name for pair in pairs),
            videos=tuple(pair.video for pair in pairs),
            number=number,
            skipped=tuple(text for pair in pairs for text in pair.skipped),
        )


def stack_images(images: list[Image]) -> Tensor:
    """(B, 3, H, W) uint8, channels last in memory, of images (H, W, 3)."""
    return as_images(np.stack(images))


@dataclass(frozen=True)
class Share:
    """Which part of each batch this process takes: ``rank`` of ``processes``, in consecutive pieces."""

    rank: int = 0
    processes: int = 1


class _EpochBatches(Dataset[PairBatch]):
    def __init__(self, reader: PairReader, epoch: int, share: Share) -> None:
        self._reader, self._epoch, self._share = reader, epoch, share
        training, pairs = reader.config.training, reader.config.pairs
        self._batch_size = training.batch_size
        self._count = max(pairs.per_epoch // training.batch_size, 1)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> PairBatch:
        mine = self._batch_size // self._share.processes
        first = number * self._batch_size + self._share.rank * mine
        return PairBatch.of([self._reader.read(self._epoch, first + each) for each in range(mine)], number)


def read_batches(
    reader: PairReader, epoch: int, *, first: int = 0, workers: int = 0, share: Share = Share()
) -> Iterator[PairBatch]:
    """The batches of an epoch from number ``first`` on, the same ones whatever the number of workers.

    Args:
        reader: Reads single pairs.
        epoch: Which epoch.
        first: Batches before it were done already.
        workers: Processes that read ahead; 0: this one reads.
        share: The part of each batch that is this process's.
    """
    batches = _EpochBatches(reader, epoch, share)
    if workers:
        # OpenCV's threads do not survive a fork: a worker that resizes would wait for them for ever.
        cv2.setNumThreads(1)
    loader: DataLoader[PairBatch] = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, len(batches)),
        num_workers=workers,
        worker_init_fn=_settle_worker,
        prefetch_factor=4 if workers else None,
    )
    return iter(loader)


def batches_per_epoch(reader: PairReader) -> int:
    """Steps an epoch."""
    return len(_EpochBatches(reader, 0, Share()))


def _settle_worker(_: int) -> None:
    # Ctrl-C, and what a service manager sends, reach every process; the first one saves and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
