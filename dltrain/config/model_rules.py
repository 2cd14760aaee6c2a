"""Finds options of the models of text and tables that cannot work or have no effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from omegaconf import DictConfig

from dltrain.base.errors import did_you_mean
from dltrain.config.fingerprint import EARLIER_DEFAULTS
from dltrain.config.tasks import TASKS

EMBEDDINGS = ("none", "periodic", "piecewise_linear")
# The kinds of embedding that use a key.
OWN_KEYS = {"numeric_dimension": EMBEDDINGS[1:], "frequencies": ("periodic",), "frequency_scale": ("periodic",),
            "bins": ("piecewise_linear",), "bin_edges": ("piecewise_linear",)}  # fmt: skip
IDS = ("sequence", "set")
# Modules of dltrain.data whose datasets are known to hold one kind of data
OF_IMAGES = ("cifar10", "mnist", "digits", "images")
OF_TEXTS = ("imdb", "texts")
OF_TABLES = ("titanic", "wine", "boston")
FLATTERED = (
    "The network holds train rows, and each finds itself there: the metrics of the train part are too good. "
    "The train loss of the epochs is not, since no row is its own neighbor there."
)
FOR_IMAGES = ("cnn", "efficientnet")
IN_ORDER = ("text_cnn", "text_rnn", "text_transformer")


def holds_train_rows(target: object) -> bool:
    """Returns whether the network of a model with this _target_ holds train rows, which find themselves when scored."""
    return str(target).endswith("modern_nca.modern_nca")


def faults(config: DictConfig, words: Collection[str]) -> Iterator[str]:
    """Yields a sentence for each fault; `words` holds the keys and groups that were typed."""
    target = str(config.model.get("_target_"))
    if config.task.get("monte_carlo_dropout") and "dropout" in config.model and not config.model.dropout:
        yield "task.monte_carlo_dropout: model.dropout=0 drops no units. Use model.dropout=0.2."
    yield from _regularization_schedule(config, target)
    if target.startswith("dltrain."):
        model = target.rpartition(".")[2]
        yield from _other_data(config, model)
        yield from _text(config, model, words)
        if model in ("tabular", "modern_nca"):
            yield from _numeric_embedding(config, words)
        if model == "tabular":
            yield from _tabular(config, words)
        task = TASKS.get(config.task.name)
        if holds_train_rows(target) and task and (task.deviation or task.quantiles):
            yield (
                f"model: modern_nca answers with a mean of targets, and task={task.name} wants more. "
                "Use task=regression, or model=tabular."
            )


def _other_data(config: DictConfig, model: str) -> Iterator[str]:
    """Yields a fault if a shipped dataset has nothing that a model can read, so that it is not downloaded first."""
    path = str((config.get("dataset") or {}).get("_target_")).split(".")
    source = path[2] if len(path) > 3 and path[0] == "dltrain" else ""
    if source in OF_IMAGES and model.startswith("text_"):
        yield f"model: {model} needs a column of text, got the images of {config.dataset.name}. Use model=cnn."
    elif model in FOR_IMAGES and source in (*OF_TEXTS, *OF_TABLES):
        text = source in OF_TEXTS
        yield (
            f"model: {model} needs images, got {'texts' if text else 'a table'} ({config.dataset.name}). "
            f"Use model={'text_bag' if text else 'mlp'}."
        )
    elif source in OF_TABLES and model.startswith("text_"):
        yield f"model: {model} needs a column of text, got a table without one ({config.dataset.name}). Use model=mlp."


def _regularization_schedule(config: DictConfig, target: str) -> Iterator[str]:
    schedule = config.regularization_schedule
    if schedule is None:
        return
    if config.task.get("monte_carlo_dropout") and schedule.get("dropout"):
        yield (
            "regularization_schedule.dropout: Monte-Carlo dropout draws with the rate of the training, which would end "
            "at none. Set it to false."
        )
    dropout = not target.startswith("dltrain.") or config.model.get("dropout")
    weight_decay = schedule.get("weight_decay") and config.optimizer.get("weight_decay")
    if not (schedule.get("dropout") and dropout) and not weight_decay:
        yield (
            "regularization_schedule has no effect here: there is neither dropout nor weight decay to change. "
            "Use model.dropout=0.2 or optimizer=adamw."
        )


def _text(config: DictConfig, model: str, words: Collection[str]) -> Iterator[str]:
    text = config.text
    if model.startswith("text_") and text.output not in IDS:
        yield f"text.output: model={model} reads n-gram numbers, not {text.output}. Use text=sequence or text=ngrams."
    elif model in IN_ORDER and text.output == "set":
        yield f"text.output: model={model} reads words in their order, and a set has none. Use text=sequence."
    elif model in IN_ORDER and text.ngrams > 1:
        yield (
            f"text.ngrams: model={model} reads words in their order, in which there are no n-grams; "
            "expected 1, or model=text_bag."
        )
    if "text.sequence_length" in words and text.output not in IDS:
        yield f"text.sequence_length has no effect with text.output={text.output}, which reads whole texts."
    for key in ("smoothing", "interpolation"):
        if f"model.{key}" in words and not config.model.get("naive_bayes"):
            yield f"model.{key} has no effect without model.naive_bayes=true."
    task = TASKS.get(config.task.name)
    if "model.fitted_start" in words and config.model.get("fitted_start") and task and task.quantity:
        yield f"model.fitted_start has no effect with task={task.name}: only classes and labels are fitted."
    if model == "text_linear" and config.model.normalize not in (True, False, "auto"):
        yield f"model.normalize: expected true, false or auto, got '{config.model.normalize}'."
    cell = config.model.get("cell")
    if model == "text_rnn" and cell not in ("lstm", "gru"):
        yield f"model.cell: expected lstm or gru, got '{cell}'."
    if model == "text_transformer" and config.model.dimension % config.model.heads:
        yield f"model.heads: {config.model.heads} does not divide model.dimension={config.model.dimension}."


def _numeric_embedding(config: DictConfig, words: Collection[str]) -> Iterator[str]:
    model = config.model
    kind = model.numeric_embedding
    if kind not in EMBEDDINGS:
        expected = f"expected {', '.join(EMBEDDINGS)}"
        yield f"model.numeric_embedding: {expected}, got '{kind}'.{did_you_mean(kind, EMBEDDINGS)}"
    for key, kinds in OWN_KEYS.items():
        # A sweep of an earlier version goes on with the words for what that version did.
        name = f"model.{key}"
        earlier = name in EARLIER_DEFAULTS and EARLIER_DEFAULTS[name] == model.get(key)
        if name in words and kind not in kinds and not earlier:
            yield f"{name} has no effect with model.numeric_embedding={kind}; expected {' or '.join(kinds)}."


def _tabular(config: DictConfig, words: Collection[str]) -> Iterator[str]:
    model, task = config.model, TASKS.get(config.task.name)
    if "model.clamp" in words and model.clamp and task and not task.clamps:
        yield f"model.clamp has no effect with task={task.name}; expected task=regression."
    if "model.dropout" in words and not model.units:
        yield "model.dropout has no effect without a hidden layer; give one with 'model.units=[32]'."
    loss = str((config.task.get("loss") or {}).get("_target_") or "").rpartition(".")[2]
    if model.ensemble > 1 and not model.units:
        yield "model.ensemble: without a hidden layer all members are the same. Use model.ensemble=1."
    # The loss of each member is known only for losses that split into one of the mean and one of the differences.
    if model.ensemble > 1 and task and loss and loss != task.loss:
        yield (
            f"task.loss: with model.ensemble={model.ensemble} each member has a loss of its own, which is worked out "
            f"for {task.loss}, not for {loss}. Use model.ensemble=1."
        )
