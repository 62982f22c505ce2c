"""The numbers of tracking and of the network, each with its default, unit, meaning and range."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from siamfc.config.section import Section


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd, so that one scale is the present one")
    return value


class TrackerConfig(Section):
    """How the tracker searches; the defaults are the authors' three-scale numbers.

    The paper gives the method (section 3.1 and the tracking algorithm of 2.4); these values are those of the
    authors' released code. Box regression, ``context_weight``, ``motion_blur``, ``full_contrast``,
    re-detection (``lost_score``) and the learning filter (``filter_influence``) are ours.
    """

    exemplar_size: int = Field(default=127, ge=16, le=1024, description="side of the exemplar crop, pixels")
    search_size: int = Field(default=255, ge=16, le=4096, description="side of the search crop, pixels")
    context_amount: float = Field(
        default=0.5, ge=0, le=4, description="share of (width + height) added around the box before cropping"
    )
    context_weight: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="how much what surrounds the target in the exemplar counts, beside the target itself",
    )
    motion_blur: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of what is searched for that is the mean of motion-blurred copies of the exemplar",
    )
    num_scales: Annotated[int, AfterValidator(_odd)] = Field(
        default=3,
        ge=1,
        le=31,
        description="sizes searched in each frame; odd; where regressed, one is, and this counts nothing",
    )
    scale_step: float = Field(default=1.0375, gt=1, le=2, description="ratio of neighbouring sizes")
    scale_penalty: float = Field(
        default=0.9745, gt=0, le=1, description="factor on the response of every size but the present one"
    )
    scale_damping: float = Field(
        default=0.59, ge=0, le=1, description="share of the found size change that is taken over in a frame"
    )
    scale_every: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="the other sizes are searched in each n-th frame only, the present one alone in those between",
    )
    size_from: Literal["auto", "scales", "regression"] = Field(
        default="auto",
        description=(
            "what a target's size is found by: scales, searched one beside the other; regression, learned, which "
            "searches the present size alone and refines place, size and aspect; auto: regression where the weights "
            "hold it"
        ),
    )
    regression_damping: float = Field(
        default=0.5, ge=0, le=1, description="share of a regressed size change that is taken over in a frame, at most"
    )
    regression_trust: float = Field(
        default=0.05,
        gt=0,
        le=10,
        description="expected error of a regressed size, as a share of it, at which half as much is taken over",
    )
    regression_place: float = Field(
        default=0.5, ge=0, le=1, description="weight of the regressed place; the response's peak has the rest"
    )
    lost_score: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description=(
            "a score below this, within two frames of one of sure_score, means that the target is lost, and until it "
            "is found it is looked for around its last place, too; 0, or a score that is not calibrated: never"
        ),
    )
    sure_score: float = Field(default=0.6, gt=0, le=1, description="score from which a target counts as surely seen")
    found_score: float = Field(
        default=0.9, gt=0, le=1, description="score from which a lost target is taken to be in another place"
    )
    lost_crops: int = Field(
        default=2, ge=1, le=64, description="crops a frame that are searched for a lost target, beside the usual one"
    )
    window_influence: float = Field(
        default=0.176, ge=0, le=1, description="weight of the cosine window in the response"
    )
    full_contrast: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description=(
            "contrast of a score map, as a share of what it was over the last frames, below which the map counts less "
            "beside the cosine window, by as much as it falls short; 0: it always counts the same"
        ),
    )
    filter_influence: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description=(
            "weight of the map of a filter that learns while tracking to tell the target from what is around it, "
            "beside the exemplar's score map; 0: none is learned"
        ),
    )
    filter_rate: float = Field(
        default=0.02, ge=0, lt=1, description="weight of a frame in what the filter is learned from"
    )
    filter_score: float = Field(default=0.2, ge=0, le=1, description="score from which the filter learns from a frame")
    response_upsampling: int = Field(default=16, ge=1, le=64, description="response cells per score-map cell")
    response_alignment: Literal["corners", "edges"] = Field(
        default="corners",
        description="corners: 17 cells become 257 and the centre is a cell; edges: 272, as other implementations have",
    )
    min_scale: float = Field(
        default=0.2, gt=0, le=1, description="least size of the target, as a share of its first size"
    )
    max_scale: float = Field(
        default=5.0, ge=1, le=100, description="greatest size of the target, in times its first size"
    )


class ModelConfig(Section):
    """What the network is; stored in every checkpoint and fixed with the weights."""

    backbone: Literal["alexnet", "mobilenetv2"] = Field(
        default="mobilenetv2", description="architecture of the embedding"
    )
    last_block: int = Field(
        default=7, ge=7, le=10, description="mobilenetv2: the block whose expansion ends the network"
    )
    shallow_block: int = Field(
        default=0,
        ge=0,
        le=9,
        description=(
            "mobilenetv2: an earlier block, 5 at least, whose expansion is part of the features, too, and is what box "
            "regression compares; 0: none"
        ),
    )
    shared_layers: int = Field(
        default=4, ge=1, le=9, description="mobilenetv2: how many first layers the shallow block's level has in common"
    )
    standardisation: Literal["none", "fixed", "first_search"] = Field(
        default="none",
        description=(
            "channel standardisation of the features: none; fixed: by means and deviations held as buffers; "
            "first_search: by those of the first frame's search crop, then held"
        ),
    )
    neck_channels: int = Field(
        default=0, ge=0, le=4096, description="channels of a learned 1x1 convolution after the backbone; 0: none"
    )
    box_regression: bool = Field(
        default=False,
        description="whether the network also tells how place and size of the target differ from the exemplar's",
    )
    regression_border_px: int = Field(
        default=0,
        ge=0,
        le=64,
        multiple_of=8,
        description="box regression: how far around the exemplar reaches what it compares, pixels of the exemplar",
    )
    calibrated: bool = Field(
        default=False,
        description="whether the weights hold what gives scores one meaning in all videos; 'siamfc calibrate' adds it",
    )
    batch_norm_eps: float = Field(default=1e-5, gt=0, le=0.1, description="added to batch norm's variances")
    gain: float = Field(default=1e-3, gt=0, description="factor on the correlation, before the bias is added")
