"""Which sequences are targets of one video, and what must not mix or confuse these."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.calibration.regions import RegionKind, draw_regions
from siamfc.config import FilterConfig, PairConfig, TrackerConfig
from siamfc.data import open_dataset
from siamfc.data.crop_records import CropSettings, track_key
from siamfc.data.mixture import HeldOut, Mixture, open_mixture
from siamfc.data.pair_crops import PairReader
from siamfc.data.pairs import PairKind, PairSampler, pair_generator
from siamfc.data.preparing import prepare_store
from siamfc.data.usable import Track
from siamfc.errors import CalibrationError
from siamfc.training.held_out import HeldOutPairs
from siamfc.training.labels import batch_strangers
from siamfc.training.loading import PairBatch
from tests.data import test_davis, test_imagenet_vid, test_mot
from tests.data.pictures import Picture, settings, write_boxes, write_plain, write_png, write_stills
from tests.data.test_crop_store import change, records
from tests.data.trees import write_rows


def write_otb(root: Path, photograph: Picture) -> Path:
    """Jogging with two targets, one in red pictures, and Walking with one, in blue ones."""
    for name, channel, corners in (("Jogging", 0, (20, 90)), ("Walking", 2, (50,))):
        for number in (1, 2, 3):
            picture = np.zeros_like(photograph[:160, :220])
            picture[..., channel] = np.maximum(photograph[:160, :220, channel], 1)
            write_png(root / name / "img" / f"{number:04d}.png", picture)
        for number, left in enumerate(corners, start=1):
            file = f"groundtruth_rect.{number}.txt" if len(corners) > 1 else "groundtruth_rect.txt"
            write_rows(root / name / file, [(left + step, 40, 40, 40) for step in range(3)])
    return root


def videos_of(data: str) -> dict[str, str]:
    """The name of the first sequence of the same video, by a sequence's name."""
    first: dict[str, str] = {}
    return {sequence.name: first.setdefault(sequence.video, sequence.name) for sequence in open_dataset(data)}


def tracks_of(*data: str) -> list[Track]:
    return [track for source in _mixture(*data).sources for track in source.tracks]


def _mixture(*data: str, share: float = 0.0) -> Mixture:
    return open_mixture(data, FilterConfig(), HeldOut(share=share))


def _otb(root: Path, photograph: Picture) -> str:
    return f"otb:{write_otb(root, photograph)}"


def _mot(root: Path, _: Picture) -> str:
    for name in ("MOT17-02", "MOT17-03"):
        test_mot.write_video(root / name, test_mot.ROWS)
    return f"mot:{root}"


def test_mot17s_three_copies_of_a_video_are_one(tmp_path: Path) -> None:
    for detector in ("DPM", "FRCNN", "SDP"):
        test_mot.write_video(tmp_path / f"MOT17-02-{detector}", test_mot.ROWS)
    assert set(videos_of(f"mot:{tmp_path}").values()) == {"MOT17-02-DPM-3"}


def _davis(root: Path, _: Picture) -> str:
    labels = test_davis.mask((1, 1, 1, 4, 4), (2, 6, 6, 4, 4))
    for name in ("cows", "goat"):
        test_davis.write_video(root, name, [labels, labels])
    return f"davis:{root}"


def _vid(root: Path, _: Picture) -> str:
    shown = test_imagenet_vid.xml((0, 1, 1, 8, 8, 0), (1, 2, 2, 9, 9, 0))
    for number in range(2):
        test_imagenet_vid.write_video(root, f"val/ILSVRC2015_val_0000000{number}", [shown, shown])
    return f"imagenet-vid-val:{root}"


def _coco(root: Path, photograph: Picture) -> str:
    return f"coco:{write_stills(root, photograph)}"


def _plain(root: Path, photograph: Picture) -> str:
    for name in ("group1_1", "group1_2", "FOD_A-001", "FOD_A-002"):
        write_plain(root / name, photograph, [(40, 60)])
    return f"plain:{root}"


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (_otb, {"Jogging-1": "Jogging-1", "Jogging-2": "Jogging-1", "Walking": "Walking"}),
        (_mot, {f"MOT17-0{video}-{track}": f"MOT17-0{video}-3" for video in (2, 3) for track in (3, 7)}),
        (_davis, {f"{video}-{number}": f"{video}-1" for video in ("cows", "goat") for number in (1, 2)}),
        (
            _vid,
            {
                f"ILSVRC2015_val_0000000{video}-{track}": f"ILSVRC2015_val_0000000{video}-0"
                for video in (0, 1)
                for track in (0, 1)
            },
        ),
        (_coco, {"1-11": "1-11", "1-12": "1-11", "2-13": "2-13"}),
        (
            _plain,
            {"FOD_A-001": "FOD_A-001", "FOD_A-002": "FOD_A-002", "group1_1": "group1_1", "group1_2": "group1_1"},
        ),
    ],
)
def test_targets_of_one_video_are_known_by_where_their_frames_lie(
    tmp_path: Path, photograph: Picture, write: Callable[[Path, Picture], str], expected: dict[str, str]
) -> None:
    assert videos_of(write(tmp_path, photograph)) == expected


def test_a_store_keeps_which_targets_are_of_one_video(tmp_path: Path, photograph: Picture) -> None:
    data = [_otb(tmp_path / "otb", photograph), _coco(tmp_path / "stills", photograph)]
    data.append(_plain(tmp_path / "plain", photograph))
    store = tmp_path / "store"
    prepare_store(data, store, settings=CropSettings(264, quality=None), filters=FilterConfig())
    kept = videos_of(f"crops:{store}")
    assert {name: first for name, first in kept.items() if name != first} == {
        "otb/Jogging-2": "otb/Jogging-1",
        "stills/1-12": "stills/1-11",
        "plain/group1_2": "plain/group1_1",
    }
    for share in (0.2, 0.4, 0.6):
        stored = [track.name.rpartition("/")[2] for track in _mixture(f"crops:{store}", share=share).held_out]
        assert stored == [track.name for track in _mixture(*data, share=share).held_out]
    without = {key: json.loads(data) for key, data in records(store).items() if key.startswith(track_key(0)[:6])}
    for record in without.values():
        del record["video"]
    change(store, {key: json.dumps(record).encode() for key, record in without.items()})
    old = videos_of(f"crops:{store}")
    assert {name: first for name, first in old.items() if name != first} == {"plain/group1_2": "plain/group1_1"}


def test_a_share_holds_out_all_targets_of_a_video_or_none(tmp_path: Path, photograph: Picture) -> None:
    names = [f"{video}-{number}" for video in "abcdefgh" for number in (1, 2, 3)]
    for name in names:
        folder, number = tmp_path / name[0], name[2:]
        write_png(folder / "img" / "0001.png", photograph[:100, :100])
        write_rows(folder / f"groundtruth_rect.{number}.txt", [(20, 20, 30, 30)])
    mixture = _mixture(f"otb:{tmp_path}", share=0.5)
    held_out = {track.name for track in mixture.held_out}
    assert held_out == {name for name in names if f"{name[0]}-1" in HeldOut(share=0.5)}
    assert 0 < len(held_out) < len(names)


def test_a_stranger_is_of_another_video(tmp_path: Path, photograph: Picture) -> None:
    tracks = tracks_of(_otb(tmp_path, photograph))
    with pytest.raises(CalibrationError, match="at least two videos"):
        draw_regions(tracks[:2], TrackerConfig(), count=2)
    for target in draw_regions(tracks, TrackerConfig(), count=4):
        for _, image in target.regions[RegionKind.STRANGER]:
            red, _, blue = image.reshape(-1, 3).mean(axis=0)
            assert (red > blue) == (target.name == "Walking")


def test_negative_pairs_groups_and_held_out_figures_take_strangers_of_other_videos(
    tmp_path: Path, photograph: Picture
) -> None:
    mixture = _mixture(_otb(tmp_path, photograph))
    sampler = PairSampler(mixture.sources, PairConfig(negative_share=0.5))
    pairs = [sampler.draw(pair_generator(0, 0, number)) for number in range(60)]
    for pair in pairs:
        same = pair.exemplar.track.name[:7] == pair.search.track.name[:7]
        assert same == (pair.kind is not PairKind.NEGATIVE)
    config = settings("training.held_out_pairs=12")
    crops = [PairReader(PairSampler(mixture.sources, config.pairs), config).read(0, number) for number in range(8)]
    names = [pair.name[:7] for pair in crops]
    expected = [[own != other for other in names] for own in names]
    assert batch_strangers(PairBatch.of(crops), 8).tolist() == expected
    held_out = HeldOutPairs(tracks_of(f"otb:{tmp_path}"), config)
    for pair, exemplar in zip(held_out.pairs, held_out._strangers(), strict=True):
        red, _, blue = exemplar.reshape(-1, 3).mean(axis=0)
        assert (red > blue) == (pair.name == "Walking")


def test_an_image_folder_read_by_two_layouts_is_one_video(tmp_path: Path, photograph: Picture) -> None:
    write_otb(tmp_path, photograph)
    write_boxes(tmp_path / "Walking" / "img", [("0001", Box(50, 40, 40, 40))])
    (plain,), (*_, walking) = tracks_of(f"plain:{tmp_path / 'Walking'}"), tracks_of(f"otb:{tmp_path}")
    assert plain.video == walking.video
