"""Multilayer perceptron that learns numbers."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from neurosim.learn.estimators.base import Multilayer, register
from neurosim.learn.estimators.described import documented

__all__ = ["MLPRegressor"]


@register
@documented
class MLPRegressor(RegressorMixin, Multilayer):
    """A multilayer perceptron with linear outputs for scikit-learn.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    Notes
    -----
    ``loss="auto"`` is the mean squared error over samples and outputs, without the ½ that scikit-learn has.

    Examples
    --------
    >>> import numpy as np
    >>> from neurosim.learn.estimators import MLPRegressor
    >>> x = np.linspace(-3.0, 3.0, 60)[:, None]
    >>> model = MLPRegressor((10,), "tanh", optimizer="bfgs", alpha=0.0, stop_error=1e-4, tol=None, random_state=0)
    >>> round(model.fit(x, np.sin(x[:, 0])).score(x, np.sin(x[:, 0])), 3)
    1.0
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn.

        Parameters
        ----------
        X : array_like, shape (samples, features)
            Inputs.
        y : array_like, shape (samples,) or (samples, outputs)
            Numbers to be learned.
        sample_weight : array_like, shape (samples,), optional
            How much each sample counts.

        Returns
        -------
        MLPRegressor
            Itself.

        Raises
        ------
        ValueError
            When an argument or parameter cannot be; as UsageError where the message says what to write instead.
        """
        x, y = validate_data(self, X, y, dtype=(np.float64, np.float32), multi_output=True, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, x, ensure_non_negative=True)
        target = y.reshape(len(y), -1).astype(np.float64)
        self._learn(
            x,
            target,
            weight,
            "linear",
            "mean_squared_error" if isinstance(self.loss, str) and self.loss == "auto" else self.loss,
            _r2,
            None,
        )
        self._vector = y.ndim == 1
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Numbers that the network gives, shape (samples,) or (samples, outputs), as they were learned."""
        check_is_fitted(self, "w_")
        outputs = self._outputs(validate_data(self, X, dtype=(np.float64, np.float32), reset=False))
        return outputs[:, 0] if self._vector else outputs


def _r2(outputs: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(r2_score(target, outputs, sample_weight=weight))
