"""Multilayer perceptron that learns classes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from neurosim.errors import UsageError
from neurosim.learn.estimators.base import Multilayer, register
from neurosim.learn.estimators.described import documented
from neurosim.learn.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    KullbackLeibler,
    Loss,
    PerceptronCriterion,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    get_loss,
)
from neurosim.learn.samples import one_hot

__all__ = ["MLPClassifier"]


@register
@documented
class MLPClassifier(ClassifierMixin, Multilayer):
    """A multilayer perceptron with probabilities as outputs for scikit-learn.

    Two classes, and several labels at once, have a sigmoid for each output; more classes have a softmax.

    Parameters
    ----------
    {parameters}
    class_weight : dict, "balanced" or None
        How much samples of each class count, or inversely to its frequency; with several labels, as
        :func:`sklearn.utils.class_weight.compute_sample_weight` has it.

    Attributes
    ----------
    classes_ : ndarray
        Labels of the classes; with several labels the numbers of the columns.
    {attributes}

    Notes
    -----
    ``loss="auto"`` is the cross-entropy. ``"mean_squared_error"`` makes probabilities, too, and is what
    Levenberg-Marquardt takes.

    Examples
    --------
    >>> from neurosim.learn.estimators import MLPClassifier
    >>> xor = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> model = MLPClassifier((4,), "tanh", optimizer="bfgs", random_state=0).fit(xor, ["no", "yes", "yes", "no"])
    >>> model.predict(xor).tolist()
    ['no', 'yes', 'yes', 'no']
    """

    classes_: np.ndarray

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        optimizer: Any = "adam",
        loss: Any = "auto",
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        max_iter: int = 200,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        stop_error: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        class_weight: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        weight_init: Any = "glorot_uniform",
        bias_init: Any = "zeros",
        backend: Any = "auto",
        precision: str = "float64",
        fuse: Any = "auto",
        verbose: bool = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            optimizer=optimizer,
            loss=loss,
            alpha=alpha,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            stop_error=stop_error,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            warm_start=warm_start,
            random_state=random_state,
            weight_init=weight_init,
            bias_init=bias_init,
            backend=backend,
            precision=precision,
            fuse=fuse,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn.

        Parameters
        ----------
        X : array_like, shape (samples, features)
            Inputs.
        y : array_like, shape (samples,) or (samples, labels)
            Classes, or 0 and 1 for each of several labels.
        sample_weight : array_like, shape (samples,), optional
            How much each sample counts.

        Returns
        -------
        MLPClassifier
            Itself.

        Raises
        ------
        ValueError
            When an argument or parameter cannot be; as UsageError where the message says what to write instead.
        """
        x, y = validate_data(self, X, y, dtype=(np.float64, np.float32), multi_output=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        several = y.ndim == 2
        if several and type_of_target(y) != "multilabel-indicator":
            raise UsageError("MLPClassifier: y has several columns of classes: give 0 and 1 for each label")
        classes, codes = (np.arange(y.shape[1]), None) if several else np.unique(y, return_inverse=True)
        if not several and len(classes) < 2:
            raise UsageError(f"MLPClassifier: y has one class, {classes[0]}: give samples of at least two")
        if self.warm_start and hasattr(self, "classes_") and not np.array_equal(self.classes_, classes):
            raise UsageError(f"MLPClassifier: warm_start from classes {self.classes_} to {classes}: fit a clone")
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, x, ensure_non_negative=True)
        if self.class_weight is not None:
            of_class = compute_sample_weight(self.class_weight, y)
            weight = of_class if weight is None else weight * of_class
        loss, distribution = self._loss(several, len(classes))
        if codes is None:
            target = y.astype(np.float64)
        elif distribution:
            target = one_hot(codes, len(classes))
        else:
            target = codes[:, None].astype(np.float64)
        output = "softmax" if distribution else "sigmoid"
        self._learn(x, target, weight, output, loss, _accuracy_of_all if several else _accuracy, codes)
        self.classes_, self._several = classes, several
        return self

    def _loss(self, several: bool, n_classes: int) -> tuple[Loss, bool]:
        """The loss, and whether the outputs are one probability for each class."""
        distribution = not several and n_classes > 2
        if isinstance(self.loss, str) and self.loss == "auto":
            return CrossEntropy() if distribution else BinaryCrossEntropy(), distribution
        loss = get_loss(self.loss)
        if isinstance(loss, SoftmaxCrossEntropy | SigmoidCrossEntropy | PerceptronCriterion):
            raise UsageError(f"MLPClassifier: {loss!r} takes sums, the outputs are probabilities: write loss='auto'")
        one_of_all = isinstance(loss, CrossEntropy | KullbackLeibler)
        if (one_of_all and several) or (isinstance(loss, BinaryCrossEntropy) and distribution):
            what = "several labels at once" if several else f"{n_classes} classes"
            raise UsageError(f"MLPClassifier: {loss!r} has no meaning for {what}: write loss='auto'")
        return loss, distribution or one_of_all

    def predict(self, X: Any) -> np.ndarray:
        """Most probable class of each sample, shape (samples,); or 0 and 1 for each label, (samples, labels)."""
        outputs = self._probabilities(X)
        if self._several:
            return (outputs > 0.5).astype(np.int64)
        return self.classes_[_codes(outputs)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, shape (samples, classes); with several labels of each label."""
        outputs = self._probabilities(X)
        return np.concatenate([1.0 - outputs, outputs], axis=1) if outputs.shape[1] == 1 else outputs

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of :meth:`predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _probabilities(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "w_")
        return self._outputs(validate_data(self, X, dtype=(np.float64, np.float32), reset=False))


def _codes(outputs: np.ndarray) -> np.ndarray:
    """Numbers of classes, of the network's outputs or of targets."""
    return (outputs[:, 0] > 0.5).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(axis=1)


def _accuracy(outputs: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> float:
    return float(accuracy_score(_codes(target), _codes(outputs), sample_weight=weight))


def _accuracy_of_all(outputs: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> float:
    """Share of the samples all of whose labels are right."""
    return float(accuracy_score(target > 0.5, outputs > 0.5, sample_weight=weight))
