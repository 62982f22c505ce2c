"""Settings in four layers, each over the one before: defaults, the checkpoint's, a YAML file, ``section.key=value``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from siamfc.config.match import MatchConfig
from siamfc.config.method import TrackerConfig
from siamfc.config.section import Section
from siamfc.config.training import TrainConfig
from siamfc.errors import ConfigError

_SectionT = TypeVar("_SectionT", bound=Section)


class Config(Section):
    """All sections that a settings file may hold."""

    tracker: TrackerConfig = TrackerConfig()
    match: MatchConfig = MatchConfig()


def configs_folder() -> Path:
    """Where the published settings lie: in the wheel beside the code, in a checkout at its top."""
    beside_code = Path(__file__).parents[1] / "configs"
    return beside_code if beside_code.is_dir() else Path(__file__).parents[2] / "configs"


def config_names() -> list[str]:
    """The published settings' names, as ``load_config`` and ``--config`` take them."""
    return sorted(path.stem for path in configs_folder().glob("*.yaml"))


AnySettings = Config | TrackerConfig | MatchConfig | Mapping[str, Any] | str | Path | None
"""Settings however they are given: whole, a section, sections by name, a published name, a YAML file, or none."""


def load_config(
    source: AnySettings = None,
    *,
    overrides: Iterable[str] = (),
    checkpoint: Mapping[str, Any] | None = None,
) -> Config:
    """Settings from a published name, a YAML file or an object, over the checkpoint's, under ``section.key=value``.

    What is set nowhere has its default. Of an object, what it was given counts as set, so that
    ``TrackerConfig(window_influence=0.3)`` leaves the rest to the checkpoint.

    Args:
        source: A name from `config_names`, a path, sections by name, a `Config`, one section of it, or None.
        overrides: Strings such as ``"tracker.window_influence=0.3"``; values are read as YAML.
        checkpoint: The settings that a checkpoint brings (`siamfc.SiamFC.settings`).

    Raises:
        ConfigError: A file that is not there or not YAML, an unknown key, a value of the wrong type or out of range.

    Example:
        >>> load_config("track-paper-5s", overrides=["tracker.window_influence=0.2"]).tracker.num_scales
        5
    """
    where = str(source) if isinstance(source, str | Path) else "settings"
    return parse_section(Config, _merge(source, overrides, checkpoint or {}), where=where)


def load_train_config(
    source: TrainConfig | Mapping[str, Any] | str | Path | None = None, *, overrides: Iterable[str] = ()
) -> TrainConfig:
    """Settings of a training run; arguments and errors as `load_config`.

    Example:
        >>> load_train_config("train-paper").optimiser.name
        'sgd'
    """
    # Its model is another than ModelConfig's own defaults say, and a file that sets one key keeps the others.
    lowest = {"model": TrainConfig().model.model_dump()}
    where = str(source) if isinstance(source, str | Path) else "settings"
    return parse_section(TrainConfig, _merge(source, overrides, lowest), where=where)


def _merge(
    source: AnySettings | TrainConfig, overrides: Iterable[str], lowest: Mapping[str, Any]
) -> Mapping[str, Mapping[str, Any]]:
    if isinstance(overrides, str):
        raise ConfigError(f"overrides are a list of strings such as [{overrides!r}], not one string")
    layers: list[Mapping[str, Any]] = [lowest, _layer(source), *map(_parse_override, overrides)]
    merged: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for section, values in layer.items():
            if not isinstance(values, Mapping):
                raise ConfigError(_no_section(str(section), values, source))
            merged.setdefault(str(section), {}).update(values)
    return merged


def _layer(source: AnySettings | TrainConfig) -> Mapping[str, Any]:
    """Sections by name, of a source what it sets."""
    if source is None:
        return {}
    if isinstance(source, Config):
        return source.model_dump(exclude_unset=True)
    if isinstance(source, TrainConfig):  # nothing goes under it, and its network is what it says
        return {**source.model_dump(exclude_unset=True), "model": source.model.model_dump()}
    if isinstance(source, TrackerConfig):
        return {"tracker": source.model_dump(exclude_unset=True)}
    if isinstance(source, MatchConfig):
        return {"match": source.model_dump(exclude_unset=True)}
    if isinstance(source, Mapping):
        return source
    if isinstance(source, str | Path):
        return _read_yaml(source)
    raise ConfigError(f"settings are a published name, a YAML file, a Config or sections by name, not {source!r:.200}")


def _no_section(name: str, value: object, source: AnySettings | TrainConfig) -> str:
    where = f"{source}: " if isinstance(source, str | Path) else ""
    owners = [
        section
        for section, field in {**TrainConfig.model_fields, **Config.model_fields}.items()
        if name in getattr(field.annotation, "model_fields", {})
    ]
    if owners:
        return f"{where}the setting '{name}' belongs into a section: {owners[-1]}: {{{name}: {value}}}"
    return f"{where}'{name}' is to be a section of key: value pairs, not {value!r}"


def parse_section(kind: type[_SectionT], values: Mapping[str, Any], *, where: str) -> _SectionT:
    """A section from plain values; unknown keys and bad values become a `ConfigError` of one line."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors()[0]
        path = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            raise ConfigError(f"{where}: {_unknown_key(kind, path)}") from None
        text = str(problem["msg"]).removeprefix("Value error, ")  # pydantic's, before what our own checks say
        raise ConfigError(": ".join(part for part in (where, ".".join(path), text) if part)) from None


def _unknown_key(kind: type[BaseModel], path: list[str]) -> str:
    owner = kind
    for part in path[:-1]:
        annotation = owner.model_fields[part].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        owner = annotation
    if kind is Config and len(path) == 1 and path[0] in TrainConfig.model_fields:
        return f"'{path[0]}' is a setting of training: it is for siamfc train"
    known = list(owner.model_fields)
    near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return f"unknown setting '{'.'.join(path)}'{hint}; known here: {', '.join(known)}"


def _read_yaml(source: str | Path) -> Mapping[str, Any]:
    path = Path(source).expanduser()
    if str(source) in config_names():
        path = configs_folder() / f"{source}.yaml"
    elif not path.is_file():
        near = difflib.get_close_matches(str(source), config_names(), n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise ConfigError(
            f"no settings '{source}'{hint}: neither a file nor one of the published {', '.join(config_names())}"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: no UTF-8, a date that is none
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    if isinstance(content, Mapping):  # a section with all of its lines commented out is none
        return {section: {} if values is None else values for section, values in content.items()}
    if content is not None:
        raise ConfigError(f"{path} must hold sections such as 'tracker:', not {type(content).__name__}")
    return {}


def _parse_override(text: str) -> Mapping[str, Any]:
    key, equals, value = text.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and section and name):
        raise ConfigError(f"an override looks like tracker.window_influence=0.3, not {text!r}")
    try:
        return {section: {name: yaml.safe_load(value)}}
    except (yaml.YAMLError, ValueError):
        raise ConfigError(f"the value in {text!r} is not YAML") from None
