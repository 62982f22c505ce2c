"""Data to learn from, written by the tests that read them: a photograph panned over, as images, video and stills."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siamfc.boxes import Box
from siamfc.config import TrainConfig, load_train_config
from siamfc.data.mixture import HeldOut, Mixture, Source, open_mixture
from siamfc.data.pair_crops import PairReader
from siamfc.data.pairs import PairSampler
from siamfc.data.sequence import Sequence as Video
from siamfc.data.usable import Track
from siamfc.opencv import cv2
from siamfc.video import VideoWriter
from tests.scenes import EYE, pan

Picture = NDArray[np.uint8]

CORNERS = [(40 + 3 * step, 60 + 2 * step) for step in range(8)]


def write_png(path: Path, image: Picture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())


def write_boxes(folder: Path, rows: Sequence[tuple[object, Box]]) -> None:
    lines = ["frame,x,y,width,height", *(",".join(map(str, (name, *box))) for name, box in rows)]
    (folder / "boxes.csv").write_text("\n".join(lines) + "\n")


def write_plain(
    folder: Path, photograph: Picture, corners: Sequence[tuple[int, int]] = CORNERS, first: int = 5
) -> Path:
    """Images of a camera that pans over the photograph, numbered from ``first`` by tens."""
    scene = pan(photograph, corners)
    names = [f"{first + 10 * number:04d}.png" for number in range(len(scene.frames))]
    for name, frame in zip(names, scene.frames, strict=True):
        write_png(folder / name, frame)
    write_boxes(folder, list(zip(names, scene.boxes, strict=True)))
    return folder


def write_plain_video(folder: Path, photograph: Picture) -> Path:
    """The same as a video."""
    scene = pan(photograph, CORNERS)
    folder.mkdir(parents=True)
    with VideoWriter(folder / "video.mp4", frame_rate=25) as writer:
        for frame in scene.frames:
            writer.write(frame)
    write_boxes(folder, list(enumerate(scene.boxes)))
    return folder


def write_stills(folder: Path, photograph: Picture) -> Path:
    """Three objects in two pictures, in COCO's layout."""
    for number in (1, 2):
        write_png(folder / "images" / f"{number}.png", photograph[: 400 + number])
    boxes = {11: (1, EYE), 12: (1, Box(60, 40, 90, 100)), 13: (2, EYE)}
    content = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in (1, 2)],
        "annotations": [{"id": key, "image_id": image, "bbox": list(box)} for key, (image, box) in boxes.items()],
    }
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


def write_all(root: Path, photograph: Picture) -> list[str]:
    """Two panned sequences, one as a video, and stills, as ``--data`` takes them."""
    write_plain(root / "clips" / "pan", photograph)
    write_plain(root / "clips" / "back", photograph, CORNERS[::-1][:5], first=0)
    write_plain_video(root / "films" / "pan", photograph)
    write_stills(root / "stills", photograph)
    return [f"plain:{root / 'clips'}", f"plain:{root / 'films'}", f"coco:{root / 'stills'}"]


# What most tests look at, whatever the published settings become.
_USUAL = (
    "pairs.max_frame_gap=100", "augmentation.exemplar_shift_px=4", "augmentation.search_shift_px=32",
    "augmentation.search_scale=0.05", "augmentation.stretch=0.05", "augmentation.rotation_deg=8",
    "augmentation.part_share=0", "training.search_size=255",
)  # fmt: skip


def settings(*overrides: str) -> TrainConfig:
    return load_train_config(overrides=(*_USUAL, *overrides))


def mixture_of(data: Sequence[str], config: TrainConfig) -> Mixture:
    return open_mixture(data, config.filters, HeldOut())


def reader_of(data: Sequence[str], config: TrainConfig) -> PairReader:
    return PairReader(PairSampler(mixture_of(data, config).sources, config.pairs), config)


class Pictures:
    """Frames in memory."""

    def __init__(self, images: Sequence[Picture], numbers: Sequence[int] | None = None) -> None:
        self._images = list(images)
        self.numbers = np.array(range(len(images)) if numbers is None else numbers)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Picture:
        return self._images[index]

    def __iter__(self):
        return iter(self._images)

    @property
    def place(self) -> str:
        return f"memory {id(self)}"


def track_of(
    images: Sequence[Picture], boxes: Sequence[Box], name: str = "track", numbers: Sequence[int] | None = None
) -> Track:
    """A track with a box in each of its frames."""
    frames, rows = Pictures(images, numbers), np.array(boxes, dtype=np.float64)
    return Track("memory", Video(name, frames, rows), np.arange(len(images)), rows, frames.numbers)


def source_of(*tracks: Track, weight: float = 1.0, name: str = "memory") -> Source:
    return Source(name, weight, tracks)
