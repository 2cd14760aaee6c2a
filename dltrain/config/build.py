"""Builds objects from nodes of the config."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError, DltrainError
from dltrain.base.own_code import raised_in_own_code

REFUSALS = (InstantiationException, TypeError, ValueError, MemoryError)


def build(node: Any, *arguments: Any, key: str, **offered: Any) -> Any:
    """Calls the `_target_` of a node with its keys and `arguments`; None gives None.

    `key` names the node in errors. `offered` arguments are passed if the target has a parameter of that name and the
    node does not set it.

    Raises:
        ConfigError: If the target does not take these arguments, or a library or dltrain refused one of them. Errors
            from a person's own code are raised unchanged.
    """
    if node is None:
        return None
    if not OmegaConf.is_dict(node) or "_target_" not in node:
        raise ConfigError(f"{key}: expected a node with a _target_, got {node!r}.")
    accepted = parameters(node)
    extra = {name: value for name, value in offered.items() if name in accepted and node.get(name) is None}
    # Hydra only binds the keys of the node, since it would turn objects among the arguments into config nodes.
    bound = _refusing(
        f"{key}: cannot build {node['_target_']}", lambda: instantiate(node, _partial_=True, _convert_="all")
    )
    bound = _with_floats(bound)
    refused = f"{key}: {node['_target_']} refused its arguments"
    partial = bool(node.get("_partial_"))
    try:
        _bind(bound, arguments, extra, partial=partial)
    except TypeError as error:
        raise ConfigError(f"{refused}: {error}") from error
    complete = functools.partial(bound, *arguments, **extra)
    return complete if partial else _refusing(refused, complete)


def parameters(node: DictConfig) -> frozenset[str]:
    """Returns the names of the parameters of a node's `_target_`.

    Raises:
        ConfigError: If the target cannot be imported.
    """
    target = node["_target_"]
    signature = _refusing(
        f"Cannot import _target_ '{target}'", lambda: inspect.signature(get_object(target)), (ImportError, *REFUSALS)
    )
    return frozenset(signature.parameters)


def _with_floats(bound: functools.partial[Any]) -> functools.partial[Any]:
    """Makes floats of whole numbers where the default is a float: Keras refuses a learning rate that is written 1."""
    try:
        defaults = {name: each.default for name, each in inspect.signature(bound.func).parameters.items()}
    except ValueError:  # compiled code may have no signature
        return bound
    keywords = {
        name: float(value) if type(value) is int and isinstance(defaults.get(name), float) else value
        for name, value in bound.keywords.items()
    }
    return functools.partial(bound.func, *bound.args, **keywords)


def _bind(bound: functools.partial[Any], arguments: tuple[Any, ...], extra: dict[str, Any], *, partial: bool) -> None:
    """Raises a TypeError if the target has no parameter for an argument, or lacks one."""
    try:
        # A decorator may supply an argument itself, so that the signature of the wrapped function does not count.
        signature = inspect.signature(bound.func, follow_wrapped=False)
    except ValueError:  # compiled code may have none
        return
    bind = signature.bind_partial if partial else signature.bind
    bind(*bound.args, *arguments, **(bound.keywords | extra))


def _refusing(refusal: str, call: Callable[[], Any], kinds: tuple[type[Exception], ...] = REFUSALS) -> Any:
    """Returns what a call returns; makes a ConfigError of an error of a library or dltrain, but of no other."""
    try:
        return call()
    except kinds as error:
        bug = _own_bug(error)
        if bug is None:
            reason = error.__cause__ if isinstance(error, InstantiationException) else None
            raise ConfigError(f"{refusal}: {reason or error}") from error
    raise bug  # outside of the handler, so that the traceback does not show the error that wraps it


def _own_bug(error: BaseException) -> BaseException | None:
    """Returns the error, or one that caused it, whose traceback goes through a person's own module; else None."""
    if error.__cause__ is not None and (bug := _own_bug(error.__cause__)) is not None:
        return bug
    # A missing module is a fault of the config, whichever code imports it.
    return error if raised_in_own_code(error) and not isinstance(error, (DltrainError, ImportError)) else None
