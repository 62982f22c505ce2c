"""TrackingNet: ``TEST`` and ``TRAIN_0`` to ``TRAIN_11``, each with ``frames/NAME/0.jpg`` and ``anno/NAME.txt``.

Layout: Mueller et al., "TrackingNet" (ECCV 2018) and its devkit. Frames are numbered without leading zeros, so natural
order matters; a sequence is named by its video and the target's number in it, ``VIDEO_0``. In ``TEST`` only the first
box is public. Its papers and tools do not say whether pixels count from 0 or 1; boxes are taken as they stand, as every
tracker's loader does. From memory of the devkit; not verified against the real data, and got10k's reader of it looks
for frames in another folder.
"""

from __future__ import annotations

from pathlib import Path

from siamfc.data.annotation_text import read_boxes
from siamfc.data.dataset import Dataset
from siamfc.data.folders import list_folders, list_images, require_folders, video_of_target
from siamfc.data.sequence import Sequence


def open_trackingnet(root: Path, *, split: str | None = None) -> Dataset:
    """The sequences of all chunks in ``root``, chunk by chunk, sorted by name.

    Args:
        root: The folder of chunks, or one chunk.
        split: ``"train"`` for the chunks ``TRAIN_*``, ``"test"`` for ``TEST``, None for all that are there.

    Raises:
        SourceError: There is none, or a chunk lacks ``frames`` or ``anno``.
    """
    from siamfc.video.images import natural_order

    prefix = {"train": "TRAIN_", "test": "TEST", None: "T"}[split]
    if (root / "anno").is_dir():
        chunks = [root]
    else:
        chunks = natural_order(folder for folder in list_folders(root) if folder.name.startswith(prefix))
    for chunk in chunks:
        require_folders(chunk, ("frames", "anno"), "trackingnet")
    entries = ((path.stem, path) for chunk in chunks for path in sorted((chunk / "anno").glob("*.txt")))
    return Dataset(f"trackingnet-{split}" if split else "trackingnet", root, entries, _load)


def _load(name: str, boxes_file: Path) -> Sequence:
    frames = list_images(boxes_file.parent.parent / "frames" / name)
    boxes = read_boxes(boxes_file, one_based=False)
    return Sequence(name, frames, boxes, origin=video_of_target(frames.place))
