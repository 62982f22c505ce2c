"""Every number of the method, with its default, unit, meaning and range; read from YAML, strictly."""

from siamfc.config.loading import (
    AnySettings,
    Config,
    config_names,
    configs_folder,
    load_config,
    load_train_config,
    parse_section,
)
from siamfc.config.match import MatchConfig
from siamfc.config.method import ModelConfig, TrackerConfig
from siamfc.config.training import (
    AugmentationConfig,
    FilterConfig,
    LabelConfig,
    OptimiserConfig,
    PairConfig,
    TrainConfig,
    TrainingConfig,
)

__all__ = [
    "AnySettings",
    "AugmentationConfig",
    "Config",
    "FilterConfig",
    "LabelConfig",
    "MatchConfig",
    "ModelConfig",
    "OptimiserConfig",
    "PairConfig",
    "TrackerConfig",
    "TrainConfig",
    "TrainingConfig",
    "config_names",
    "configs_folder",
    "load_config",
    "load_train_config",
    "parse_section",
]
