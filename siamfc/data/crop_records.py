"""What a crop store holds: its settings, a record a track, and crops as JPEG or PNG; all as bytes and back."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from siamfc.config import TrainConfig
from siamfc.errors import OutputError, SourceError
from siamfc.frames import Image
from siamfc.opencv import cv2

FORMAT = 1
ABOUT_KEY, COMPLETE_KEY = b"about", b"complete"
_BLOCK_PX = 8  # of JPEG; a side that is a multiple of it wastes nothing
_SPARE_PX = 2  # resampling reaches a little beyond what a crop covers


@dataclass(frozen=True)
class CropSettings:
    """How the crops of a store are cut; the same for all.

    Attributes:
        side_px: Side of the stored squares, in which the exemplar's context square has ``exemplar_size`` pixels.
        exemplar_size: As ``training.exemplar_size``.
        context_amount: As ``training.context_amount``.
        quality: Of JPEG with full colour resolution (4:4:4), 1 to 100; None stores PNG, without loss.

    Raises:
        OutputError: A number out of range.
    """

    side_px: int
    exemplar_size: int = 127
    context_amount: float = 0.5
    quality: int | None = 90

    def __post_init__(self) -> None:
        if not self.exemplar_size <= self.side_px <= 4096:
            raise OutputError(f"a crop's side is {self.exemplar_size} (the exemplar's) to 4096 px, not {self.side_px}")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise OutputError(f"JPEG's quality is 1 to 100, not {self.quality}")

    def encode(self, image: Image) -> bytes:
        """A crop (side_px, side_px, 3), RGB, as the bytes that are stored."""
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if self.quality is None:
            return bytes(cv2.imencode(".png", bgr)[1])
        full_color = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
        return bytes(cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, self.quality, *full_color))[1])


def side_for(config: TrainConfig) -> int:
    """The least side in which every crop of a whole target that these settings can draw lies inside, pixels.

    Example:
        >>> from siamfc.config import load_train_config
        >>> side_for(load_train_config(overrides=["augmentation.search_shift_px=0", "augmentation.stretch=0"]))
        264
    """
    sizes, changes = config.training, config.augmentation
    angle = math.radians(min(changes.rotation_deg, 45.0))
    turned = (1 + changes.stretch) * (math.cos(angle) + math.sin(angle))
    exemplar_px = sizes.exemplar_size / 2 + config.exemplar_border_px
    augmented = turned * max(
        (sizes.search_size / 2 + changes.search_shift_px) * (1 + changes.search_scale),
        (exemplar_px + changes.exemplar_shift_px) * (1 + changes.exemplar_scale),
    )
    held_out = sizes.search_size / 2 + sizes.held_out_shift_px
    return math.ceil(2 * (max(augmented, held_out) + _SPARE_PX) / _BLOCK_PX) * _BLOCK_PX


@dataclass(frozen=True)
class TrackRecord:
    """What is stored of one track beside its K crops.

    Attributes:
        name: The sequence's, with its set in front: ``video/DAVIS2016-goat``.
        source: The dataset it was cut from.
        numbers: (K,) the frames' numbers in their video.
        boxes: (K, 4) x, y, width, height, crop pixels.
        borders: (K,) distance from the box's centre to the nearest border of the frame, crop pixels.
        levels: (K,) each: what the dataset says of the frames in numbers.
        meta: What it says of the whole.
        unreadable: Frames that could not be read, each with its reason.
        sha256: Hash over the crops, one after another.
        video: Name of the store's first track of the same video; empty in stores that do not say so yet.
    """

    name: str
    source: str
    numbers: list[int]
    boxes: list[list[float]]
    borders: list[float]
    levels: Mapping[str, list[float]] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    sha256: str = ""
    video: str = ""


def track_key(track: int) -> bytes:
    """Where a track's record lies."""
    return b"track/%08d" % track


def crop_key(track: int, place: int) -> bytes:
    """Where crop ``place`` of a track lies."""
    return b"crop/%08d/%06d" % (track, place)


def pack(content: TrackRecord | Mapping[str, Any]) -> bytes:
    """A record as JSON; the same content always gives the same bytes, and floats come back exactly."""
    values = asdict(content) if isinstance(content, TrackRecord) else content
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


def unpack_track(data: bytes, where: str) -> TrackRecord:
    """A track's record; raises SourceError where the bytes are not one."""
    try:
        return TrackRecord(**json.loads(data))
    except (ValueError, TypeError) as error:
        raise SourceError(f"{where} is damaged ({error}); prepare the store anew") from None


def unpack(data: bytes, where: str) -> dict[str, Any]:
    """Any other record; raises SourceError where the bytes are not one."""
    try:
        return dict(json.loads(data))
    except (ValueError, TypeError) as error:
        raise SourceError(f"{where} is damaged ({error}); prepare the store anew") from None


def decode(data: bytes | memoryview, side_px: int, where: str) -> Image:
    """A stored crop, (side_px, side_px, 3) RGB.

    Raises:
        SourceError: The bytes are no picture, or one of another size.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:  # no bytes at all
        image = None
    if image is None or image.shape != (side_px, side_px, 3):
        raise SourceError(f"{where} is damaged: its {len(data)} bytes are no picture of {side_px} px")
    return np.asarray(image, dtype=np.uint8)


def hash_of(crops: Iterable[bytes | memoryview]) -> str:
    """Hash over crops, one after another, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for data in crops:
        digest.update(data)
    return digest.hexdigest()
