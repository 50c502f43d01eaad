"""What users choose by name or as a record: activations, initialisers, losses, strategies, line searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.parameters import Parameters


class Choice(Parameters):
    """Base of what can be given by name, ``"tanh"``, or as a record, ``Tanh()``.

    Attributes
    ----------
    name : str
        As users write it.
    """

    abstract: ClassVar[bool] = True
    one_per: ClassVar[str] = "network"
    name: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.values().items():
            if np.ndim(value):
                raise UsageError(f"{type(self).__name__}.{name} has shape {np.shape(value)}: give one float for all")


def chosen(register: Mapping[str, type], base: type, kind: str, choice: Any) -> Any:
    """The record of a choice: the record itself, or one of the class of that name with its defaults.

    Parameters
    ----------
    register : mapping
        Name → class.
    base : type
        What a record must derive from.
    kind : str
        For the message.
    choice : str or record
        What the user gave.

    Raises
    ------
    UsageError
        When it is neither a known name nor a record of that kind.
    """
    if isinstance(choice, base):
        return choice
    if isinstance(choice, str):
        if choice not in register:
            raise UsageError(f"unknown {kind} {choice!r}: {nearest(choice, register)}")
        return register[choice]()
    if isinstance(choice, type) and issubclass(choice, base):
        raise UsageError(f"{kind} = {choice.__name__}: that is a class; write {choice.__name__}(…)")
    raise UsageError(f"{kind} = {choice!r}: write one of {', '.join(sorted(register))}, or a record of one")
