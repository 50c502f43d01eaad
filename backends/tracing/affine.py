"""A value as a·x + b, where it is linear in another.

Exponential Euler needs a and b in dx/dt = a·x + b. Differences f(1) − f(0) lose digits in float32; the graph does not.
"""

from __future__ import annotations

from typing import NamedTuple

from neurosim.backends.errors import UsageError
from neurosim.backends.tracing.graph import Graph, Value


class NotAffine(UsageError):
    """The value is not linear in the variable."""


def dependants(graph: Graph, leaf: int) -> set[int]:
    """Every node whose value depends on ``leaf``."""
    found = {leaf}
    for index in range(leaf + 1, len(graph.nodes)):
        if not found.isdisjoint(graph.nodes[index].args):
            found.add(index)
    return found


class Parts(NamedTuple):
    """Of ``y = a·x + b``; None is nothing at all."""

    slope: Value | None
    rest: Value | None


def coefficient(graph: Graph, y: Value, x: Value) -> Value | None:
    """``a`` in ``y = a·x + b``, where neither depends on ``x``; None where ``y`` does not depend on ``x`` at all.

    Raises
    ------
    NotAffine
        When ``y`` is not linear in ``x``.
    """
    return parts(graph, y, x).slope


def parts(graph: Graph, y: Value, x: Value) -> Parts:
    """``a`` and ``b`` in ``y = a·x + b``, where neither depends on ``x``.

    Raises
    ------
    NotAffine
        When ``y`` is not linear in ``x``.
    """
    depends = dependants(graph, x.index)
    known: dict[int, Parts] = {}

    def visit(index: int) -> Parts:
        if index not in known:
            known[index] = compute(index)
        return known[index]

    def compute(index: int) -> Parts:
        if index == x.index:
            return Parts(graph.constant(1, x.dtype), None)
        if index not in depends:
            return Parts(None, Value(graph, index))
        node = graph.nodes[index]
        values = [Value(graph, i) for i in node.args]
        if node.op in ("add", "subtract"):
            first, second = visit(node.args[0]), visit(node.args[1])
            combine = _sum if node.op == "add" else _difference
            return Parts(*(combine(graph, a, b) for a, b in zip(first, second, strict=True)))
        if node.op == "negative":
            return Parts(*(None if a is None else _negated(graph, a) for a in visit(node.args[0])))
        if node.op == "multiply" and len(depends.intersection(node.args)) == 1 and node.args[0] != node.args[1]:
            i = 0 if node.args[0] in depends else 1
            return Parts(*(None if a is None else _product(graph, a, values[1 - i]) for a in visit(node.args[i])))
        if node.op == "divide" and node.args[1] not in depends:
            return Parts(*(None if a is None else a / values[1] for a in visit(node.args[0])))
        if node.op == "where" and node.args[0] not in depends:
            pairs = zip(visit(node.args[1]), visit(node.args[2]), strict=True)
            return Parts(*(_either(graph, values[0], a, b) for a, b in pairs))
        raise NotAffine(f"not linear: {node.op}")

    return visit(y.index)


# Signs are moved outwards, where they cost nothing: −x·y − z·y is −(x·y + z·y). No result changes but in the sign of 0.


def _inside(graph: Graph, a: Value) -> Value | None:
    """``x`` of ``-x``."""
    node = graph.nodes[a.index]
    return Value(graph, node.args[0]) if node.op == "negative" else None


def _negated(graph: Graph, a: Value) -> Value:
    inside = _inside(graph, a)
    return -a if inside is None else inside


def _either(graph: Graph, condition: Value, a: Value | None, b: Value | None) -> Value | None:
    if a is None and b is None:
        return None
    return graph.where(condition, 0.0 if a is None else a, 0.0 if b is None else b)


def _difference(graph: Graph, a: Value | None, b: Value | None) -> Value | None:
    return a if b is None else _sum(graph, a, _negated(graph, b))


def _sum(graph: Graph, a: Value | None, b: Value | None) -> Value | None:
    if a is None or b is None:
        return b if a is None else a
    x, y = _inside(graph, a), _inside(graph, b)
    if x is not None:
        return -(x + y) if y is not None else b - x
    return a + b if y is None else a - y


def _product(graph: Graph, a: Value, b: Value) -> Value:
    x, node = _inside(graph, a), graph.nodes[a.index]
    if x is not None:
        return -(x * b)
    return -b if node.op == "constant" and node.payload == -1 else a * b
