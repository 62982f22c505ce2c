"""The numbers of training, each with its default, unit, meaning and range; the defaults are ``train-default``'s."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from siamfc.config.method import ModelConfig, TrackerConfig
from siamfc.config.section import Section


class FilterConfig(Section):
    """Which annotated frames are fit to learn from; the others are counted and left out."""

    min_side_px: float = Field(default=6.0, ge=0, description="least width and height of a box, frame pixels")
    max_aspect: float = Field(default=8.0, ge=1, description="greatest ratio of a box's longer side to the shorter")
    min_visibility: float = Field(
        default=0.3, ge=0, le=1, description="least visible share, where the data tell one; absent targets never count"
    )
    min_share_in_frame: float = Field(
        default=0.5, ge=0, le=1, description="least share of the box's area that lies inside the frame"
    )
    min_border_px: float = Field(
        default=0.0, ge=0, description="least distance of the box from the frame's border; 0: it may touch and cross"
    )


class PairConfig(Section):
    """How pairs are drawn; section 2.3 of the paper and the authors' released code."""

    per_epoch: int = Field(default=9_600, ge=1, description="pairs an epoch")
    max_frame_gap: int = Field(
        default=10_000, ge=1, description="greatest distance in time between the two frames, by the frames' numbers"
    )
    negative_share: float = Field(
        default=0.0, ge=0, le=1, description="share of pairs whose search shows another video; not in the paper"
    )
    hard_negative_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of pairs whose search is cut beside the target, in its own frame; not in the paper",
    )


class AugmentationConfig(Section):
    """What is changed at random, for exemplar and search apart; ranges are even, ends included.

    Sizes and shifts are part of the crop's one resampling; colours, blur and occlusion follow on the training device.
    """

    exemplar_shift_px: float = Field(default=0.0, ge=0, le=64, description="exemplar: shift an axis, crop pixels")
    search_shift_px: float = Field(default=16.0, ge=0, le=128, description="search: shift an axis, crop pixels")
    shift_within_picture: bool = Field(
        default=True,
        description="shift no further than the picture reaches, so that no shift tells itself by the fill colour",
    )
    exemplar_scale: float = Field(default=0.0, ge=0, le=0.5, description="exemplar: size change, +- this share")
    search_scale: float = Field(default=0.22, ge=0, le=0.5, description="search: size change, +- this share")
    stretch: float = Field(default=0.12, ge=0, le=0.5, description="size change of each axis for itself, +- share")
    rotation_deg: float = Field(default=0.0, ge=0, le=180, description="turn, +- degrees")
    flip_share: float = Field(default=0.0, ge=0, le=1, description="share of pairs mirrored, both crops alike")
    part_share: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="share of pairs in which a part of the target, or more than it, takes its place in both crops",
    )
    grey_share: float = Field(default=0.2, ge=0, le=1, description="share of pairs turned grey, both crops alike")
    blur_share: float = Field(default=0.35, ge=0, le=1, description="share of crops blurred")
    blur_sigma_px: float = Field(default=2.0, gt=0, le=10, description="greatest deviation of the blur, crop pixels")
    motion_blur_share: float = Field(
        default=0.0, ge=0, le=1, description="share of crops blurred along a line, as a moving camera or target is"
    )
    motion_blur_px: int = Field(default=17, ge=3, le=63, description="greatest length of that line, crop pixels")
    brightness: float = Field(default=0.2, ge=0, le=0.9, description="factor on all colours, 1 +- this")
    contrast: float = Field(default=0.2, ge=0, le=0.9, description="factor on the distance from the mean grey, 1 +-")
    saturation: float = Field(default=0.2, ge=0, le=0.9, description="factor on the distance from grey, 1 +- this")
    color_jitter: float = Field(
        default=0.0, ge=0, le=1, description="deviation of the shift along the principal colours of ImageNet (PCA)"
    )
    occlusion_share: float = Field(default=0.0, ge=0, le=1, description="share of searches with a patch over them")
    occlusion_size: float = Field(
        default=0.3, gt=0, le=0.6, description="greatest side of that patch, as a share of the exemplar's"
    )

    @classmethod
    def shifting_only(cls, search_shift_px: float) -> AugmentationConfig:
        """Nothing is changed but where the target is in the search, also where the picture does not reach as far."""
        unchanged = dict.fromkeys(
            (
                *("exemplar_shift_px", "exemplar_scale", "search_scale", "stretch", "rotation_deg"),
                *("flip_share", "part_share", "grey_share", "blur_share", "motion_blur_share", "occlusion_share"),
                *("brightness", "contrast", "saturation", "color_jitter"),
            ),
            0.0,
        )
        return cls.model_validate({**unchanged, "search_shift_px": search_shift_px, "shift_within_picture": False})


class LabelConfig(Section):
    """Which cells of the score map count as the target, and the loss over them; section 2.2 of the paper."""

    positive_radius: float = Field(
        default=10.0, gt=0, le=64, description="greatest distance of a positive cell's centre from the label's, pixels"
    )
    follows_target: bool = Field(
        default=True, description="label where the target is, to the sub-pixel; else at the map's centre as the authors"
    )
    ranking_weight: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="weight of a softmax over all cells that must favour those at the label's centre; not in the paper",
    )
    ranking_sigma_px: float = Field(
        default=5.0,
        gt=0,
        le=64,
        description="how far around the label's centre that softmax is to spread: a Gaussian's deviation, pixels",
    )
    group_size: int = Field(
        default=1,
        ge=1,
        le=256,
        description="pairs whose exemplars are compared with each other's searches as negatives; 1: none, as the paper",
    )
    group_weight: float = Field(default=1.0, ge=0, le=10, description="weight of those negatives in the loss")
    box_weight: float = Field(
        default=1.0, ge=0, le=100, description="weight of the box regression's loss, where the model has one"
    )
    box_windows: int = Field(
        default=1,
        ge=1,
        le=64,
        description="of so many windows of each search, all near the target, box regression is asked; more cost little",
    )
    teacher_weight: float = Field(
        default=4.0, ge=0, le=100, description="weight of a teacher's score maps, where --teacher gives one"
    )
    teacher_windows: int = Field(
        default=3,
        ge=0,
        le=17,
        description="so many by so many windows of each search are taught as exemplars, too; 0: the pairs' alone",
    )


class OptimiserConfig(Section):
    """How weights move."""

    name: Literal["sgd", "adamw"] = Field(default="adamw", description="rule")
    learning_rate: float = Field(default=1e-3, gt=0, le=10, description="first rate")
    final_learning_rate: float = Field(default=1e-6, gt=0, le=10, description="last rate")
    schedule: Literal["geometric", "cosine"] = Field(
        default="cosine", description="way from first to last: geometric, an equal factor an epoch; cosine, each step"
    )
    warmup_steps: int = Field(default=50, ge=0, description="steps over which the rate rises from nothing")
    new_layers_factor: float = Field(
        default=5.0, gt=0, le=1000, description="factor on the rate of layers that start fresh"
    )
    bias_factor: float = Field(default=1.0, gt=0, le=100, description="factor on the rate of biases")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="sgd's momentum; adamw's first beta")
    weight_decay: float = Field(
        default=1e-3, ge=0, le=1, description="pull towards zero on convolution weights; biases and norms have none"
    )
    clip_norm: float = Field(default=10.0, ge=0, description="greatest norm of the gradient; 0: not clipped")
    frozen_layers: int = Field(
        default=8, ge=0, le=64, description="first layers of the backbone (its direct children) that stay as they are"
    )
    train_gain: bool = Field(default=True, description="learn the factor on the correlation; the paper fixes it")
    batch_norm: Literal["train", "frozen", "folded"] = Field(
        default="folded",
        description=(
            "train: statistics of each batch, as the paper; frozen: the start's; folded: the start's, multiplied into "
            "the convolutions, which are trained so (faster by half, and the weights written have plain norms)"
        ),
    )
    start_share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description=(
            "share of the start's weights in the backbone that is written, which keeps more of what they knew of other "
            "videos; not of fresh layers"
        ),
    )
    average_decay: float = Field(
        default=0.99, ge=0, lt=1, description="weights written are a running mean with this decay a step; 0: the last"
    )


class TrainingConfig(Section):
    """The run: crop sizes, batches, length, and how often it is looked at."""

    exemplar_size: int = Field(default=127, ge=16, le=1024, description="side of the exemplar crop, pixels")
    search_size: int = Field(default=191, ge=16, le=4096, description="side of the search crop, pixels")
    context_amount: float = Field(default=0.5, ge=0, le=4, description="as the tracker's")
    batch_size: int = Field(default=32, ge=1, le=4096, description="pairs a step, over all processes together")
    epochs: int = Field(default=6, ge=1, le=10_000, description="epochs")
    seed: int = Field(default=0, ge=0, description="of pairs, augmentation and fresh weights")
    held_out_pairs: int = Field(default=240, ge=1, description="held-out pairs measured after each epoch")
    held_out_shift_px: float = Field(
        default=32.0, ge=0, le=64, description="held-out targets lie evenly up to so far off the centre, an axis"
    )
    held_out_share: float = Field(
        default=0.05, ge=0, lt=1, description="share of videos held out where no list of sequences is given"
    )
    track_every: int = Field(default=1, ge=1, description="epochs between tracking evaluations, where data are given")
    save_every_s: float = Field(default=120.0, ge=0, description="seconds between checkpoints inside an epoch")


class TrainConfig(Section):
    """All sections that a settings file of training may hold.

    ``model`` is what the network becomes; layers that the start has too begin with its weights. ``tracker`` is what
    the short tracking evaluations use, and what the checkpoint asks to be used with.
    """

    model: ModelConfig = ModelConfig(backbone="mobilenetv2", standardisation="first_search", box_regression=True)
    filters: FilterConfig = FilterConfig()
    pairs: PairConfig = PairConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    labels: LabelConfig = LabelConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    training: TrainingConfig = TrainingConfig()
    tracker: TrackerConfig = TrackerConfig()

    @property
    def exemplar_border_px(self) -> int:
        """How far exemplars are cut beyond ``training.exemplar_size``, to each side, for box regression."""
        return self.model.regression_border_px if self.model.box_regression else 0
