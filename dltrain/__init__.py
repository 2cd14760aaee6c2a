"""One Keras experiment from one line: YAML in, a trusted and repeatable run directory out."""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING
from typing import Any as _Any

if TYPE_CHECKING:  # the import alone takes no time; each name is looked up when it is first used
    from dltrain.api.comparison import compare as compare
    from dltrain.api.estimators import Classifier as Classifier
    from dltrain.api.estimators import Regressor as Regressor
    from dltrain.api.finished_run import load as load
    from dltrain.api.finished_sweep import Sweep as Sweep
    from dltrain.api.listing import runs as runs
    from dltrain.api.run import Run as Run
    from dltrain.api.training import sweep as sweep
    from dltrain.api.training import train as train
    from dltrain.base.errors import ConfigError as ConfigError
    from dltrain.base.errors import DataError as DataError
    from dltrain.base.errors import DltrainError as DltrainError
    from dltrain.base.errors import RunError as RunError
    from dltrain.dashboard.serve import board as board

_PLACES = {
    "train": "dltrain.api.training",
    "sweep": "dltrain.api.training",
    "runs": "dltrain.api.listing",
    "compare": "dltrain.api.comparison",
    "load": "dltrain.api.finished_run",
    "board": "dltrain.dashboard.serve",
    "Run": "dltrain.api.run",
    "Sweep": "dltrain.api.finished_sweep",
    "Classifier": "dltrain.api.estimators",
    "Regressor": "dltrain.api.estimators",
    "DltrainError": "dltrain.base.errors",
    "ConfigError": "dltrain.base.errors",
    "DataError": "dltrain.base.errors",
    "RunError": "dltrain.base.errors",
}
__all__ = [*_PLACES]


def __getattr__(name: str) -> _Any:
    """Looks up what takes longer than this import."""
    if name in _PLACES:
        globals()[name] = found = getattr(_importlib.import_module(_PLACES[name]), name)
        return found
    if name == "__version__":
        from dltrain.base.distribution import version

        return version() or "unknown"
    raise AttributeError(f"module 'dltrain' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Lists what is public."""
    return [*__all__, "__version__"]
