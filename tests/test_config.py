"""Settings: strict, in layers, each number in its range."""

from __future__ import annotations

import re

import pytest
import yaml
from pydantic import ValidationError

from siamfc.config import (
    Config,
    ModelConfig,
    TrackerConfig,
    TrainConfig,
    config_names,
    configs_folder,
    load_config,
    load_train_config,
)
from siamfc.errors import ConfigError

TRAINING = ("smoke", "train-deep", "train-default", "train-joint", "train-paper", "train-taught")


@pytest.fixture
def settings_file(tmp_path):
    """Writes a YAML text and gives its path."""

    def write(text, *, encoding="utf-8"):
        path = tmp_path / "my settings é.yaml"
        path.write_text(text, encoding=encoding)
        return path

    return write


def test_the_published_settings_are_there():
    assert {"track-default", "track-paper-3s", "track-paper-5s", "track-compat"} <= set(config_names())


@pytest.mark.parametrize("name", sorted(set(config_names()) - set(TRAINING)))
def test_every_published_file_loads_by_name_and_by_path(name):
    assert load_config(name) == load_config(configs_folder() / f"{name}.yaml")


BROUGHT = {"context_weight", "motion_blur", "lost_score", "full_contrast", "filter_influence"}


def test_track_default_spells_out_every_default_but_what_weights_bring():
    written = yaml.safe_load((configs_folder() / "track-default.yaml").read_text(encoding="utf-8"))
    assert written == {"tracker": TrackerConfig().model_dump(exclude=BROUGHT)}
    spelt = [name for name in TrackerConfig.model_fields if name not in BROUGHT]
    assert list(written["tracker"]) == spelt  # in the same order, to be read side by side


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("track-paper-3s", (3, 1.0375, 0.9745, 0.59, 0.176)), ("track-paper-5s", (5, 1.0255, 0.962, 0.34, 0.168))],
)
def test_the_papers_settings_are_the_authors_numbers(name, numbers):
    tracker = load_config(name).tracker
    assert numbers == (
        tracker.num_scales,
        tracker.scale_step,
        tracker.scale_penalty,
        tracker.scale_damping,
        tracker.window_influence,
    )
    assert (tracker.exemplar_size, tracker.search_size, tracker.context_amount) == (127, 255, 0.5)
    assert (tracker.response_upsampling, tracker.response_alignment) == (16, "corners")
    assert (tracker.min_scale, tracker.max_scale) == (0.2, 5.0)


@pytest.mark.parametrize("name", ["track-paper-3s", "track-paper-5s", "track-compat"])
def test_settings_of_others_leave_nothing_of_what_weights_bring(name):
    checkpoint = {"tracker": dict.fromkeys(BROUGHT, 0.2)}
    tracker = load_config(name, checkpoint=checkpoint).tracker
    assert {key: getattr(tracker, key) for key in BROUGHT} == {
        key: TrackerConfig.model_fields[key].default for key in BROUGHT
    }


def test_track_compat_has_the_272_cell_response():
    tracker = load_config("track-compat").tracker
    assert (tracker.response_upsampling, tracker.response_alignment) == (16, "edges")


def test_every_number_has_a_description():
    fields = {**TrackerConfig.model_fields, **ModelConfig.model_fields}
    assert [name for name, field in fields.items() if not field.description] == []


def test_each_layer_overrides_the_one_before(settings_file):
    checkpoint = {"tracker": {"num_scales": 5, "scale_step": 1.02, "window_influence": 0.3}}
    file = settings_file("tracker: {scale_step: 1.03, window_influence: 0.4}")
    tracker = load_config(file, checkpoint=checkpoint, overrides=["tracker.window_influence=0.5"]).tracker
    assert tracker.scale_damping == 0.59  # nobody's: the default
    assert tracker.num_scales == 5  # the checkpoint's
    assert tracker.scale_step == 1.03  # the file's
    assert tracker.window_influence == 0.5  # --set's


def test_of_two_overrides_the_last_counts():
    assert load_config(overrides=["tracker.num_scales=5", "tracker.num_scales=7"]).tracker.num_scales == 7


def test_without_layers_all_is_default():
    assert load_config() == Config() == load_config("track-default")


def test_an_empty_file_changes_nothing(settings_file):
    assert load_config(settings_file("# only a comment\n")) == Config()


def test_a_file_with_crlf_and_a_byte_order_mark_loads(settings_file):
    path = settings_file("tracker:\r\n  num_scales: 5\r\n", encoding="utf-8-sig")
    assert load_config(path).tracker.num_scales == 5


def test_numbers_in_scientific_notation_are_numbers():
    # YAML 1.1 reads 1e-1, without a point, as a text.
    assert load_config(overrides=["tracker.window_influence=1e-1"]).tracker.window_influence == 0.1


def test_settings_cannot_be_changed_after_loading():
    with pytest.raises(ValidationError, match="frozen"):
        load_config().tracker.num_scales = 5


@pytest.mark.parametrize(
    ("override", "near"),
    [
        ("tracker.num_scale=5", "num_scales"),
        ("tracker.windw_influence=0.1", "window_influence"),
        ("tracker.lr=0.59", None),
        ("traker.num_scales=5", "tracker"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_known_and_the_nearest(override, near):
    with pytest.raises(ConfigError, match="unknown setting") as caught:
        load_config(overrides=[override])
    message = str(caught.value)
    assert ("did you mean" in message) == (near is not None)
    assert near is None or f"did you mean '{near}'" in message
    known = Config.model_fields if override.startswith("traker") else TrackerConfig.model_fields
    assert all(name in message for name in known)


def test_an_unknown_key_in_a_file_names_the_file(settings_file):
    path = settings_file("tracker: {num_scale: 5}")
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        load_config(path)


@pytest.mark.parametrize(
    "override",
    [
        "tracker.exemplar_size=15",
        "tracker.exemplar_size=127.5",
        "tracker.search_size=5000",
        "tracker.context_amount=-0.1",
        "tracker.num_scales=0",
        "tracker.num_scales=4",
        "tracker.num_scales=33",
        "tracker.scale_step=1",
        "tracker.scale_step=0.96",
        "tracker.scale_penalty=0",
        "tracker.scale_penalty=1.01",
        "tracker.scale_damping=1.5",
        "tracker.window_influence=-0.1",
        "tracker.window_influence=1.1",
        "tracker.response_upsampling=0",
        "tracker.response_alignment=centre",
        "tracker.min_scale=0",
        "tracker.min_scale=1.1",
        "tracker.max_scale=0.9",
        "tracker.max_scale=.inf",
        "tracker.window_influence=.nan",
        "tracker.window_influence=much",
        "tracker.window_influence=",
        "tracker.window_influence=[0.1]",
        "tracker.window_influence=true",
        "tracker.num_scales=true",
    ],
)
def test_a_value_of_the_wrong_type_or_out_of_range_is_one_line_that_names_its_key(override):
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[override])
    message = str(caught.value)
    assert override.partition("=")[0] in message
    assert "\n" not in message


def test_what_a_check_of_our_own_says_stands_by_itself():
    with pytest.raises(ConfigError, match=r"^[^:]*: tracker\.num_scales: must be odd"):
        load_config(overrides=["tracker.num_scales=4"])


@pytest.mark.parametrize(
    "text", ["num_scales=5", "tracker.num_scales", "tracker.=5", ".num_scales=5", "", "=", "tracker=5"]
)
def test_an_override_of_another_form_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match=r"tracker\.window_influence=0\.3"):
        load_config(overrides=[text])


@pytest.mark.parametrize("value", ["[1", "'", "{a: b", "2001-99-99"])
def test_an_override_that_is_no_yaml_is_refused(value):
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(overrides=[f"tracker.num_scales={value}"])


@pytest.mark.parametrize("text", ["tracker: [", "tracker:\n\t- a", "a: b: c", "when: 2001-99-99", "&a [*b]", "\x00"])
def test_a_file_that_is_no_yaml_is_refused_in_one_line_with_its_name(settings_file, text):
    path = settings_file(text)
    with pytest.raises(ConfigError, match="not YAML") as caught:
        load_config(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_binary_file_is_refused(tmp_path):
    path = tmp_path / "picture.yaml"
    path.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(path)


@pytest.mark.parametrize("text", ["just a text", "- a\n- b", "5"])
def test_a_file_without_sections_is_refused(settings_file, text):
    with pytest.raises(ConfigError, match="must hold sections"):
        load_config(settings_file(text))


@pytest.mark.parametrize("text", ["tracker: 5", "tracker: [num_scales]"])
def test_a_section_that_is_no_mapping_is_refused_with_the_files_name(settings_file, text):
    path = settings_file(text)
    with pytest.raises(ConfigError, match="'tracker' is to be a section") as told:
        load_config(path)
    assert str(path) in str(told.value)


def test_a_section_with_all_lines_commented_out_is_none(settings_file):
    assert load_config(settings_file("tracker:\n  # num_scales: 5\nmatch:\n")) == Config()


def test_a_setting_outside_its_section_is_told_where_it_belongs(settings_file):
    with pytest.raises(
        ConfigError, match=r"'window_influence' belongs into a section: tracker: \{window_influence: 0\.3\}"
    ):
        load_config(settings_file("window_influence: 0.3"))


def test_settings_of_training_are_told_apart():
    with pytest.raises(ConfigError, match="'model' is a setting of training"):
        load_config("train-default")


@pytest.mark.parametrize(
    "source",
    [
        TrackerConfig(window_influence=0.3),
        Config(tracker=TrackerConfig(window_influence=0.3)),
        {"tracker": {"window_influence": 0.3}},
        TrackerConfig().model_copy(update={"window_influence": 0.3}),
    ],
    ids=["section", "whole", "mapping", "changed copy"],
)
def test_an_object_sets_what_it_was_given_and_leaves_the_rest_to_the_checkpoint(source):
    config = load_config(source, checkpoint={"tracker": {"context_weight": 0.2, "window_influence": 0.1}})
    assert (config.tracker.window_influence, config.tracker.context_weight) == (0.3, 0.2)
    assert load_config(source, overrides=["tracker.window_influence=0.4"]).tracker.window_influence == 0.4
    again = load_config(config, checkpoint={"tracker": {"motion_blur": 0.5, "window_influence": 0.5}}).tracker
    assert (again.window_influence, again.context_weight, again.motion_blur) == (0.3, 0.2, 0.5)


@pytest.mark.parametrize("source", [5, ["tracker.num_scales=5"], object()])
def test_what_holds_no_settings_is_refused(source):
    with pytest.raises(ConfigError, match="settings are a published name"):
        load_config(source)


def test_settings_of_training_may_be_an_object():
    given = TrainConfig(model=ModelConfig(backbone="alexnet"))
    config = load_train_config(given, overrides=["training.epochs=7"])
    assert config.model == given.model
    assert config.training.epochs == 7
    assert load_train_config(given) == given


def test_one_override_is_not_a_list_of_characters():
    with pytest.raises(ConfigError, match="a list of strings"):
        load_config(overrides="tracker.num_scales=5")


def test_a_published_name_that_is_nearly_right_is_named():
    with pytest.raises(ConfigError, match="did you mean 'track-paper-5s'"):
        load_config("track-papr-5s")


def test_a_key_that_is_no_text_is_refused(settings_file):
    with pytest.raises(ConfigError):
        load_config(settings_file("tracker: {1: 2}"))


@pytest.mark.parametrize("place", ["missing.yaml", "track-defaults", "."])
def test_settings_that_are_not_there_are_refused_with_the_published_names(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="track-paper-5s"):
        load_config(place)


def test_yaml_tags_execute_nothing(settings_file, tmp_path):
    flag = tmp_path / "executed"
    path = settings_file(f"tracker: !!python/object/apply:os.mkdir ['{flag}']")
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(path)
    assert not flag.exists()
    yaml.unsafe_load(path.read_text(encoding="utf-8"))  # it would have, and this test would have seen it
    assert flag.exists()


def test_train_default_spells_out_what_training_does_without_a_file():
    written = yaml.safe_load((configs_folder() / "train-default.yaml").read_text(encoding="utf-8"))
    expected = TrainConfig().model_dump(mode="json")
    assert load_train_config("train-default").model_dump() == TrainConfig().model_dump()
    assert {section: set(values) for section, values in written.items() if section != "tracker"} == {
        section: set(values) for section, values in expected.items() if section != "tracker"
    }


@pytest.mark.parametrize("name", TRAINING)
def test_published_training_settings_load(name):
    assert load_train_config(name) == load_train_config(configs_folder() / f"{name}.yaml")


def test_train_paper_is_the_authors_training_to_the_letter():
    paper = load_train_config("train-paper")
    assert (paper.model.backbone, paper.model.gain, paper.model.standardisation) == ("alexnet", 1e-3, "none")
    assert (paper.pairs.per_epoch, paper.pairs.max_frame_gap) == (50_000, 100)
    assert (paper.training.batch_size, paper.training.epochs, paper.training.search_size) == (8, 50, 239)
    assert (paper.augmentation.search_shift_px, paper.augmentation.stretch, paper.augmentation.grey_share) == (
        4,
        0.05,
        0.25,
    )
    assert (paper.labels.positive_radius, paper.labels.follows_target, paper.labels.group_size) == (16, False, 1)
    assert paper.labels.ranking_weight == 0
    assert (paper.optimiser.name, paper.optimiser.momentum, paper.optimiser.weight_decay) == ("sgd", 0.9, 5e-4)
    assert (paper.optimiser.bias_factor, paper.optimiser.batch_norm, paper.optimiser.train_gain) == (2, "train", False)


def test_an_unknown_training_setting_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'max_frame_gap'"):
        load_train_config(None, overrides=["pairs.max_frames_gap=5"])


def test_one_key_of_the_model_to_train_leaves_the_others_as_they_are():
    assert load_train_config(None, overrides=["model.last_block=9"]).model.standardisation == "first_search"
