"""A batch whose loss is not finite, kept to be looked at."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save

from siamfc.files import write_whole
from siamfc.training.loading import PairBatch
from siamfc.training.loss import PairLosses


def keep_bad_batch(folder: Path, step: int, batch: PairBatch, losses: PairLosses) -> str:
    """Write it as ``not-finite-step-N.safetensors``; which pairs were bad and where it is, in a sentence's parts."""
    path = folder / f"not-finite-step-{step}.safetensors"
    bad = [name for name, fine in zip(batch.names, torch.isfinite(losses.total).tolist(), strict=True) if not fine]
    tensors = {
        "exemplars": batch.exemplars.contiguous(),
        "searches": batch.searches.contiguous(),
        "centers": batch.centers,
        "losses": losses.total.detach().cpu(),
    }
    with write_whole(path, overwrite=True) as temporary:
        temporary.write_bytes(save(tensors, metadata={"names": "\n".join(batch.names)}))
    what = f"pairs of {', '.join(sorted(set(bad)))}" if bad else "its gradient"
    return f"step {step}: the loss is not finite ({what}); the batch is in {path}"
