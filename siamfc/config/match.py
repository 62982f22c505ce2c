"""The numbers of matching: which scales are searched, and what counts as found."""

from __future__ import annotations

import math

from pydantic import Field, model_validator

from siamfc.config.section import Section


class MatchConfig(Section):
    """How a picture is searched; the defaults are this package's own, measured by tools/measure_match.py."""

    exemplar_size: int = Field(default=127, ge=16, le=1024, description="side of the exemplar crop, pixels")
    context_amount: float = Field(
        default=0.5, ge=0, le=4, description="share of (width + height) added around the exemplar's box before cropping"
    )
    focus: float = Field(
        default=0.2,
        gt=0,
        le=100,
        description="how fast an exemplar cell counts less away from its centre: deviation, in sides of the object",
    )
    min_scale: float = Field(default=0.5, gt=0, le=100, description="least size searched, in times the exemplar's")
    max_scale: float = Field(default=2.0, gt=0, le=100, description="greatest size searched, in times the exemplar's")
    scales_per_octave: int = Field(default=4, ge=1, le=32, description="sizes from one to its double")
    rotations: tuple[float, ...] = Field(
        default=(0.0,), min_length=1, max_length=72, description="turns of the exemplar that are searched, degrees"
    )
    stride: int = Field(default=8, ge=1, le=64, description="enlarged or reduced pixels between neighbouring windows")
    threshold: float = Field(
        default=0.68, ge=-1, le=1, description="least score of a match: 1 is the exemplar itself, 0 the background"
    )
    max_overlap: float = Field(
        default=0.3, ge=0, le=1, description="greatest intersection over union of two matches; the better one stays"
    )
    max_matches: int = Field(default=100, ge=1, le=100000, description="matches given, best first")

    @model_validator(mode="after")
    def _check_range(self) -> MatchConfig:
        if self.min_scale > self.max_scale:
            raise ValueError(f"min_scale {self.min_scale:g} is above max_scale {self.max_scale:g}")
        return self

    @property
    def scales(self) -> list[float]:
        """The sizes searched, from least to greatest; 1 is among them where the range holds it.

        Example:
            >>> [round(scale, 2) for scale in MatchConfig(scales_per_octave=2).scales]
            [0.5, 0.71, 1.0, 1.41, 2.0]
        """
        low, high = (math.log2(scale) * self.scales_per_octave for scale in (self.min_scale, self.max_scale))
        steps = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
        return [2 ** (step / self.scales_per_octave) for step in steps] or [self.min_scale]
