"""The crop store: cut once, the same whoever cuts it and however often it is stopped; read like any other dataset."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest

import siamfc.data.crop_database
import siamfc.video
from siamfc.boxes import Box
from siamfc.config import FilterConfig, TrainConfig
from siamfc.crops import CropRegion, context_side, crop
from siamfc.data import open_dataset
from siamfc.data.crop_cutting import cut_track
from siamfc.data.crop_database import DATA_FILE, StoreWriter, close_reader, reading
from siamfc.data.crop_records import COMPLETE_KEY, CropSettings, crop_key, side_for, track_key
from siamfc.data.crop_verification import verify_store
from siamfc.data.mixture import HeldOut, open_mixture
from siamfc.data.pair_crops import PairReader
from siamfc.data.preparing import Progress, prepare_store
from siamfc.errors import ConfigError, EnvironmentProblem, OutputError, SiamfcError, SourceError
from siamfc.training.loading import read_batches
from siamfc.workers import Workers, limited_threads
from tests.data.pictures import Picture, mixture_of, reader_of, settings, write_all, write_boxes, write_plain, write_png

LOSSLESS = CropSettings(384, quality=None)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, photograph: Picture) -> list[str]:
    return write_all(tmp_path_factory.mktemp("data"), photograph)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, data: list[str]) -> Path:
    """A store of all the data, without loss."""
    folder = tmp_path_factory.mktemp("stores") / "store"
    prepare(data, folder)
    return folder


def prepare(data: list[str], folder: Path, how: CropSettings = LOSSLESS, **options: Any) -> Any:
    return prepare_store(data, folder, settings=how, filters=FilterConfig(), **options)


def records(folder: Path) -> dict[bytes, bytes]:
    close_reader(folder)
    with lmdb.open(str(folder), readonly=True, lock=False) as environment, environment.begin() as transaction:
        return dict(transaction.cursor())


def change(folder: Path, records: dict[bytes, bytes]) -> None:
    with StoreWriter(folder) as writer:
        writer.put(records)


def copy_of(store: Path, folder: Path) -> Path:
    folder.mkdir()
    (folder / DATA_FILE).write_bytes((store / DATA_FILE).read_bytes())
    return folder


def test_a_stored_crop_is_the_trackers_own_crop_with_the_context_square_at_the_exemplars_size(
    data: list[str], store: Path
) -> None:
    frames, crops = open_dataset(data[0]).find("pan"), open_dataset(f"crops:{store}").find("clips/pan")
    for index in (0, 7):
        box, inner = Box(*frames.boxes[index]), Box(*crops.boxes[index])
        assert context_side(inner, 0.5) == pytest.approx(127)
        assert inner.center == pytest.approx((192, 192))
        assert inner.width / inner.height == pytest.approx(box.width / box.height)
        region = CropRegion(*box.center, side_px=context_side(box, 0.5) * 384 / 127, crop_size=384)
        np.testing.assert_array_equal(crops.frame(index), crop(frames.frame(index), region))


def test_jpeg_keeps_the_crop_but_for_a_few_levels(data: list[str], store: Path, tmp_path: Path) -> None:
    prepare(data[2:], tmp_path / "store", CropSettings(384, quality=90))
    exact, lossy = (
        open_dataset(f"crops:{place}").find("stills/1-11").frame(0) for place in (store, tmp_path / "store")
    )
    assert 0 < np.abs(exact.astype(int) - lossy).mean() < 2


def test_names_numbers_and_order_are_those_of_the_data_with_the_set_in_front(data: list[str], store: Path) -> None:
    dataset = open_dataset(f"crops:{store}")
    assert dataset.names == (
        "clips/back",
        "clips/pan",
        "films/pan",
        "stills/1-11",
        "stills/1-12",
        "stills/2-13",
    )
    assert dataset.find("clips/pan").numbers.tolist() == list(range(5, 85, 10))
    assert dataset.find("films/pan").numbers.tolist() == list(range(8))
    assert dataset.find("clips/pan").meta["source"] == data[0]


def test_datasets_whose_folders_have_the_same_name_are_told_apart(tmp_path: Path, photograph: Picture) -> None:
    for place in ("a", "b"):
        write_plain(tmp_path / place / "train" / "pan", photograph, [(40, 60)])
    prepare([f"plain:{tmp_path / place / 'train'}" for place in ("a", "b")], tmp_path / "store")
    assert open_dataset(f"crops:{tmp_path / 'store'}").names == ("train/pan", "train-2/pan")


@pytest.mark.parametrize("held_out", [HeldOut(("p?n",)), HeldOut(("clips/*",)), HeldOut(share=0.5)])
def test_a_store_holds_out_what_its_source_holds_out(data: list[str], store: Path, held_out: HeldOut) -> None:
    crops = open_dataset(f"crops:{store}").names
    kept_apart = {name for name in crops if name in held_out}
    by_bare_names = {name for name in crops if name.rpartition("/")[2] in held_out}
    assert kept_apart == (by_bare_names or {"clips/back", "clips/pan"})
    assert kept_apart < set(crops)


def test_pairs_from_crops_are_the_pairs_from_frames(data: list[str], store: Path) -> None:
    config = settings("augmentation.rotation_deg=0")
    assert side_for(config) <= 384, "no shift that the settings draw is cut short by the store"
    frames, crops = reader_of(data, config), reader_of([f"crops:{store}"], config)
    for number in range(12):
        ours, theirs = (_pair_of_track(reader, number, "pan") for reader in (frames, crops))
        assert ours.center == pytest.approx(theirs.center, abs=1e-6)
        difference = np.abs(ours.search.astype(int) - theirs.search)
        assert np.median(difference) <= 4, "resampled twice, the store's is a little softer"


def _pair_of_track(reader: Any, number: int, track: str) -> Any:
    """The pair of a number with one track drawn whatever the dataset."""
    from siamfc.data.pair_crops import cut_pair
    from siamfc.data.pairs import Pair, PairKind, View, pair_generator

    rng = pair_generator(0, 0, number)
    tracks = [each for source in reader.sampler._sources for each in source.tracks]
    chosen = next(each for each in tracks if each.name.rpartition("/")[2] == track)
    first, second = (int(place) for place in rng.integers(len(chosen), size=2))
    return cut_pair(Pair(View(chosen, first), View(chosen, second), PairKind.POSITIVE), rng, reader.config)


def test_the_frames_own_border_is_kept_so_that_shifts_stay_within_the_picture(
    tmp_path: Path, photograph: Picture
) -> None:
    folder = tmp_path / "clips" / "edge"
    write_png(folder / "1.png", photograph[:200, :300])
    write_boxes(folder, [("1", Box(20, 70, 40, 40))])
    prepare([f"plain:{tmp_path / 'clips'}"], tmp_path / "store")
    track = open_dataset(f"crops:{tmp_path / 'store'}")[0]
    assert track.levels["border_px"][0] == pytest.approx(40 * 127 / 80, abs=1)
    config = settings("augmentation.stretch=0", "augmentation.search_scale=0")
    pair = reader_of([f"crops:{tmp_path / 'store'}"], config).read(0, 0)
    assert pair.center == (127.5, 127.5), "63 px to the border leave a search crop of 255 px no room"


def test_a_part_beside_the_border_is_shifted_no_farther_than_its_own_distance_from_it(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    write_png(tmp_path / "clips" / "edge" / "1.png", picture)
    write_boxes(tmp_path / "clips" / "edge", [("1", Box(60, 130, 40, 40))])
    prepare([f"plain:{tmp_path / 'clips'}"], tmp_path / "store", CropSettings(480, quality=None))
    config = settings("augmentation.part_share=1", "augmentation.search_shift_px=40", "augmentation.rotation_deg=0")
    reader = reader_of([f"crops:{tmp_path / 'store'}"], config)
    shifted = [pair for pair in (reader.read(0, number) for number in range(120)) if pair.center != (127.5, 127.5)]
    assert len(shifted) > 30
    for pair in shifted:
        across, down = (np.ptp(pair.search, axis=axis).max(axis=1) for axis in (0, 1))
        assert min(across.min(), down.min()) > 0, "no column or row is of the fill colour"


def test_two_workers_and_one_that_is_stopped_again_and_again_store_the_same(
    data: list[str], store: Path, tmp_path: Path
) -> None:
    prepare(data, tmp_path / "two", workers=Workers(2))
    assert records(tmp_path / "two") == records(store)
    for stop_at in (1, 3, 4):
        with pytest.raises(KeyboardInterrupt):
            prepare(data, tmp_path / "stopped", observe=_stopper(stop_at))
    seen: list[Progress] = []
    prepare(data, tmp_path / "stopped", observe=seen.append)
    assert next(step.done for step in seen if step.phase == "cutting") == 4, "four tracks had been kept"
    assert records(tmp_path / "stopped") == records(store)


def _stopper(stop_at: int) -> Callable[[Progress], None]:
    def observe(step: Progress) -> None:
        if step.phase == "cutting" and step.done == stop_at:
            raise KeyboardInterrupt

    return observe


def test_a_killed_preparation_goes_on_and_the_store_is_the_same(data: list[str], store: Path, tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
import siamfc.data.preparing as preparing
from siamfc.config import FilterConfig
from siamfc.data.crop_records import CropSettings
preparing._BATCH_S = 0
def observe(step):
    if step.phase == "cutting" and step.done == 3:
        os.kill(os.getpid(), signal.SIGKILL)
preparing.prepare_store({data!r}, Path({str(tmp_path / "store")!r}), settings=CropSettings(384, quality=None),
                        filters=FilterConfig(), observe=observe)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with pytest.raises(SourceError, match="is not finished: give the command that began it again"):
        open_dataset(f"crops:{tmp_path / 'store'}")
    seen: list[Progress] = []
    prepare(data, tmp_path / "store", observe=seen.append)
    assert next(step.done for step in seen if step.phase == "cutting") == 3
    assert records(tmp_path / "store") == records(store)


def test_the_same_command_on_a_finished_store_changes_nothing(data: list[str], store: Path, tmp_path: Path) -> None:
    folder = copy_of(store, tmp_path / "store")
    assert prepare(data, folder).store.sha256 == verify_store(store).store.sha256
    assert records(folder) == records(store)


def test_a_video_is_opened_once_for_all_its_crops(data: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (track,) = mixture_of(data[1:2], settings()).sources[0].tracks
    opened = []
    original = siamfc.video.open_source
    monkeypatch.setattr(
        siamfc.video, "open_source", lambda *args, **kwargs: opened.append(args) or original(*args, **kwargs)
    )
    assert len(cut_track(track, "films/pan", LOSSLESS, video="films/pan").crops) == 8
    assert len(opened) == 1


def test_what_was_kept_dropped_and_unreadable_is_told(tmp_path: Path, photograph: Picture) -> None:
    folder = write_plain(tmp_path / "clips" / "pan", photograph)
    (folder / "0035.png").write_bytes(b"no picture")
    broken = write_plain(tmp_path / "clips" / "broken", photograph, [(40, 60)])
    (broken / "boxes.csv").write_text("frame,x,y,width,height\n0005,1,2,3,x\n")
    small = write_plain(tmp_path / "clips" / "small", photograph, [(40, 60)])
    write_boxes(small, [("0005", Box(10, 10, 3, 30))])
    check = prepare([f"plain:{tmp_path / 'clips'}"], tmp_path / "store")
    complete = check.store.complete
    assert complete["counts"] == [[f"plain:{tmp_path / 'clips'}", 8, {"too small": 1}]]
    assert len(complete["broken"]) == 1
    assert "boxes.csv, line 2" in complete["broken"][0]
    assert len(complete["unreadable"]) == 1
    assert "0035.png cannot be read as an image" in complete["unreadable"][0]
    assert check.store.tracks == (("clips/pan", 7),)
    assert open_dataset(f"crops:{tmp_path / 'store'}")[0].numbers.tolist() == [5, 15, 25, 45, 55, 65, 75]


def test_nothing_that_can_be_read_is_an_error(tmp_path: Path, photograph: Picture) -> None:
    folder = write_plain(tmp_path / "clips" / "pan", photograph, [(40, 60)])
    (folder / "0005.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match="nothing is left to learn from"):
        prepare([f"plain:{tmp_path / 'clips'}"], tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_the_file_grows_as_it_is_needed(
    data: list[str], store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siamfc.data.crop_database, "_FIRST_MAP_BYTES", 1 << 16)
    prepare(data, tmp_path / "store")
    assert records(tmp_path / "store") == records(store)


def test_a_full_disk_is_one_line_and_what_is_stored_stays(data: list[str], store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with pytest.raises(KeyboardInterrupt):
        prepare(data, folder, observe=_stopper(2))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / DATA_FILE).stat().st_size + 4096, hard))
    try:
        with pytest.raises(OutputError, match=r"cannot write the crop store .*what it holds stays"):
            prepare(data, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert track_key(0) in records(folder)
    prepare(data, folder)
    assert records(folder) == records(store)


def test_other_settings_data_or_things_in_the_folder_are_refused(data: list[str], store: Path, tmp_path: Path) -> None:
    folder = copy_of(store, tmp_path / "store")
    with pytest.raises(OutputError, match=r"was begun otherwise \(quality was None, now 80\)"):
        prepare(data, folder, CropSettings(384, quality=80))
    with pytest.raises(OutputError, match="the data are others"):
        prepare(data[:1], folder)
    prepare(data[2:], folder, overwrite=True)
    assert open_dataset(f"crops:{folder}").names[0] == "stills/1-11"
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(OutputError, match="holds other things than a crop store"):
        prepare(data, tmp_path / "letters", overwrite=True)
    with pytest.raises(OutputError, match="is a file"):
        prepare(data, tmp_path / "letters" / "a.txt")
    assert (tmp_path / "letters" / "a.txt").read_text() == "dear"
    with pytest.raises(ConfigError, match="weights are given when training"):
        prepare([f"{data[0]}@0.5"], tmp_path / "weighted")


def test_a_folder_that_is_no_store_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"holds no data\.mdb; 'siamfc prepare' makes one"):
        open_dataset(f"crops:{tmp_path / 'empty'}")
    with pytest.raises(SourceError, match="does not exist"):
        open_dataset(f"crops:{tmp_path / 'nowhere'}")
    (tmp_path / "empty" / DATA_FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(SourceError, match="is no crop store, or a damaged one"):
        open_dataset(f"crops:{tmp_path / 'empty'}")
    change(tmp_path / "other", {b"key": b"value"})
    with pytest.raises(SourceError, match="is an LMDB database, but no crop store"):
        open_dataset(f"crops:{tmp_path / 'other'}")
    with pytest.raises(OutputError, match="is an LMDB database, but no crop store"):
        prepare_store([f"plain:{_one_clip(tmp_path)}"], tmp_path / "other", settings=LOSSLESS, filters=FilterConfig())


def _one_clip(tmp_path: Path) -> Path:
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    write_png(tmp_path / "clips" / "a" / "1.png", picture)
    write_boxes(tmp_path / "clips" / "a", [("1", Box(20, 20, 20, 20))])
    return tmp_path / "clips"


def test_a_file_that_is_cut_off_is_refused_before_it_ends_the_process(store: Path, tmp_path: Path) -> None:
    folder = copy_of(store, tmp_path / "store")
    os.truncate(folder / DATA_FILE, (folder / DATA_FILE).stat().st_size // 2)
    with pytest.raises(SourceError, match=r"is cut off: \d+ of \d+ bytes"):
        open_dataset(f"crops:{folder}")


def test_a_damaged_crop_is_named_and_training_draws_another_pair_in_its_stead(store: Path, tmp_path: Path) -> None:
    folder = copy_of(store, tmp_path / "store")
    dataset = open_dataset(f"crops:{folder}")
    place = dataset.names.index("clips/pan")
    change(folder, {crop_key(place, crop): b"no picture" for crop in range(1, 8)})
    with pytest.raises(SourceError, match=rf"track {place}, crop 3 is damaged: its 10 bytes are no picture of 384 px"):
        dataset[place].frame(3)
    config = settings()
    twice = [[reader.read(0, number) for number in range(16)] for reader in _two_readers(folder, config)]
    skipped = [text for pair in twice[0] for text in pair.skipped]
    assert skipped
    assert all("is damaged" in text for text in skipped)
    for one, other in zip(*twice, strict=True):
        np.testing.assert_array_equal(one.search, other.search)


def _two_readers(folder: Path, config: TrainConfig) -> list[PairReader]:
    return [reader_of([f"crops:{folder}"], config) for _ in range(2)]


@pytest.mark.parametrize("damage", ["flipped bit", "missing crop", "left over", "other count"])
def test_verifying_finds(damage: str, store: Path, tmp_path: Path) -> None:
    folder = copy_of(store, tmp_path / "store")
    crops = records(folder)
    if damage == "flipped bit":
        jpeg = bytearray(crops[crop_key(1, 2)])
        jpeg[len(jpeg) // 2] ^= 1
        change(folder, {crop_key(1, 2): bytes(jpeg)})
        expected = "the hash of its crops is not the one it says"
    elif damage == "missing crop":
        with lmdb.open(str(folder)) as environment, environment.begin(write=True) as transaction:
            transaction.delete(crop_key(1, 2))
        expected = "crop 2 is damaged"
    elif damage == "left over":
        change(folder, {crop_key(9, 0): b"left over"})
        expected = "records, not"
    else:
        change(folder, {track_key(1): crops[track_key(1)].replace(b'"numbers":[5,', b'"numbers":[')})
        expected = "is not clips/pan of 8 crops"
    problems = verify_store(folder).problems
    assert any(expected in line for line in problems), problems
    assert verify_store(store).problems == ()


def test_a_damaged_record_is_one_line(store: Path, tmp_path: Path) -> None:
    folder = copy_of(store, tmp_path / "store")
    change(folder, {track_key(0): b"{}"})
    with pytest.raises(SourceError, match="track 0 is damaged"):
        _ = open_dataset(f"crops:{folder}")[0]
    change(folder, {COMPLETE_KEY: b"[1"})
    with pytest.raises(SourceError, match="complete is damaged"):
        open_dataset(f"crops:{folder}")


def test_crops_are_read_in_other_processes_whether_forked_or_sent_there(store: Path) -> None:
    config = settings("pairs.per_epoch=8", "training.batch_size=4")
    reader = reader_of([f"crops:{store}"], config)
    with limited_threads(1):  # OpenCV's threads do not come along when a process forks
        here = list(read_batches(reader, 0))  # which opens the store in this process before it forks
        for workers in (1, 2):
            for ours, theirs in zip(here, read_batches(reader, 0, workers=workers), strict=True):
                assert ours.names == theirs.names
                np.testing.assert_array_equal(ours.searches.numpy(), theirs.searches.numpy())
    frames = open_dataset(f"crops:{store}")[0].frames
    assert len(pickle.dumps(frames)) < 1000
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(frames))[3], frames[3])
    np.testing.assert_array_equal(list(frames)[3], frames[3])


def test_lmdb_missing_is_one_line_with_what_to_install(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(EnvironmentProblem, match=r'pip install "siamfc\[train\]"'):
        open_dataset(f"crops:{store}")
    with pytest.raises(EnvironmentProblem, match=r'pip install "siamfc\[train\]"'):
        StoreWriter(store)


def test_sizes_out_of_range_are_refused() -> None:
    with pytest.raises(SiamfcError, match=r"a crop's side is 127 .* not 100"):
        CropSettings(100)
    with pytest.raises(SiamfcError, match="quality is 1 to 100, not 0"):
        CropSettings(384, quality=0)


def test_a_reader_that_meets_a_changed_store_closes_it(store: Path, tmp_path: Path) -> None:
    folder = copy_of(store, tmp_path / "store")
    with reading(folder) as transaction:
        assert transaction.get(track_key(0)) is not None
    change(folder, {track_key(0): b"{}"})  # the writer closes this process's reader first
    with reading(folder) as transaction:
        assert bytes(transaction.get(track_key(0))) == b"{}"


def test_filters_apply_when_the_store_is_made(data: list[str], tmp_path: Path) -> None:
    strict = FilterConfig(min_side_px=60)
    check = prepare_store(data[2:], tmp_path / "store", settings=LOSSLESS, filters=strict)
    assert check.store.tracks == (("stills/1-12", 1),)
    mixture = open_mixture([f"crops:{tmp_path / 'store'}"], strict, HeldOut())
    assert [len(track) for track in mixture.sources[0].tracks] == [1]
