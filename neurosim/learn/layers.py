"""Layers: ``forward(xp, w, x) -> (y, pullback)``, nothing else.

What the pullback needs it keeps in its closure: there is no tape and no graph, and the mathematics of the gradient is
in plain sight. Arrays have shape (…, samples, units); the axes before are independent networks. Formulas count axes
from the end, so that any number of axes may come before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from neurosim.errors import UsageError
from neurosim.learn.activations import Activation, Linear, get_activation
from neurosim.learn.initialisers import get_initialiser
from neurosim.learn.params import Block

__all__ = ["Dense", "Layer", "Pullback", "check_width"]

Array = Any
Pullback = Callable[..., tuple[Any, Any]]


class Layer(ABC):
    """Base of layers.

    Attributes
    ----------
    n_in, n_out : int
        Inputs and outputs of each sample.
    """

    n_in: int
    n_out: int

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """The parameters of the layer, in the order in which they lie in ``w``."""

    @abstractmethod
    def forward(self, xp: Any, w: Array, x: Array) -> tuple[Array, Pullback]:
        """Outputs and what takes their gradient back.

        Parameters
        ----------
        xp : namespace
            Of the arrays, or :class:`~neurosim.learn.dual.DualSpace`.
        w : array, shape (…, P)
            Flat parameters of the layer.
        x : array, shape (…, samples, n_in)
            Inputs; shared by all networks where it lacks their axes.

        Returns
        -------
        y : array, shape (…, samples, n_out)
            Outputs.
        pullback : callable
            ``pullback(dy, *, each=False, inputs=True) -> (dx, dw)``: ∂E/∂x and ∂E/∂w of ∂E/∂y = ``dy``, which may have
            more leading axes than y. ``each``: dw has shape (…, samples, P), a row for each sample and not their sum.
            ``inputs=False``: dx is not wanted and may be None.
        """

    @property
    def widest(self) -> int:
        """Units of the widest layer, inputs included."""
        return max(self.n_in, self.n_out)

    def without_output(self) -> tuple[Layer, Activation]:
        """The same layer without the activation of its outputs, and that activation.

        A loss that takes the sums themselves is exact where softmax and logarithm one after the other are not.
        """
        return self, Linear()


def check_width(where: str, what: str, value: Any) -> None:
    """Refuse a number of units that cannot be.

    Raises
    ------
    UsageError
        When it is no whole number above 0.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{where}: {what} = {value!r}: give a whole number above 0")


@dataclass(frozen=True)
class Dense(Layer):
    """Each output sees each input: y = activation(x · weight + bias).

    With s = x · weight + bias and δ = ∂E/∂s the gradients are

        ∂E/∂weight = xᵀ δ    ∂E/∂bias = Σ δ over the samples    ∂E/∂x = δ weightᵀ

    Rumelhart, Hinton and Williams (1986), https://doi.org/10.1038/323533a0. The lecture's slides 34 to 37 take δ as
    ∂E/∂y in the output layer, which lacks the factor of the activation's derivative.

    Parameters
    ----------
    n_in, n_out : int
        Inputs and outputs.
    activation : str or Activation
        Of the outputs.
    weight_init, bias_init : str or Initialiser
        First values of weight, shape (n_in, n_out), and bias, shape (n_out,).
    bias : bool
        Whether there is one.

    Raises
    ------
    UsageError
        When an argument cannot be.
    """

    n_in: int
    n_out: int
    activation: Any = "linear"
    weight_init: Any = "glorot_uniform"
    bias_init: Any = "zeros"
    bias: bool = True

    def __post_init__(self) -> None:
        check_width("Dense", "n_in", self.n_in)
        check_width("Dense", "n_out", self.n_out)
        if not isinstance(self.bias, bool):
            raise UsageError(f"Dense: bias = {self.bias!r}: write True or False; values go into bias_init")
        object.__setattr__(self, "activation", get_activation(self.activation))
        object.__setattr__(self, "weight_init", get_initialiser(self.weight_init))
        object.__setattr__(self, "bias_init", get_initialiser(self.bias_init))

    def blocks(self) -> tuple[Block, ...]:
        fans = (self.n_in, self.n_out)
        weight = Block("weight", fans, *fans, self.weight_init, True)
        return (weight, Block("bias", (self.n_out,), *fans, self.bias_init, False)) if self.bias else (weight,)

    def without_output(self) -> tuple[Dense, Activation]:
        return replace(self, activation=Linear()), self.activation

    def forward(self, xp: Any, w: Array, x: Array) -> tuple[Array, Pullback]:
        n_weights = self.n_in * self.n_out
        weight = xp.reshape(w[..., :n_weights], (*w.shape[:-1], self.n_in, self.n_out))
        s = xp.matmul(x, weight)
        if self.bias:
            s = s + w[..., None, n_weights:]
        activation = self.activation
        y = activation.forward(xp, s)

        def pullback(dy: Array, *, each: bool = False, inputs: bool = True) -> tuple[Array, Array]:
            ds = activation.pullback(xp, s, y, dy)
            if each:
                dweight, dbias = x[..., :, None] * ds[..., None, :], ds
            else:
                dweight, dbias = xp.matmul(xp.matrix_transpose(x), ds), sum_of_samples(xp, ds)
            dw = xp.reshape(dweight, (*dweight.shape[:-2], n_weights))
            if self.bias:
                dw = xp.concat([dw, dbias], axis=-1)
            return (xp.matmul(ds, xp.matrix_transpose(weight)) if inputs else None), dw

        return y, pullback


def sum_of_samples(xp: Any, ds: Array) -> Array:
    """Sum over the samples, shape (…, units): a product with ones, as NumPy's sum over rows is seven times slower."""
    ones = xp.ones_like(ds[..., :, :1])
    return xp.matmul(xp.matrix_transpose(ones), ds)[..., 0, :]
