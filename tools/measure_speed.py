"""Frames a second, stage by stage, of the shipped networks in turn on one sequence.

    python tools/measure_speed.py FOLDER_OF_IMAGES --box X,Y,W,H [--rounds 5] [--stop 200]

Medians over the rounds of milliseconds a frame; decoding included, nothing written.
"""

import argparse
import statistics

import torch

from siamfc import load_model, track_video


def main() -> None:
    """Print a table: a row a stage, a column a network, and the ratio of the whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--box", required=True, type=lambda text: [float(part) for part in text.split(",")])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stop", type=int)
    parser.add_argument("--config", default="track-default")
    arguments = parser.parse_args()
    networks = {name: load_model(name, device="cpu") for name in ("alexnet", "mobilenetv2-imagenet", "mobilenetv2")}
    times: dict[str, dict[str, list[float]]] = {name: {} for name in networks}
    for _ in range(arguments.rounds):
        for name, network in networks.items():  # in turn, so that a slow minute slows both
            run = track_video(
                arguments.source, arguments.box, model=network, config=arguments.config, stop=arguments.stop
            )
            for stage, seconds in {**run.seconds, "whole": run.total_seconds}.items():
                times[name].setdefault(stage, []).append(1000 * seconds / len(run.frames))
    medians = {name: {stage: statistics.median(row) for stage, row in rows.items()} for name, rows in times.items()}
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, medians of {arguments.rounds} rounds")
    print(f"{'ms a frame':14}" + "".join(f"{name:>22}" for name in medians))
    for stage in medians["alexnet"]:
        print(f"{stage:14}" + "".join(f"{rows[stage]:22.2f}" for rows in medians.values()))
    print(f"{'frames/s':14}" + "".join(f"{1000 / rows['whole']:22.1f}" for rows in medians.values()))
    for stage in ("embed", "whole"):
        ratios = (f"{medians['alexnet'][stage] / rows[stage]:.1f} as {name}" for name, rows in medians.items())
        print(f"{stage}: alexnet takes times as long: {', '.join(list(ratios)[1:])}")


if __name__ == "__main__":
    main()
