"""Exponential Euler: every variable relaxes exactly towards its momentary target."""

from __future__ import annotations

from typing import Any, NamedTuple

from neurosim.backends.tracing import Graph, Value
from neurosim.integrators.base import Integrator
from neurosim.integrators.linear import Slope, linear_slopes
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
        fixed = _Fixed(xp, [dt, *(getattr(model, name) for name in parameters(type(model)))])
        of_each = zip(s, linear_slopes(xp, model, s, i_syn), strict=True)
        return type(s)(*(_advanced(xp, fixed, x, slope, dt) for x, slope in of_each))


def _advanced(graph: Graph, fixed: _Fixed, x: Any, slope: Slope, dt: Any) -> Any:
    whole, rate, rest, decays = slope
    if not isinstance(whole, Value):  # a number
        return x + dt * whole
    if rate is None:
        return fixed.moved(x, whole, dt)
    if decays:  # towards 0, as a receptor's conductance: the factor is computed once for all steps
        return x * graph.exp(rate * dt)
    # Rate and rest of a gate, −(α + β) and α, share α·dt if both are scaled by −dt.
    falls = graph.nodes[rate.index].op == "negative"
    a = fixed.scaled(Value(graph, graph.nodes[rate.index].args[0]) if falls else rate, -dt if falls else dt)
    # 0 becomes 1e-30, whose quotient is 1; any other number swallows it.
    guarded = a + _TINY
    quotient = graph.expm1(guarded) / guarded
    if fixed(quotient):
        return fixed.moved(x, whole, dt * quotient)
    # f·dt as (a·dt)·x + b·dt: what a conductance moves and how fast it does so share their products.
    step = a * x
    if rest is not None:
        step = step - fixed.scaled(rest, -dt) if falls else step + fixed.scaled(rest, dt)
    return x + step * quotient


class _Term(NamedTuple):
    """Of a sum."""

    value: Value
    sign: int
    fixed: bool


class _Fixed:
    """What depends on parameters alone, and is computed once for all steps."""

    def __init__(self, graph: Graph, given: list[Any]) -> None:
        self._graph = graph
        self._absorbed_values: dict[tuple[int, int], Value] = {}
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
        return self._absorbed(value.index, factor) if self._price(value.index) <= 1 else value * factor

    def moved(self, x: Value, value: Value, factor: Value) -> Value:
        """``x + value * factor`` with a fixed factor."""
        step = self.scaled(value, factor)
        node = self._graph.nodes[step.index]
        return x - Value(self._graph, node.args[0]) if node.op == "negative" else x + step

    def _price(self, index: int) -> int:
        """Operations that each step takes more for a factor: 0 where a parameter absorbs it."""
        node = self._graph.nodes[index]
        if self._is(index):
            return 0
        if node.op == "multiply":
            return min(map(self._price, node.args))
        if node.op == "divide":
            return 0 if any(map(self._is, node.args)) else 1
        return sum(map(self._price, node.args)) if node.op in _SUMS else 1

    def _absorbed(self, index: int, factor: Value) -> Value:
        key = index, factor.index
        if key not in self._absorbed_values:
            self._absorbed_values[key] = _sum(self._terms(index, factor, 1))
        return self._absorbed_values[key]

    def _terms(self, index: int, factor: Value, sign: int) -> list[_Term]:
        """Terms whose sum is the value times the factor."""
        graph, node = self._graph, self._graph.nodes[index]
        if self._is(index):
            return [_Term(Value(graph, index) * factor, sign, True)]
        if node.op in _SUMS:
            first = self._terms(node.args[0], factor, -sign if node.op == "negative" else sign)
            later = -sign if node.op == "subtract" else sign
            return first + [term for i in node.args[1:] for term in self._terms(i, factor, later)]
        if node.op not in ("multiply", "divide"):
            return [_Term(Value(graph, index) * factor, sign, False)]
        for i, j in (node.args, node.args[::-1]):
            here, other = Value(graph, i), Value(graph, j)
            if not self._is(i):
                continue
            if node.op == "divide" and i == node.args[0]:
                return [_Term((here * factor) / other, sign, False)]
            both = factor / here if node.op == "divide" else here * factor
            if self._price(j) <= (graph.nodes[j].op in _SUMS) and (graph.nodes[j].op in _SUMS or self._one_factor(j)):
                return self._terms(j, both, sign)
            if not self._price(j) and node.op == "multiply":  # a current's g·m³·h is wanted for its conductance, too
                return [_Term(self._absorbed(j, factor) * here, sign, False)]
            return [_Term(other * both, sign, False)]
        if self._price(index) > 0:
            return [_Term(Value(graph, index) * factor, sign, False)]
        # A rate that was scaled already, rather than the target that it is multiplied by.
        known = [i for i in node.args if (i, factor.index) in self._absorbed_values]
        i = known[0] if known else min(node.args, key=self._price)
        j = node.args[1 - node.args.index(i)]
        return [_Term(self._absorbed(i, factor) * Value(graph, j), sign, False)]

    def _one_factor(self, index: int) -> bool:
        """Whether but one factor of a product is not fixed."""
        node = self._graph.nodes[index]
        return node.op not in ("multiply", "divide") or (
            any(map(self._is, node.args)) and all(self._is(i) or self._one_factor(i) for i in node.args)
        )


def _sum(terms: list[_Term]) -> Value:
    """The sum; fixed terms first, for they are added up once for all steps."""
    # A positive term to begin with, where there is one, saves a change of sign.
    (total, first, _), *others = sorted(terms, key=lambda term: (not term.fixed, term.sign < 0))
    for value, sign, _ in others:
        total = total + value if sign == first else total - value
    return total if first > 0 else -total


EXPONENTIAL_EULER = ExponentialEuler()
