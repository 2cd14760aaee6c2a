"""Makes the text of `dltrain --help`: the verbs, then each group with its options, without composing a config."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from hydra.core.object_type import ObjectType
from omegaconf import OmegaConf

from dltrain import verbs
from dltrain.base.errors import ConfigError
from dltrain.base.plain_table import window
from dltrain.config.compose import COMPOSITION_ERRORS, INTERNAL, Composer
from dltrain.config.plain_words import sentence

USAGE = """\
usage: dltrain [-m] [-v] GROUP=OPTION … KEY=VALUE …
       dltrain VERB …"""


def page(composer: Composer) -> str:
    """Returns the whole text; header and footer are those of `hydra.help` in the main config."""
    repository = composer.loader.repository
    try:
        main = repository.load_config(composer.config_name)
    except COMPOSITION_ERRORS as error:
        raise ConfigError(sentence(error)) from error
    if main is None:
        raise ConfigError(f"--config-name: there is no '{composer.config_name}.yaml' in the folder of options.")
    around = OmegaConf.select(main.config, "hydra.help") or {}
    width = max(60, window() or 120)
    groups = [
        textwrap.fill(f"{group}: {', '.join(options)}", width, subsequent_indent="    ")
        for group, options in _groups(repository)
    ]
    parts = [
        USAGE,
        around.get("header", ""),
        f"Verbs (`dltrain VERB --help` has examples):\n{verbs.listing(width)}",
        "Groups and their options (group=option):\n\n" + "\n".join(groups),
        around.get("footer", ""),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part)


def _groups(repository: Any, parent: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yields every group that a person chooses from, with its options."""
    for name in repository.get_group_options(parent, ObjectType.GROUP):
        group = f"{parent}/{name}" if parent else name
        if group in INTERNAL:
            continue
        if options := repository.get_group_options(group, ObjectType.CONFIG):
            yield group, options
        yield from _groups(repository, group)
