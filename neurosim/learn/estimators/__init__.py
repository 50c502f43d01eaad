"""Estimators with scikit-learn's conventions, one file each: for its pipelines, grid searches and cross-validation.

>>> from sklearn.datasets import make_moons
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> from neurosim.learn.estimators import MLPClassifier
>>> x, y = make_moons(200, noise=0.1, random_state=0)
>>> model = make_pipeline(StandardScaler(), MLPClassifier((10,), "tanh", optimizer="lbfgs", random_state=0))
>>> model.fit(x, y).score(x, y)
1.0

They need scikit-learn, ``pip install 'neurosim[sklearn]'``, which is imported when one is asked for. Networks, losses,
optimizers and the loop are those of :func:`neurosim.learn.fit`. The folder is walked: a new file with a registered
class is a new estimator.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import Any

from neurosim.errors import UsageError, nearest

__all__ = ["all_estimators"]


@lru_cache(maxsize=1)
def all_estimators() -> dict[str, type]:
    """Every registered estimator, by the name of its class.

    Raises
    ------
    UsageError
        When scikit-learn is not installed.
    """
    try:
        for module in pkgutil.iter_modules(__path__):
            importlib.import_module(f"{__name__}.{module.name}")
        from neurosim.learn.estimators.base import ESTIMATORS
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sklearn":
            raise
        raise UsageError("neurosim.learn.estimators need scikit-learn: pip install 'neurosim[sklearn]'") from None
    return ESTIMATORS


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    found = all_estimators()
    if name in found:
        return found[name]
    raise AttributeError(f"neurosim.learn.estimators has no estimator {name!r}: {nearest(name, found)}")


def __dir__() -> list[str]:
    return sorted({*__all__, *all_estimators()})
