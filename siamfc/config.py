"""Every number of the method, with its default, unit, meaning and range; read from YAML, strictly.

Settings come in four layers, each over the one before: defaults here, the checkpoint's own, a YAML file, and
``section.key=value`` strings from ``--set``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from siamfc.errors import ConfigError


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd, so that one scale is the present one")
    return value


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True, protected_namespaces=()
    )

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_truth_values(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation in (int, float):
            raise ValueError("must be a number, not true or false")  # pydantic would take 1 or 0
        return value


_SectionT = TypeVar("_SectionT", bound=_Section)


class TrackerConfig(_Section):
    """How the tracker searches; the defaults are the authors' three-scale numbers.

    The paper gives the method (section 3.1 and the tracking algorithm of 2.4); these values are those of the
    authors' released code.
    """

    exemplar_size: int = Field(default=127, ge=16, le=1024, description="side of the exemplar crop, pixels")
    search_size: int = Field(default=255, ge=16, le=4096, description="side of the search crop, pixels")
    context_amount: float = Field(
        default=0.5, ge=0, le=4, description="share of (width + height) added around the box before cropping"
    )
    num_scales: Annotated[int, AfterValidator(_odd)] = Field(
        default=3, ge=1, le=31, description="sizes searched in each frame; odd"
    )
    scale_step: float = Field(default=1.0375, gt=1, le=2, description="ratio of neighbouring sizes")
    scale_penalty: float = Field(
        default=0.9745, gt=0, le=1, description="factor on the response of every size but the present one"
    )
    scale_damping: float = Field(
        default=0.59, ge=0, le=1, description="share of the found size change that is taken over in a frame"
    )
    window_influence: float = Field(
        default=0.176, ge=0, le=1, description="weight of the cosine window in the response"
    )
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


class ModelConfig(_Section):
    """What the network is; stored in every checkpoint and fixed with the weights."""

    backbone: Literal["alexnet", "mobilenetv2"] = Field(
        default="mobilenetv2", description="architecture of the embedding"
    )
    standardisation: Literal["none", "fixed", "first_search"] = Field(
        default="none",
        description=(
            "channel standardisation of the features: none; fixed: by means and deviations held as buffers; "
            "first_search: by those of the first frame's search crop, then held"
        ),
    )
    batch_norm_eps: float = Field(default=1e-5, gt=0, le=0.1, description="added to batch norm's variances")
    gain: float = Field(default=1e-3, gt=0, description="factor on the correlation, before the bias is added")


class Config(_Section):
    """All sections that a settings file may hold."""

    tracker: TrackerConfig = TrackerConfig()


def configs_folder() -> Path:
    """Where the published settings lie: in the wheel beside the code, in a checkout at its top."""
    beside_code = Path(__file__).parent / "configs"
    return beside_code if beside_code.is_dir() else Path(__file__).parent.parent / "configs"


def config_names() -> list[str]:
    """The published settings' names, as ``load_config`` and ``--config`` take them."""
    return sorted(path.stem for path in configs_folder().glob("*.yaml"))


def load_config(
    source: str | Path | None = None,
    *,
    overrides: Iterable[str] = (),
    checkpoint: Mapping[str, Any] | None = None,
) -> Config:
    """Settings from a published name or a YAML file, over the checkpoint's, under ``section.key=value`` strings.

    Args:
        source: A name from `config_names`, a path, or None for the defaults.
        overrides: Strings such as ``"tracker.num_scales=5"``; values are read as YAML.
        checkpoint: The settings that a checkpoint brings (`CheckpointInfo.settings`).

    Raises:
        ConfigError: A file that is not there or not YAML, an unknown key, a value of the wrong type or out of range.

    Example:
        >>> load_config("track-paper-5s", overrides=["tracker.window_influence=0.2"]).tracker.num_scales
        5
    """
    layers: list[Mapping[str, Any]] = [checkpoint or {}]
    if source is not None:
        layers.append(_read_yaml(source))
    layers.extend(_parse_override(text) for text in overrides)
    merged: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for section, values in layer.items():
            if not isinstance(values, Mapping):
                raise ConfigError(f"setting '{section}' is a section of key: value pairs, not {values!r}")
            merged.setdefault(str(section), {}).update(values)
    return parse_section(Config, merged, where=str(source or "settings"))


def parse_section(kind: type[_SectionT], values: Mapping[str, Any], *, where: str) -> _SectionT:
    """A section from plain values; unknown keys and bad values become a `ConfigError` of one line."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors()[0]
        path = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            raise ConfigError(f"{where}: {_unknown_key(kind, path)}") from None
        raise ConfigError(f"{where}: {'.'.join(path)}: {problem['msg']}") from None


def _unknown_key(kind: type[BaseModel], path: list[str]) -> str:
    owner = kind
    for part in path[:-1]:
        annotation = owner.model_fields[part].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        owner = annotation
    known = list(owner.model_fields)
    near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return f"unknown setting '{'.'.join(path)}'{hint}; known here: {', '.join(known)}"


def _read_yaml(source: str | Path) -> Mapping[str, Any]:
    path = Path(source).expanduser()
    if str(source) in config_names():
        path = configs_folder() / f"{source}.yaml"
    elif not path.is_file():
        raise ConfigError(
            f"no settings '{source}': neither a file nor one of the published {', '.join(config_names())}"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: no UTF-8, a date that is none
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path} must hold sections such as 'tracker:', not {type(content).__name__}")
    return content


def _parse_override(text: str) -> Mapping[str, Any]:
    key, equals, value = text.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and section and name):
        raise ConfigError(f"an override looks like tracker.num_scales=5, not {text!r}")
    try:
        return {section: {name: yaml.safe_load(value)}}
    except (yaml.YAMLError, ValueError):
        raise ConfigError(f"the value in {text!r} is not YAML") from None
