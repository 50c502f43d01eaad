"""What a network learns from: inputs, targets and, if need be, weights of the samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neurosim.errors import UsageError

__all__ = ["Samples", "checked_samples", "one_hot"]


class Samples(NamedTuple):
    """Inputs and targets; an array with one axis more has its own rows for each network of an ensemble.

    Attributes
    ----------
    x : array_like, shape (samples, inputs) or (networks, samples, inputs)
        Inputs.
    target : array_like, shape (samples, outputs) or (networks, samples, outputs)
        What the network should give; (samples,) for one output.
    weight : array_like, shape (samples,) or (networks, samples), optional
        How much each sample counts; 0 leaves it out, so that splits may differ in size.
    """

    x: Any
    target: Any
    weight: Any = None


def one_hot(labels: Any, n_classes: int | None = None, *, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """``high`` at the number of the class, ``low`` elsewhere: shape (…, n_classes), float64.

    Parameters
    ----------
    labels : array_like of int, shape (…)
        Numbers of classes from 0.
    n_classes : int, optional
        By default one more than the largest label.
    low, high : float
        For tanh outputs −1 and 1.

    Raises
    ------
    UsageError
        When a label is no whole number, or is not below ``n_classes``.

    Examples
    --------
    >>> from neurosim.learn import one_hot
    >>> one_hot([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.size == 0:
        raise UsageError(f"one_hot: labels of type {labels.dtype}, {labels.size} of them: give whole numbers from 0")
    n = int(labels.max()) + 1 if n_classes is None else n_classes
    if labels.min() < 0 or labels.max() >= n:
        raise UsageError(f"one_hot: labels from {labels.min()} to {labels.max()}: give 0 to {n - 1}, or more n_classes")
    return np.where(labels[..., None] == np.arange(n), high, low)


def _array(what: str, value: Any, axes: tuple[int, ...]) -> np.ndarray:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{what} is {type(value).__name__}, no array of numbers") from None
    if array.ndim not in axes:
        raise UsageError(f"{what} has shape {array.shape}: give {' or '.join(map(str, axes))} axes")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise UsageError(f"{what}{bad[0].tolist()} = {array[tuple(bad[0])]}: all numbers must be finite")
    return array


def checked_samples(data: Any, n_in: int, n_out: int) -> Samples:
    """Samples as float64 arrays that fit a network.

    Raises
    ------
    UsageError
        When they do not; the message says what to write instead.
    """
    if not isinstance(data, tuple) or not 2 <= len(data) <= 3:
        raise UsageError(f"data = {type(data).__name__}: give (x, target) or Samples(x, target, weight)")
    data = Samples(*data)
    x, target = _array("x", data.x, (2, 3)), _array("target", data.target, (1, 2, 3))
    if target.ndim == 1:
        if n_out > 1:
            raise UsageError(
                f"target has shape {target.shape} for {n_out} outputs: give (samples, {n_out}), for labels "
                f"one_hot(labels, {n_out})"
            )
        target = target[:, None]
    if x.shape[-1] != n_in:
        raise UsageError(f"x has {x.shape[-1]} columns for a network of {n_in} inputs: give shape (samples, {n_in})")
    if target.shape[-1] != n_out:
        raise UsageError(f"target has {target.shape[-1]} columns for a network of {n_out} outputs")
    if x.shape[-2] != target.shape[-2] or not x.shape[-2]:
        raise UsageError(f"x has {x.shape[-2]} samples, target {target.shape[-2]}: give as many, and at least one")
    weight = None
    if data.weight is not None:
        weight = _array("weight", data.weight, (1, 2))
        if weight.shape[-1] != x.shape[-2]:
            raise UsageError(f"weight has {weight.shape[-1]} values for {x.shape[-2]} samples")
        if (weight < 0.0).any() or not (weight.sum(axis=-1) > 0.0).all():
            raise UsageError("weight: give numbers of at least 0, not all of them 0")
    return Samples(x, target, weight)
