"""Trackers by name: ours, anything in Python, OpenCV's; each wrong name or missing piece in one clear line."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siamfc.boxes import Box
from siamfc.checkpoint import load_model
from siamfc.config import TrackerConfig
from siamfc.errors import ConfigError, EnvironmentProblem, SiamfcError, TrackerError
from siamfc.evaluation.opencv_trackers import whole_pixels
from siamfc.evaluation.trackers import choose_tracker, factory_tracker
from siamfc.model import SiamFC
from siamfc.opencv import cv2
from siamfc.runtimes.exported import export_model
from siamfc.tracker.tracker import Tracker
from tests.evaluation.tiny import Reacting, write_module
from tests.scenes import Picture, pan


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # so that what is put there is taken out again


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("simafc", "did you mean siamfc"),
        ("siamfc:x", "there is no tracker"),
        ("opencv:CRST", "did you mean CSRT"),
        ("python:module", "python:MODULE:FACTORY"),
        ("python:no_such_module:Thing", "cannot import 'no_such_module'"),
    ],
)
def test_a_tracker_that_is_not_there_is_named(text: str, said: str) -> None:
    with pytest.raises(TrackerError, match=said):
        choose_tracker(text).describe()


def test_our_own_tracker_is_described_by_hash_and_settings(tmp_path: Path) -> None:
    choice = choose_tracker("siamfc", overrides=["tracker.num_scales=5"], device="cpu")
    described = choice.describe()
    assert choice.name == described["weights"] == "mobilenetv2"
    assert len(described["sha256"]) == 64
    assert described["settings"]["num_scales"] == 5
    assert described["device"] == "cpu"
    assert json.loads(json.dumps(described)) == described
    assert pickle.loads(pickle.dumps(choice)) == choice


def test_what_computes_is_described_settled_and_sent_to_workers(tmp_path: Path) -> None:
    torch_fp32 = choose_tracker("siamfc", device="cpu")
    assert torch_fp32.describe()["runtime"]["name"] == "torch"
    pytest.importorskip("onnx")
    choice = choose_tracker("siamfc", device="cpu", runtime="onnxruntime")
    described = choice.describe()
    assert described["runtime"]["name"] == "onnxruntime"
    assert described["runtime"]["precision"] == "fp32"
    assert described["runtime"]["version"] is not None
    assert {**described, "runtime": None} == {**torch_fp32.describe(), "runtime": None}
    tracker = pickle.loads(pickle.dumps(choice)).build()
    assert tracker._search._runtime.name == "onnxruntime"
    assert choose_tracker("siamfc", device="cpu", runtime="auto").describe()["runtime"]["name"] != "auto"


def test_an_exported_folder_is_described_by_its_graphs_hash(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    export_model(load_model(device="cpu"), tmp_path / "made")
    choice = choose_tracker("siamfc", device="cpu", runtime="made")
    described = choice.describe()["runtime"]
    assert (described["name"], described["precision"]) == ("onnxruntime", "fp32")
    assert len(described["graph"]) == 64
    assert choice.build()._search._runtime.name == "onnxruntime"


def test_a_runtime_that_cannot_be_had_is_told_before_anything_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="did you mean openvino"):
        choose_tracker("siamfc", device="cpu", runtime="openvin")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'siamfc\[onnx\]'"):
        choose_tracker("siamfc", device="cpu", runtime="onnxruntime")


def test_a_setting_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ConfigError, match="num_scales"):
        choose_tracker("siamfc", overrides=["tracker.num_scale=5"])


@pytest.mark.parametrize("config", [{"tracker": {"num_scales": 5}}, TrackerConfig(num_scales=5)])
def test_overrides_go_over_settings_however_these_are_given(config: Any) -> None:
    choice = choose_tracker("siamfc", config=config, overrides=["tracker.window_influence=0.3"], device="cpu")
    settings = choice.describe()["settings"]
    assert (settings["num_scales"], settings["window_influence"], settings["context_weight"]) == (5, 0.3, 0.2)


def test_a_model_in_memory_is_told_how_it_is_evaluated(mobilenetv2: SiamFC) -> None:
    with pytest.raises(TrackerError, match=r"trackers=lambda: siamfc.Tracker\(model\)"):
        choose_tracker("siamfc", weights=mobilenetv2)
    with pytest.raises(TrackerError, match="a Tracker is no function"):
        factory_tracker(Tracker(mobilenetv2))


def test_a_tracker_in_the_present_folder_is_found_and_an_edit_makes_it_another(tmp_path: Path) -> None:
    path = write_module(
        tmp_path, "class Still:\n    def init(self, f, b): pass\n    def update(self, f): pass\n", "mine"
    )
    choice = choose_tracker("python:mine:Still")
    before = choice.describe()
    assert choice.name == "mine.Still"
    assert pickle.loads(pickle.dumps(choice)).build().update(None) is None
    path.write_text(path.read_text() + "# edited\n")
    assert choice.describe()["sha256"] != before["sha256"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("python:broken:Nothing", "has no 'Nothing'"),
        ("python:broken:number", "cannot be called"),
        ("python:broken:raises", r"could not be built \(OSError: no weights\)"),
        ("python:broken:no_tracker", r"gives a int, which has no init"),
    ],
)
def test_a_factory_that_gives_no_tracker_is_named(text: str, said: str, tmp_path: Path) -> None:
    write_module(
        tmp_path,
        "number = 1\ndef raises():\n    raise OSError('no weights')\ndef no_tracker():\n    return 1\n",
        "broken",
    )
    with pytest.raises(TrackerError, match=said):
        choose_tracker(text).build()


def test_any_function_that_gives_a_tracker_will_do() -> None:
    choice = factory_tracker(Reacting)
    assert choice.name == "Reacting"
    assert isinstance(choice.build(), Reacting)
    assert choice.describe()["module"] == "tests.evaluation.tiny"


def test_opencvs_mil_follows_a_target_in_rgb_frames(photograph: Picture) -> None:
    scene = pan(photograph, [(100, 80), (102, 80), (104, 81)])
    tracker = choose_tracker("opencv:mil").build()
    tracker.init(scene.frames[0], scene.boxes[0])
    for frame, box in zip(scene.frames[1:], scene.boxes[1:], strict=True):
        found = tracker.update(frame)
        assert isinstance(found, Box)
        assert max(abs(found.x - box.x), abs(found.y - box.y)) < 10  # MIL's samples depend on the clock


def test_a_frame_in_which_opencv_lost_the_target_has_no_box() -> None:
    class Lost:
        def init(self, frame: object, box: object) -> None: ...
        def update(self, frame: object) -> tuple[bool, tuple[int, int, int, int]]:
            return False, (1, 2, 3, 4)

    tracker = choose_tracker("opencv:MIL").build()
    tracker._tracker = Lost()  # type: ignore[attr-defined]
    assert tracker.update(np.zeros((8, 8, 3), np.uint8)) is None


@pytest.mark.skipif(hasattr(cv2, "TrackerCSRT_create"), reason="this OpenCV is the contrib wheel")
@pytest.mark.parametrize("name", ["CSRT", "KCF"])
def test_what_only_the_contrib_wheel_has_says_which_wheel_and_how(name: str) -> None:
    with pytest.raises(TrackerError, match=r"opencv-contrib-python alone.*second environment.*--results"):
        choose_tracker(f"opencv:{name}").build()


def test_nano_says_which_files_it_wants(tmp_path: Path) -> None:
    with pytest.raises(TrackerError, match=r"backbone=FILE --tracker-option neckhead=FILE"):
        choose_tracker("opencv:Nano")
    with pytest.raises(TrackerError, match="takes no option 'head'"):
        choose_tracker("opencv:Nano", options={"head": "x"})
    files = {"backbone": "b.onnx", "neckhead": "h.onnx"}
    with pytest.raises(TrackerError, match=r"backbone is to be a file, and .*b\.onnx is none"):
        choose_tracker("opencv:Nano", options=files)
    for name in files.values():
        (tmp_path / name).write_bytes(b"no model")
    choice = choose_tracker("opencv:Nano", options=files)
    assert set(choice.describe()["models"]) == {"backbone", "neckhead"}
    with pytest.raises(TrackerError, match="cannot read Nano's model files"):
        choice.build()


def test_options_for_a_tracker_that_takes_none_are_an_error() -> None:
    with pytest.raises(SiamfcError, match="takes no --tracker-option"):
        choose_tracker("siamfc", options={"backbone": "x"})
    with pytest.raises(SiamfcError, match="it takes none"):
        choose_tracker("opencv:MIL", options={"backbone": "x"})


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        (Box(10.4, 10.6, 20.4, 20.6), (10, 11, 20, 21)),
        (Box(-5, -5, 10, 10), (0, 0, 5, 5)),
        (Box(95, 75, 10, 10), (95, 75, 5, 5)),
        (Box(10, 10, 0.2, 0.2), (10, 10, 1, 1)),
        (Box(99.9, 79.9, 3, 3), (99, 79, 1, 1)),
    ],
)
def test_opencv_gets_whole_pixels_inside_the_frame(box: Box, pixels: tuple[int, ...]) -> None:
    assert whole_pixels(box, height=80, width=100) == pixels
