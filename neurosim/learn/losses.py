"""Losses: how far the outputs ``y`` of a sample are from its ``target``, with the gradient.

``sample_losses(xp, y, target)`` gives the loss of each sample, shape (…, samples, 1), and its gradient with respect to
y. The objective is their mean, weighted where samples have weights. ``LOSSES`` holds each by the name that users write.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

import numpy as np

from neurosim.errors import UsageError
from neurosim.learn.activations import Activation, Sigmoid, Softmax, largest_unit, logistic, sum_of_units
from neurosim.learn.choices import Choice, chosen
from neurosim.registers import enter

__all__ = [
    "LOSSES",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "KullbackLeibler",
    "Loss",
    "MeanSquaredError",
    "PerceptronCriterion",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "get_loss",
    "register",
]

Array = Any


class Loss(Choice):
    """Base of losses."""

    abstract: ClassVar[bool] = True

    @abstractmethod
    def sample_losses(self, xp: Any, y: Array, target: Array) -> tuple[Array, Array]:
        """Loss of each sample and its gradient.

        Parameters
        ----------
        xp : namespace
            Of the arrays, or :class:`~neurosim.learn.dual.DualSpace`.
        y : array, shape (…, samples, outputs)
            What the network gives.
        target : array, shape (…, samples, outputs)
            What it should give.

        Returns
        -------
        losses : array, shape (…, samples, 1)
            Of each sample.
        dy : array, shape (…, samples, outputs)
            Their gradient with respect to y.
        """

    def residuals(self, xp: Any, y: Array, target: Array) -> tuple[Array, float]:
        """Residuals r, shape (…, samples, outputs), with ½ Σ r² = the loss of a sample, and the number dr/dy.

        Raises
        ------
        UsageError
            When the loss is no sum of squares.
        """
        raise UsageError(
            f"{type(self).__name__} is no sum of squares, which this optimizer needs: write loss='mean_squared_error'"
        )

    def of_sums(self, activation: Activation) -> Loss | None:
        """The loss as a function of the sums before ``activation``, where that is known and exact; else None."""
        return None

    def check(self, target: np.ndarray) -> None:
        """Refuse targets that the loss has no meaning for.

        Raises
        ------
        UsageError
            The message has the sample, its target and what to write instead.
        """


LOSSES: dict[str, type[Loss]] = {}
L = TypeVar("L", bound=type[Loss])


def register(cls: L) -> L:
    """Enter a loss into the register that tests and docs walk."""
    enter(LOSSES, "loss", cls.name, cls)
    return cls


def get_loss(choice: str | Loss) -> Loss:
    """The loss of a name, or the loss that is given.

    Raises
    ------
    UsageError
        When it is neither.
    """
    return chosen(LOSSES, Loss, "loss", choice)


@register
class MeanSquaredError(Loss):
    """Squares of y − target, averaged over samples and outputs; the lecture sums over the outputs (slide 30).

    Parameters
    ----------
    outputs : {"mean", "sum"}
        What is done over the outputs of a sample.
    """

    name = "mean_squared_error"

    outputs: str = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.outputs not in ("mean", "sum"):
            raise UsageError(f"MeanSquaredError.outputs = {self.outputs!r}: write 'mean' or 'sum'")

    def _share(self, y: Array) -> float:
        return 1.0 / y.shape[-1] if self.outputs == "mean" else 1.0

    def sample_losses(self, xp: Any, y: Array, target: Array) -> tuple[Array, Array]:
        e = y - target
        dy = (2.0 * self._share(y)) * e
        return 0.5 * sum_of_units(xp, e * dy), dy

    def residuals(self, xp: Any, y: Array, target: Array) -> tuple[Array, float]:
        slope = math.sqrt(2.0 * self._share(y))
        return slope * (y - target), slope


def _refuse(loss: Loss, target: np.ndarray, bad: Any, need: str) -> None:
    if bad.any():
        place = np.argwhere(bad)[0].tolist()
        raise UsageError(f"{type(loss).__name__}: the target of sample {place} is {target[tuple(place)]}: {need}")


def _check_distribution(loss: Loss, target: np.ndarray) -> None:
    bad = (target < 0.0).any(axis=-1) | (np.abs(target.sum(axis=-1) - 1.0) > 1e-5)
    _refuse(loss, target, bad, "give probabilities with sum 1, as one_hot(labels, n_classes) makes")


def _positive(xp: Any, y: Array) -> Array:
    """``y``, or the smallest number of its type where it is 0, so that the logarithm stays finite."""
    return xp.maximum(y, float(xp.finfo(y.dtype).smallest_normal))


@register
class CrossEntropy(Loss):
    """−Σ target · log y of probabilities y, target; after a softmax both become :class:`SoftmaxCrossEntropy`."""

    name = "cross_entropy"

    def sample_losses(self, xp: Any, y: Array, target: Array) -> tuple[Array, Array]:
        y = _positive(xp, y)
        return sum_of_units(xp, -xp.log(y) * target), -1.0 / y * target

    def of_sums(self, activation: Activation) -> Loss | None:
        return SoftmaxCrossEntropy() if isinstance(activation, Softmax) else None

    def check(self, target: np.ndarray) -> None:
        _check_distribution(self, target)


@register
class KullbackLeibler(Loss):
    """Σ target · log(target / y): the cross-entropy without the entropy of the target, 0 where y = target."""

    name = "kullback_leibler"

    def sample_losses(self, xp: Any, y: Array, target: Array) -> tuple[Array, Array]:
        y = _positive(xp, y)
        return sum_of_units(xp, (-xp.log(y) + xp.log(_positive(xp, target))) * target), -1.0 / y * target

    def of_sums(self, activation: Activation) -> Loss | None:
        return SoftmaxCrossEntropy(relative=True) if isinstance(activation, Softmax) else None

    def check(self, target: np.ndarray) -> None:
        _check_distribution(self, target)


@register
class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of softmax(y), where y are the sums themselves: the network ends in a linear layer.

    Its gradient is softmax(y) − target. Neither value nor gradient loses digits however sure the network is.

    Parameters
    ----------
    relative : bool
        Without the entropy of the target, as :class:`KullbackLeibler`.
    """

    name = "softmax_cross_entropy"

    relative: bool = False

    def sample_losses(self, xp: Any, y: Array, target: Array) -> tuple[Array, Array]:
        u = y - largest_unit(xp, y)
        e = xp.exp(u)
        total = sum_of_units(xp, e)
        losses = (xp.log(total) - u) * target
        if self.relative:
            losses = losses + target * xp.log(_positive(xp, target))
        return sum_of_units(xp, losses), e / total - target

    def check(self, target: np.ndarray) -> None:
        _check_distribution(self, target)


def _check_probabilities(loss: Loss, target: np.ndarray) -> None:
    bad = ((target < 0.0) | (target > 1.0)).any(axis=-1)
    _refuse(loss, target, bad, "give numbers from 0 to 1")


@register
class BinaryCrossEntropy(Loss):
    """−Σ target · log y + (1 − target) · log(1 − y) over the outputs, each a probability of its own.

    After a sigmoid both become :class:`SigmoidCrossEntropy`.
    """

    name = "binary_cross_entropy"

    def sample_losses(self, xp: Any, y: Array, target: Array) -> tuple[Array, Array]:
        yes, no = _positive(xp, y), _positive(xp, 1.0 - y)
        losses = -xp.log(yes) * target - xp.log(no) * (1.0 - target)
        return sum_of_units(xp, losses), 1.0 / no * (1.0 - target) - 1.0 / yes * target

    def of_sums(self, activation: Activation) -> Loss | None:
        return SigmoidCrossEntropy() if isinstance(activation, Sigmoid) else None

    def check(self, target: np.ndarray) -> None:
        _check_probabilities(self, target)


@register
class SigmoidCrossEntropy(Loss):
    """Binary cross-entropy of sigmoid(y), where y are the sums themselves; its gradient is sigmoid(y) − target."""

    name = "sigmoid_cross_entropy"

    def sample_losses(self, xp: Any, y: Array, target: Array) -> tuple[Array, Array]:
        losses = xp.maximum(y, 0.0) - y * target + xp.log1p(xp.exp(-xp.abs(y)))
        return sum_of_units(xp, losses), logistic(xp, y) - target

    def check(self, target: np.ndarray) -> None:
        _check_probabilities(self, target)


@register
class PerceptronCriterion(Loss):
    """Σ max(0, −target · y) of sums y and targets −1 and 1: how far the wrong ones are from the border.

    Descent on one sample after the other with it is Rosenblatt's learning rule.
    """

    name = "perceptron_criterion"

    def sample_losses(self, xp: Any, y: Array, target: Array) -> tuple[Array, Array]:
        dy = -xp.astype(y * target <= 0.0, y.dtype) * target
        return sum_of_units(xp, y * dy), dy

    def check(self, target: np.ndarray) -> None:
        _refuse(self, target, (np.abs(target) != 1.0).any(axis=-1), "give -1 or 1")
