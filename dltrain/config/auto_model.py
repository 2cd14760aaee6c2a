"""Says which recipe or model stands for model=auto, by what the rows hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.base.errors import ConfigError
from dltrain.base.notes import counted

AUTO = "auto"
TABLE, TEXT, MIXED, IMAGE = "tabular", "text", "mixed", "image"  # recipes, each for rows of its kind
# The models that can read the rows of a recipe; the first one is its own.
READERS = {
    TABLE: ("tabular", "mlp", "linear"),
    TEXT: ("text_linear", "text_bag", "mlp", "linear", "text_cnn", "text_rnn", "text_transformer"),
    MIXED: ("mixed", "text_linear", "text_bag", "tabular", "text_cnn", "text_rnn", "text_transformer"),
    IMAGE: ("cnn", "efficientnet", "mlp", "linear"),
}
# Groups that a recipe sets for its own optimizer; who chooses one of them gets the model alone.
OF_TRAINING = ("optimizer", "schedule")
WIDE = 1_000  # columns, above which eight members with embedded numbers would take hours


@dataclass(frozen=True)
class Rows:
    """What the choice looks at: how many rows there are, and the kind of each feature column by its name."""

    count: int
    kinds: Mapping[str, str]
    image: tuple[int, ...] = ()  # height, width and channels of the images, if there are any

    @property
    def recipe(self) -> str:
        """The recipe for rows of these kinds."""
        kinds = {*self.kinds.values()}
        if "image" in kinds:
            return IMAGE
        if "text" not in kinds:
            return TABLE
        return TEXT if kinds == {"text"} else MIXED

    def __str__(self) -> str:
        names = {"numeric": "numbers", "category": "categories", "date": "dates", "text": "texts", "image": "images"}
        found = [names[kind] for kind in names if kind in self.kinds.values()]
        kinds = " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
        size = f" of {self.image[0]} x {self.image[1]} pixels" if self.image else ""
        columns = "" if self.image and len(self.kinds) == 1 else f"{counted(len(self.kinds), 'column')} of "
        return f"{self.count:,} rows, {columns}{kinds}{size}"


@dataclass(frozen=True)
class Choice:
    """What stands for model=auto: a word of the command line, and the reason as a sentence for the log."""

    recipe: str  # for rows of such kinds
    model: str
    word: str  # recipe=… or, where that does not fit what else is chosen, model=…
    sentence: str


def choose(rows: Rows, keys: Collection[str], groups: Collection[str], keys_of: Callable[[str], Any]) -> Choice:
    """Chooses the recipe that fits the rows, or a model alone where the recipe does not fit what was chosen before.

    `keys` are those of `model` that are set, `groups` those of which another option than the usual one is chosen, and
    `keys_of` returns the keys of a model by its name.

    Raises:
        ConfigError: If no model for such rows has the keys.
    """
    recipe = rows.recipe
    wide = recipe == TABLE and len(rows.kinds) > WIDE
    models = READERS[recipe][1:] if wide else READERS[recipe]
    fitting = [model for model in models if {*keys} <= {*keys_of(model)}]
    if not fitting:
        raise ConfigError([_no_model(key, models, rows, keys_of) for key in sorted(keys)])
    model = fitting[0]
    having = f", has {', '.join(f'model.{key}' for key in sorted(keys))}" if keys and model != models[0] else ""
    sentence = f"model {model}: the data are {rows}{having}"
    if model == READERS[recipe][0] and not {*groups} & {*OF_TRAINING}:
        return Choice(recipe, model, f"recipe={recipe}", sentence)
    return Choice(recipe, model, f"model={model}", sentence)


def _no_model(key: str, models: Collection[str], rows: Rows, keys_of: Callable[[str], Any]) -> str:
    having = [model for model in models if key in keys_of(model)]
    if having:
        return f"model.{key}: no model has all of these keys. Choose one, such as model={having[0]}."
    every = sorted({other for models in READERS.values() for other in models if key in keys_of(other)})
    hint = f"It belongs to model={' or model='.join(every)}." if every else "`dltrain --cfg job` lists the keys."
    return f"model.{key}: no model for {rows} has this key (of {', '.join(models)}). {hint}"
