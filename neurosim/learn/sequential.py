"""Networks: layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.backends.base import Backend
from neurosim.errors import UsageError
from neurosim.learn.activations import Activation
from neurosim.learn.layers import Dense, Layer, Pullback, check_width
from neurosim.learn.params import Block, ParamVector

__all__ = ["MLP", "Sequential"]

Array = Any


@dataclass(frozen=True)
class Sequential(Layer):
    """Layers one after the other; a layer itself.

    Parameters
    ----------
    layers : sequence of Layer
        The outputs of one are the inputs of the next.

    Raises
    ------
    UsageError
        When there is none, or a layer does not fit the one before.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        layers = (self.layers,) if isinstance(self.layers, Layer) else tuple(self.layers)
        object.__setattr__(self, "layers", layers)
        if not layers:
            raise UsageError("Sequential has no layers: give at least one")
        for k, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise UsageError(f"Sequential: layer {k} is {layer!r}: give a Layer, for example Dense(2, 10, 'tanh')")
            if k and layer.n_in != layers[k - 1].n_out:
                raise UsageError(
                    f"Sequential: layer {k} takes {layer.n_in} inputs, layer {k - 1} has {layers[k - 1].n_out} "
                    f"outputs: write n_in={layers[k - 1].n_out}"
                )

    @property
    def n_in(self) -> int:  # type: ignore[override]
        """Inputs of each sample."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:  # type: ignore[override]
        """Outputs of each sample."""
        return self.layers[-1].n_out

    @cached_property
    def widest(self) -> int:
        return max(layer.widest for layer in self.layers)

    def blocks(self) -> tuple[Block, ...]:
        """Parameters of all layers: ``"0.weight"``, ``"0.bias"``, ``"1.weight"``, …."""
        return tuple(b._replace(name=f"{k}.{b.name}") for k, layer in enumerate(self.layers) for b in layer.blocks())

    @cached_property
    def params(self) -> ParamVector:
        """Layout of the parameters."""
        return ParamVector(self.blocks())

    @cached_property
    def _bounds(self) -> tuple[tuple[int, int], ...]:
        ends = np.cumsum([0, *(sum(b.size for b in layer.blocks()) for layer in self.layers)]).tolist()
        return tuple(pairwise(ends))

    def forward(self, xp: Any, w: Array, x: Array) -> tuple[Array, Pullback]:
        pullbacks = []
        for layer, (begin, end) in zip(self.layers, self._bounds, strict=True):
            x, back = layer.forward(xp, w[..., begin:end], x)
            pullbacks.append(back)

        def pullback(dy: Array, *, each: bool = False, inputs: bool = True) -> tuple[Array, Array]:
            grads = []
            for k in range(len(pullbacks) - 1, -1, -1):
                dy, dw = pullbacks[k](dy, each=each, inputs=inputs or k > 0)
                grads.append(dw)
            return dy, xp.concat(grads[::-1], axis=-1)

        return x, pullback

    def without_output(self) -> tuple[Sequential, Activation]:
        last, activation = self.layers[-1].without_output()
        return Sequential((*self.layers[:-1], last)), activation

    def predict(self, w: Any, x: Any, *, backend: str | Backend = "numpy", precision: str | None = None) -> np.ndarray:
        """Outputs on the host, shape (…, samples, n_out).

        Parameters
        ----------
        w : array_like, shape (P,) or (networks, P)
            Parameters, as ``History.w``.
        x : array_like, shape (samples, n_in) or (networks, samples, n_in)
            Inputs.
        backend : str or Backend
            Where it is computed.
        precision : {"float64", "float32"}, optional
            By default that of ``w``.

        Raises
        ------
        UsageError
            When a shape does not fit.
        """
        library = get(backend)
        w, x = np.asarray(w), np.asarray(x)
        precision = precision or ("float32" if w.dtype == np.float32 else "float64")
        if w.ndim < 1 or w.shape[-1] != self.params.size:
            raise UsageError(f"predict: w has shape {w.shape}: give (…, {self.params.size}) for this network")
        if x.ndim < 2 or x.shape[-1] != self.n_in:
            raise UsageError(f"predict: x has shape {x.shape}: give (samples, {self.n_in})")
        with np.errstate(all="ignore"):
            y, _ = self.forward(library.xp, library.asarray(w, precision), library.asarray(x, precision))
        return np.array(library.to_numpy(y))


def MLP(
    sizes: Sequence[int],
    activations: str | Activation | Sequence[str | Activation] = "tanh",
    *,
    weight_init: Any = "glorot_uniform",
    bias_init: Any = "zeros",
) -> Sequential:
    """A multilayer perceptron: dense layers of the given sizes.

    Parameters
    ----------
    sizes : sequence of int
        Units of each layer, the inputs first: ``(2, 10, 5, 2)`` has two hidden layers.
    activations : str, Activation or a sequence of them
        One for each layer but the inputs, or one for all.
    weight_init, bias_init : str or Initialiser
        First values.

    Raises
    ------
    UsageError
        When sizes or activations cannot be.

    Examples
    --------
    >>> from neurosim.learn import MLP
    >>> network = MLP((2, 10, 5, 2), ("sigmoid", "sigmoid", "softmax"))
    >>> network.params.size
    97
    """
    sizes = tuple(int(n) if isinstance(n, np.integer) else n for n in sizes)
    if len(sizes) < 2:
        raise UsageError(f"MLP: sizes = {sizes}: give at least inputs and outputs, for example (2, 10, 2)")
    for k, n in enumerate(sizes):
        check_width("MLP", f"sizes[{k}]", n)
    if isinstance(activations, str | Activation):
        activations = [activations] * (len(sizes) - 1)
    if len(activations) != len(sizes) - 1:
        raise UsageError(
            f"MLP: {len(activations)} activations for {len(sizes) - 1} layers after the inputs: give one for each, "
            "or one for all"
        )
    layers = zip(sizes, sizes[1:], activations, strict=False)
    return Sequential(tuple(Dense(a, b, f, weight_init, bias_init) for a, b, f in layers))
