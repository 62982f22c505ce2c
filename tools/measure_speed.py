"""Frames a second, stage by stage, of the shipped networks in turn on one sequence.

    python tools/measure_speed.py FOLDER_OF_IMAGES --box X,Y,W,H [--rounds 5] [--stop 200] [--beside 1]

Medians over the rounds of milliseconds a frame; decoding included, nothing written. How many crops a frame each network
embeds is its own affair: three scales, or one where it has a box regression. "3 crops" is the time to embed three of
255 px by all threads, which compares the networks alone. With --beside, other programs hold so many cores all the
while. PYTHONPATH=CHECKOUT measures another version of the package.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from siamfc import load_model, track_video
from siamfc.checkpoint import model_names
from siamfc.runtimes.torch_runtime import TorchRuntime

_EMBEDDINGS = 10  # a round, of the three crops


def main() -> None:
    """Read the command line, and measure, alone or beside others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--box", required=True, type=lambda text: [float(part) for part in text.split(",")])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stop", type=int)
    parser.add_argument("--config", default="track-default")
    parser.add_argument(
        "--beside", type=int, default=0, help="other programs that compute all the time, each on a core"
    )
    arguments = parser.parse_args()
    if arguments.beside < 0:
        parser.error("--beside is 0 or more")
    with busy_cores(arguments.beside):
        measure(arguments)


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """So many programs beside this one that do nothing but compute, each held to a core where the system can."""
    # Each ends with this program, however that ends.
    busy = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
    programs = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(count)]  # noqa: S603 - our own words
    try:
        if hasattr(os, "sched_setaffinity"):
            for program, core in zip(programs, sorted(os.sched_getaffinity(0)), strict=False):
                os.sched_setaffinity(program.pid, {core})
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def measure(arguments: argparse.Namespace) -> None:
    """Print a table: a row a stage, a column a network, and the ratio of the whole."""
    networks = {name: load_model(name, device="cpu") for name in model_names()}
    runtimes = {name: TorchRuntime(network) for name, network in networks.items()}
    crops = torch.zeros(3, 3, 255, 255, dtype=torch.uint8).contiguous(memory_format=torch.channels_last)
    for runtime in runtimes.values():
        runtime.embed(crops)  # recorded at its first images
    times: dict[str, dict[str, list[float]]] = {name: {} for name in networks}
    for _ in range(arguments.rounds):
        for name, network in networks.items():  # in turn, so that a slow minute slows both
            run = track_video(
                arguments.source, arguments.box, model=network, config=arguments.config, stop=arguments.stop
            )
            for stage, seconds in {**run.seconds, "whole": run.total_seconds}.items():
                times[name].setdefault(stage, []).append(1000 * seconds / len(run.frames))
            began = time.perf_counter()
            for _ in range(_EMBEDDINGS):
                runtimes[name].embed(crops)
            times[name].setdefault("3 crops", []).append(1000 * (time.perf_counter() - began) / _EMBEDDINGS)
    medians = {name: {stage: statistics.median(row) for stage, row in rows.items()} for name, rows in times.items()}
    beside = f", beside {arguments.beside} busy cores" if arguments.beside else ""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, medians of {arguments.rounds} rounds{beside}")
    print(f"{'ms a frame':14}" + "".join(f"{name:>22}" for name in medians))
    for stage in medians["alexnet"]:
        print(f"{stage:14}" + "".join(f"{rows[stage]:22.2f}" for rows in medians.values()))
    print(f"{'frames/s':14}" + "".join(f"{1000 / rows['whole']:22.1f}" for rows in medians.values()))
    for text, stage, than, power in (
        ("frames a second", "whole", "alexnet", -1),
        ("time for 3 crops", "3 crops", "mobilenetv2-imagenet", 1),
    ):
        ratios = (f"{(rows[stage] / medians[than][stage]) ** power:.2f} {name}" for name, rows in medians.items())
        print(f"{text}, in times of {than}'s: {', '.join(ratios)}")


if __name__ == "__main__":
    main()
