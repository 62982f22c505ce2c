"""Where a model comes from: the file, its hash, what it learned from and under which licences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from siamfc.config import ModelConfig

# What follows it in `Provenance.trained_on` is no data that the weights learned from.
CALIBRATED_ON = "; the score was calibrated on "


class Provenance(BaseModel):
    """What a checkpoint says of itself, in words for people."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    description: str = Field(default="", description="one sentence")
    source: str = Field(default="", description="the file or run that the numbers come from")
    trained_on: str = Field(default="not stated", description="data that the weights learned from")
    licence: str = Field(default="not stated", description="what binds those who use or pass on the weights")
    made_with: str = Field(default="", description="program version and command")

    @property
    def learned_from(self) -> str:
        """What the weights learned from, without what the score was calibrated on."""
        return self.trained_on.partition(CALIBRATED_ON)[0]


@dataclass(frozen=True)
class CheckpointInfo:
    """All that a checkpoint holds besides its weights.

    Attributes:
        name: A shipped model's name, or the file's.
        path: The file.
        size_bytes: Its size.
        sha256: Hash of the whole file, 64 hexadecimal digits.
        format_version: Version of the checkpoint format.
        model: The network's settings.
        settings: Settings that these weights want used, a layer between the defaults and the user's own.
        provenance: Origin and licences.
    """

    name: str
    path: Path
    size_bytes: int
    sha256: str
    format_version: int
    model: ModelConfig
    settings: Mapping[str, Any]
    provenance: Provenance

    @property
    def short_hash(self) -> str:
        """The first twelve digits of the hash, as every output names it.

        ``sha256sum FILE`` prints the same.
        """
        return self.sha256[:12]


def combined_provenance(parts: Sequence[CheckpointInfo], *, description: str, made_with: str) -> Provenance:
    """Where a network comes from that was made of several and is not calibrated: all that is told of each, once."""
    return Provenance(
        description=description,
        source=" and ".join(f"{each.name} (sha256 {each.short_hash})" for each in parts),
        trained_on="; ".join(dict.fromkeys(each.provenance.learned_from for each in parts)),
        licence="; ".join(dict.fromkeys(each.provenance.licence for each in parts)),
        made_with=made_with,
    )
