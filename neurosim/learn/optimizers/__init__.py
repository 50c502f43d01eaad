"""Optimizers, one file each. The folder is walked: a new file with a registered class is a new optimizer."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import Any

from neurosim.errors import nearest
from neurosim.learn.choices import chosen
from neurosim.learn.optimizer import OPTIMIZERS, Optimizer


@lru_cache(maxsize=1)
def all_optimizers() -> dict[str, type[Optimizer]]:
    """Every registered optimizer by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return OPTIMIZERS


def get_optimizer(choice: str | Optimizer) -> Optimizer:
    """The optimizer of a name with its defaults, or the optimizer that is given.

    Raises
    ------
    UsageError
        When it is neither; the message has the nearest name.
    """
    return chosen(all_optimizers(), Optimizer, "optimizer", choice)


def _by_class() -> dict[str, type[Optimizer]]:
    return {cls.__name__: cls for cls in all_optimizers().values()}


def __getattr__(name: str) -> Any:
    if not name.startswith("_") and name in _by_class():
        return _by_class()[name]
    raise AttributeError(f"neurosim.learn.optimizers has no optimizer {name!r}: {nearest(name, _by_class())}")


def __dir__() -> list[str]:
    return sorted([*_by_class(), "all_optimizers", "get_optimizer"])
