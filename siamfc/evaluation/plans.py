"""Which runs a protocol makes on a sequence."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from siamfc.data.folders import nearest
from siamfc.data.frame_reader import frame_size
from siamfc.data.sequence import Sequence
from siamfc.errors import SiamfcError
from siamfc.evaluation.starts import RunStart, one_pass_start, spatial_starts, temporal_starts

PROTOCOLS = MappingProxyType(
    {
        "ope": "one pass from the first box: OTB, LaSOT, UAV123, NfS, TrackingNet and others",
        "tre": "OTB's temporal robustness: 20 starts spread over the sequence",
        "sre": "OTB's spatial robustness: 12 first boxes that are a little wrong",
        "got10k": "GOT-10k: one pass, average overlap over the frames in which the target is visible",
        "vot": "VOT's supervised experiment: started again five frames after a failure",
    }
)

_REPEATED = ("got10k", "vot")


class PlannedRun(NamedTuple):
    """One run of a protocol on a sequence.

    Attributes:
        name: What tells it from the others on the sequence, fit for a file name: ``ope``, ``tre-01``, ``001``.
        start: Where it starts, and with which box; None where the protocol starts the tracker by itself (VOT).
    """

    name: str
    start: RunStart | None


def default_protocol(layout: str) -> str:
    """The protocol that a dataset is made for.

    Example:
        >>> default_protocol("otb2013"), default_protocol("got10k-val"), default_protocol("vot")
        ('ope', 'got10k', 'vot')
    """
    return {"got10k": "got10k", "vot": "vot"}.get(layout.partition("-")[0], "ope")


def check_protocol(protocol: str, repetitions: int) -> None:
    """Raises SiamfcError for a protocol that is not known, or repetitions of one that knows none."""
    if protocol not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        raise SiamfcError(f"there is no protocol {protocol!r}{nearest(protocol, PROTOCOLS)}; known: {known}")
    if repetitions < 1 or (repetitions > 1 and protocol not in _REPEATED):
        raise SiamfcError(f"{protocol} is run once; repetitions, 1 or more, are for {' and '.join(_REPEATED)}")


def is_truth_hidden(sequence: Sequence) -> bool:
    """Whether the dataset keeps all but the first box to itself."""
    return len(sequence.boxes) < len(sequence)


def planned_runs(protocol: str, sequence: Sequence, *, repetitions: int = 1) -> list[PlannedRun]:
    """The runs of a protocol on a sequence, in order.

    Args:
        protocol: One of `PROTOCOLS`.
        sequence: The sequence; SRE reads its first frame.
        repetitions: How often GOT-10k and VOT have the tracker run; more than once only says something of trackers
            that depend on chance.

    Raises:
        BoxError: There is no box to start from.
        SiamfcError: The protocol needs boxes that are not public.
        SourceError: The first frame cannot be read.
    """
    if protocol in ("tre", "sre", "vot") and is_truth_hidden(sequence):
        raise SiamfcError(f"{sequence.name}: {protocol} needs a box a frame, and only the first is public")
    if protocol == "vot":
        return [PlannedRun(f"{number:03}", None) for number in range(1, repetitions + 1)]
    if protocol == "got10k":
        start = one_pass_start(sequence.boxes)
        return [PlannedRun(f"{number:03}", start) for number in range(1, repetitions + 1)]
    if protocol == "tre":
        starts = temporal_starts(sequence.boxes)
    elif protocol == "sre":
        starts = spatial_starts(sequence.boxes, frame_size=frame_size(sequence))
    else:
        starts = [one_pass_start(sequence.boxes)]
    return [PlannedRun(start.name, start) for start in starts]
