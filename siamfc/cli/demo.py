"""``siamfc demo``: the main job on a clip that the program renders itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from siamfc.cli import options
from siamfc.cli.console import output, say


def demo(
    out: Annotated[
        Path, typer.Option("--output", "-o", help="Folder; files of an earlier demo in it are replaced.")
    ] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, help="Which clip.")] = 0,
    frames: Annotated[int, typer.Option(min=3, help="Its length.")] = 120,
    weights: Annotated[str | None, options.weights()] = None,
    config: Annotated[str | None, options.config()] = None,
) -> None:
    """Render a short clip around a real photograph, track it, and compare with the truth. Needs no files.

    The clip has motion, scale, rotation, changing light, an occluder and a look-alike; the tracker gets the frames
    and the first box alone. Writes boxes.csv, boxes.json, boxes.txt, overlay.mp4, scores.mp4, demo.png, and
    the clip itself as clip.mp4.
    """
    from siamfc.checkpoint import DEFAULT_MODEL
    from siamfc.demo import run_demo

    say(f"rendering and tracking {frames} frames")
    report = run_demo(out, seed=seed, num_frames=frames, model=weights or DEFAULT_MODEL, config=config)
    run = report.run
    tracking = sum(run.seconds[stage] for stage in ("crop", "embed", "correlate", "post-process"))
    output.print(f"mean IoU with the true box   {report.mean_iou:.3f}")
    output.print(f"  a box that never moves     {report.mean_iou_not_moving:.3f}")
    output.print(f"  the same, never rescaled   {report.mean_iou_not_scaling:.3f}")
    output.print(f"tracking alone               {len(run.frames) / tracking:.0f} frames a second")
    output.print(f"with rendering and videos    {run.frames_per_second:.0f} frames a second")
    output.print(f"written to {out}/: {', '.join(path.name for path in run.files)}", markup=False, soft_wrap=True)
    box = ",".join(f"{value:.0f}" for value in report.first_box)
    output.print(f"next: siamfc track {out}/clip.mp4 --box {box} --overlay", markup=False, soft_wrap=True)
