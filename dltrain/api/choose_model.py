"""Reads the data of a command line with model=auto, and puts the recipe or model that fits them in its place."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from dltrain.base.errors import ConfigError
from dltrain.config.auto_model import AUTO, MIXED, OF_TRAINING, READERS, TEXT, Choice, Rows, choose
from dltrain.config.compose import Composer
from dltrain.config.model_rules import IN_ORDER
from dltrain.config.overrides import parse
from dltrain.config.search_space import dimensions
from dltrain.config.validate import keys

if TYPE_CHECKING:
    from dltrain.experiment.early import ReadDataset

WORD = f"model={AUTO}"


@dataclass(frozen=True)
class Settled:
    """The words of a command line without model=auto; `sentence` says what was chosen and why, if anything was."""

    overrides: list[str]
    sentence: str = ""
    read: ReadDataset | None = None  # the dataset that was read for the choice

    def in_place(self, words: Sequence[str], before: Sequence[str]) -> list[str]:
        """Returns words among which are the overrides before, with these ones for them."""
        return [*(word for word in words if word not in before), *self.overrides] if self.sentence else [*words]


def settle(composer: Composer, overrides: Sequence[str], *, file: Path | None = None) -> Settled:
    """Chooses what stands for model=auto, if that is what the words choose; the jobs of a sweep share the choice.

    The data are read only if the words have no fault, which the next composition names. `file` holds the content of
    dataset.path while nothing stands there.

    Raises:
        DltrainError: If the data cannot be read, or no model for them has the keys that are set.
    """
    unsettled = Settled([*overrides])
    found = _first_auto(composer, overrides)
    if found is None:
        return unsettled
    job, config = found
    if config.search is not None and config.search.get("recipes") is not None:
        return unsettled  # each job of such a search has a model of its own
    folders = [str(each.value()) for each in parse(composer.parser, job)[0] if each.key_or_group == "hydra.sweep.dir"]
    if folders:
        from dltrain.sweeps.start import before_auto  # which imports NumPy

        if any(before_auto(Path(folder)) for folder in folders):
            return unsettled  # the sweep goes on with the model that it began with
    plain = [word for word in job if word != WORD]
    own, groups = _set_before(config, plain, composer.options([]))

    def keys_of(model: str) -> Collection[str]:
        where = [word for word in plain if word.startswith("hydra.searchpath")]
        options = composer.options([*where, f"model={model}"])
        return set() if options is None else {*map(str, options.model)}

    every = dict.fromkeys(model for models in READERS.values() for model in models)
    having = [model for model in every if own <= {*keys_of(model)}]
    # Nothing is read where the words fit no model; without one that has the keys, the data tell which ones could.
    tried = [(model, *composer.check([f"model={model}", *plain])) for model in having[:1] or [*every][:1]]
    tried += [(model, *composer.check([f"model={model}", *plain])) for model in having[1:] if tried[0][2]]
    model, checked, faults = next((each for each in tried if not each[2]), tried[0])
    if checked is None or (having and faults):
        return Settled(_placed([f"model={model}"], model, overrides))
    from dltrain.experiment.early import read_quietly

    if file is not None:
        checked.dataset.path = str(file)
    read = read_quietly(checked)
    kinds = read.dataset.kinds
    images = [read.dataset.columns[name].shape[1:] for name, kind in kinds.items() if kind == "image"]
    choice = choose(Rows(len(read.dataset), kinds, *images[:1]), own, groups, keys_of)
    words = _placed([*_of_text(choice, groups, plain), choice.word], choice.model, overrides)
    return Settled(words, choice.sentence, None if file is not None else read)


def _first_auto(composer: Composer, overrides: Sequence[str]) -> tuple[list[str], DictConfig] | None:
    """Returns the words of the first job whose model is auto, with what its options make, or None if there is none."""
    try:
        jobs = composer.jobs(overrides)
    except ConfigError:  # which the next composition raises again
        return None
    several = any(re.match(r"model=.*\bauto\b.*", word) and word != WORD for word in overrides)
    for job in jobs if several else jobs[:1]:
        config = composer.options(job)
        if config is not None and config.hydra.runtime.choices.get("model") == AUTO:
            return job, config
    return None


def _set_before(config: DictConfig, words: Sequence[str], usual: DictConfig | None) -> tuple[set[str], set[str]]:
    """Returns the keys of `model` that are set or searched, and the groups of which an option is chosen."""
    typed = {*keys(words)}
    choices = config.hydra.runtime.choices
    for group in OF_TRAINING:
        if usual is not None and choices.get(group) != usual.hydra.runtime.choices.get(group):
            typed.add(group)
    if config.search is not None:
        with contextlib.suppress(ConfigError):  # the check names the faults
            typed |= {each.key for each in dimensions(config.search.space) if not each.when}
    own = {key.removeprefix("model.") for key in typed if key.startswith("model.")}
    return own | ({*map(str, config.model)} - {"_target_"}), typed


def _placed(words: list[str], model: str, overrides: Sequence[str]) -> list[str]:
    """Puts words in the place of model=auto; where auto is one of several values, its model takes its place alone."""
    kept = [word for word in overrides if word != WORD]
    if any(word.startswith("model=") for word in kept):
        return [re.sub(r"\bauto\b", model, word) if word.startswith("model=") else word for word in kept]
    return [*words, *kept]


def _of_text(choice: Choice, groups: Collection[str], words: Sequence[str]) -> list[str]:
    """Returns the choice of how texts are read where the recipe does not make it."""
    if choice.recipe not in (TEXT, MIXED) or "text" in groups or choice.model in IN_ORDER:
        return []
    typed: list[Any] = [key for key in keys(words) if key.startswith("text.")]
    return ["text=ngrams"] if typed or choice.word.startswith("model=") else []
