"""From a node of the config to an object."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError


def build(node: Any, *arguments: Any, key: str, **offered: Any) -> Any:
    """Calls the `_target_` of a node with its keys.

    Args:
        node: a node with a `_target_`; None gives None.
        arguments: passed on by position.
        key: where the node stands in the config, for errors.
        offered: passed on by name where the target has a parameter of that name and the node leaves it open.

    Raises:
        ConfigError: the target refused its arguments; the reason is given.
    """
    if node is None:
        return None
    if not OmegaConf.is_dict(node) or "_target_" not in node:
        raise ConfigError(f"{key}: expected a node with a _target_, got {node!r}.")
    accepted = parameters(node)
    extra = {name: value for name, value in offered.items() if name in accepted and node.get(name) is None}
    try:
        # Hydra would turn objects among the arguments into config nodes, so it only binds the keys of the node.
        bound = instantiate(node, _partial_=True, _convert_="all")
        return functools.partial(bound, *arguments, **extra) if node.get("_partial_") else bound(*arguments, **extra)
    except InstantiationException as error:
        raise ConfigError(f"{key}: cannot build {node['_target_']}: {error.__cause__ or error}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key}: {node['_target_']} refused its arguments: {error}") from error


def parameters(node: DictConfig) -> frozenset[str]:
    """Names of the parameters that a node's `_target_` takes by name.

    Raises:
        ConfigError: the target cannot be imported.
    """
    try:
        signature = inspect.signature(get_object(node["_target_"]))
    except (ImportError, ValueError, TypeError) as error:
        raise ConfigError(f"Cannot import _target_ '{node['_target_']}': {error}") from error
    return frozenset(signature.parameters)
