"""``siamfc vot``: run by the official VOT toolkit, which measures the tracker by its own protocols."""

from __future__ import annotations

from typing import Annotated

from siamfc.cli import options
from siamfc.cli.console import say


def vot(
    weights: Annotated[str | None, options.weights()] = None,
    config: Annotated[str | None, options.config()] = None,
    setting: Annotated[list[str] | None, options.overrides()] = None,
    device: Annotated[str, options.device()] = "auto",
    runtime: Annotated[str, options.runtime()] = "torch",
    precision: Annotated[str, options.precision()] = "fp32",
) -> None:
    """Let the official VOT toolkit run the tracker; it speaks TraX over the pipes (or TRAX_SOCKET) it gives.

    The toolkit starts it, nobody by hand. Write into the workspace's trackers.ini:

    \b
        \\[siamfc]
        label = SiamFC
        protocol = trax
        command = siamfc vot --device auto

    The command takes the options below; where the toolkit lives in another environment, give
    the program's full path ('which siamfc'). Then:

    \b
        vot test siamfc
        vot evaluate --workspace . siamfc

    Any other TraX client can do so, too: images come as paths, regions as rectangles or
    polygons, answers are rectangles with the score as the property "confidence".
    """  # noqa: D301 - click keeps a paragraph's lines where the character backspace comes first
    from siamfc.evaluation.trax import open_channel, serve

    with open_channel() as channel:
        from siamfc.checkpoint import DEFAULT_MODEL, load_model
        from siamfc.config import load_config
        from siamfc.devices import device_label
        from siamfc.runtimes.choosing import choose_runtime
        from siamfc.tracker.tracker import Tracker

        model = load_model(weights or DEFAULT_MODEL, device=device)
        assert model.info is not None
        settings = load_config(config, overrides=setting or [], checkpoint=model.info.settings)
        computing = choose_runtime(model, runtime, precision)
        description = (
            f"{model.info.name} (sha256 {model.info.short_hash}) on {device_label(model.device)}, "
            f"{computing.name} {computing.precision}"
        )
        say(description)
        serve(Tracker(model, settings, runtime=computing), channel, name="siamfc", description=description)
