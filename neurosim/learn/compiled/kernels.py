"""Kernels of activations, losses and optimizers, traced from their formulas and compiled by Numba.

One is made for each formula, type of numbers and nothing else: widths of layers, numbers of samples and
hyper-parameters are given to it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np

import neurosim.backends
from neurosim.backends import kernel_cache
from neurosim.backends.printers.unit_printer import UnitFormula, print_unit_kernel
from neurosim.backends.printers.update_printer import UpdateFormula, print_update
from neurosim.backends.tracing import Graph, NotTraceable, Value
from neurosim.backends.tracing.units import UnitGraph
from neurosim.errors import UsageError
from neurosim.learn.activations import Activation, Elementwise
from neurosim.learn.compiled.passes import GATED, IDENTITY, TAKEN_BACK
from neurosim.learn.losses import Loss
from neurosim.learn.optimizer import FirstOrder
from neurosim.parameters import bind

FIRST = 2  # number of an optimizer's first own number: those before are the error and the rate
VALUE, RATE = "number 0", 1


class NotCompiled(UsageError):
    """Something has no kernel; op by op it runs."""


@lru_cache(maxsize=1)
def _mathematics() -> str:
    """What the machine code depends on besides the generated source: Numba does not look into what it inlines."""
    folder = Path(neurosim.backends.__file__).parent
    files = (*sorted(folder.glob("math_*.py")), folder / "intrinsics.py", folder / "pointers.py")
    return numba.__version__ + "".join(file.read_text(encoding="utf-8") for file in files)


@cache
def address(source: str, name: str) -> int:
    """Address of the function ``kernel`` of a generated source, compiled or from the cache."""
    return int(kernel_cache.load(source, name, _mathematics()).kernel.address)


class ActivationKernels(NamedTuple):
    """How a layer's outputs are made of its sums, and gradients taken back."""

    kind: int
    forward: str  # source, or ""
    pullback: str


def activation_kernels(activation: Activation, dtype: str) -> ActivationKernels:
    """Sources of the kernels of an activation.

    Raises
    ------
    NotCompiled
        When its formulas cannot be traced.
    """
    graph = UnitGraph()
    s, y, dy = (graph.input(name, dtype) for name in ("s", "y", "dy"))
    try:
        out = activation.forward(graph, s)
        if isinstance(out, Value) and out.index == s.index:
            back = activation.pullback(graph, s, s, dy)
            if isinstance(back, Value) and back.index == dy.index:
                return ActivationKernels(IDENTITY, "", "")
        if isinstance(activation, Elementwise):
            slope = _node(graph, activation.derivative(graph, s, out), dtype)
            outputs = {"y": _node(graph, out, dtype), "s": slope}
            formula = UnitFormula(graph, {"s": True, "y": True}, outputs, dtype)
            return ActivationKernels(GATED, print_unit_kernel(formula), "")
        forward = UnitFormula(graph, {"s": True, "y": True}, {"y": _node(graph, out, dtype)}, dtype)
        arrays = {"s": True, "y": True, "dy": True, "ds": True}
        back = UnitFormula(graph, arrays, {"ds": _node(graph, activation.pullback(graph, s, y, dy), dtype)}, dtype)
        return ActivationKernels(TAKEN_BACK, print_unit_kernel(forward), print_unit_kernel(back))
    except (NotTraceable, TypeError) as error:
        raise NotCompiled(f"activation {activation!r} has no kernel: {error}") from error


def loss_kernel(loss: Loss, dtype: str) -> str:
    """Source of the kernel of a loss: weighted losses of the samples, and their gradient for the outputs.

    Raises
    ------
    NotCompiled
        When its formula cannot be traced.
    """
    graph = UnitGraph()
    y, target, share = (graph.input(name, dtype) for name in ("y", "target", "share"))
    try:
        losses, dy = loss.sample_losses(graph, y, target)
        outputs = {"dy": _node(graph, dy * share, dtype), "losses": _node(graph, losses * share, dtype)}
        arrays = {"y": True, "target": True, "share": False, "dy": True, "losses": False}
        return print_unit_kernel(UnitFormula(graph, arrays, outputs, dtype))
    except (NotTraceable, TypeError) as error:
        raise NotCompiled(f"loss {loss!r} has no kernel: {error}") from error


def _node(graph: Graph, value: Any, dtype: str) -> int:
    return (value if isinstance(value, Value) else graph.constant(value, dtype)).index


class UpdateKernel(NamedTuple):
    """An optimizer's update as a kernel.

    Attributes
    ----------
    source : str
        Of the kernel.
    memory : type
        The optimizer's NamedTuple.
    rows, columns : list of str
        Its fields with a value for each weight, and with one for the network.
    parameters : list of str
        Hyper-parameters, which follow the columns among the numbers.
    """

    source: str
    memory: type
    rows: list[str]
    columns: list[str]
    parameters: list[str]


def update_kernel(optimizer: FirstOrder, dtype: str) -> UpdateKernel:
    """The kernel of a first-order optimizer.

    Raises
    ------
    NotCompiled
        When its formula cannot be traced.
    """
    # A network of two weights shows which fields have a value for each.
    plain = bind(optimizer, dict.fromkeys(optimizer.values(), 0.5))
    start = plain.start(np, np.zeros((1, 2)), np.zeros((1, 1)))
    rows = [name for name in start._fields if np.shape(getattr(start, name)) == (1, 2)]
    columns = [name for name in start._fields if name not in rows]
    parameters = list(optimizer.values())
    graph = Graph()

    def number(place: int) -> Value:
        return graph.input(f"number {place}", dtype)

    numbers = {name: FIRST + k for k, name in enumerate((*columns, *parameters))}
    fields = {name: graph.input(f"row {k}", dtype) for k, name in enumerate(rows)}
    fields |= {name: number(numbers[name]) for name in columns}
    bound = bind(optimizer, {name: number(numbers[name]) for name in parameters})
    w, value, grad = graph.input("w", dtype), graph.input(VALUE, dtype), graph.input("grad", dtype)
    try:
        new, memory = bound.update(graph, w, value, grad, type(start)(**fields))
        changed = {numbers[n]: _node(graph, getattr(memory, n), dtype) for n in columns}
        changed[RATE] = _node(graph, bound.rate(memory), dtype)
        out = [_node(graph, getattr(memory, name), dtype) for name in rows]
        source = print_update(UpdateFormula(graph, _node(graph, new, dtype), out, changed, dtype))
    except (NotTraceable, TypeError) as error:
        raise NotCompiled(f"optimizer {optimizer!r} has no kernel: {error}") from error
    return UpdateKernel(source, type(start), rows, columns, parameters)
