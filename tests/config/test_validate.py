"""Settings that cannot work or have no effect: refused with the reason, before TensorFlow is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from dltrain.base.errors import ConfigError
from dltrain.config.compose import Composer

TRUE_POSITIVES = "+task.metrics.tp={_target_: keras.metrics.TruePositives}"
# id: the words (two blanks apart), and a part of the sentence that answers.
REFUSED: dict[str, tuple[str, str]] = {
    "encoding": ("+encoding.dimension=3", "encoding.dimension has no effect with encoding=one_hot"),
    "rate of zero": ("optimizer.learning_rate=0", "optimizer.learning_rate: expected a number above 0, got 0"),
    "rate below zero": ("optimizer.learning_rate=-1", "above 0, got -1"),
    "rate of nan": ("optimizer.learning_rate=nan", "expected a number, got nan"),
    "infinite rate": ("optimizer.learning_rate=inf", "above 0, got inf"),
    "beta": ("optimizer.beta_1=1.5", "optimizer.beta_1: expected a number from 0 to below 1, got 1.5"),
    "momentum": ("optimizer=momentum  optimizer.momentum=1", "from 0 to below 1, got 1"),
    "clipping": ("optimizer.clipnorm=1  optimizer.global_clipnorm=1", "clipnorm and global_clipnorm exclude each"),
    "clipping to zero": ("optimizer.clipvalue=0", "optimizer.clipvalue: expected a number above 0"),
    "average": ("optimizer.use_ema=true  optimizer.ema_momentum=2", "optimizer.ema_momentum: expected a number from 0"),
    "idle average": ("optimizer.ema_momentum=0.9", "no effect without optimizer.use_ema=true"),
    "nesterov": ("optimizer=nesterov  optimizer.momentum=0", "nesterov has no effect without optimizer.momentum"),
    "idle schedule": (
        "model.dropout=0  regularization_schedule=flat_cosine",
        "there is neither dropout nor weight decay to change",
    ),
    "never falling": (
        "regularization_schedule=flat_cosine  regularization_schedule.flat=1",
        "regularization_schedule.flat: expected a number from 0 to below 1, got 1",
    ),
    "falling passes": (
        "dataset=boston  task=gaussian_regression  task.monte_carlo_dropout=5  regularization_schedule=flat_cosine",
        "Monte-Carlo dropout draws with the rate of the training",
    ),
    "penalty": ("regularizer=l2  regularizer.kernel.l2=-1", "regularizer.kernel.l2: expected a number of at least 0"),
    "smoothing": ("task.loss.label_smoothing=1", "task.loss.label_smoothing: expected a number from 0 to below 1"),
    "smoothing of a square": ("dataset=boston  +task.loss.label_smoothing=0.1", "has no argument 'label_smoothing'"),
    "weights of a quantity": ("dataset=boston  +task.class_weight=balanced", "no effect with task=regression"),
    "weights by a word": ("task.class_weight=balance", "expected balanced or a weight for each class"),
    "weight by a word": ("task.class_weight={a: x}", "task.class_weight.a: expected a number of at least 0, got 'x'"),
    "weight below zero": ("task.class_weight={a: -1}", "task.class_weight.a: expected a number of at least 0"),
    "no weights": ("task.class_weight={}", "expected a weight for one class at least"),
    "weights of zero": ("task.class_weight={a: 0}", "every given weight is 0"),
    "crossentropy of a quantity": (
        "dataset=boston  task.loss._target_=keras.losses.BinaryCrossentropy",
        "keras.losses.BinaryCrossentropy needs targets from 0 to 1",
    ),
    "accuracy of a quantity": (
        "dataset=boston  task.metrics.mae._target_=keras.metrics.BinaryAccuracy",
        "task.metrics.mae: keras.metrics.BinaryAccuracy is for classes",
    ),
    "squares of class numbers": (
        "dataset=wine  ~task.loss.label_smoothing  task.loss._target_=keras.losses.MeanSquaredError",
        "would compare class numbers with probabilities",
    ),
    "metric of class numbers": (
        "dataset=wine  task.metrics.accuracy._target_=keras.metrics.BinaryAccuracy",
        "such as keras.metrics.SparseCategoricalAccuracy",
    ),
    "several classes of one unit": (
        "task.metrics.accuracy._target_=keras.metrics.SparseCategoricalAccuracy",
        "is for one of several classes; task=binary",
    ),
    "scaled classes": ("+task.target_scaling=standard", "target_scaling has no effect with task=binary"),
    "logits": ("+task.loss.from_logits=true", "gives probabilities, no logits"),
    "no activation": ("task.activation=null", "expected sigmoid or hard_sigmoid, got null"),
    "unbounded activation": ("task.activation=relu", "task=binary needs values from 0 to 1"),
    "sigmoid of several classes": ("dataset=wine  task.activation=sigmoid", "expected softmax, got sigmoid"),
    "bounded quantity": ("dataset=boston  task.activation=sigmoid", "has to reach both sides of the mean"),
    "softmax of a quantity": ("dataset=boston  task.activation=softmax", "softmax over the single unit"),
    "unknown activation": ("model.activation=rely", "Keras has no activation 'rely'. Did you mean 'relu'?"),
    "steps at zero": ("schedule=step  schedule.epochs=[0]", "schedule.epochs[0]: expected a number of at least 1"),
    "no steps": ("schedule=step  schedule.epochs=[]", "expected one epoch at least"),
    "factor of zero": ("schedule=exponential  schedule.factor=0", "schedule.factor: expected a number above 0"),
    "warm-up": (
        "schedule=cosine  schedule.warmup_epochs=-2",
        "schedule.warmup_epochs: expected a number of at least 0",
    ),
    "plateau's factor": (
        "schedule=reduce_on_plateau  callbacks.reduce_on_plateau.factor=1.5",
        "callbacks.reduce_on_plateau.factor: expected a number above 0 and below 1",
    ),
    "plateau with a schedule": (
        "schedule=cosine  callbacks=[default,reduce_on_plateau]",
        "callbacks.reduce_on_plateau sets the learning rate, and so does schedule=cosine",
    ),
    "mode": ("callbacks.early_stopping.mode=maximum", "expected auto, min, max, got 'maximum'"),
    "patience": ("callbacks.early_stopping.patience=-1", "callbacks.early_stopping.patience: expected a number of"),
    "patience without end": (
        "trainer.epochs=20  callbacks.early_stopping.patience=30",
        "30 has no effect in 20 epochs",
    ),
    "late steps": ("trainer.epochs=4  schedule=step  schedule.epochs=[5,10]", "none of [5, 10] is reached in 4 epochs"),
    "late warm-up": (
        "trainer.epochs=4  schedule=cosine  schedule.warmup_epochs=5",
        "schedule.warmup_epochs: 5 has no effect in 4 epochs",
    ),
    "checkpoint's counts": (
        "callbacks.checkpoint.every_epochs=1  callbacks.checkpoint.every_steps=5",
        "at most one of every_epochs and every_steps",
    ),
    "checkpoint's count": ("callbacks.checkpoint.every_epochs=0", "every_epochs: expected a number of at least 1"),
    "monitor of nothing": ("callbacks.early_stopping.monitor=val_acuracy", "Did you mean 'val_accuracy'?"),
    "monitor of test": ("callbacks.early_stopping.monitor=test_loss", "no metric of task=binary gives 'test_loss'"),
    "monitor without direction": (
        f"{TRUE_POSITIVES}  callbacks.early_stopping.monitor=val_tp",
        "'val_tp' does not say whether less or more is better",
    ),
    "monitor of the rate": ("callbacks.early_stopping.monitor=learning_rate", "does not say whether less or more"),
    "monitor that nobody writes": (
        "~callbacks.learning_rate  callbacks.early_stopping.monitor=learning_rate",
        "no metric of task=binary gives 'learning_rate'",
    ),
    "no hidden layer": ("model.units=[]  model.dropout=0.5", "model.dropout has no effect without a hidden layer"),
    "no unit": ("model.units=[3,0]", "model.units[1]: expected a number from 1 to 2,147,483,647, got 0"),
    "dropout": ("model.dropout=1.0", "model.dropout: expected a share from 0 to below 1, got 1.0"),
    "position": ("normalization=none  model.normalization_position=after_activation", "no effect with normalization="),
    "batch of one": ("trainer.batch_size=1", "batch normalization of a single row"),
    "ignored group": ("model=linear  normalization=batch", "model linear has no use for it"),
    "quiet and verbose": ("quiet=true  verbose=true", "quiet and verbose are both true"),
    "quantiles": ("scaling=quantile  scaling.quantiles=0", "scaling.quantiles: expected a number of at least 1"),
    "infinite filling": ("imputation=constant  imputation.value=inf", "expected a number that is finite, got inf"),
    "normalization": ("normalization.momentum=1", "normalization.momentum: expected a number from 0 to below 1"),
    "compiled replicas": ("strategy=mirrored  trainer.jit_compile=true", "steps are not compiled; expected auto"),
    "memory": ("trainer.engine=streaming  trainer.memory_budget=3", "expected trainer.engine=auto"),
}
ACCEPTED = (
    "trainer.epochs=20",
    "task.monitor=val_auc",
    "task.monitor=val_auc  schedule=reduce_on_plateau",
    f"{TRUE_POSITIVES}  callbacks.early_stopping.monitor=val_tp  callbacks.early_stopping.mode=max",
    "callbacks.early_stopping.monitor=learning_rate  callbacks.early_stopping.mode=min",
    "dataset=boston  task.activation=softplus  task.target_scaling=none",
    "dataset=wine  ~task.loss.label_smoothing  task.loss._target_=keras.losses.SparseCategoricalCrossentropy",
    "task.class_weight={a: 2}",
    "model.units=[]",
    "+optimizer.weight_decay=0.01",
    "schedule=step  schedule.epochs=[3,400]  trainer.epochs=10",
)


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


@pytest.mark.parametrize("name", REFUSED)
def test_setting_is_refused_with_the_reason(composer: Composer, name: str) -> None:
    words, sentence = REFUSED[name]
    with pytest.raises(ConfigError) as caught:
        composer.compose(words.split("  "))
    assert any(sentence in fault for fault in caught.value.faults), caught.value.faults


@pytest.mark.parametrize("words", ACCEPTED)
def test_setting_is_accepted(composer: Composer, words: str) -> None:
    composer.compose(words.split("  "))


def test_own_class_may_mean_something_else_by_a_name(composer: Composer) -> None:
    composer.compose(["+callbacks.mine={_target_: collections.UserDict, patience: -3}"])


def test_faults_come_all_at_once_and_without_tensorflow() -> None:
    code = (
        "import json, sys; from dltrain.config.compose import Composer; from dltrain.base.errors import ConfigError\n"
        "composer, refused = Composer(), 0\n"
        "for words in json.load(sys.stdin):\n"
        "    try: composer.compose(words)\n"
        "    except ConfigError: refused += 1\n"
        "print(refused, [name for name in ('tensorflow', 'keras', 'sklearn', 'pandas') if name in sys.modules])"
    )
    lines = [words.split("  ") for words, _ in REFUSED.values()]
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == f"{len(lines)} []\n"


@pytest.mark.parametrize(
    ("workers", "right"), [("1", True), ("null", True), ("0", False), ("2.5", False), ("a", False)]
)
def test_workers_are_a_whole_number(workers: str, right: bool) -> None:
    faults = Composer().check([f"hydra.launcher.workers={workers}"])[1]
    assert [fault.partition(":")[0] for fault in faults] == ([] if right else ["hydra.launcher.workers"])
