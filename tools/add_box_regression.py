"""Put the box regression of a run of `train-default` into the weights that it started from.

`siamfc train` writes a checkpoint with the same features, folded and unfolded again, and without the score's
calibration. Here features and calibration stay what they are, to the bit, and only the regression is added:

    python tools/add_box_regression.py run/model.safetensors mobilenetv2-imagenet mobilenetv2.safetensors
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from siamfc.checkpoint import load_model, save_checkpoint
from siamfc.errors import SiamfcError
from siamfc.model import SiamFC, build_model
from siamfc.provenance import Provenance

_MOST_APART = 1e-3  # of the features' deviation: folding rounds


def main() -> None:
    """Read the arguments, join, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="checkpoint of the run, with box regression")
    parser.add_argument("base", help="the weights that it started from: a name or a file")
    parser.add_argument("output", type=Path, help="checkpoint to write, half precision")
    parser.add_argument("--description", default="", help="one sentence for 'siamfc models'")
    parser.add_argument("--trained-on", default="", help="data, for the checkpoint; default: the run's")
    parser.add_argument("--licence", default="", help="terms, for the checkpoint; default: the run's")
    given = parser.parse_args()
    try:
        run, base = (load_model(source, device="cpu") for source in (given.run, given.base))
        joined = join(run, base)
        assert run.info is not None
        told = run.info.provenance
        provenance = Provenance(
            description=given.description or told.description,
            source=f"{given.base} with the box regression of a run of siamfc train",
            trained_on=given.trained_on or told.trained_on,
            licence=given.licence or told.licence,
            made_with=told.made_with,
        )
        info = save_checkpoint(given.output, joined, provenance=provenance, half_precision=True)
    except SiamfcError as error:
        raise SystemExit(str(error)) from None
    print(f"{info.path}: {info.size_bytes / 1e6:.2f} MB, sha256 {info.sha256}")


def join(run: SiamFC, base: SiamFC) -> SiamFC:
    """The base with the run's regression; refuses a run whose features are others."""
    if run.box_regression is None:
        raise SystemExit("the run has no box regression: train it with model.box_regression=true")
    torch.manual_seed(0)
    images = torch.rand(4, 3, 191, 191) * 255
    with torch.inference_mode():
        ours, theirs = run.features(images), base.features(images)
    if ours.shape != theirs.shape or float((ours - theirs).std() / theirs.std()) > _MOST_APART:
        raise SystemExit("the run's features are not those of the base: its regression would not fit them")
    joined = build_model(base.config.model_copy(update={"box_regression": True})).eval()
    regression = {f"box_regression.{name}": value for name, value in run.box_regression.state_dict().items()}
    joined.load_state_dict({**base.state_dict(), **regression})
    return joined


if __name__ == "__main__":
    main()
