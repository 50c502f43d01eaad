"""Data sets, one file each. The folder is walked: a new file with a registered function of another name is a new set.

>>> from neurosim.learn.data import horseshoe
>>> train, test = horseshoe().split(0.3)
>>> train
<horseshoe: 600 samples of 2 numbers, classes of 300, 300>
>>> train.samples().target.shape, len(test)
((600, 2), 1399)

What is random is drawn by :mod:`neurosim.learn.draws` and made by sums, products, quotients and square roots that are
each rounded by themselves: a seed gives the same bits on every machine.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from neurosim.errors import UsageError, nearest
from neurosim.learn.data.data_set import DATA_SETS, DataSet, register

__all__ = ["DATA_SETS", "DataSet", "all_data_sets", "load", "register"]


@lru_cache(maxsize=1)
def all_data_sets() -> dict[str, Callable[..., DataSet]]:
    """The function that makes it, for each registered data set by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return DATA_SETS


def load(name: str, **options: Any) -> DataSet:
    """The data set of a name.

    Parameters
    ----------
    name : str
        One of :func:`all_data_sets`.
    **options
        Of its function; most take ``seed``.

    Raises
    ------
    UsageError
        When there is none; the message has the nearest name. When an option cannot be.
    """
    known = all_data_sets()
    if name not in known:
        raise UsageError(f"unknown data set {name!r}: {nearest(str(name), known)}")
    return known[name](**options)


def __getattr__(name: str) -> Any:
    if not name.startswith("_") and name in all_data_sets():
        return all_data_sets()[name]
    raise AttributeError(f"neurosim.learn.data has no data set {name!r}: {nearest(name, all_data_sets())}")


def __dir__() -> list[str]:
    return sorted({*__all__, *all_data_sets()})
