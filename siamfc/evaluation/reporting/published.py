"""Figures that others published of this method, for context: other splits or settings, measured elsewhere."""

from __future__ import annotations

from typing import NamedTuple

COLUMNS = ("OTB-2013 AUC", "OTB-100 AUC", "VOT2015 EAO", "VOT2016 EAO", "GOT-10k test AO", "speed")


class Published(NamedTuple):
    """A row of figures as their source prints them.

    Attributes:
        tracker: What was measured.
        source: Where it is printed.
        figures: One a column of `COLUMNS`, empty where the source has none.
    """

    tracker: str
    source: str
    figures: tuple[str, ...]


_BERTINETTO = "Bertinetto et al. 2016, arXiv 1606.09549, and the authors' release"

PUBLISHED = (
    Published(
        "SiamFC, 3 scales",
        _BERTINETTO,
        ("0.608", "0.582", "0.289", "0.235", "", "86 fps, GTX Titan X"),
    ),
    Published("SiamFC, 5 scales", _BERTINETTO, ("0.612", "", "", "", "", "")),
    Published(
        "SiamFC, a port to PyTorch",
        "README of huanglianghua/siamfc-pytorch",
        ("0.589", "0.578", "", "", "0.355", ""),
    ),
    Published(
        "SiamDW Res22W: the same algorithm, a deeper network, trained on GOT-10k",
        "README of researchmm/SiamDW; Zhang and Peng 2019",
        ("0.689", "0.674", "0.368", "0.352", "", ""),
    ),
)
