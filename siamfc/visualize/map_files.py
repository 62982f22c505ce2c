"""The files of a look at score maps: pictures, videos, arrays, curves, and the list that says where the maps lie."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from siamfc.config import TrackerConfig
from siamfc.drawing import save_picture
from siamfc.errors import ConfigError, OutputError
from siamfc.files import write_text, write_whole
from siamfc.tracker.track_result import ScoreMaps
from siamfc.video import Frame, VideoWriter
from siamfc.visualize.curves import CurveRow, save_curves
from siamfc.visualize.heat import ColorScale
from siamfc.visualize.maps import map_placement, response_placement, upsampled_maps
from siamfc.visualize.panels import VIEWS, PanelPainter, SeenFrame, View

Format = Literal["png", "mp4", "npy"]

FRAMES_FILE, CURVES_FILE = "frames.json", "curves.png"
_IMAGES_PER_SECOND = 25.0  # videos of image folders, which have no time of their own
_MOST_MARKS = 20  # frames marked in the curves; more would hide them


@dataclass(frozen=True)
class Wanted:
    """What is written, and where.

    Attributes:
        folder: For the files.
        views: What is drawn of each frame.
        formats: As what.
        overwrite: Replace files of an earlier run.

    Raises:
        ConfigError: A view or a format that is not known, or none.
        OutputError: The folder holds an earlier run, and ``overwrite`` is not set.
    """

    folder: Path
    views: Collection[View]
    formats: Collection[Format]
    overwrite: bool

    def __post_init__(self) -> None:
        unknown = [view for view in self.views if view not in VIEWS]
        if unknown:
            raise ConfigError(f"there is no view {unknown[0]!r}; the views are {', '.join(VIEWS)}")
        formats = get_args(Format)
        odd = [name for name in self.formats if name not in formats]
        if odd:
            raise ConfigError(f"there is no format {odd[0]!r}; the formats are {', '.join(formats)}")
        if not self.formats or (not self.views and set(self.formats) != {"npy"}):
            raise ConfigError("neither views nor formats may be empty: nothing would be written")
        if (self.folder / FRAMES_FILE).exists() and not self.overwrite:
            raise OutputError(
                f"{self.folder} holds an earlier run already: allow overwriting (--overwrite, overwrite=True), "
                "or name another folder (--output)"
            )


class MapWriter:
    """The files of a run: pictures and arrays as they come, videos, list and curves at the end; a context manager.

    Args:
        wanted: What is written, and where.
        config: The tracker's settings.
        stride: The network's, search pixels a cell.
        scale: The colours; None where nothing was searched.
    """

    def __init__(self, wanted: Wanted, config: TrackerConfig, stride: int, scale: ColorScale | None) -> None:
        self.files: list[Path] = []
        self._wanted = wanted
        self._config = config
        self._stride = stride
        self._painter = PanelPainter(config, stride, scale)
        self._videos: dict[View, VideoWriter] = {}
        self._places: dict[int, dict[str, Any]] = {}

    def __enter__(self) -> MapWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for video in self._videos.values():
            video.close()

    def add(self, frame: Frame, seen: SeenFrame, *, rate: float | None) -> None:
        """Draw and save a frame; ``rate`` is its video's, frames a second."""
        for view in self._wanted.views if {"png", "mp4"} & set(self._wanted.formats) else ():
            picture = self._painter.paint(seen, view)
            if "png" in self._wanted.formats:
                self.files.append(self._wanted.folder / f"{view}-{frame.number:06d}.png")
                save_picture(self.files[-1], picture, overwrite=self._wanted.overwrite)
            if "mp4" in self._wanted.formats:
                self._video(view, rate).write(picture, frame.time_s)
        if seen.maps is not None:
            self._places[frame.number] = self._describe(seen.maps)
            if "npy" in self._wanted.formats:
                self._save_arrays(frame.number, seen.maps)

    def finish(self, rows: list[CurveRow], *, header: dict[str, Any], marked: Collection[int]) -> None:
        """Write the list of all tracked frames, under ``header``, and their curves with the drawn ones marked."""
        frames = [
            {
                "frame": row.frame,
                "box": [round(value, 4) for value in row.box],
                "score": row.score,
                "scale": row.scale,
                "true_box": None if row.truth is None else list(row.truth),
                "center_error_px": None if row.truth is None else row.center_error_px,
                **self._places.get(row.frame, {}),
            }
            for row in rows
        ]
        self.files.append(self._wanted.folder / FRAMES_FILE)
        write_text(self.files[-1], json.dumps({**header, "frames": frames}, indent=1), overwrite=self._wanted.overwrite)
        if len(rows) > 2:
            self.files.append(self._wanted.folder / CURVES_FILE)
            title, shown = header["source"], sorted(marked) if len(marked) <= _MOST_MARKS else ()
            save_curves(self.files[-1], rows, title=title, marked=shown, overwrite=self._wanted.overwrite)

    def _video(self, view: View, rate: float | None) -> VideoWriter:
        if view not in self._videos:
            self.files.append(self._wanted.folder / f"{view}.mp4")
            frame_rate = rate or _IMAGES_PER_SECOND
            self._videos[view] = VideoWriter(self.files[-1], frame_rate=frame_rate, overwrite=self._wanted.overwrite)
        return self._videos[view]

    def _describe(self, maps: ScoreMaps) -> dict[str, Any]:
        """Where the arrays lie in the frame: cell (i, j)'s window has its centre at (x + j step, y + i step)."""
        raw = map_placement(maps.region, exemplar_px=self._config.exemplar_size, stride=self._stride)
        fine = response_placement(maps.region, self._config, self._stride)
        return {
            "scale_index": maps.scale_index,
            "peak_in_frame": list(fine.point(maps.peak)),
            "raw": raw._asdict(),
            "upsampled": fine._asdict(),
        }

    def _save_arrays(self, number: int, maps: ScoreMaps) -> None:
        upsampled = upsampled_maps(maps, self._config)[maps.scale_index]
        for name, array in (("raw", maps.score_maps), ("upsampled", upsampled), ("response", maps.response)):
            self.files.append(self._wanted.folder / f"{name}-{number:06d}.npy")
            _save_array(self.files[-1], array, overwrite=self._wanted.overwrite)


def _save_array(path: Path, array: NDArray[np.float32], *, overwrite: bool) -> None:
    with write_whole(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
