"""Datasets by name: ``open_dataset("otb:PATH")``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from siamfc.data.coco import open_coco
from siamfc.data.dataset import Dataset
from siamfc.data.davis import open_davis
from siamfc.data.folders import nearest
from siamfc.data.got10k import open_got10k
from siamfc.data.imagenet_vid import open_imagenet_vid
from siamfc.data.lasot import open_lasot
from siamfc.data.mot import open_mot
from siamfc.data.nfs import open_nfs
from siamfc.data.otb import open_otb
from siamfc.data.plain import open_plain
from siamfc.data.tcolor128 import open_tcolor128
from siamfc.data.tlp import open_tlp
from siamfc.data.trackingnet import open_trackingnet
from siamfc.data.uav123 import open_uav123
from siamfc.data.voc import open_voc
from siamfc.data.vot import open_vot
from siamfc.errors import SourceError


class Layout(NamedTuple):
    """How a dataset lies on disk: what opens it, and one line on what it expects at the path."""

    open: Callable[[Path], Dataset]
    expects: str


def _open_crops(root: Path) -> Dataset:
    from siamfc.data.crop_store import open_crop_store  # pictures and settings, which other readers do without

    return open_crop_store(root)


def _open_synthetic(root: Path) -> Dataset:
    from siamfc.data.synthetic import open_synthetic  # likewise

    return open_synthetic(root)


LAYOUTS = {
    "coco": Layout(open_coco, "COCO's JSON file, or a folder with annotations.json: each object a still"),
    "crops": Layout(_open_crops, "a crop store, as siamfc prepare makes it"),
    "davis": Layout(open_davis, "JPEGImages and Annotations, each object a sequence"),
    "davis-train": Layout(partial(open_davis, split="train"), "the same, ImageSets/2017/train.txt"),
    "davis-val": Layout(partial(open_davis, split="val"), "the same, ImageSets/2017/val.txt"),
    "davis2016": Layout(partial(open_davis, year=2016), "the same, all objects of a mask as one"),
    "davis2016-train": Layout(partial(open_davis, year=2016, split="train"), "the same, ImageSets/2016/train.txt"),
    "davis2016-val": Layout(partial(open_davis, year=2016, split="val"), "the same, ImageSets/2016/val.txt"),
    "got10k": Layout(open_got10k, "one split's folder: list.txt, NAME/groundtruth.txt"),
    "got10k-test": Layout(partial(open_got10k, split="test"), "the folder that holds test; first boxes only"),
    "got10k-train": Layout(partial(open_got10k, split="train"), "the folder that holds train"),
    "got10k-val": Layout(partial(open_got10k, split="val"), "the folder that holds val"),
    "imagenet-vid": Layout(open_imagenet_vid, "Data/VID and Annotations/VID, each track a sequence"),
    "imagenet-vid-train": Layout(partial(open_imagenet_vid, split="train"), "the same, train only"),
    "imagenet-vid-val": Layout(partial(open_imagenet_vid, split="val"), "the same, val only"),
    "lasot": Layout(open_lasot, "CLASS/CLASS-N/img and groundtruth.txt, all that are there"),
    "lasot-test": Layout(partial(open_lasot, split="test"), "the 280 test sequences of protocol II"),
    "lasot-train": Layout(partial(open_lasot, split="train"), "all but those"),
    "mot": Layout(open_mot, "NAME/img1 and NAME/gt/gt.txt, each track a sequence"),
    "nfs240": Layout(partial(open_nfs, fps=240), "NAME/240/NAME and NAME/240/NAME.txt"),
    "nfs30": Layout(partial(open_nfs, fps=30), "NAME/30/NAME and NAME/30/NAME.txt"),
    "otb": Layout(open_otb, "NAME/img and NAME/groundtruth_rect.txt, all that are there"),
    "otb100": Layout(partial(open_otb, layout="otb100"), "the same, the 100 targets of OTB-100 (2015)"),
    "otb2013": Layout(partial(open_otb, layout="otb2013"), "the same, the 51 targets of OTB-2013"),
    "otb50": Layout(partial(open_otb, layout="otb50"), "the same, the 50 targets of OTB-50"),
    "plain": Layout(open_plain, "boxes.csv beside images or a video, or folders of that"),
    "synthetic": Layout(_open_synthetic, "nothing: synthetic renders its clips, synthetic:40 so many"),
    "tcolor128": Layout(open_tcolor128, "NAME/img, NAME/NAME_gt.txt and NAME/NAME_frames.txt"),
    "tlp": Layout(open_tlp, "NAME/img and NAME/groundtruth_rect.txt with a lost mark"),
    "trackingnet": Layout(open_trackingnet, "TEST and TRAIN_0 ..., or one of them: frames and anno"),
    "trackingnet-test": Layout(partial(open_trackingnet, split="test"), "the same, TEST; first boxes only"),
    "trackingnet-train": Layout(partial(open_trackingnet, split="train"), "the same, TRAIN_0 ..."),
    "uav123": Layout(open_uav123, "data_seq/UAV123 and anno/UAV123"),
    "uav123-10fps": Layout(partial(open_uav123, version="UAV123_10fps"), "data_seq/UAV123_10fps and anno/UAV123_10fps"),
    "uav20l": Layout(partial(open_uav123, version="UAV20L"), "data_seq/UAV123 and anno/UAV20L"),
    "voc": Layout(open_voc, "VOCdevkit, or a year of it: each object a still"),
    "voc-train": Layout(partial(open_voc, split="train"), "the same, ImageSets/Main/train.txt"),
    "voc-trainval": Layout(partial(open_voc, split="trainval"), "the same, ImageSets/Main/trainval.txt"),
    "voc-val": Layout(partial(open_voc, split="val"), "the same, ImageSets/Main/val.txt"),
    "vot": Layout(open_vot, "list.txt, NAME/groundtruth.txt and images"),
}


def open_dataset(source: str) -> Dataset:
    """The sequences of ``LAYOUT:PATH``, in order; a sequence is read when it is asked for, its frames later still.

    ``synthetic`` alone will do, too: it needs no path.

    Raises:
        SourceError: There is no colon, no such layout or path, nothing in this layout at the path, or sequences that
            the layout lists are missing.

    Example:
        >>> open_dataset("otb10:/data/OTB")
        Traceback (most recent call last):
        siamfc.errors.SourceError: there is no layout 'otb10' (did you mean otb100?); the layouts are coco, crops, ...
    """
    layout, colon, place = source.partition(":")
    if layout == "synthetic":
        return _open_synthetic(Path(place))
    if not colon or not place:
        raise SourceError(f"a dataset is given as LAYOUT:PATH, for example otb:/data/OTB, not {source!r}")
    if layout not in LAYOUTS:
        known = ", ".join(LAYOUTS)
        raise SourceError(f"there is no layout {layout!r}{nearest(layout, LAYOUTS)}; the layouts are {known}")
    root = Path(place).expanduser()
    if not root.exists():
        raise SourceError(f"{source}: {root} does not exist; {layout} expects there: {LAYOUTS[layout].expects}")
    return LAYOUTS[layout].open(root)
