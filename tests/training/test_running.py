"""The loop: it learns, it can be stopped anywhere and goes on the same, and it says what is wrong."""

from __future__ import annotations

import copy
import errno
import json
import os
import signal

import pytest
import torch
from safetensors import safe_open

from siamfc.checkpoint import load_model
from siamfc.errors import CheckpointError, OutputError, TrainingError
from siamfc.training.fabric import PRECISIONS
from siamfc.training.held_out import HeldOutPairs
from siamfc.training.loading import read_batches
from siamfc.training.run_checks import require_same_run
from siamfc.training.running import MODEL_FILE, STATE_FILE
from tests.training.runs import Silent, tiny_config, tiny_mixture, tiny_trainer


def _weights(folder):
    with safe_open(folder / MODEL_FILE, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    observer = Silent()
    assert tiny_trainer(folder).run(observer)
    return folder, observer


def test_a_run_writes_a_model_that_loads_and_scores(unbroken) -> None:
    folder, observer = unbroken
    model = load_model(folder / MODEL_FILE, device="cpu")
    assert torch.isfinite(model(torch.zeros(1, 3, 127, 127), torch.zeros(1, 3, 255, 255))).all()
    assert [report.epoch for report in observer.epochs] == [0, 1, 2]
    assert observer.steps == 8


def test_a_run_stopped_inside_an_epoch_goes_on_to_the_same_weights(unbroken, tmp_path) -> None:
    first = tiny_trainer(tmp_path, "training.save_every_s=0")
    with pytest.raises(RuntimeError, match="power cut"):
        first.run(Silent(stop_after=3, error=RuntimeError("power cut")))
    second = tiny_trainer(tmp_path, workers=1)
    second.resume()
    assert second.step == 2  # the third step's state was not written any more
    assert second.run(Silent())
    assert _equal(_weights(tmp_path), _weights(unbroken[0]))


def test_an_interrupt_finishes_the_step_saves_and_goes_on_the_same(unbroken, tmp_path) -> None:
    class Interrupting(Silent):
        def on_step(self, report):
            super().on_step(report)
            if self.steps == 5:
                os.kill(os.getpid(), signal.SIGINT)

    first = tiny_trainer(tmp_path)
    assert not first.run(Interrupting())
    stopped, now = load_model(tmp_path / MODEL_FILE, device="cpu"), first.model()
    assert all(torch.equal(value, now.state_dict()[name]) for name, value in stopped.state_dict().items())
    second = tiny_trainer(tmp_path)
    second.resume()
    assert second.step == 5
    assert second.run(Silent())
    assert _equal(_weights(tmp_path), _weights(unbroken[0]))


def test_an_interrupt_in_the_last_step_of_an_epoch_loses_nothing_of_its_report(unbroken, tmp_path) -> None:
    class Interrupting(Silent):
        def on_step(self, report):
            super().on_step(report)
            if report.step in (3, 7):
                os.kill(os.getpid(), signal.SIGINT)

    first, second = tiny_trainer(tmp_path), tiny_trainer(tmp_path)
    assert not first.run(Interrupting())
    assert [epoch["epoch"] for epoch in first.epochs] == [0, 1]
    second.resume()
    assert second.run(Interrupting())  # nothing was left to do when it was asked to stop
    timeless = [[{**report.as_json(), "seconds": 0} for report in unbroken[1].epochs]]
    timeless.append([{**report, "seconds": 0} for report in second.epochs])
    assert timeless[0] == timeless[1]
    assert _equal(_weights(tmp_path), _weights(unbroken[0]))


def test_an_epoch_that_was_cut_off_while_it_was_measured_is_measured_then(tmp_path, monkeypatch) -> None:
    def power_cut(*_):
        raise RuntimeError("power cut")

    first = tiny_trainer(tmp_path, "training.save_every_s=0")
    with monkeypatch.context() as patch:
        patch.setattr(Silent, "on_step", lambda self, _: patch.setattr(HeldOutPairs, "measure", power_cut))
        with pytest.raises(RuntimeError, match="power cut"):
            first.run(Silent())
    second = tiny_trainer(tmp_path)
    second.resume()
    assert second.step == 4
    assert second.run(Silent())
    assert [epoch["epoch"] for epoch in second.epochs] == [0, 1, 2]


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(unbroken, tmp_path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    tiny_trainer(tmp_path / "a").run(Silent())
    tiny_trainer(tmp_path / "b", "training.seed=1").run(Silent())
    assert _equal(_weights(tmp_path / "a"), _weights(unbroken[0]))
    assert not _equal(_weights(tmp_path / "b"), _weights(unbroken[0]))


def test_a_run_is_resumed_with_its_own_settings_and_data_only(unbroken) -> None:
    other = tiny_trainer(unbroken[0], "optimiser.learning_rate=0.5")
    with pytest.raises(TrainingError, match=r"has optimiser\.learning_rate=0\.0002, and is asked to go on with 0\.5"):
        other.resume()
    elsewhere = tiny_trainer(unbroken[0], mixture=tiny_mixture(held_out=False))
    with pytest.raises(TrainingError, match="the data are not those"):
        elsewhere.resume()
    begun = tiny_trainer(unbroken[0], init="mobilenetv2-imagenet")
    with pytest.raises(TrainingError, match="--init"):
        begun.resume()


def test_a_run_of_an_earlier_version_goes_on_though_a_setting_was_added_since(tmp_path) -> None:
    now = {"config": tiny_config().model_dump(mode="json"), "data": "those", "teacher": None, "init": None}
    before = copy.deepcopy(now)
    del before["config"]["model"]["shallow_block"]
    require_same_run(before, now, tmp_path)
    now["config"]["model"]["shallow_block"] = 5
    with pytest.raises(TrainingError, match=r"has model\.shallow_block=0, and is asked to go on with 5"):
        require_same_run(before, now, tmp_path)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_run_learns_in_every_precision_that_is_offered(tmp_path, precision) -> None:
    trainer = tiny_trainer(tmp_path, precision=precision)
    begun = {name: value.clone() for name, value in trainer.model().state_dict().items()}
    assert trainer.run(Silent())
    assert any(not torch.equal(value, begun[name]) for name, value in trainer.model().state_dict().items())


def test_the_starts_statistics_cannot_be_mixed_in(tmp_path) -> None:
    with pytest.raises(TrainingError, match=r"optimiser\.start_share=0"):
        tiny_trainer(tmp_path, "optimiser.start_share=0.5", "optimiser.batch_norm=train")


def test_a_broken_state_is_refused(tmp_path) -> None:
    (tmp_path / STATE_FILE).write_bytes(b"no state")
    with pytest.raises(CheckpointError, match="not the state of a training run"):
        tiny_trainer(tmp_path).resume()


def test_a_loss_that_is_not_finite_stops_the_run_names_the_pairs_and_keeps_the_batch(tmp_path) -> None:
    trainer = tiny_trainer(tmp_path)
    model = trainer._model

    class Breaking(Silent):
        def on_step(self, report):
            super().on_step(report)
            if self.steps == 2:
                with torch.no_grad():
                    model.bias.fill_(float("nan"))

    with pytest.raises(TrainingError, match=r"step 2: the loss is not finite \(pairs of clip-\d"):
        trainer.run(Breaking())
    with safe_open(tmp_path / "not-finite-step-2.safetensors", framework="pt") as file:
        assert file.get_tensor("searches").shape == (2, 3, 95, 95)
        assert file.metadata()["names"].startswith("clip-")
    again = tiny_trainer(tmp_path)
    again.resume()  # the state of before is whole
    assert again.step == 0


def test_a_full_disk_is_one_line_and_leaves_the_state_before(tmp_path, monkeypatch) -> None:
    trainer = tiny_trainer(tmp_path)
    trainer.save()
    before = (tmp_path / STATE_FILE).read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        trainer.save()
    monkeypatch.undo()
    assert (tmp_path / STATE_FILE).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


def test_a_batch_size_that_groups_do_not_divide_is_refused(tmp_path) -> None:
    with pytest.raises(TrainingError, match="batch_size 2 is no multiple of 4"):
        tiny_trainer(tmp_path, "labels.group_size=4")


@pytest.mark.parametrize("policy", ["train", "frozen", "folded"])
def test_one_batch_can_be_overfitted_whatever_becomes_of_batch_norm(tmp_path, policy) -> None:
    trainer = tiny_trainer(
        tmp_path,
        f"optimiser.batch_norm={policy}",
        "training.epochs=10",
        "optimiser.learning_rate=0.001",
        mixture=tiny_mixture(held_out=False),
        init=None if policy == "train" else "mobilenetv2-imagenet",  # norms that stay need statistics to stay at
    )
    batch = next(read_batches(trainer._reader, 0))
    trainer._set_mode()
    losses = [trainer._step(batch, 0, data_s=0.0).loss for _ in range(25)]
    assert losses[-1] < 0.85 * losses[0]


def test_the_model_of_folded_norms_is_the_network_that_was_trained(tmp_path) -> None:
    trainer = tiny_trainer(tmp_path, "optimiser.average_decay=0")
    trainer.run(Silent())
    images = torch.rand(2, 3, 95, 95) * 255
    trained, written = trainer._model.eval(), load_model(tmp_path / MODEL_FILE, device="cpu")
    with torch.inference_mode():
        assert torch.allclose(trained.embed(images), written.embed(images), rtol=1e-4, atol=1e-5)


def test_held_out_figures_stand_beside_the_centre_and_a_strangers_exemplar(unbroken) -> None:
    report = unbroken[1].epochs[-1].held_out
    assert report.pairs == 4
    assert 0 < report.always_center_px <= 8 * 2**0.5
    assert 0 <= report.center_auc <= 1
    json.dumps(report.__dict__)


def test_settings_of_the_tiny_run_are_what_the_state_holds(unbroken) -> None:
    with safe_open(unbroken[0] / STATE_FILE, framework="pt") as file:
        header = json.loads(file.metadata()["siamfc-run"])
    assert header["notes"]["config"] == tiny_config().model_dump(mode="json")
