"""Boxes of one of OpenCV's trackers on OTB sequences, as text files that ``siamfc evaluate --results`` scores.

CSRT and KCF exist only in the contrib wheel, which cannot stand beside opencv-python in one environment; so this script
needs nothing of this package, and is run in a second one:

    python -m venv contrib && contrib/bin/pip install opencv-contrib-python==4.14.0.94
    contrib/bin/python tools/run_opencv_tracker.py CSRT PATH_TO_OTB results/CSRT
    siamfc evaluate --data otb:PATH_TO_OTB --results CSRT=results/CSRT

One file a target, one line x,y,width,height a frame, 1-based as OTB's own; ``Jogging-1`` where a folder holds two.
"""

import argparse
import re
import time
from pathlib import Path

import cv2


def main() -> None:
    """Run the tracker over every target that has no result file yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tracker", choices=["CSRT", "KCF", "MIL"])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for truth in sorted(arguments.data.glob("*/groundtruth_rect*.txt")):
        target = re.sub(r"^groundtruth_rect\.?", "", truth.stem)
        name = f"{truth.parent.name}-{target}" if target else truth.parent.name
        result = arguments.output / f"{name}.txt"
        if not result.exists():
            started = time.perf_counter()
            lines = run(arguments.tracker, truth)
            result.write_text("\n".join(lines) + "\n", encoding="utf-8")
            print(f"{name}: {len(lines)} frames, {len(lines) / (time.perf_counter() - started):.1f} frames a second")


def run(tracker_name: str, truth: Path) -> list[str]:
    """Lines of boxes, 1-based, the first as given; a lost target keeps its last box, as in OTB's toolkit."""
    first = [float(part) for part in re.split(r"[,\s]+", truth.read_text(encoding="utf-8").strip())[:4]]
    images = sorted((truth.parent / "img").glob("*.jpg"))
    tracker = getattr(cv2, f"Tracker{tracker_name}_create")()
    x, y, width, height = first
    tracker.init(cv2.imread(str(images[0])), (round(x - 1), round(y - 1), round(width), round(height)))
    lines = [",".join(f"{value:g}" for value in first)]
    for image in images[1:]:
        found, box = tracker.update(cv2.imread(str(image)))
        lines.append(f"{box[0] + 1},{box[1] + 1},{box[2]},{box[3]}" if found else lines[-1])
    return lines


if __name__ == "__main__":
    main()
