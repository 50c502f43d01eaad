"""Neuron models, one file each. The folder is walked: a new file with a registered class is a new model."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import Any

from neurosim.errors import UsageError, nearest
from neurosim.model import MODELS, Entry


@lru_cache(maxsize=1)
def all_models() -> dict[str, Entry]:
    """Every registered model by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return MODELS


def get_model(name: str) -> Entry:
    """The registered model of a name.

    Raises
    ------
    UsageError
        When there is none; the message has the nearest name.
    """
    models = all_models()
    if name not in models:
        raise UsageError(f"unknown model {name!r}: {nearest(name, models)}")
    return models[name]


def __getattr__(name: str) -> Any:
    if name in all_models():
        return all_models()[name].cls
    raise AttributeError(f"neurosim.models has no model {name!r}: {nearest(name, all_models())}")


def __dir__() -> list[str]:
    return sorted([*all_models(), "all_models", "get_model"])
