"""Milliseconds of one core to load a pair: from frames, from a crop store, and as public ports of the method do it.

    python tools/measure_loading.py otb:PATH [--rounds 9] [--pairs 48] [--config NAME] [--store STORE]

All sides load batches of eight of the same pairs, in turn in one run, until they are tensors; medians over the rounds.
Without ``--store`` the frames are cut into one first, in a temporary folder. The ports' way is that of the most used
one (huanglianghua/siamfc-pytorch): it reads a frame, takes its mean colour, pads the whole of it where the crop reaches
outside, cuts, resizes by an interpolation drawn at random, and applies one Python transform after another. That port
also reads the first frame of the video for each pair; here that is left out.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.config import TrainConfig, load_train_config
from siamfc.crops import context_side
from siamfc.data.crop_records import CropSettings, side_for
from siamfc.data.mixture import HeldOut, open_mixture
from siamfc.data.pair_crops import PairReader
from siamfc.data.pairs import PairSampler, View, pair_generator
from siamfc.data.preparing import prepare_store
from siamfc.data.sequence import ImageFrames
from siamfc.opencv import cv2
from siamfc.training.loading import PairBatch

Picture = NDArray[np.uint8]

_BATCH = 8
_INTERPOLATIONS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_LANCZOS4)


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="LAYOUT:PATH, of images")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--pairs", type=int, default=48, help="a round, a multiple of 8")
    parser.add_argument("--config", help="default: train-default's")
    parser.add_argument("--store", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    settings = load_train_config(arguments.config)
    with tempfile.TemporaryDirectory() as scratch:
        store = arguments.store or Path(scratch) / "store"
        if arguments.store is None:
            sizes = settings.training
            crops = CropSettings(side_for(settings), sizes.exemplar_size, sizes.context_amount)
            prepare_store([arguments.data], store, settings=crops, filters=settings.filters)
        frames, stored = (_reader(data, settings) for data in (arguments.data, f"crops:{store}"))
        sides: dict[str, Callable[[int], object]] = {
            "public ports": lambda first: _batch_of_ports(frames, first),
            "from frames": lambda first: PairBatch.of([frames.read(0, first + each) for each in range(_BATCH)]),
            "from crops": lambda first: PairBatch.of([stored.read(0, first + each) for each in range(_BATCH)]),
        }
        medians = _measure(sides, arguments.rounds, arguments.pairs)
    print(f"{arguments.data}: CPU ms a pair, medians of {arguments.rounds} rounds of {arguments.pairs} pairs")
    for name, milliseconds in medians.items():
        print(f"{name:14}{milliseconds:8.2f}{medians['public ports'] / milliseconds:8.1f} x")


def _measure(sides: dict[str, Callable[[int], object]], rounds: int, pairs: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(-1, rounds):  # the first one fills the file cache
        for name, load in sides.items():  # in turn, so that a slow minute slows all
            began = time.process_time()
            for first in range(0, pairs, _BATCH):
                load(max(turn, 0) * pairs + first)
            if turn >= 0:
                times[name].append(1000 * (time.process_time() - began) / pairs)
    return {name: statistics.median(row) for name, row in times.items()}


def _reader(data: str, settings: TrainConfig) -> PairReader:
    mixture = open_mixture([data], settings.filters, HeldOut())
    return PairReader(PairSampler(mixture.sources, settings.pairs), settings)


def _batch_of_ports(reader: PairReader, first: int) -> list[torch.Tensor]:
    pairs = [load_as_ports_do(reader, first + each) for each in range(_BATCH)]
    return [torch.stack(images) for images in zip(*pairs, strict=True)]


def load_as_ports_do(reader: PairReader, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The pair that the reader would draw, by the public ports' steps."""
    rng = pair_generator(reader.config.training.seed, 0, number)
    pair = reader.sampler.draw(rng)
    sizes, shift = reader.config.training, 8
    exemplar = _patch(pair.exemplar, rng, reader.config)
    exemplar = _center_cut(_stretch(exemplar, rng), sizes.search_size - shift)
    exemplar = _center_cut(_random_cut(exemplar, sizes.search_size - 2 * shift, rng), sizes.exemplar_size)
    search = _patch(pair.search, rng, reader.config)
    search = _center_cut(_stretch(search, rng), sizes.search_size - shift)
    search = _random_cut(search, sizes.search_size - 2 * shift, rng)
    return _as_tensor(exemplar), _as_tensor(search)


def _patch(view: View, rng: np.random.Generator, config: TrainConfig) -> Picture:
    frames, place = view.track.sequence.frames, int(view.track.places[view.place])
    assert isinstance(frames, ImageFrames), "the ports read image files"
    read = cv2.imread(str(frames.path(place)), cv2.IMREAD_COLOR)
    assert read is not None, f"{frames.path(place)} cannot be read"
    frame = cv2.cvtColor(read, cv2.COLOR_BGR2RGB)
    box = Box(*view.track.boxes[view.place].tolist())
    size = config.training.search_size
    side = round(context_side(box, config.training.context_amount) * size / config.training.exemplar_size)
    left, top = (round(center - side / 2) for center in box.center)
    mean = np.mean(frame, axis=(0, 1))
    beyond = max(0, -left, -top, left + side - frame.shape[1], top + side - frame.shape[0])
    if beyond:
        frame = cv2.copyMakeBorder(frame, beyond, beyond, beyond, beyond, cv2.BORDER_CONSTANT, value=mean.tolist())
    cut = frame[top + beyond : top + beyond + side, left + beyond : left + beyond + side]
    return np.asarray(cv2.resize(cut, (size, size), interpolation=_interpolation(rng)), dtype=np.uint8)


def _interpolation(rng: np.random.Generator) -> int:
    return int(rng.choice(_INTERPOLATIONS))


def _stretch(image: Picture, rng: np.random.Generator) -> Picture:
    width, height = (round(length * (1 + rng.uniform(-0.05, 0.05))) for length in (image.shape[1], image.shape[0]))
    return np.asarray(cv2.resize(image, (width, height), interpolation=_interpolation(rng)), dtype=np.uint8)


def _center_cut(image: Picture, size: int) -> Picture:
    """The middle of the image; where it is too small, padded with its mean colour first."""
    beyond = max(0, -(-(size - min(image.shape[:2])) // 2))
    if beyond:
        mean = np.mean(image, axis=(0, 1)).tolist()
        bordered = cv2.copyMakeBorder(image, beyond, beyond, beyond, beyond, cv2.BORDER_CONSTANT, value=mean)
        image = np.asarray(bordered, dtype=np.uint8)
    top, left = ((length - size) // 2 for length in image.shape[:2])
    return image[top : top + size, left : left + size]


def _random_cut(image: Picture, size: int, rng: np.random.Generator) -> Picture:
    top, left = (int(rng.integers(length - size + 1)) for length in image.shape[:2])
    return image[top : top + size, left : left + size]


def _as_tensor(image: Picture) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float()


if __name__ == "__main__":
    main()
