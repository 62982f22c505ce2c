"""How fast this version of the package tracks beside another checkout, in turns of a few frames.

    python tools/compare_versions.py VIDEO --box X,Y,W,H --against CHECKOUT [--weights NAME] [--minutes 4] [--stop 300]

Three trackers follow the box through the same frames, each in a process of its own: the other version's, the same once
more, and this one's. One computes while the others wait, for so many frames (--block) that a slow moment of the machine
slows all three, in an order drawn anew each round. Printed is the geometric mean of the ratios within a round, and
twice its standard error; what the other version shows against itself is what chance does. Frames are decoded
beforehand. Both versions load the same file of weights, and the other one must know its format
and settings. A target that is lost in one of them takes another time there: take a box that both follow.
"""

import argparse
import math
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from siamfc.checkpoint import model_names, weights_folder

_TRACKER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import siamfc
folder, source, box, weights, stop, block = sys.argv[1:]
if Path(siamfc.__file__).resolve().parent.parent != Path(folder):
    sys.exit(f"siamfc comes from {siamfc.__file__}, not from {folder}")
box = siamfc.Box(*map(float, box.split(",")))
frames = [frame.image for _, frame in zip(range(int(stop)), siamfc.open_source(source))]
if len(frames) < 2:
    sys.exit(f"{source}: two frames at least are needed, not {len(frames)}")
tracker = siamfc.Tracker(siamfc.load_model(weights, device="cpu"))
last = 0
for _ in sys.stdin:
    seconds = 0.0
    for _ in range(int(block)):
        if last == 0:
            tracker.init(frames[0], box)
        began = time.perf_counter()
        tracker.update(frames[last + 1])
        seconds += time.perf_counter() - began
        last = (last + 1) % (len(frames) - 1)
    print(seconds, flush=True)
"""


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--box", required=True)
    parser.add_argument("--against", required=True, type=Path, help="a checkout of the other version")
    parser.add_argument("--weights", default="mobilenetv2-imagenet", help="a name of this version's, or a file")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--stop", type=int, default=300, help="frames of the video that are taken")
    parser.add_argument("--block", type=int, default=13, help="frames a turn")
    arguments = parser.parse_args()
    this = Path(__file__).resolve().parent.parent
    weights = arguments.weights
    if weights in model_names():
        weights = str(weights_folder() / f"{weights}.safetensors")
    words = [arguments.source, arguments.box, weights, str(arguments.stop), str(arguments.block)]
    checkouts = {"other": arguments.against.resolve(), "other again": arguments.against.resolve(), "this": this}
    with ExitStack() as stack:
        trackers = {name: stack.enter_context(tracker(folder, words)) for name, folder in checkouts.items()}
        seconds = in_turn(trackers, arguments.minutes)
    report(seconds, arguments.block)


@contextmanager
def tracker(checkout: Path, words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that tracks a block of frames for every line that it is sent, and says how many seconds it took."""
    command = [sys.executable, "-c", _TRACKER, str(checkout), *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def in_turn(trackers: dict[str, subprocess.Popen[str]], minutes: float) -> dict[str, list[float]]:
    """Seconds a block, round by round, after a first round that does not count; at least two rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in trackers}
    for process in trackers.values():
        turn(process)
    end = time.monotonic() + 60 * minutes
    order = list(trackers)
    while time.monotonic() < end or len(seconds[order[0]]) < 2:
        random.shuffle(order)
        for name in order:
            seconds[name].append(turn(trackers[name]))
    return seconds


def turn(process: subprocess.Popen[str]) -> float:
    """Seconds for a block."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(file=process.stdin, flush=True)
    line = process.stdout.readline()
    if not line:
        sys.exit("one of the trackers has ended: what it said stands above")
    return float(line)


def report(seconds: dict[str, list[float]], block: int) -> None:
    """Print frames a second, and how many times the other's."""
    for name, row in seconds.items():
        print(f"{name:12} {block / statistics.median(row):8.1f} frames a second, median of {len(row)} turns of {block}")
    for name in ("other again", "this"):
        ratios = [math.log(than / own) for own, than in zip(seconds[name], seconds["other"], strict=True)]
        mean, error = statistics.mean(ratios), statistics.stdev(ratios) / math.sqrt(len(ratios))
        print(f"{name:12} {math.exp(mean):8.3f} times the other's frames a second, +- {2 * error:.3f}")


if __name__ == "__main__":
    main()
