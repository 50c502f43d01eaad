"""Registers that tests, docs and the command line walk: models, receptors, connectors, rules."""

from __future__ import annotations

from typing import Any

from neurosim.errors import UsageError


def enter(register: dict[str, Any], kind: str, name: str, item: Any) -> None:
    """Enter something by its name.

    Raises
    ------
    UsageError
        When there is one of that name.
    """
    if name in register:
        raise UsageError(f"{kind} {name!r} is registered already: give the class another name")
    register[name] = item
