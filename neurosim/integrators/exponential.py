"""Exponential Euler: every variable relaxes exactly towards its momentary target."""

from __future__ import annotations

from typing import Any

from neurosim.backends.tracing import Graph, Value
from neurosim.integrators.base import Integrator
from neurosim.integrators.linear import slopes_and_rates
from neurosim.integrators.traced import evaluated
from neurosim.parameters import parameters

_TINY = 1e-30
_SUMS = ("add", "subtract", "negative")


class ExponentialEuler(Integrator):
    """x(t + dt) = x + f·(e^{a·dt} − 1)/a where f = dx/dt = a·x + b with the rest frozen.

    Exact for gates at constant voltage, and stable for any dt where a < 0. A variable in which the model is not
    linear (Izhikevich's v) takes a forward Euler step.

    Source: MacGregor (1987), Neural and Brain Modeling; Moore and Ramón (1974).
    """

    name, order = "exponential_euler", 1

    def advance(self, xp, model, s, i_syn, dt, prepared):  # type: ignore[no-untyped-def]
        if not isinstance(xp, Graph):  # over real arrays, the same trace op by op
            return evaluated(self, xp, model, s, i_syn, dt)
        slopes, rates, decays = slopes_and_rates(xp, model, s, i_syn)
        fixed = _Fixed(xp, [dt, *(getattr(model, name) for name in parameters(type(model)))])
        of_each = zip(s, slopes, rates, decays, strict=True)
        return type(s)(*(_advanced(xp, fixed, *of_one, dt) for of_one in of_each))


def _advanced(graph: Graph, fixed: _Fixed, x: Any, slope: Any, rate: Any, decays: bool, dt: Any) -> Any:
    if not isinstance(slope, Value):  # a number
        return x + dt * slope
    if rate is None:
        return x + fixed.scaled(slope, dt)
    if decays:  # towards 0, as a receptor's conductance: the factor is computed once for all steps
        return x * graph.exp(rate * dt)
    # Rate and slope of a gate, −(α + β) and α − (α + β)·m, share α·dt and β·dt if both are scaled by −dt.
    falls = graph.nodes[rate.index].op == "negative"
    factor = -dt if falls else dt
    a = fixed.scaled(Value(graph, graph.nodes[rate.index].args[0]) if falls else rate, factor)
    # 0 becomes 1e-30, whose quotient is 1; any other number swallows it.
    a = a + _TINY
    quotient = graph.expm1(a) / a
    if fixed(quotient):
        return x + fixed.scaled(slope, dt * quotient)
    step = fixed.scaled(slope, factor) * quotient
    return x - step if falls else x + step


class _Fixed:
    """What depends on parameters alone, and is computed once for all steps."""

    def __init__(self, graph: Graph, given: list[Any]) -> None:
        self._graph = graph
        self._known = {value.index: True for value in given if isinstance(value, Value)}

    def __call__(self, value: Value) -> bool:
        return self._is(value.index)

    def _is(self, index: int) -> bool:
        if index not in self._known:
            node = self._graph.nodes[index]
            self._known[index] = node.op == "constant" or (node.op != "input" and all(map(self._is, node.args)))
        return self._known[index]

    def scaled(self, value: Value, factor: Value) -> Value:
        """``value * factor`` with a fixed factor, which goes into parameters where the value has such as factors."""
        return self._absorbed(value.index, factor) if self._absorbs(value.index) else value * factor

    def _absorbs(self, index: int) -> bool:
        """Whether a factor can be had without one more operation in each step."""
        node = self._graph.nodes[index]
        if self._is(index):
            return True
        if node.op == "multiply":
            return any(map(self._absorbs, node.args))
        if node.op == "divide":
            return any(map(self._is, node.args))
        return node.op in _SUMS and all(map(self._absorbs, node.args))

    def _absorbed(self, index: int, factor: Value) -> Value:
        graph, node = self._graph, self._graph.nodes[index]
        if self._is(index):
            return Value(graph, index) * factor
        if node.op in _SUMS:
            return graph.apply(node.op, *(self._absorbed(i, factor) for i in node.args))
        for i, j in (node.args, node.args[::-1]):
            here, other = Value(graph, i), Value(graph, j)
            if not self._is(i):
                continue
            if node.op == "divide":
                return (here * factor) / other if i == node.args[0] else other * (factor / here)
            if graph.nodes[j].op in _SUMS and self._absorbs(j):
                return self._absorbed(j, here * factor)
            return other * (here * factor)
        i, j = node.args if self._absorbs(node.args[0]) else node.args[::-1]
        return self._absorbed(i, factor) * Value(graph, j)


EXPONENTIAL_EULER = ExponentialEuler()
