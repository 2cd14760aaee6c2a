"""Hostile words of a command line: every key of conf/ with values that do not fit, and words that are no override."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dltrain.config.compose import Composer
from dltrain.config.conformity import look_up
from dltrain.config.hydra_node import resolving

from .outcomes import SHARES, Outcomes, part_of

HOW_MANY = 500
# Configs whose keys are attacked; all of them train within a second.
BASES = (
    ("dataset=synthetic",),
    ("dataset=synthetic", "dataset.problem=regression", "schedule=cosine", "regularizer=l1_l2", "normalization=layer"),
    ("dataset=synthetic", "dataset.problem=multiclass", "cv=kfold", "model=linear"),
    ("dataset=synthetic", "dataset.kind=text", "model=text_bag"),
    ("dataset=synthetic", "dataset.kind=image", "model=cnn", "augmentation=standard"),
    ("dataset=synthetic", "model=tabular", "split=ratio"),
    ("dataset=synthetic", "callbacks=[default,convergence,batch_loss,layer_spread,gradient_check]"),
)
WORDS = ("''", "x", "null", "true", "{}", "[]", "[[]]", "{a:1}", "[x]", "\x1b[31m", "'${oc.env:HOME}'", "${missing}")
NUMBERS = ("0", "-1", "7", "0.5", "1e308", "-1e308", "nan", "inf", "99999999999", "1e-320")
TARGETS = (
    *("keras.metrics.Mean", "keras.metrics.AUC", "keras.losses.Loss", "keras.layers.Dense", "keras.Model", "os.system"),
    *("builtins.print", "fractions.Fraction", "json.loads", "keras", "", "a.b.c", "keras.optimizers.Adam", "None"),
)
NO_OVERRIDES = (
    *("=", "==", "a=", "=a", "+", "~", "+=", "~~a", "++a=1", "a b", "--nonsense", "-x", "a==b", "model.units=[1,", "@"),
    *("optimizer@=adam", "callbacks@x=default", "model.units[0]=3", "trainer..epochs=1", ".=1", "trainer.=1", "\x00=1"),
    *("seed=1,2", "seed=range(1,3)", "model=glob(*)", "hydra.run.dir=", "hydra.run.dir=/", "hydra.run.dir=null"),
    *("hydra.mode=MULTIRUN", "hydra.job=null", "hydra=null", "hydra.sweeper=null", "~hydra", "~task", "~optimizer"),
    *("~trainer.epochs", "~callbacks", "~model._target_", "+model._args_=[1]", "model._partial_=true", "report=never"),
    *(
        "search=random",
        "search=nonsense",
        "trainer=null",
        "defaults=[]",
        "+experiment=[smoke,smoke]",
        "é=ü",
        "a" * 5000,
    ),
)


def leaves(node: DictConfig, key: str = "") -> Iterator[str]:
    for name in map(str, node):
        full = f"{key}.{name}" if key else name
        if full == "hydra":
            continue
        yield full
        try:
            value = node[name]
        except OmegaConfBaseException:
            continue
        if isinstance(value, DictConfig):
            yield from leaves(value, full)
        elif isinstance(value, ListConfig) and len(value):
            yield f"{full}[0]"


def attacks(composer: Composer) -> list[tuple[tuple[str, ...], str]]:
    """Pairs of a base and a word: more than are asked for, of which a seeded part is drawn."""
    found: list[tuple[tuple[str, ...], str]] = [(BASES[0], word) for word in NO_OVERRIDES]
    seen: set[str] = set()
    for base in BASES:
        config, faults = composer.check(base)
        assert config is not None
        assert not faults
        with resolving(config):
            keys = [key for key in leaves(config) if key not in seen]
        seen.update(keys)
        chance = random.Random(str(base))
        for key in keys:
            values = TARGETS if key.endswith("_target_") else (*WORDS, *NUMBERS)
            found += [(base, f"{key}={value}") for value in chance.sample(values, 3)]
        found += [(base, f"+task.metrics.x._target_={target}") for target in TARGETS]
    return found


def changes_nothing(composer: Composer, base: tuple[str, ...], word: str) -> bool:
    """Whether a word that passes leaves the config as it is, though its value is another."""
    before, after = (composer.check(words)[0] for words in (base, (*base, word)))
    assert before is not None
    assert after is not None
    one, other = ({**OmegaConf.to_container(each, resolve=False)} for each in (before, after))
    del one["hydra"], other["hydra"]
    typed = composer.parser.parse_override(word)
    return one == other and typed.value() != plain(look_up(before, typed.key_or_group))


def plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=False) if OmegaConf.is_config(value) else value


@SHARES
def test_words(capsys: pytest.CaptureFixture[str], working_directory: Path, share: float) -> None:
    composer, outcomes = Composer(), Outcomes(capsys)
    drawn = part_of(part_of(attacks(composer), 1)[:HOW_MANY], share)
    for number, (base, word) in enumerate(drawn):
        small = ["dataset.rows=60", "experiment=smoke", "quiet=true", "report=false"]
        own = [] if "hydra" in word else [f"hydra.run.dir={working_directory}/run_{number}"]
        # A word of its own comes last, so that it counts.
        kind = outcomes.of([*base, *small, *own, word])
        if kind == "done" and "=" in word and "hydra" not in word and changes_nothing(composer, base, word):
            outcomes.add("silent", f"{' '.join(base)} {word} changes nothing")
    outcomes.require_none(round(share * HOW_MANY))
