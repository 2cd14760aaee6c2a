"""Orders the keys of a search space by their conditions, `when`, and finds conditions that can never hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.config.search_dimension import Dimension, applies, text_of
from dltrain.config.settings import flat

ABSENT = object()


def in_order(space: Sequence[Dimension]) -> list[Dimension]:
    """Returns the dimensions, each after those that its conditions depend on."""
    left = list(space)
    placed: list[Dimension] = []
    while left:
        keys = [each.key for each in left]
        waiting = {each.key: next((key for key in each.when or {} if key in keys), None) for each in left}
        ready = next((each for each in left if waiting[each.key] is None), None)
        if ready is None:
            circle = [left[0].key]
            while (following := str(waiting[circle[-1]])) not in circle:
                circle.append(following)
            circle = circle[circle.index(following) :]
            raise ConfigError(
                f"search.space.{circle[0]}.when: the conditions go in a circle, {' -> '.join([*circle, circle[0]])}. "
                "Leave one of them out."
            )
        placed.append(ready)
        left.remove(ready)
    return placed


def faults(space: Sequence[Dimension], config: DictConfig) -> Iterator[str]:
    """Yields a sentence for each condition that names nothing, or that no job can meet.

    A condition on an option of a group that is not chosen is no fault, since a space may serve several options.
    """
    found = [
        f"search.space.{dimension.key}.when: {fault}"
        for dimension in space
        for key, wanted in (dimension.when or {}).items()
        for fault in _faults(key, wanted, space, config)
    ]
    yield from found
    drawn = {each.key for each in space}
    if not found and not any(drawn & set(each.when or {}) or applies(each, {}, config) for each in space):
        yield "search.space: no condition (when) holds with these settings, so that nothing would be searched."


def _faults(key: str, wanted: Sequence[str], space: Sequence[Dimension], config: DictConfig) -> Iterator[str]:
    drawn = next((each for each in space if each.key == key), None)
    value = OmegaConf.select(config, key, default=ABSENT)
    if not wanted:
        yield f"expected at least one value of '{key}', got none."
    elif key in config.hydra.runtime.choices:
        options = _options(key, config)
        yield from (
            f"{key} has no option '{option}'.{did_you_mean(option, options)}"
            for option in wanted
            if options and option not in [*options, "null"]
        )
    elif drawn is not None:
        if not any(_draws(drawn, each) for each in wanted):
            yield f"it can never be true: search.space.{key} never gives {' or '.join(wanted)}."
    elif value is ABSENT:
        known = [*flat(OmegaConf.to_container(config, resolve=False)), *(each.key for each in space)]  # type: ignore[arg-type]
        yield f"there is no key '{key}'.{did_you_mean(key, [each for each in known if not each.startswith('hydra')])}"
    elif text_of(value) not in wanted:
        yield f"it can never be true: {key} is {text_of(value)}, and not {' or '.join(wanted)}."


def _draws(dimension: Dimension, text: str) -> bool:
    try:
        dimension.parse(text)
    except ValueError:
        return False
    return True


def _options(group: str, config: DictConfig) -> list[str]:
    """Returns the options of a group; none if one of its folders cannot be listed."""
    sources = [each for each in config.hydra.runtime.config_sources if each.path not in ("", "hydra.conf")]
    if any(each.schema != "file" for each in sources):
        return []
    return sorted({file.stem for each in sources for file in Path(each.path, group).glob("*.yaml")})
