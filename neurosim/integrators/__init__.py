"""Integrators: how the state goes from one step to the next.

Each is a module of this folder with an :class:`~neurosim.integrators.base.Integrator`; the folder is walked.
"""

from __future__ import annotations

import importlib
import pkgutil

from neurosim.errors import UsageError, nearest
from neurosim.integrators.base import Integrator

__all__ = ["INTEGRATORS", "Integrator", "get_integrator"]

INTEGRATORS: dict[str, Integrator] = {}

for _module in pkgutil.iter_modules(__path__):
    for _item in vars(importlib.import_module(f"{__name__}.{_module.name}")).values():
        if isinstance(_item, Integrator):
            INTEGRATORS[_item.name] = _item


def get_integrator(name: str) -> Integrator:
    """The integrator of a name.

    Raises
    ------
    UsageError
        When there is none; the message has the nearest name.
    """
    if not isinstance(name, str) or name not in INTEGRATORS:
        raise UsageError(f"unknown method {name!r}: {nearest(str(name), INTEGRATORS)}")
    return INTEGRATORS[name]
