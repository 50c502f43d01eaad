"""Activations: from the weighted sum ``s`` of a neuron to its output ``y``, with the derivative.

Pure formulas of arrays of shape (…, samples, units). The lecture's (slide 16) are the bipolar sigmoid
(:class:`Tanh`), the exponential sigmoid (:class:`Sigmoid`), the threshold (:class:`Heaviside`, :class:`Sign`),
:class:`ReLU`, :class:`Softmax` and the stochastic neuron (:class:`StochasticBinary`). ``ACTIVATIONS`` holds each by
the name that users write.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

import array_api_compat

from neurosim.backends.philox import Random, seed_words
from neurosim.backends.tracing.units import UnitGraph
from neurosim.errors import UsageError
from neurosim.learn.choices import Choice, chosen
from neurosim.learn.draws import PURPOSES, THIRD_WORD
from neurosim.registers import enter

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Elementwise",
    "Heaviside",
    "Linear",
    "ReLU",
    "Sigmoid",
    "Sign",
    "Softmax",
    "StochasticBinary",
    "Tanh",
    "get_activation",
    "register",
]

Array = Any


class Activation(Choice):
    """Base of activations."""

    abstract: ClassVar[bool] = True

    @abstractmethod
    def forward(self, xp: Any, s: Array) -> Array:
        """Outputs of the units, shape (…, samples, units)."""

    @abstractmethod
    def pullback(self, xp: Any, s: Array, y: Array, dy: Array) -> Array:
        """∂E/∂s of ∂E/∂y = ``dy``, where y = forward(s); ``dy`` may have more leading axes."""


class Elementwise(Activation):
    """Base of activations of each unit alone.

    Their formulas use the functions of :data:`neurosim.backends.tracing.FUNCTIONS` only, so that they can become part
    of a fused kernel.
    """

    abstract: ClassVar[bool] = True

    @abstractmethod
    def derivative(self, xp: Any, s: Array, y: Array) -> Array:
        """dy/ds, where y = forward(s)."""

    def pullback(self, xp: Any, s: Array, y: Array, dy: Array) -> Array:
        return dy * self.derivative(xp, s, y)


ACTIVATIONS: dict[str, type[Activation]] = {}
A = TypeVar("A", bound=type[Activation])


def register(cls: A) -> A:
    """Enter an activation into the register that tests and docs walk."""
    enter(ACTIVATIONS, "activation", cls.name, cls)
    return cls


def get_activation(choice: str | Activation) -> Activation:
    """The activation of a name, or the activation that is given.

    Raises
    ------
    UsageError
        When it is neither.
    """
    return chosen(ACTIVATIONS, Activation, "activation", choice)


def logistic(xp: Any, s: Array) -> Array:
    """1 / (1 + exp(−s)), which neither overflows nor loses its small values."""
    small = xp.exp(-xp.abs(s))
    return xp.where(s < 0.0, small, 1.0) / (1.0 + small)


def largest_unit(xp: Any, s: Array) -> Array:
    """Largest of the units of each sample, shape (…, samples, 1).

    Turned over first, as NumPy takes the largest of few numbers in a row ten times slower than of few rows.
    """
    if isinstance(xp, UnitGraph):
        return xp.largest_unit(s)
    flat = xp.reshape(xp.matrix_transpose(s), (*s.shape[:-2], s.shape[-1] * s.shape[-2]))
    rows = xp.reshape(flat, (*s.shape[:-2], s.shape[-1], s.shape[-2]))
    return xp.max(rows, axis=-2)[..., None]


def sum_of_units(xp: Any, values: Array) -> Array:
    """Sum over the units of each sample, shape (…, samples, 1): a product with ones, for the same reason."""
    if isinstance(xp, UnitGraph):
        return xp.sum_of_units(values)
    return xp.matmul(values, xp.matrix_transpose(xp.ones_like(values[..., :1, :])))


@register
class Linear(Activation):
    """The sum itself: y = s."""

    name = "linear"

    def forward(self, xp: Any, s: Array) -> Array:
        return s

    def pullback(self, xp: Any, s: Array, y: Array, dy: Array) -> Array:
        return dy


@register
class Tanh(Elementwise):
    """The bipolar sigmoid: y = tanh(s), from −1 to 1."""

    name = "tanh"

    def forward(self, xp: Any, s: Array) -> Array:
        return xp.tanh(s)

    def derivative(self, xp: Any, s: Array, y: Array) -> Array:
        return 1.0 - y * y


@register
class Sigmoid(Elementwise):
    """The exponential sigmoid: y = 1/(1 + exp(−s)), from 0 to 1."""

    name = "sigmoid"

    def forward(self, xp: Any, s: Array) -> Array:
        return logistic(xp, s)

    def derivative(self, xp: Any, s: Array, y: Array) -> Array:
        return y * (1.0 - y)


@register
class ReLU(Elementwise):
    """The rectifier: y = max(s, 0); its derivative at 0 is taken as 0."""

    name = "relu"

    def forward(self, xp: Any, s: Array) -> Array:
        return xp.maximum(s, 0.0)

    def derivative(self, xp: Any, s: Array, y: Array) -> Array:
        return xp.astype(s > 0.0, s.dtype)


@register
class Heaviside(Elementwise):
    """The threshold: y = 1 where s ≥ 0, else 0 (McCulloch and Pitts 1943).

    Its derivative is 0 wherever it has one: descent cannot train the weights before it.
    """

    name = "heaviside"

    def forward(self, xp: Any, s: Array) -> Array:
        return xp.astype(s >= 0.0, s.dtype)

    def derivative(self, xp: Any, s: Array, y: Array) -> Array:
        return 0.0 * y


@register
class Sign(Elementwise):
    """The bipolar threshold: y = 1 where s ≥ 0, else −1; its derivative is taken as 0."""

    name = "sign"

    def forward(self, xp: Any, s: Array) -> Array:
        return 2.0 * xp.astype(s >= 0.0, s.dtype) - 1.0

    def derivative(self, xp: Any, s: Array, y: Array) -> Array:
        return 0.0 * y


@register
class Softmax(Activation):
    """y = exp(s) / Σ exp(s) over the units of a sample: a probability for each.

    The largest sum is subtracted first, which changes nothing but the range of exp.
    """

    name = "softmax"

    def forward(self, xp: Any, s: Array) -> Array:
        e = xp.exp(s - largest_unit(xp, s))
        return e / sum_of_units(xp, e)

    def pullback(self, xp: Any, s: Array, y: Array, dy: Array) -> Array:
        # The Jacobian is diag(y) − y yᵀ, and not y(1 − y), which the slide leaves open.
        return y * (dy - sum_of_units(xp, y * dy))


@register
class StochasticBinary(Activation):
    """y = 1 with probability 1/(1 + exp(−s)), else 0.

    A pure function all the same: the random number of a unit and sample is Philox's of (seed, draw, its place), the
    same for every network of an ensemble and on every array library. Take another ``draw`` for other numbers. The
    derivative is that of the expected output.

    Parameters
    ----------
    seed : int
        From 0 to 2⁶⁴ − 1.
    draw : int
        Number of the draw, from 0 to 2³² − 1.
    """

    name = "stochastic_binary"

    seed: int = 0
    draw: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for what, bits in (("seed", 64), ("draw", 32)):
            value = getattr(self, what)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**bits:
                raise UsageError(f"StochasticBinary.{what} = {value!r}: give a whole number from 0 to 2**{bits} - 1")

    def forward(self, xp: Any, s: Array) -> Array:
        shape = s.shape[-2:]
        lane = xp.reshape(xp.arange(math.prod(shape), dtype=xp.int64, device=array_api_compat.device(s)), shape)
        low, high = seed_words(self.seed)
        third = THIRD_WORD + PURPOSES.index("outputs")
        random = Random(low, high, 0, (third << 32) + self.draw, lane, "float64")
        return xp.astype(xp.astype(random.uniform(xp), s.dtype) < logistic(xp, s), s.dtype)

    def pullback(self, xp: Any, s: Array, y: Array, dy: Array) -> Array:
        mean = logistic(xp, s)
        return dy * (mean * (1.0 - mean))
