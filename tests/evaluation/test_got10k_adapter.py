"""Our tracker run by the PyPI package got10k 0.1.3, and without it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from siamfc.boxes import Box
from siamfc.evaluation import Got10kTracker
from siamfc.model import SiamFC
from siamfc.opencv import cv2
from siamfc.tracker.tracker import Tracker
from siamfc.video import read_image
from tests.clips import short_clip

CLIP = short_clip(5)
ONE_BASED = np.array([Box(*box).to_one_based() for box in CLIP.boxes])


@pytest.fixture
def _got10k(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wget", ModuleType("wget"))  # it downloads and nothing else
    pytest.importorskip("got10k", reason="the package got10k is not installed (extra dev)")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GOT-10k's layout with one sequence."""
    root = tmp_path_factory.mktemp("GOT-10k")
    folder = root / "val" / "GOT-10k_Val_000001"
    folder.mkdir(parents=True)
    (root / "val" / "list.txt").write_text(f"{folder.name}\n")
    for number, image in enumerate(CLIP, start=1):
        (folder / f"{number:08}.jpg").write_bytes(cv2.imencode(".jpg", image[..., ::-1])[1].tobytes())
    np.savetxt(folder / "groundtruth.txt", ONE_BASED, fmt="%.4f", delimiter=",")
    return root


@pytest.fixture(scope="module")
def files(root: Path) -> list[str]:
    return sorted(str(path) for path in root.glob("val/*/*.jpg"))


@pytest.fixture(scope="module")
def expected(files: list[str], mobilenetv2: SiamFC) -> NDArray[np.float64]:
    """(5, 4) what `Tracker` gives, 0-based; the file's four decimals are those of the experiment's start."""
    start = np.round(ONE_BASED[0], 4) - [1, 1, 0, 0]
    results = Tracker(mobilenetv2).track((read_image(path) for path in files), start)
    return np.array([result.box for result in results])


class Scripted:
    """A tracker that gives what it was told to, and keeps what it was given."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.frames: list[NDArray[Any]] = []

    def init(self, frame: NDArray[Any], box: Box) -> None:
        self.frames.append(frame)
        self.box = box

    def update(self, frame: NDArray[Any]) -> object:
        self.frames.append(frame)
        return self.answers.pop(0)


@pytest.mark.usefixtures("_got10k")
def test_an_experiment_of_got10k_writes_the_boxes_of_our_tracker(
    root: Path, tmp_path: Path, mobilenetv2: SiamFC, expected: NDArray[np.float64]
) -> None:
    from got10k.experiments import ExperimentGOT10k

    tracker = Got10kTracker(Tracker(mobilenetv2), name="SiamFC")
    experiment = ExperimentGOT10k(
        str(root), subset="val", result_dir=str(tmp_path / "results"), report_dir=str(tmp_path / "reports")
    )
    experiment.run(tracker)
    records = sorted((tmp_path / "results").rglob("*_001.txt"))
    assert [path.parent.parent.name for path in records] == ["SiamFC"]
    assert not list((tmp_path / "results").rglob("*_002.txt")), "a deterministic tracker is run once"
    written = np.loadtxt(records[0], delimiter=",")
    np.testing.assert_allclose(written - [1, 1, 0, 0], expected, atol=1e-3)  # it writes three decimals


@pytest.mark.usefixtures("_got10k")
def test_the_loop_of_got10k_over_init_and_update_gives_the_same(
    files: list[str], mobilenetv2: SiamFC, expected: NDArray[np.float64]
) -> None:
    from got10k.trackers import Tracker as Theirs

    boxes, seconds = Theirs.track(Got10kTracker(Tracker(mobilenetv2), name="SiamFC"), files, np.round(ONE_BASED[0], 4))
    np.testing.assert_allclose(boxes - [1, 1, 0, 0], expected, atol=1e-9)
    assert (seconds > 0).all()


@pytest.mark.usefixtures("_got10k")
def test_its_window_is_asked_for_each_frame_in_the_colour_order_it_wants(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import got10k.utils.viz

    shown: list[tuple[NDArray[Any], NDArray[np.float64]]] = []
    monkeypatch.setattr(got10k.utils.viz, "show_frame", lambda image, box: shown.append((image, box)))
    tracker = Got10kTracker(Scripted(None), name="scripted")
    tracker.track(files[:2], [1, 1, 4, 4], visualize=True)
    assert [box.tolist() for _, box in shown] == [[1, 1, 4, 4], [0, 0, 0, 0]]
    np.testing.assert_array_equal(shown[0][0][..., ::-1], read_image(files[0]))


def test_boxes_are_counted_as_the_dataset_counts() -> None:
    frame = np.zeros((8, 8, 3), np.uint8)
    for base, given in ((1, Box(0, 1, 3, 4)), (0, Box(1, 2, 3, 4))):
        scripted = Scripted(Box(5, 6, 7, 8))
        tracker = Got10kTracker(scripted, name="scripted", base=base)
        tracker.init(frame, [1, 2, 3, 4])
        assert scripted.box == given
        assert tracker.update(frame).tolist() == [5 + base, 6 + base, 7, 8]
    with pytest.raises(ValueError, match="base is 0 or 1"):
        Got10kTracker(Scripted(), name="scripted", base=2)


@pytest.mark.parametrize("lost", [None, (np.nan, 0, 1, 1)])
def test_a_lost_target_is_a_box_of_no_size_which_overlaps_nothing(lost: object) -> None:
    frame = np.zeros((8, 8, 3), np.uint8)
    tracker = Got10kTracker(Scripted(lost), name="scripted")
    tracker.init(frame, [1, 2, 3, 4])
    assert tracker.update(frame).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_a_picture_of_any_mode_reaches_the_tracker_in_its_colours(mode: str) -> None:
    # A grey of the palette that conversion to "P" takes.
    picture = Image.new("RGB", (8, 6), (51, 51, 51)).convert(mode)
    scripted = Scripted()
    Got10kTracker(scripted, name="scripted").init(picture, [1, 2, 3, 4])
    np.testing.assert_array_equal(scripted.frames[0], np.full((6, 8, 3), 51, np.uint8))
