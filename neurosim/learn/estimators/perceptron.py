"""Rosenblatt's perceptron."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from neurosim.errors import UsageError
from neurosim.learn.estimators.base import register, seed_of
from neurosim.learn.neurons import PerceptronRule
from neurosim.learn.samples import one_hot

__all__ = ["Perceptron"]


@register
class Perceptron(ClassifierMixin, BaseEstimator):
    """Threshold units that learn by Rosenblatt's rule, for scikit-learn: :class:`neurosim.learn.PerceptronRule`.

    Two classes have one unit, more have one for each, which tells it from all others. Each begins with weights 0 and
    stops when a pass through the samples was without mistake; where the classes cannot be separated by planes it never
    is, and the weights after the last pass stay.

    Parameters
    ----------
    learning_rate : float
        η; with first weights 0 it scales them and changes no decision.
    max_iter : int
        Most passes through the samples.
    shuffle : bool
        Whether samples come in another order in each pass.
    warm_start : bool
        Whether ``fit`` goes on from the weights of the fit before.
    random_state : int, RandomState or None
        Of the orders. A whole number is the seed of :meth:`neurosim.learn.PerceptronRule.learn`.
    backend, precision : str
        As in :func:`neurosim.learn.fit`.

    Attributes
    ----------
    classes_ : ndarray
        Labels of the classes.
    coef_, intercept_ : ndarray, shape (units, features), (units,)
        Weights and biases; the bias is minus the threshold.
    mistakes_ : ndarray of int64, shape (passes, units)
        Of each unit in each pass.
    converged_ : ndarray of bool, shape (units,)
        Whether the last pass was without mistake.
    n_iter_ : int
        Passes through the samples.
    n_features_in_ : int
        Inputs.
    feature_names_in_ : ndarray of str
        Names of the inputs, where they have some.

    Examples
    --------
    >>> from neurosim.learn.estimators import Perceptron
    >>> x = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> model = Perceptron(random_state=0).fit(x, [False, False, False, True])
    >>> model.predict(x).tolist(), model.converged_.tolist()
    ([False, False, False, True], [True])
    """

    classes_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    mistakes_: np.ndarray
    converged_: np.ndarray
    n_iter_: int

    def __init__(
        self,
        learning_rate: float = 1.0,
        *,
        max_iter: int = 100,
        shuffle: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        backend: Any = "numpy",
        precision: str = "float64",
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.random_state = random_state
        self.backend = backend
        self.precision = precision

    def fit(self, X: Any, y: Any) -> Self:
        """Learn.

        Parameters
        ----------
        X : array_like, shape (samples, features)
            Inputs.
        y : array_like, shape (samples,)
            Classes.

        Returns
        -------
        Perceptron
            Itself.

        Raises
        ------
        ValueError
            When an argument or parameter cannot be; as UsageError where the message says what to write instead.
        """
        n = self.max_iter
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise UsageError(f"Perceptron: max_iter = {n!r}: give a whole number above 0")
        x, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise UsageError(f"Perceptron: y has one class, {classes[0]}: give samples of at least two")
        w0 = None
        if self.warm_start and hasattr(self, "classes_"):
            if not np.array_equal(self.classes_, classes):
                raise UsageError(f"Perceptron: warm_start from classes {self.classes_} to {classes}: fit a clone")
            w0 = self._weights()
        self.classes_ = classes
        self._learn(x, codes, w0, int(n), seed_of(self.random_state))
        if not self.converged_.all():
            warnings.warn(
                f"Perceptron: {self.mistakes_[-1].sum()} mistakes in the last of max_iter = {n} passes: give more, "
                "unless planes cannot separate the classes",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Go on from the weights so far with one pass through these samples.

        Parameters
        ----------
        X : array_like, shape (samples, features)
            Inputs.
        y : array_like, shape (samples,)
            Classes, not necessarily all.
        classes : array_like, shape (classes,)
            All classes; needed in the first call.

        Returns
        -------
        Perceptron
            Itself.

        Raises
        ------
        ValueError
            When an argument cannot be; as UsageError where the message says what to write instead.
        """
        first = not hasattr(self, "classes_")
        if first and classes is None:
            raise UsageError("Perceptron.partial_fit: classes = None in the first call: give all classes")
        x, y = validate_data(self, X, y, dtype=(np.float64, np.float32), reset=first)
        check_classification_targets(y)
        known = np.unique(classes) if first else self.classes_
        if not first and classes is not None and not np.array_equal(known, np.unique(classes)):
            raise UsageError(f"Perceptron.partial_fit: classes = {classes}, first they were {known}: leave them out")
        if len(known) < 2:
            raise UsageError(f"Perceptron.partial_fit: classes = {known}: give at least two")
        unknown = np.setdiff1d(y, known)
        if len(unknown):
            raise UsageError(f"Perceptron.partial_fit: y has {unknown[0]}, which is none of the classes {known}")
        w0, passes, mistakes = None, 0, None
        if not first:
            w0, passes, mistakes = self._weights(), self.n_iter_, self.mistakes_
        self.classes_ = known
        # Another seed for each call: their samples need not come in the same order.
        self._learn(x, np.searchsorted(known, y), w0, 1, seed_of(self.random_state) + passes)
        if mistakes is not None:
            self.mistakes_ = np.concatenate([mistakes, self.mistakes_])
        self.n_iter_ += passes
        return self

    def _learn(self, x: np.ndarray, codes: np.ndarray, w0: np.ndarray | None, epochs: int, seed: int) -> None:
        if len(self.classes_) == 2:
            target = np.where(codes == 1, 1.0, -1.0)[None, :, None]
        else:
            target = one_hot(codes, len(self.classes_), low=-1.0).T[:, :, None]
        run = PerceptronRule(self.learning_rate).learn(
            (x, target),
            w0=w0,
            epochs=epochs,
            shuffle=bool(self.shuffle),
            seed=seed,
            backend=self.backend,
            precision=self.precision,
        )
        self.coef_, self.intercept_ = run.w[:, 1:], -run.w[:, 0]
        self.mistakes_, self.converged_, self.n_iter_ = run.mistakes, run.converged, len(run.mistakes)

    def _weights(self) -> np.ndarray:
        return np.concatenate([-self.intercept_[:, None], self.coef_], axis=1)

    def decision_function(self, X: Any) -> np.ndarray:
        """Sums of the units, shape (samples,) for two classes, above 0 for the second; else (samples, classes)."""
        check_is_fitted(self, "coef_")
        x = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        sums = x @ self.coef_.T + self.intercept_
        return sums[:, 0] if len(self.classes_) == 2 else sums

    def predict(self, X: Any) -> np.ndarray:
        """Class of each sample, shape (samples,): with more than two, that of the unit with the largest sum."""
        sums = self.decision_function(X)
        return self.classes_[(sums > 0.0).astype(np.int64) if sums.ndim == 1 else sums.argmax(axis=1)]
