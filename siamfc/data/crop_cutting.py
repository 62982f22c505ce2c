"""One track cut once: a square around the target in every fit frame, its box in crop pixels."""

from __future__ import annotations

from typing import NamedTuple

from siamfc.boxes import Box
from siamfc.crops import INTERPOLATION_PX, CropRegion, context_side, crop
from siamfc.data.crop_records import CropSettings, TrackRecord, hash_of
from siamfc.data.frame_reader import FrameReader
from siamfc.data.sequence import VideoFrames
from siamfc.data.usable import Track
from siamfc.errors import SourceError
from siamfc.frames import Image


class CutTrack(NamedTuple):
    """A track's record and its crops, as they are stored."""

    record: TrackRecord
    crops: list[bytes]


class CutFrame(NamedTuple):
    """One crop.

    Attributes:
        image: (side_px, side_px, 3) uint8 RGB.
        box: The target's, crop pixels; its centre is the crop's.
        border_px: Distance from that centre to where the frame ends and its mean colour begins, crop pixels; negative
            where the centre lies outside.
    """

    image: Image
    box: Box
    border_px: float


def cut_frame(frame: Image, box: Box, settings: CropSettings) -> CutFrame:
    """The square around a target, resampled once, the frame's mean colour outside.

    Reductions sample single points, as the tracker's own crops do: a store that averaged first would teach the
    network a smoothness that it never meets when tracking.

    Args:
        frame: (H, W, 3) uint8 RGB.
        box: The target's, frame pixels.
        settings: Sizes.
    """
    scale = settings.exemplar_size / context_side(box, settings.context_amount)  # crop pixels a frame pixel
    (x, y), (height, width) = box.center, frame.shape[:2]
    region = CropRegion(x, y, side_px=settings.side_px / scale, crop_size=settings.side_px)
    middle = settings.side_px / 2
    inner = Box(middle - box.width * scale / 2, middle - box.height * scale / 2, box.width * scale, box.height * scale)
    border_px = (float(min(x, y, width - x, height - y)) - INTERPOLATION_PX) * scale
    return CutFrame(crop(frame, region), inner, border_px)


def cut_track(track: Track, name: str, settings: CropSettings, *, video: str) -> CutTrack:
    """All crops of a track. A video is decoded once, in order; a frame that cannot be read is named and left out.

    Args:
        track: From `siamfc.data.usable`.
        name: What the store calls it.
        settings: How to cut and how to store.
        video: What the store calls the first track of the same video.
    """
    kept: list[int] = []
    boxes: list[list[float]] = []
    borders: list[float] = []
    crops: list[bytes] = []
    unreadable = []
    with FrameReader(track.sequence.frames) as frames:
        for place, index in enumerate(track.places.tolist()):
            try:
                cut = cut_frame(frames[index], Box(*track.boxes[place].tolist()), settings)
            except SourceError as error:
                unreadable.append(str(error))
                if isinstance(track.sequence.frames, VideoFrames):
                    break  # nothing comes after it
                continue
            kept.append(place)
            boxes.append(list(cut.box))
            borders.append(cut.border_px)
            crops.append(settings.encode(cut.image))
    levels = {level: values[track.places[kept]].tolist() for level, values in track.sequence.levels.items()}
    numbers, meta = track.numbers[kept].tolist(), dict(track.sequence.meta)
    record = TrackRecord(name, track.source, numbers, boxes, borders, levels, meta, unreadable, hash_of(crops), video)
    return CutTrack(record, crops)
