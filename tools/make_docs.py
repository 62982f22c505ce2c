"""Make the documents' figures and numbers anew, after a change of the shipped weights or of how pictures are drawn.

    python tools/make_docs.py                    # everything: some ten minutes on one core
    python tools/make_docs.py --only pictures    # or equivariance (measures), or text (from the stored figures)

Everything comes from the package's own rendered clip. Writes docs/demo.png, docs/images, docs/equivariance.json and
docs/equivariance.md, the last from docs/equivariance.md.in.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from siamfc import SiamFC, load_model
from siamfc.boxes import Box
from siamfc.crops import CropRegion, context_side, crop, mean_color
from siamfc.data import RenderedClip, render_clip
from siamfc.data.rendered_picture import render_picture
from siamfc.demo import ClipSource, run_demo
from siamfc.drawing import SHADE
from siamfc.equivariance import EquivarianceReport, measure_equivariance, named_figures, read_report, save_figure
from siamfc.files import write_text
from siamfc.frames import Image, as_bgr
from siamfc.matching.drawing import draw_matches, heat_over_picture
from siamfc.matching.matcher import Matcher
from siamfc.opencv import cv2
from siamfc.video import read_image
from siamfc.visualize.maps import draw_pair
from siamfc.visualize.runs import visualize_video

DOCS = Path(__file__).resolve().parent.parent / "docs"

_DRAWN_FRAME = 95  # the look-alike is near, the target has grown
_MATCHED_PICTURE = 7  # three copies at three sizes, and look-alikes of the same colours
_GAP_PX = 16
_JPEG_QUALITY = 88


def make_pictures(model: SiamFC) -> None:
    """The demo's picture, the panel of a frame, the curves, a sheet of pairs, all of the demo's clip; and matches."""
    clip = render_clip(0)
    with tempfile.TemporaryDirectory() as folder:
        run_demo(Path(folder) / "demo", model=model)
        shutil.copy(Path(folder) / "demo" / "demo.png", DOCS / "demo.png")
        visualize_video(
            ClipSource(clip, "the demo's clip"),
            clip.boxes[0],
            output=Path(folder),
            frames=[_DRAWN_FRAME],
            views=["panel"],
            truth=lambda frame: clip.boxes[frame.number],
            model=model,
        )
        _save_jpeg(DOCS / "images" / "score-maps.jpg", read_image(Path(folder) / f"panel-{_DRAWN_FRAME:06d}.png"))
        shutil.copy(Path(folder) / "curves.png", DOCS / "images" / "curves.png")
    rows = [_pair_row(model, clip, number) for number in (10, 60, 95)]
    _save_jpeg(DOCS / "images" / "pairs.jpg", np.vstack(rows))
    _save_jpeg(DOCS / "images" / "matches.jpg", _matches_picture(model))


def measure(photographs: Path | None) -> None:
    """The report and its figure; with a folder of photographs also the report on those."""
    if photographs is not None:
        real = measure_equivariance(photographs, count=3, watch=_say)
        write_text(DOCS / "equivariance-photographs.json", real.to_json(), overwrite=True)
    report = measure_equivariance(watch=_say)
    write_text(DOCS / "equivariance.json", report.to_json(), overwrite=True)
    save_figure(DOCS / "images" / "equivariance.png", report, overwrite=True)


def write_document() -> None:
    """docs/equivariance.md from its template and the stored report."""
    text = fill_template(read_report(DOCS / "equivariance.json"), read_report(DOCS / "equivariance-photographs.json"))
    write_text(DOCS / "equivariance.md", text, overwrite=True)


def fill_template(report: EquivarianceReport, photographs: EquivarianceReport) -> str:
    """The template with every ``{name}`` replaced by the figure of that name; an unknown name is a KeyError."""
    real = {f"photographs.{name}": text for name, text in named_figures(photographs).items()}
    figures = named_figures(report) | real
    template = (DOCS / "equivariance.md.in").read_text(encoding="utf-8")
    return re.sub(r"\{([a-z0-9_.]+)\}", lambda match: figures[match[1]], template)


def _pair_row(model: SiamFC, clip: RenderedClip, number: int) -> Image:
    """The first frame's exemplar in a later frame's search crop, the target a little off its middle."""
    aside, stride = (14.0, -9.0), model.stride
    exemplar = _crop_around(clip.render(0), clip.boxes[0], 127, (0.0, 0.0))
    search = _crop_around(clip.render(number), clip.boxes[number], 255, aside)
    with torch.inference_mode():
        maps = model(*(torch.from_numpy(image).permute(2, 0, 1)[None] for image in (exemplar, search)))
    center = (127.5 + aside[0], 127.5 + aside[1])
    return draw_pair(exemplar, search, maps[0].numpy(), center=center, stride=stride, note=f"frame {number}")


def _matches_picture(model: SiamFC) -> Image:
    """An exemplar, a rendered picture with what was found in it, and the heat map over it, side by side."""
    picture = render_picture(_MATCHED_PICTURE)
    found = Matcher(model, picture.exemplar).search(picture.image)
    matches = found.matches()
    parts = [
        draw_matches(picture.image, matches, ["exemplar"]),
        heat_over_picture(picture.image, found.map(), matches),
    ]
    height, width = picture.exemplar.shape[:2]
    beside = np.full((len(picture.image), width + 2 * _GAP_PX, 3), SHADE, np.uint8)
    beside[_GAP_PX : _GAP_PX + height, _GAP_PX : _GAP_PX + width] = picture.exemplar
    whole = np.concatenate([beside, *parts], axis=1)
    return np.asarray(cv2.resize(whole, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _crop_around(frame: Image, box: Box, size: int, aside: tuple[float, float]) -> Image:
    """The crop in which the box's centre lies ``aside`` crop pixels off the middle."""
    scale = context_side(box, 0.5) / 127
    (x, y), (right, down) = box.center, aside
    return crop(frame, CropRegion(x - right * scale, y - down * scale, size * scale, size), mean_color(frame))


def _save_jpeg(path: Path, image: Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), as_bgr(image), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])


def _say(what: str, done: int, total: int) -> None:
    if done in (0, 1, total):
        print(f"{what}: {done} of {total}", file=sys.stderr)


def main() -> None:
    """Make what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("pictures", "equivariance", "text"))
    parser.add_argument("--photographs", type=Path, help="measure on real pictures anew, too")
    arguments = parser.parse_args()
    only = arguments.only
    if only in (None, "pictures"):
        make_pictures(load_model(device="cpu"))
    if only in (None, "equivariance"):
        measure(arguments.photographs)
    if only != "pictures":
        write_document()


if __name__ == "__main__":
    main()
