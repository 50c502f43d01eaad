"""Options of optimizers that cannot be, beyond the bounds that a parameter declares for itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.parameters import Parameters

FORMS = ("standard", "lecture")


def check_one_of(record: Parameters, name: str, options: Sequence[str]) -> None:
    """Refuse a text that is none of the options.

    Raises
    ------
    UsageError
        With the nearest one.
    """
    value = getattr(record, name)
    if not isinstance(value, str) or value not in options:
        raise UsageError(f"{type(record).__name__}.{name} = {value!r}: {nearest(str(value), options)}")


def check_switch(record: Parameters, name: str) -> None:
    """Refuse what is neither True nor False.

    Raises
    ------
    UsageError
    """
    value = getattr(record, name)
    if not isinstance(value, bool):
        raise UsageError(f"{type(record).__name__}.{name} = {value!r}: write True or False")


def check_below(record: Parameters, bound: float, *names: str) -> None:
    """Refuse parameters that are not below a bound.

    Raises
    ------
    UsageError
        With the first that is not.
    """
    for name in names:
        most = float(np.max(getattr(record, name)))
        if not most < bound:
            raise UsageError(f"{type(record).__name__}.{name} = {most:g}: must be below {bound:g}")


def check_order(record: Parameters, low: str, high: str) -> None:
    """Refuse a lower bound that is above the upper one.

    Raises
    ------
    UsageError
        With the first network's that is.
    """
    # A column of a network each: one of them may be the same for all.
    ends = [np.atleast_1d(getattr(record, name)) for name in (low, high)]
    if len({len(end) for end in ends if len(end) > 1}) > 1:
        return  # of different numbers of networks, which is found where networks are counted
    a, b = np.broadcast_arrays(*ends)
    bad = np.flatnonzero(a > b)
    if len(bad):
        name, k = type(record).__name__, bad[0]
        raise UsageError(f"{name}.{low} = {a[k]:g} is above {name}.{high} = {b[k]:g}: give a smaller one")


def check_no(record: Parameters, name: str, where: str) -> None:
    """Refuse a parameter that is given where the formula has none.

    Raises
    ------
    UsageError
    """
    default = next(f.default for f in dataclasses.fields(record) if f.name == name)
    value = getattr(record, name)
    if np.ndim(value) or value != default:
        raise UsageError(f"{type(record).__name__}.{name}: there is none {where}; leave it out")


def check_form(record: Parameters) -> None:
    """Refuse a ``form`` that is neither ``"standard"`` nor ``"lecture"``.

    Raises
    ------
    UsageError
    """
    check_one_of(record, "form", FORMS)
