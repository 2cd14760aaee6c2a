from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.base.files import PART
from dltrain.engine import engine
from dltrain.preprocessing import rows as sources
from dltrain.record.state_file import FILE, previous
from dltrain.training import state
from dltrain.training.state import TrainingState
from dltrain.verbs import resume

EPOCHS = 6
# Everything that has a state: dropout, batch normalization, momentum, averages, and callbacks that decide.
FULL = (
    f"trainer.epochs={EPOCHS}",
    "trainer.save_state_seconds=0",
    "trainer.batch_size=8",
    "model.units=[3]",
    "model.dropout=0.3",
    "optimizer.learning_rate=0.3",
    "callbacks=[default,reduce_on_plateau]",
    "callbacks.reduce_on_plateau.patience=1",
    "callbacks.reduce_on_plateau.min_delta=0.05",
    "score_test=always",
)
AVERAGED = (*FULL, "optimizer.use_ema=true", "optimizer.ema_momentum=0.5")


class PowerCutError(BaseException):
    """Ends a run where it stands, as nothing in the run would."""


@pytest.fixture(autouse=True)
def _save_after_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_OF_THE_TIME", float("inf"))


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`cut(hook, times, after=…)`: the run ends at a hook's n-th call, before or after the state is saved."""
    patched = pytest.MonkeyPatch()

    def at(hook: str, times: int, *, after: bool, error: type[BaseException] = PowerCutError) -> None:
        real, calls = getattr(TrainingState, hook), []

        def method(self: Any, *arguments: Any) -> None:
            calls.append(arguments)
            if len(calls) == times and not after:
                raise error
            real(self, *arguments)
            if len(calls) == times:
                raise error

        patched.setattr(TrainingState, hook, method)

    at.repair = patched.undo  # type: ignore[attr-defined]
    yield at
    patched.undo()


@pytest.fixture(scope="module")
def whole(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The same run in one go, made once for each config."""
    made: dict[tuple[str, ...], Path] = {}

    def get(*overrides: str) -> Path:
        if overrides not in made:
            made[overrides] = run_in(tmp_path_factory.mktemp("whole"), *overrides).path
        return made[overrides]

    return get


def weights(file: Path) -> list[np.ndarray]:
    return keras.models.load_model(file).get_weights()


def assert_same(one: Path, other: Path) -> None:
    for name in ("history.csv", "predictions.csv", "metrics.json", "splits.json", "checkpoints/state.json"):
        assert (one / name).read_text() == (other / name).read_text(), name
    for name in ("model.keras", "checkpoints/best.keras", "checkpoints/last.keras"):
        for left, right in zip(weights(one / name), weights(other / name), strict=True):
            np.testing.assert_array_equal(left, right)
    assert json.loads((one / "run.json").read_text())["status"] == "completed"


def cut_run(run_in: Any, path: Path, *overrides: str) -> Path:
    with pytest.raises(PowerCutError):
        run_in(path, *overrides)
    assert not (path / "model.keras").exists()
    return path


@pytest.mark.parametrize(
    ("config", "hook", "times", "after"),
    [
        (FULL, "on_epoch_end", 1, False),  # before anything was saved
        pytest.param(FULL, "on_epoch_end", 4, True, marks=pytest.mark.slow),
        pytest.param(AVERAGED, "on_epoch_end", 3, False, marks=pytest.mark.slow),
        (AVERAGED, "on_segment_end", 10, True),  # within an epoch
        (AVERAGED, "on_epoch_end", EPOCHS, True),  # nothing but the scoring is left
    ],
)
def test_resumed_run_ends_as_if_it_had_never_stopped(
    config: tuple[str, ...],
    hook: str,
    times: int,
    after: bool,
    run_in: Any,
    whole: Any,
    cut: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "FIRST_SEGMENT", 1)
    monkeypatch.setattr(engine, "SEGMENT_SECONDS", 0)
    expected = whole(*config)
    cut(hook, times, after=after)
    path = cut_run(run_in, tmp_path / "run", *config)
    cut.repair()
    assert resume.VERB.main([str(path)]) == 0
    assert_same(path, expected)
    assert len(json.loads((path / "run.json").read_text())["resumed"]) == 1


def test_streamed_rows_go_on_within_an_epoch(
    run_in: Any, whole: Any, cut: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FIRST_SEGMENT", 1)
    monkeypatch.setattr(engine, "SEGMENT_SECONDS", 0)
    monkeypatch.setattr(sources, "BLOCK_ROWS", 16)
    cut("on_segment_end", 6, after=True)
    path = cut_run(run_in, tmp_path / "run", *FULL, "trainer.engine=streaming")
    cut.repair()
    assert resume.VERB.main([str(path)]) == 0
    assert_same(path, whole(*FULL))


def test_callbacks_decisions_go_on(run_in: Any, whole: Any, cut: Any, tmp_path: Path) -> None:
    stopping = (*FULL, "trainer.epochs=30", "callbacks.early_stopping.patience=4")
    expected = whole(*stopping)
    epochs = json.loads((expected / "metrics.json").read_text())["epochs"]
    assert epochs < 30
    # One epoch before the end: all but the last of the patience is used up.
    cut("on_epoch_end", epochs - 1, after=True)
    path = cut_run(run_in, tmp_path / "run", *stopping)
    cut.repair()
    assert resume.VERB.main([str(path)]) == 0
    assert_same(path, expected)


@pytest.mark.parametrize("config", [pytest.param(FULL, marks=pytest.mark.slow), AVERAGED])
def test_finished_run_is_extended(config: Any, run_in: Any, whole: Any, tmp_path: Path) -> None:
    path = run_in(tmp_path / "run", *config, "trainer.epochs=4").path
    assert resume.VERB.main([str(path), f"trainer.epochs={EPOCHS}"]) == 0
    assert_same(path, whole(*config))
    assert f"epochs: {EPOCHS}" in (path / "config.yaml").read_text()
    scorings = json.loads((path / "run.json").read_text())["test_scorings"]
    assert len(scorings) == 2


def test_finished_run_says_so(run_in: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = run_in(tmp_path / "run").path
    before = (path / "run.json").read_bytes()
    capsys.readouterr()
    assert resume.VERB.main([str(path)]) == 0
    assert "is complete: nothing is left to do" in capsys.readouterr().out
    assert (path / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    "damage", ["flipped", *(pytest.param(each, marks=pytest.mark.slow) for each in ("cut short", "empty"))]
)
def test_damaged_state_is_never_used(damage: str, run_in: Any, whole: Any, cut: Any, tmp_path: Path) -> None:
    cut("on_epoch_end", 4, after=True)
    path = cut_run(run_in, tmp_path / "run", *FULL)
    cut.repair()
    file = path / FILE
    assert previous(file).exists()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(
        {"flipped": bytes(content), "cut short": bytes(content[: len(content) // 2]), "empty": b""}[damage]
    )
    assert resume.VERB.main([str(path)]) == 0
    assert_same(path, whole(*FULL))
    log = (path / "dltrain.log").read_text()
    assert "training.state' is damaged" in log
    assert "The training goes on after epoch 3" in log


def test_without_any_whole_state_the_training_starts_again(run_in: Any, whole: Any, cut: Any, tmp_path: Path) -> None:
    cut("on_epoch_end", 4, after=True)
    path = cut_run(run_in, tmp_path / "run", *FULL)
    cut.repair()
    for file in (path / FILE, previous(path / FILE)):
        file.write_bytes(file.read_bytes()[:-1])
    (path / "checkpoints" / "best.keras").write_bytes(b"flipped")
    assert resume.VERB.main([str(path)]) == 0
    assert_same(path, whole(*FULL))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, None), (signal.SIGTERM, 143)])
def test_signal_saves_the_state_and_says_how_to_go_on(
    number: int,
    code: int | None,
    run_in: Any,
    whole: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real, calls = TrainingState.on_epoch_end, []

    def interrupting(self: Any, epoch: int, logs: Any = None) -> None:
        calls.append(epoch)
        if len(calls) == 3:
            os.kill(os.getpid(), number)
        real(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "on_epoch_end", interrupting)
        config = [word for word in FULL if "save_state_seconds" not in word]
        with pytest.raises(KeyboardInterrupt if code is None else SystemExit) as raised:
            run_in(tmp_path / "run", *config)
    if code:
        assert raised.value.code == code  # type: ignore[attr-defined]
    path = tmp_path / "run"
    out = capsys.readouterr().out
    assert "interrupted after epoch 3 of 6 (" in out
    assert f"dltrain resume {path}" in out
    facts = json.loads((path / "run.json").read_text())
    assert facts["status"] == "interrupted"
    assert facts["reached"]["epoch"] == 3
    assert set(facts["reached"]["metrics"]) >= {"loss", "val_loss"}
    assert (path / "checkpoints" / "last.keras").exists()
    assert resume.VERB.main([str(path)]) == 0
    assert "reached" not in json.loads((path / "run.json").read_text())
    assert (path / "history.csv").read_bytes() == (whole(*FULL) / "history.csv").read_bytes()


def test_changed_data_is_refused(run_in: Any, cut: Any, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{row * row % 7 + 0.5},{row % 2}\n" for row in range(30)))
    cut("on_epoch_end", 1, after=True)
    path = cut_run(run_in, tmp_path / "run", "dataset=csv", f"dataset.path={table}", "dataset.target=b")
    cut.repair()
    before = {name: (path / name).read_bytes() for name in ("run.json", "config.yaml", "splits.json")}
    table.write_text(table.read_text() + "30,0\n")
    with pytest.raises(DataError, match=r"has changed since the run began: 30 rows with the hash .* now"):
        resume.VERB.main([str(path), "trainer.epochs=9"])
    assert {name: (path / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trainer.epoch=5"], r"trainer\.epoch: a run that goes on keeps its settings.*'trainer\.epochs'"),
        (["optimizer.learning_rate=1"], "Start a new run to change others"),
        (["trainer.epochs=many"], "expected a whole number of at least 1, got 'many'"),
        (["trainer.epochs=1"], "the run has 2 epochs already, got 1"),
        (["quiet=maybe"], "expected true or false"),
    ],
)
def test_other_overrides_are_refused(words: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"status": "interrupted"}')
    (tmp_path / "config.yaml").write_text("trainer: {epochs: 5}\n")
    (tmp_path / "history.csv").write_text("epoch,loss\n1,0.5\n2,0.4\n")
    with pytest.raises(ConfigError, match=message):
        resume.VERB.main([str(tmp_path), *words])


@pytest.mark.parametrize(("part", "name"), [("cv/fold_2", "fold 2"), ("seeds/seed_7", "seed 7")])
def test_fewer_epochs_than_a_fold_or_seed_has_are_refused(part: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"status": "interrupted"}')
    (tmp_path / "config.yaml").write_text("trainer: {epochs: 5}\n")
    (tmp_path / part).mkdir(parents=True)
    (tmp_path / part / "history.csv").write_text("epoch,loss\n1,0.5\n2,0.4\n")
    with pytest.raises(ConfigError, match=f"{name} has 2 epochs already, got 1"):
        resume.VERB.main([str(tmp_path), "trainer.epochs=1"])


def test_stopped_by_a_callback_more_epochs_are_of_no_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.json").write_text('{"status": "completed"}')
    (tmp_path / "config.yaml").write_text("trainer: {epochs: 5}\n")
    (tmp_path / "metrics.json").write_text('{"epochs": 1}')
    (tmp_path / "history.csv").write_text("epoch,loss\n1,0.5\n")
    assert resume.VERB.main([str(tmp_path), "trainer.epochs=9"]) == 0
    assert "stopped by a callback after epoch 1 of 5" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("model=linear", "schedule=cosine", "schedule.warmup_epochs=1"),
        ("model.units=[2]", "optimizer=adamw", "regularization_schedule=flat_cosine"),
    ],
)
def test_longer_cosine_is_called_another_curve(
    tmp_path: Path, run_in: Any, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    run_in(tmp_path, *words, "trainer.epochs=2", "~callbacks.tensorboard", "report=false")
    assert resume.VERB.main([str(tmp_path), "trainer.epochs=3"]) == 0
    (schedule,) = (word for word in words if word.split("=")[0].endswith("schedule"))
    assert f"warning: {schedule} goes by" in capsys.readouterr().err
    assert resume.VERB.main([str(tmp_path), "quiet=true"]) == 0
    assert "curve" not in capsys.readouterr().err


RATE = ("model=linear", "optimizer=adam", "trainer.epochs=5", "trainer.save_state_seconds=0", "trainer.batch_size=8")


def edit(path: Path, before: str, after: str) -> None:
    text = (path / "config.yaml").read_text()
    assert before in text
    (path / "config.yaml").write_text(text.replace(before, after))


def test_edited_config_is_refused_by_name_or_taken_up(run_in: Any, whole: Any, cut: Any, tmp_path: Path) -> None:
    before = (whole(*RATE) / "history.csv").read_text().splitlines()
    cut("on_epoch_end", 3, after=True)
    path = cut_run(run_in, tmp_path / "run", *RATE)
    cut.repair()
    edit(path, "learning_rate: 0.001", "learning_rate: 0.25")
    record = (path / "run.json").read_bytes()
    with pytest.raises(
        ConfigError, match=r"add --with-changes.*\n.*optimizer\.learning_rate: run\.json has 0\.001, .* 0\.25"
    ):
        resume.VERB.main([str(path)])
    assert (path / "run.json").read_bytes() == record
    # Killed before it trained with it; the next resume needs no flag.
    cut("on_train_begin", 1, after=False)
    with pytest.raises(PowerCutError):
        resume.VERB.main([str(path), "--with-changes"])
    cut.repair()
    assert resume.VERB.main([str(path)]) == 0
    facts = json.loads((path / "run.json").read_text())
    assert facts["changes"] == [{"epoch": 4, "key": "optimizer.learning_rate", "before": 0.001, "after": 0.25}]
    assert facts["settings"]["optimizer.learning_rate"] == 0.25
    after = (path / "history.csv").read_text().splitlines()
    assert after[:4] == before[:4]
    assert len(after) == len(before) == 6
    assert float(after[5].split(",")[1]) != pytest.approx(float(before[5].split(",")[1]), rel=0.01)
    last = keras.models.load_model(path / "checkpoints" / "last.keras")
    assert float(last.optimizer.learning_rate) == pytest.approx(0.25)


def test_what_a_training_rests_on_is_refused_even_with_changes(run_in: Any, tmp_path: Path) -> None:
    path = run_in(tmp_path / "run", "model.units=[2]").path
    edit(path, "- 2\n", "- 3\n")
    with pytest.raises(ConfigError, match=r"start a new run.*\nmodel\.units: run\.json has \[2\], .* \[3\]"):
        resume.VERB.main([str(path), "trainer.epochs=2", "--with-changes"])
    edit(path, "- 3\n", "- 2\n")
    assert resume.VERB.main([str(path), "trainer.epochs=2"]) == 0
    changes = json.loads((path / "run.json").read_text())["changes"]
    assert changes == [{"epoch": 2, "key": "trainer.epochs", "before": 1, "after": 2}]


def test_taken_up_settings_are_checked(run_in: Any, tmp_path: Path) -> None:
    path = run_in(tmp_path / "run", "model=linear").path
    edit(path, "epochs: 1\n", "epochs: many\n")
    with pytest.raises(ConfigError, match=r"trainer\.epochs: expected an integer"):
        resume.VERB.main([str(path), "--with-changes"])


def test_run_that_was_killed_before_its_report_gets_it(
    run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def killed(*_: Any) -> None:
        raise PowerCutError

    words, path = ("model=linear", "report=auto", "score_test=always"), tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("dltrain.report.report.write_report", killed)
        patch.setattr("dltrain.report.insights.insights_of_run", killed)
        with pytest.raises(PowerCutError):
            run_in(path, *words)
        assert json.loads((path / "run.json").read_text())["status"] == "completed"
    assert not (path / "report.html").exists()
    (path / f"{PART}0.insights.json").touch()  # the kill came in the middle of a file
    (path / f"{PART}1.model").mkdir()
    assert resume.VERB.main([str(path)]) == 0
    assert not list(path.rglob(f"{PART}*"))
    assert f"its report was missing: {path / 'report.html'}" in capsys.readouterr().out
    assert (path / "insights.json").exists()
    assert "<html" in (path / "report.html").read_text()
    assert resume.VERB.main([str(path)]) == 0
    assert "its report was missing" not in capsys.readouterr().out
    with monkeypatch.context() as patch:  # the report of fewer epochs is not that of more
        patch.setattr("dltrain.report.insights.insights_of_run", killed)
        with pytest.raises(PowerCutError):
            resume.VERB.main([str(path), "trainer.epochs=2"])
    assert not (path / "report.html").exists()
