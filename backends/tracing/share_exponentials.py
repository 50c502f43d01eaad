"""Compute exponentials of the same variable once.

Gating rates are full of eˢˣ⁺ᶜ with the same x: Hodgkin and Huxley's six rates hold five exponentials of V/10, V/20
and V/80. Here eᵏˢˣ⁺ᶜ becomes (eˢˣ⁺ᵇ)ᵏ·eᶜ⁻ᵏᵇ for k = 1, 2, 4, 8: one to four multiplications instead of some
thirty operations. The relative error grows to about k ulp, in rates that are multiplied by dt afterwards; the state's
own rounding is larger. Only kernels are rewritten, the eager path keeps the formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from neurosim.backends.tracing.evaluate import needed
from neurosim.backends.tracing.graph import Graph, Value
from neurosim.backends.tracing.program_trace import Level, Trace
from neurosim.backends.tracing.rewrite import rewritten

_POWERS = (1, 2, 4, 8)
_LARGEST_SHIFT = 50.0  # e⁵⁰ and e⁻⁵⁰ are far from overflow in float32


def share_exponentials(trace: Trace) -> Trace:
    """The same program with fewer exponentials."""
    graph = trace.graph
    outputs = (*trace.state, trace.event, *trace.observables)
    order = needed(graph, outputs)
    plan = _plan(graph, [i for i in order if trace.levels[i] is Level.VARYING])
    if not plan:
        return trace

    def make(new: Graph, index: int, x: Value) -> Value:
        _, power, factor = plan[index]
        return _power(x, power) * factor

    return rewritten(trace, {index: (source,) for index, (source, _, _) in plan.items()}, make)


def _power(x: Value, power: int) -> Value:
    while power > 1:
        x, power = x * x, power // 2
    return x


def _plan(graph: Graph, order: Iterable[int]) -> dict[int, tuple[int, int, float]]:
    """Exponential → (the one that it is a power of, the power, a factor)."""
    groups: dict[int, list[tuple[float, float, int]]] = {}
    for index in order:
        node = graph.nodes[index]
        if node.op == "exp":
            base, slope, shift = _affine(graph, node.args[0])
            if graph.nodes[base].op != "constant" and slope != 0:
                groups.setdefault(base, []).append((slope, shift, index))
    plan: dict[int, tuple[int, int, float]] = {}
    for members in groups.values():
        generators: list[tuple[float, float, int]] = []
        for slope, shift, index in sorted(members, key=lambda member: abs(member[0])):  # the steeper are powers
            for of_slope, of_shift, source in generators:
                power = round(slope / of_slope)
                excess = shift - power * of_shift
                same = power in _POWERS and math.isclose(slope, power * of_slope, rel_tol=1e-14)
                if same and abs(excess) < _LARGEST_SHIFT:
                    plan[index] = (source, power, math.exp(excess))
                    break
            else:
                generators.append((slope, shift, index))
    return plan


def _affine(graph: Graph, index: int) -> tuple[int, float, float]:
    """(x, s, c) of a node s·x + c with numbers s and c."""
    slope, shift = 1.0, 0.0
    while True:
        node = graph.nodes[index]
        values = [graph.nodes[i].payload if graph.nodes[i].op == "constant" else None for i in node.args]
        numbers = [i for i, value in enumerate(values) if value is not None]
        if node.op == "negative":
            slope, index = -slope, node.args[0]
        elif node.op not in ("add", "subtract", "multiply", "divide") or len(numbers) != 1:
            return index, slope, shift
        else:
            at = numbers[0]
            number, other = float(values[at]), node.args[1 - at]  # type: ignore[arg-type]
            if node.op == "add":
                shift += slope * number
            elif node.op == "multiply":
                slope *= number
            elif node.op == "divide" and at == 1:
                slope /= number
            elif node.op == "subtract" and at == 1:
                shift -= slope * number
            elif node.op == "subtract":
                slope, shift = -slope, shift + slope * number
            else:
                return index, slope, shift  # number / x
            index = other
