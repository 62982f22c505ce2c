"""A pair's two crops: the same whoever asks, the target where the label says, frames that cannot be read replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.config import TrainConfig
from siamfc.crops import CropRegion, context_side, crop
from siamfc.data.pair_crops import PairReader
from siamfc.data.pairs import PairKind, PairSampler
from siamfc.data.usable import Track
from siamfc.errors import SourceError
from siamfc.training.labels import cell_centers_px
from siamfc.training.loading import Share, read_batches
from siamfc.workers import limited_threads
from tests.data.pictures import CORNERS, Picture, Pictures, reader_of, settings, source_of, track_of, write_plain
from tests.data.test_augmentation import blob, centroid
from tests.scenes import EYE, pan

STILL = (
    "augmentation.exemplar_shift_px=0", "augmentation.search_shift_px=0", "augmentation.search_scale=0",
    "augmentation.stretch=0", "augmentation.rotation_deg=0",
)  # fmt: skip


def reader(config: TrainConfig, *tracks: Track) -> PairReader:
    return PairReader(PairSampler((source_of(*tracks),), config.pairs), config)


@pytest.fixture
def panned(photograph: Picture) -> Track:
    scene = pan(photograph, CORNERS)
    return track_of(scene.frames, scene.boxes, "pan")


def same(one: Any, other: Any) -> bool:
    images = all(np.array_equal(getattr(one, role), getattr(other, role)) for role in ("exemplar", "search"))
    return images and (one.center, one.kind, one.photometry) == (other.center, other.kind, other.photometry)


def test_without_augmentation_the_crops_are_the_trackers_own(panned: Track, photograph: Picture) -> None:
    pair = reader(settings(*STILL), panned).read(0, 0)
    assert pair.center == (127.5, 127.5)
    frames = {
        place: crop(image, CropRegion(*Box(*box).center, context_side(EYE, 0.5) * 255 / 127, 255))
        for place, (image, box) in enumerate(zip(panned.sequence.frames, panned.boxes, strict=True))
    }
    assert any(np.array_equal(pair.search, image) for image in frames.values())
    assert pair.exemplar.shape == (127, 127, 3)


def test_the_labels_centre_is_the_targets_with_everything_on() -> None:
    config = settings(
        "augmentation.rotation_deg=20", "augmentation.flip_share=0.5", "augmentation.search_scale=0.2",
        "augmentation.stretch=0.1",
    )  # fmt: skip
    centers = [(310.37, 251.81), (280.1, 240.6), (330.9, 262.2)]
    spots = track_of([blob(center) for center in centers], [Box(x - 35, y - 30, 70, 60) for x, y in centers])
    reads = reader(config, spots)
    for number in range(12):
        pair = reads.read(0, number)
        # OpenCV rounds positions to 1/32 frame pixel, and grey levels are whole.
        assert centroid(pair.search) == pytest.approx(pair.center, abs=0.06)


def test_pairs_are_the_same_in_any_order_and_by_any_reader(panned: Track) -> None:
    config = settings("pairs.hard_negative_share=0.3", "augmentation.flip_share=0.5")
    first, second = reader(config, panned), reader(config, panned)
    backwards = {number: second.read(1, number) for number in reversed(range(10))}
    assert all(same(first.read(1, number), backwards[number]) for number in range(10))
    assert not same(first.read(1, 0), first.read(2, 0))


def test_batches_are_the_same_for_any_number_of_workers_and_processes(tmp_path: Path, photograph: Picture) -> None:
    write_plain(tmp_path / "pan", photograph)
    config = settings("pairs.per_epoch=12", "training.batch_size=4")
    reads = reader_of([f"plain:{tmp_path}"], config)
    with limited_threads(1):  # OpenCV's threads do not come along when a process forks
        alone = list(read_batches(reads, 3))
        ahead = list(read_batches(reads, 3, workers=2))
    halves = [list(read_batches(reads, 3, share=Share(rank, 2))) for rank in (0, 1)]
    later = list(read_batches(reads, 3, first=2))
    assert len(alone) == 3
    for whole, other, left, right in zip(alone, ahead, *halves, strict=True):
        for field in ("exemplars", "searches", "centers"):
            ours = getattr(whole, field).numpy()
            np.testing.assert_array_equal(ours, getattr(other, field).numpy())
            parts = np.concatenate([getattr(left, field).numpy(), getattr(right, field).numpy()])
            np.testing.assert_array_equal(ours, parts)
    np.testing.assert_array_equal(later[0].searches.numpy(), alone[2].searches.numpy())


def test_a_still_gives_two_augmentations_of_one_image_read_once(photograph: Picture) -> None:
    class Counted(Pictures):
        reads = 0

        def __getitem__(self, index: int) -> Picture:
            self.reads += 1
            return super().__getitem__(index)

    still = track_of([photograph], [EYE], "still")
    counted = Counted([photograph])
    object.__setattr__(still.sequence, "frames", counted)
    pair = reader(settings("augmentation.search_scale=0.2"), still).read(0, 0)
    assert counted.reads == 1
    assert pair.kind is PairKind.POSITIVE
    assert pair.photometry[0] != pair.photometry[1]
    assert not np.array_equal(pair.exemplar, pair.search[64:191, 64:191])


def test_an_unreadable_image_is_skipped_and_named_and_its_replacement_is_always_the_same(
    tmp_path: Path, photograph: Picture
) -> None:
    folder = write_plain(tmp_path / "pan", photograph)
    for name in ("0035.png", "0055.png"):
        (folder / name).write_bytes(b"no picture")
    config = settings()
    once, again = ([reader_of([f"plain:{tmp_path}"], config).read(0, number) for number in range(10)] for _ in range(2))
    skipped = [text for pair in once for text in pair.skipped]
    assert {text.rpartition("pan/")[2].partition(" ")[0] for text in skipped} == {"0035.png", "0055.png"}
    assert all(same(one, other) and one.skipped == other.skipped for one, other in zip(once, again, strict=True))


def test_a_dataset_of_unreadable_images_is_an_error_in_the_end(panned: Track) -> None:
    class Unreadable(Pictures):
        def __getitem__(self, index: int) -> Picture:
            raise SourceError("img cannot be read")

    object.__setattr__(panned.sequence, "frames", Unreadable(list(panned.sequence.frames)))
    with pytest.raises(SourceError, match="20 pairs in a row could not be read; the last: img cannot be read"):
        reader(settings(), panned).read(0, 0)


def test_no_window_of_a_hard_negative_centres_on_the_target(panned: Track) -> None:
    config = settings("pairs.hard_negative_share=1", "augmentation.flip_share=0.5")
    reads = reader(config, panned)
    cells = cell_centers_px(255, 127, 8).numpy()
    width, height = (side * 127 / context_side(EYE, 0.5) for side in (EYE.width, EYE.height))
    for number in range(30):
        pair = reads.read(0, number)
        assert pair.kind is PairKind.HARD_NEGATIVE
        across = np.abs(cells - pair.center[0]).min() / width
        down = np.abs(cells - pair.center[1]).min() / height
        assert max(across, down) >= 1 - 1e-9, "boxes of the target's size do not meet"


def test_hard_negatives_show_the_targets_own_frame(photograph: Picture) -> None:
    frame = np.full((700, 900, 3), 40, np.uint8)
    frame[330:370, 430:470] = 250
    config = settings("pairs.hard_negative_share=1")
    pair = reader(config, track_of([frame], [Box(430, 330, 40, 40)])).read(0, 0)
    assert np.median(pair.search) == 40
    assert pair.exemplar[63, 63].tolist() == [250, 250, 250]


def test_a_negative_pair_shows_the_other_video_and_names_the_exemplars(panned: Track) -> None:
    dark = track_of([np.full((300, 300, 3), 7, np.uint8)], [Box(130, 130, 40, 40)], "dark")
    reads = reader(settings("pairs.negative_share=1"), panned, dark)
    for number in range(6):
        pair = reads.read(0, number)
        assert (pair.search == 7).all() == (pair.name == "pan")
        assert (pair.exemplar == 7).all() == (pair.name == "dark")
