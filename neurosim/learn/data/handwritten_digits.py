"""scikit-learn's handwritten digits, where it is installed."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.learn.data.data_set import DataSet, register


@register
def handwritten() -> DataSet:
    """1797 handwritten digits of 8 × 8 pixels, from 0 (paper) to 1 (ink): scikit-learn's ``load_digits``.

    Source: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    https://doi.org/10.24432/C50P49; the 1797 are its test set. Nothing is random.

    Returns
    -------
    DataSet
        x of shape (1797, 64), sixteenths.

    Raises
    ------
    UsageError
        When scikit-learn is not installed.
    """
    try:
        datasets: Any = importlib.import_module("sklearn.datasets")
    except ImportError:
        raise UsageError("handwritten digits need scikit-learn: pip install 'neurosim[sklearn]'") from None
    x, digits = datasets.load_digits(return_X_y=True)
    return DataSet("handwritten", x.astype(np.float64) / 16.0, digits.astype(np.int64), 10, (8, 8))
